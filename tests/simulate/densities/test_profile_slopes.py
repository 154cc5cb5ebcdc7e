"""Derivatives of peaks against differences, and the same peaks as the plain kernel draws."""

import numpy as np
import pytest

from dsfu.simulate.densities.kernels import pseudo_voigts
from dsfu.simulate.densities.profile_slopes import peaks_within, pseudo_voigts_and_slopes

X = np.linspace(10, 60, 4001)
CENTRES = np.array([20.003, 31.306, 31.609, 55.004])
AREAS = np.array([3.0, 1.0, 2.0, 0.5])
WIDTHS = np.array([0.2, 0.25, 0.26, 0.4])
WIDE = np.full(4, 3000.0)
EVEN = np.zeros(4)
SKEW = np.array([0.6, 0.3, 0.1, 0.0])


def drawn(centres=CENTRES, areas=AREAS, widths=WIDTHS, mixing=0.4, skews=EVEN):
    out = np.zeros(len(X))
    peaks_within(X, centres, areas, widths, mixing, WIDE, skews, out)
    return out


def test_peaks_are_those_of_the_plain_kernel_and_have_their_areas():
    plain = np.zeros(len(X))
    pseudo_voigts(X, CENTRES, AREAS, WIDTHS, np.full(4, 0.4), 3000.0, plain)
    np.testing.assert_allclose(drawn(), plain, atol=1e-12)
    assert drawn().sum() * (X[1] - X[0]) == pytest.approx(AREAS.sum(), rel=0.01)  # Lorentzian tails reach beyond


def test_an_uneven_peak_keeps_its_area_and_leans_to_low_angles():
    alone = drawn(areas=AREAS * (np.arange(4) == 0), skews=SKEW)
    even = drawn(areas=AREAS * (np.arange(4) == 0))
    assert alone.sum() == pytest.approx(even.sum(), rel=0.01)
    assert alone @ X / alone.sum() < even @ X / even.sum() - 0.05
    assert alone.max() == pytest.approx(even.max(), rel=0.01)


def test_slopes_are_what_differences_say():
    move = np.array([[1.0, 0.0], [0.5, 1.0], [0.2, -1.0], [0.0, 2.0]])
    widen, grow = np.array([[1.0], [0.5], [2.0], [0.0]]), np.array([[1.0], [-0.5], [0.3], [2.0]])
    lean, draw = np.array([1.0, 0.5, 2.0, 0.3]), np.array([0.2, 0.0, -0.1, 0.4])
    out, slopes = np.zeros(len(X)), np.zeros((len(X), 6))
    pseudo_voigts_and_slopes(
        X, CENTRES, AREAS, WIDTHS, 0.4, WIDE, SKEW, np.stack([lean, draw], axis=1), move, widen, grow, out, slopes,
    )  # fmt: skip

    def skewed(**changed):
        return drawn(**{"skews": SKEW, **changed})

    np.testing.assert_allclose(out, skewed(), atol=1e-12)
    step = 1e-5
    differences = [
        *((skewed(centres=CENTRES + step * m) - skewed(centres=CENTRES - step * m)) / (2 * step) for m in move.T),
        (skewed(widths=WIDTHS + step * widen[:, 0]) - skewed(widths=WIDTHS - step * widen[:, 0])) / (2 * step),
        (skewed(mixing=0.4 + step) - skewed(mixing=0.4 - step)) / (2 * step),
        (
            skewed(skews=SKEW + step * lean, widths=WIDTHS + step * draw)
            - skewed(skews=SKEW - step * lean, widths=WIDTHS - step * draw)
        )
        / (2 * step),
        (skewed(areas=AREAS + step * grow[:, 0]) - skewed(areas=AREAS - step * grow[:, 0])) / (2 * step),
    ]
    for column, expected in zip(slopes.T, differences, strict=True):
        # A Gaussian ends at three widths: there differences see its edge.
        np.testing.assert_allclose(column, expected, atol=1e-4 * np.abs(expected).max())
