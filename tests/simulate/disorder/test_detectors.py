import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsfu.simulate.disorder.detectors import EIGER_16M, FLAT_PANEL, PILATUS3_6M, PILATUS_2M, PRESETS, Detector
from tests.simulate.disorder.dead_zones_reference import live_picture


@pytest.mark.parametrize(
    ("detector", "columns", "rows", "width_mm", "height_mm", "live"),
    [
        (PILATUS_2M, 1475, 1679, 253.7, 288.8, 24 * 487 * 195),
        (PILATUS3_6M, 2463, 2527, 423.6, 434.6, 60 * 487 * 195),
        (EIGER_16M, 4150, 4371, 311.2, 327.8, 32 * 1030 * 514),
        (FLAT_PANEL, 2048, 2048, 409.6, 409.6, 2048 * 2048),
    ],
)
def test_presets_have_their_makers_numbers(detector, columns, rows, width_mm, height_mm, live):
    assert (detector.columns, detector.rows) == (columns, rows)
    assert np.round(1e3 * np.array(detector.size_m), 1) == pytest.approx([width_mm, height_mm], abs=0.11)
    assert detector.live_columns.sum() * detector.live_rows.sum() == live
    assert detector in PRESETS.values()


def test_gaps_of_the_pilatus_2m_are_where_they_should_be():
    dead_columns = np.flatnonzero(~PILATUS_2M.live_columns)
    dead_rows = np.flatnonzero(~PILATUS_2M.live_rows)
    np.testing.assert_array_equal(dead_columns, [*range(487, 494), *range(981, 988)])
    np.testing.assert_array_equal(dead_rows[:34], [*range(195, 212), *range(407, 424)])
    assert len(dead_rows) == 7 * 17


@given(
    modules=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    size=st.tuples(st.integers(5, 12), st.integers(5, 12)),
    gaps=st.tuples(st.integers(0, 4), st.integers(0, 4)),
    edge=st.integers(0, 2),
)
def test_lines_make_the_picture_that_is_drawn_module_by_module(modules, size, gaps, edge):
    detector = Detector(
        name="small",
        pixel_m=1e-4,
        modules_x=modules[0],
        modules_y=modules[1],
        module_columns=size[0],
        module_rows=size[1],
        gap_columns=gaps[0],
        gap_rows=gaps[1],
        edge_pixels=edge,
    )
    picture = detector.live_rows[:, np.newaxis] & detector.live_columns
    np.testing.assert_array_equal(picture, live_picture(detector))
    assert picture.sum() == modules[0] * modules[1] * (size[0] - 2 * edge) * (size[1] - 2 * edge)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"modules_x": 0}, "modules_x = 0: expected 1 to"),
        ({"module_rows": 19.5}, "module_rows = 19.5: expected a whole number"),
        ({"gap_columns": -1}, "gap_columns = -1: expected 0 to"),
        ({"pixel_m": float("nan")}, "pixel_m = nan"),
        ({"pixel_m": 172.0}, "pixel_m = 172.0: expected a number in [1e-06, 0.01]"),
        ({"modules_y": 5000}, "expected at most 100000 along either side"),
        ({"edge_pixels": 98}, "edge_pixels = 98: they leave nothing of a module of 487 × 195"),
        ({"name": 2}, "detector name = 2: expected a text"),
    ],
)
def test_impossible_detectors_are_refused(change, message):
    numbers = {"name": "test", "pixel_m": 172e-6, "modules_x": 3, "modules_y": 8, "module_columns": 487}
    with pytest.raises(ValueError, match=re.escape(message)):
        Detector(**(numbers | {"module_rows": 195} | change))
