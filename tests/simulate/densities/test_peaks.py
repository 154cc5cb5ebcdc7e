"""Peaks of curves, against scipy's."""

import numpy as np
from scipy.signal import find_peaks, peak_widths

from dsfu.simulate.densities.peaks import prominent_peaks


def test_peaks_and_widths_are_those_of_scipy() -> None:
    rng = np.random.default_rng(3)
    for rounded in (False, True):
        curve = np.convolve(rng.normal(size=3000), np.ones(9) / 9, "same") + np.sin(np.arange(3000) / 50)
        curve = np.round(curve, 1) if rounded else curve
        expected, _ = find_peaks(curve, prominence=0.3)
        places, widths = prominent_peaks(curve, 0.3)
        assert len(places) > 20
        np.testing.assert_array_equal(places, expected)
        np.testing.assert_allclose(widths, peak_widths(curve, expected, rel_height=0.5)[0], rtol=1e-9)


def test_no_peak_lies_at_an_end_or_on_a_slope() -> None:
    assert not len(prominent_peaks(np.arange(100.0), 0.0)[0])
    assert not len(prominent_peaks(np.array([3.0, 1.0, 1.0, 5.0]), 0.0)[0])
    assert not len(prominent_peaks(np.ones(50), 0.0)[0])
