"""Derivatives of peaks against differences, and the same peaks as the plain kernel draws."""

import numpy as np
import pytest

from dsfu.simulate.densities.kernels import pseudo_voigts
from dsfu.simulate.densities.profile_slopes import peaks_within, pseudo_voigts_and_slopes

X = np.linspace(10, 60, 4001)
CENTRES = np.array([20.0, 31.3, 31.6, 55.0])
AREAS = np.array([3.0, 1.0, 2.0, 0.5])
WIDTHS = np.array([0.2, 0.25, 0.26, 0.4])
WIDE = np.full(4, 300.0)


def drawn(centres=CENTRES, areas=AREAS, widths=WIDTHS, mixing=0.4):
    out = np.zeros(len(X))
    peaks_within(X, centres, areas, widths, mixing, WIDE, out)
    return out


def test_peaks_are_those_of_the_plain_kernel_and_have_their_areas():
    plain = np.zeros(len(X))
    pseudo_voigts(X, CENTRES, AREAS, WIDTHS, np.full(4, 0.4), 300.0, plain)
    np.testing.assert_allclose(drawn(), plain, atol=1e-12)
    assert drawn().sum() * (X[1] - X[0]) == pytest.approx(AREAS.sum(), rel=0.01)  # Lorentzian tails reach beyond


def test_slopes_are_what_differences_say():
    move = np.array([[1.0, 0.0], [0.5, 1.0], [0.2, -1.0], [0.0, 2.0]])
    widen, grow = np.array([[1.0], [0.5], [2.0], [0.0]]), np.array([[1.0], [-0.5], [0.3], [2.0]])
    out, slopes = np.zeros(len(X)), np.zeros((len(X), 5))
    pseudo_voigts_and_slopes(X, CENTRES, AREAS, WIDTHS, 0.4, WIDE, move, widen, grow, out, slopes)
    np.testing.assert_allclose(out, drawn(), atol=1e-12)
    step = 1e-5
    differences = [
        *((drawn(CENTRES + step * each) - drawn(CENTRES - step * each)) / (2 * step) for each in move.T),
        (drawn(widths=WIDTHS + step * widen[:, 0]) - drawn(widths=WIDTHS - step * widen[:, 0])) / (2 * step),
        (drawn(mixing=0.4 + step) - drawn(mixing=0.4 - step)) / (2 * step),
        (drawn(areas=AREAS + step * grow[:, 0]) - drawn(areas=AREAS - step * grow[:, 0])) / (2 * step),
    ]
    for column, expected in zip(slopes.T, differences, strict=True):
        # A Gaussian ends at three widths: there differences see its edge.
        np.testing.assert_allclose(column, expected, atol=1e-4 * np.abs(expected).max())
