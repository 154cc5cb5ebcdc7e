"""A pattern of pseudo-Voigt peaks with its derivatives: what a fit by least squares asks for at every step."""

import math

import numpy as np
from numba import njit

from dsfu.simulate.arrays import FloatArray


@njit(nogil=True, cache=True)
def pseudo_voigts_and_slopes(
    x: FloatArray,
    centres: FloatArray,
    areas: FloatArray,
    widths: FloatArray,
    mixing: float,
    reaches: FloatArray,
    skews: FloatArray,
    skew_slopes: FloatArray,
    centre_slopes: FloatArray,
    width_slopes: FloatArray,
    area_slopes: FloatArray,
    out: FloatArray,
    slopes: FloatArray,
) -> None:
    """Add peaks to out (points,) and their derivatives to slopes (points, parameters); x ascending, in degrees.

    centre_slopes, width_slopes and area_slopes, each (peaks, some), are derivatives of what a peak has by parameters.
    Columns of slopes: those of centres, those of widths, the mixing (Lorentzian share), the asymmetry, those of areas.
    reaches: how many FWHM each peak is followed to either side. skews: the left half is (1 + skew) times as wide as it
    would be, the right one (1 - skew) times; skew_slopes, (peaks, 2), are derivatives of both
    skews and widths by the asymmetry.
    """
    points, moved, widened = x.shape[0], centre_slopes.shape[1], width_slopes.shape[1]
    grown = area_slopes.shape[1]
    gauss = 4 * math.log(2.0)
    for peak in range(centres.shape[0]):
        width, centre, area = widths[peak], centres[peak], areas[peak]
        left, right = 1 + skews[peak], 1 - skews[peak]
        start = np.searchsorted(x, centre - reaches[peak] * width * left)
        stop = np.searchsorted(x, centre + reaches[peak] * width * right)
        for i in range(start, min(stop, points)):
            side = left if x[i] < centre else right
            u = (x[i] - centre) / (width * side)
            square = u * u
            lorentz = 2 / (math.pi * width * (1 + 4 * square))
            bell = math.sqrt(gauss / math.pi) / width * math.exp(-gauss * square) if square < 9 else 0.0
            # d/du of both shapes, without the factor -u: it gives the slopes by centre and by width.
            steep = mixing * lorentz * 8 / (1 + 4 * square) + (1 - mixing) * bell * 2 * gauss
            shape = mixing * lorentz + (1 - mixing) * bell
            out[i] += area * shape
            by_centre = area * steep * u / (width * side)
            for j in range(moved):
                slopes[i, j] += by_centre * centre_slopes[peak, j]
            # Both shapes are g(u) / w with u = (x − c) / w: du/dw = −u / w, and 1/w gives the second term.
            by_width = area * (steep * square - shape) / width
            for j in range(widened):
                slopes[i, moved + j] += by_width * width_slopes[peak, j]
            slopes[i, moved + widened] += area * (lorentz - bell)
            # A wider side stretches u alone: the height stays, since both sides together keep their width.
            by_skew = area * steep * square / side
            by_skew *= skew_slopes[peak, 0] if x[i] < centre else -skew_slopes[peak, 0]
            slopes[i, moved + widened + 1] += by_skew + by_width * skew_slopes[peak, 1]
            for j in range(grown):
                slopes[i, moved + widened + 2 + j] += shape * area_slopes[peak, j]


@njit(nogil=True, cache=True)
def peaks_within(
    x: FloatArray,
    centres: FloatArray,
    areas: FloatArray,
    widths: FloatArray,
    mixing: float,
    reaches: FloatArray,
    skews: FloatArray,
    out: FloatArray,
) -> None:
    """Add pseudo-Voigt peaks to out, followed as many FWHM as ``reaches`` says, left halves 1 + skew times as wide."""
    points = x.shape[0]
    gauss = 4 * math.log(2.0)
    for peak in range(centres.shape[0]):
        width, centre = widths[peak], centres[peak]
        left, right = width * (1 + skews[peak]), width * (1 - skews[peak])
        start = np.searchsorted(x, centre - reaches[peak] * left)
        stop = np.searchsorted(x, centre + reaches[peak] * right)
        # Shapes of unit area, as in `kernels.pseudo_voigts`, for one mixing and a reach of their own.
        bell = (1 - mixing) * math.sqrt(gauss / math.pi) / width * areas[peak]
        lorentz = mixing * 2 / (math.pi * width) * areas[peak]
        for i in range(start, min(stop, points)):
            u = (x[i] - centre) / (left if x[i] < centre else right)
            square = u * u
            out[i] += lorentz / (1 + 4 * square)
            if square < 9:
                out[i] += bell * math.exp(-gauss * square)
