"""SSIM against a slow window-by-window twin, PSNR by hand, rotations as a group; against scikit-image where it is."""

import numpy as np
import pytest

from dsfu.model.problems.densities.density_scores import best_over_rotations, psnr, rotated, rotations, ssim

RNG = np.random.default_rng(0)
TRUTH = RNG.normal(size=(11, 12, 13))
FOUND = TRUTH + 0.5 * RNG.normal(size=TRUTH.shape)


def slow_ssim(a: np.ndarray, b: np.ndarray) -> float:
    span = a.max() - a.min()
    c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
    values = []
    for i, j, k in np.ndindex(*(n - 6 for n in a.shape)):
        x, y = (each[i : i + 7, j : j + 7, k : k + 7].ravel() for each in (a, b))
        (vx, cov), (_, vy) = np.cov(x, y)
        values.append((2 * x.mean() * y.mean() + c1) * (2 * cov + c2)
                      / ((x.mean() ** 2 + y.mean() ** 2 + c1) * (vx + vy + c2)))  # fmt: skip
    return float(np.mean(values))


def test_ssim_is_its_definition_window_by_window() -> None:
    assert ssim(TRUTH, FOUND) == pytest.approx(slow_ssim(TRUTH, FOUND), abs=1e-9)
    assert ssim(TRUTH, TRUTH) == pytest.approx(1)


def test_both_are_scikit_images() -> None:
    metrics = pytest.importorskip("skimage.metrics")
    span = np.ptp(TRUTH)
    assert ssim(TRUTH, FOUND) == pytest.approx(metrics.structural_similarity(TRUTH, FOUND, data_range=span), abs=1e-6)
    assert psnr(TRUTH, FOUND) == pytest.approx(metrics.peak_signal_noise_ratio(TRUTH, FOUND, data_range=span), abs=1e-6)


def test_psnr_of_a_known_error() -> None:
    truth = np.zeros((8, 8, 8))
    truth[0, 0, 0] = 2
    assert psnr(truth, truth + 0.02) == pytest.approx(40)


def test_rotations_are_a_group_and_act_as_one() -> None:
    kept = {tuple(each.ravel()) for each in rotations()}
    assert len(kept) == 24
    assert all(tuple((a @ b).ravel()) in kept for a in rotations() for b in rotations())
    grid = RNG.normal(size=(6, 6, 6))
    for a, b in zip(rotations(), reversed(rotations()), strict=True):
        np.testing.assert_array_equal(rotated(rotated(grid, b), a), rotated(grid, a @ b))


def test_a_turned_and_shifted_truth_scores_one() -> None:
    grid = RNG.normal(size=(10, 10, 10))
    turned = rotated(grid, rotations()[17])
    assert best_over_rotations(grid, turned)[0] == pytest.approx(1)
    moved = np.roll(turned, (3, 1, 4), (0, 1, 2))
    assert best_over_rotations(grid, moved)[0] < 0.5
    assert best_over_rotations(grid, moved, move=True)[0] == pytest.approx(1)
