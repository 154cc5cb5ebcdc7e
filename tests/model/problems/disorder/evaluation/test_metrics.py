import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dsfu.model.problems.disorder.data.normalise import Scale, normalise
from dsfu.model.problems.disorder.data.normalise import normalise_roots as reference_normalise_roots
from dsfu.model.problems.disorder.evaluation.metrics import (
    inscribed_circle,
    mean_square_errors,
    normalise_roots,
    peak_signal_to_noise,
    regions_of,
    structural_similarity,
)


def some_planes(seed: int, count: int = 3, pixels: int = 24) -> np.ndarray:
    return np.random.default_rng(seed).random((count, pixels, pixels)).astype(np.float32)


def similarity_by_definition(one: np.ndarray, other: np.ndarray) -> float:
    """The formula of Wang et al. (2004), window by window, for pictures from 0 to 1."""
    along = np.arange(11) - 5
    weights = np.exp(-(along[:, None] ** 2 + along[None, :] ** 2) / (2 * 1.5**2))
    weights /= weights.sum()
    values = []
    for y in range(one.shape[0] - 10):
        for x in range(one.shape[1] - 10):
            a, b = one[y : y + 11, x : x + 11], other[y : y + 11, x : x + 11]
            mean_a, mean_b = (weights * a).sum(), (weights * b).sum()
            var_a, var_b = (weights * (a - mean_a) ** 2).sum(), (weights * (b - mean_b) ** 2).sum()
            covariance = (weights * (a - mean_a) * (b - mean_b)).sum()
            values.append(
                ((2 * mean_a * mean_b + 1e-4) * (2 * covariance + 9e-4))
                / ((mean_a**2 + mean_b**2 + 1e-4) * (var_a + var_b + 9e-4))
            )
    return float(np.mean(values))


@pytest.mark.parametrize("scale", ["linear", "sqrt"])
def test_planes_are_normalised_as_everywhere(scale: Scale):
    intensity = some_planes(0)
    ours = normalise_roots(torch.tensor(intensity).sqrt(), scale).numpy()
    np.testing.assert_allclose(ours, normalise(intensity, scale), atol=1e-6)
    exactly = reference_normalise_roots(intensity, scale)
    np.testing.assert_array_equal(normalise_roots(torch.tensor(intensity), scale).numpy(), exactly)
    np.testing.assert_array_equal(normalise_roots(torch.full((1, 4, 4), 0.3), scale), -np.ones((1, 4, 4)))


def test_errors_are_means_of_squares_over_each_region():
    predicted, truth = some_planes(1), some_planes(2)
    live = some_planes(3) < 0.6
    live[2] = True
    regions = regions_of(torch.tensor(live))
    found = mean_square_errors(torch.tensor(predicted), torch.tensor(truth), regions)
    assert set(found) == {"all", "live", "dead", "gaps", "corners"}
    for name, values in found.items():
        for number in range(3):
            chosen = regions[name][number].numpy()
            if chosen.any():
                squares = (predicted[number].astype(float) - truth[number])[chosen] ** 2
                assert values[number] == pytest.approx(squares.mean(), rel=1e-12)
            else:
                assert bool(values[number].isnan())
    assert bool(found["dead"][2].isnan())
    assert not bool(found["all"].isnan().any())


@given(st.integers(4, 40), st.integers(0, 2**32 - 1))
def test_regions_divide_a_plane(pixels: int, seed: int):
    live = torch.tensor(np.random.default_rng(seed).random((2, pixels, pixels)) < 0.5)
    regions = regions_of(live)
    covered = regions["live"].int() + regions["gaps"].int() + regions["corners"].int()
    assert bool((covered == 1).all())
    assert torch.equal(regions["dead"], regions["gaps"] | regions["corners"])


def test_the_circle_touches_the_edges_and_leaves_the_corners():
    circle = inscribed_circle(256).numpy()
    assert circle.mean() == pytest.approx(np.pi / 4, abs=1e-3)
    assert circle[128, 0]
    assert not circle[0, 0]
    assert not circle[255, 255]


def test_similarity_is_what_its_definition_says():
    one, other = some_planes(4), 0.7 * some_planes(4) + 0.3 * some_planes(5)
    ours = structural_similarity(torch.tensor(2 * one - 1), torch.tensor(2 * other - 1))
    for number in range(3):
        assert ours[number] == pytest.approx(similarity_by_definition(one[number], other[number]), abs=1e-6)
    assert 0.3 < ours.mean() < 0.98


def test_similarity_of_what_is_the_same_and_of_what_is_not():
    plane, noise = (torch.tensor(2 * some_planes(seed) - 1) for seed in (6, 7))
    torch.testing.assert_close(structural_similarity(plane, plane), torch.ones(3, dtype=torch.float64))
    torch.testing.assert_close(structural_similarity(plane, noise), structural_similarity(noise, plane))
    assert bool((structural_similarity(plane, -plane) < -0.5).all())
    assert bool((structural_similarity(plane, noise).abs() < 0.2).all())
    with pytest.raises(ValueError, match="8 pixels"):
        structural_similarity(torch.zeros(1, 8, 8), torch.zeros(1, 8, 8))


def test_signal_to_noise_is_in_decibels_and_bounded():
    found = peak_signal_to_noise(torch.tensor([4.0, 0.04, 0.0], dtype=torch.float64))
    assert found.tolist() == pytest.approx([0, 20, 126.0206], abs=1e-4)
