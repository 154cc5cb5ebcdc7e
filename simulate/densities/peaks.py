"""Peaks of a curve that stand out of what is beside them, and how wide they are.

As scipy.signal.find_peaks and peak_widths, which take longer to be imported than a small pattern to be solved.
"""

import numpy as np
from numba import njit

from dsfu.simulate.arrays import FloatArray, IntArray


def prominent_peaks(curve: FloatArray, least: float) -> tuple[IntArray, FloatArray]:
    """Places of the maxima of at least such a prominence, and their widths at half of it, both in points.

    Prominence is the height above the higher of the two lowest points that lie between a peak and what is higher to its
    left and right, or the curve's end.
    """
    places, prominences, widths = _peaks(np.ascontiguousarray(curve, np.float64))
    high = prominences >= least
    return places[high], widths[high]


@njit(nogil=True, cache=True)
def _peaks(curve: FloatArray) -> tuple[IntArray, FloatArray, FloatArray]:
    """Places, prominences and widths of all maxima; of a flat one the middle is its place."""
    points = curve.shape[0]
    places = np.empty(points // 2 + 1, np.int64)
    count, i = 0, 1
    # Points that are equal are one; it is a maximum where both neighbours are lower.
    while i < points - 1:
        last = i
        while last < points - 1 and curve[last + 1] == curve[i]:
            last += 1
        if curve[i - 1] < curve[i] and last < points - 1 and curve[last + 1] < curve[i]:
            places[count] = (i + last) // 2
            count += 1
        i = last + 1
    places = places[:count]
    prominences, widths = np.empty(count), np.empty(count)
    for n in range(count):
        top = curve[places[n]]
        # The lowest point on each side before the curve rises above the top; the higher of both is its foot.
        left = right = top
        i = places[n]
        while i >= 0 and curve[i] <= top:
            left = min(left, curve[i])
            i -= 1
        i = places[n]
        while i < points and curve[i] <= top:
            right = min(right, curve[i])
            i += 1
        prominences[n] = top - max(left, right)
        # Down both sides to half of that, and between two points on a straight line.
        level = top - 0.5 * prominences[n]
        low = high = places[n]
        while low > 0 and curve[low] > level:
            low -= 1
        while high < points - 1 and curve[high] > level:
            high += 1
        start, end = float(low), float(high)
        if curve[low] < level:
            start += (level - curve[low]) / (curve[low + 1] - curve[low])
        if curve[high] < level:
            end -= (level - curve[high]) / (curve[high - 1] - curve[high])
        widths[n] = end - start
    return places, prominences, widths
