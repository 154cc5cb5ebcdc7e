import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsfu.errors import InputError
from dsfu.model.measured.readers.labels import direction_of, evenly_spaced
from dsfu.simulate.arrays import FloatArray


@pytest.mark.parametrize(
    ("label", "direction"),
    [
        ("H", (1, 0, 0)),
        ("Qk", (0, 1, 0)),
        ("q_l", (0, 0, 1)),
        ("L (r.l.u.)", (0, 0, 1)),
        ("h_axis", (1, 0, 0)),
        ("k-axis", (0, 1, 0)),
        ("[H,0,0]", (1, 0, 0)),
        ("[H, -H, 0] (r.l.u.)", (1, -1, 0)),
        ("[-0.5K,K,0]", (-0.5, 1, 0)),
        ("[0,0,2L]", (0, 0, 2)),
        ("[H/2,H,0]", (0.5, 1, 0)),
        ("[1/3H,0,0]", (1 / 3, 0, 0)),
        ("[2*H,H,0]", (2, 1, 0)),
    ],
)
def test_axes_of_hkl(label: str, direction: tuple[float, ...]):
    found = direction_of(label)
    assert found is not None
    np.testing.assert_allclose(found, direction)


@pytest.mark.parametrize(
    "label", ["", "Qx", "DeltaE", "x", "[H,K,0]", "[1,0,0]", "[H,0]", "[H/0,0,0]", "[0,0,0]", "hk"]
)
def test_other_axes(label: str):
    assert direction_of(label) is None


@given(st.floats(-50, 50), st.floats(0.001, 2), st.booleans(), st.integers(2, 60), st.booleans())
def test_edges_and_centres(first: float, step: float, backwards: bool, count: int, edges: bool):
    step = -step if backwards else step
    values: FloatArray = np.asarray(first + step * (np.arange(count + edges) - edges / 2), np.float64)
    found = evenly_spaced(values, count, "axis", edges=edges)
    np.testing.assert_allclose(found, (first, step), rtol=1e-9, atol=1e-9)
    assert evenly_spaced(values, count, "axis") == found
    single = evenly_spaced(values.astype(np.float32).astype(np.float64), count, "axis") if abs(step) > 0.1 else found
    np.testing.assert_allclose(single, (first, step), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("values", "count", "message"),
    [
        ([0, 1, 2, 4], 4, "not evenly spaced"),
        ([1, 1, 1], 3, "stays the same"),
        ([0, 1, 0], 3, "stays the same"),
        ([0, np.nan, 2], 3, "not finite"),
        ([0, 1, 2], 7, "7 .centres of voxels. or 8 .edges"),
    ],
)
def test_uneven_axes(values: list[float], count: int, message: str):
    with pytest.raises(InputError, match=message):
        evenly_spaced(np.array(values, float), count, "axis")
