import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsfu.simulate.disorder.planes import Plane, layer, plane_through
from dsfu.simulate.lattice import Cell
from tests.simulate.strategies import cells, planes


@given(st.data(), cells())
def test_q_is_centre_plus_offsets_along_the_axes(data: st.DataObject, cell: Cell) -> None:
    plane = data.draw(planes(cell))
    y, x = data.draw(st.tuples(*[st.integers(0, plane.pixels - 1)] * 2))
    half = plane.pixels // 2
    expected = plane.centre + plane.step * ((x - half) * plane.axis_x + (y - half) * plane.axis_y)
    np.testing.assert_allclose(plane.q[y, x], expected, atol=1e-12)
    assert plane.offsets[0] == pytest.approx(-plane.q_max)
    assert plane.offsets[half] == 0
    in_plane = [plane.q[y, x] @ plane.axis_x, plane.q[y, x] @ plane.axis_y]
    np.testing.assert_allclose(plane.centre_in_plane + plane.step * (np.array([x, y]) - half), in_plane, atol=1e-9)


@given(cells(), st.sampled_from(["a", "b", "c"]), st.floats(-5, 5))
def test_a_layer_has_one_constant_index(cell: Cell, axis: str, index: float) -> None:
    plane = layer(cell, axis, index, q_max=6.0, pixels=8)  # type: ignore[arg-type]
    fixed = "abc".index(axis)
    np.testing.assert_allclose(plane.hkl(cell)[..., fixed], index, atol=1e-9)
    assert np.linalg.norm(plane.centre) == pytest.approx(np.linalg.norm(plane.q, axis=-1).min(), abs=1e-9)


@given(cells(), st.sampled_from(["a", "b", "c"]))
def test_x_of_a_layer_runs_along_the_first_reciprocal_vector(cell: Cell, axis: str) -> None:
    plane = layer(cell, axis, 1, q_max=6.0, pixels=8)  # type: ignore[arg-type]
    first, second = (i for i in range(3) if i != "abc".index(axis))
    np.testing.assert_allclose(np.cross(plane.axis_x, cell.reciprocal[first]), 0, atol=1e-9)
    assert plane.axis_y @ cell.reciprocal[second] > 0


@given(cells())
def test_a_plane_through_points_contains_them(cell: Cell) -> None:
    points = np.array([[1, 0, 1], [2, 1, 0], [0, 1, 1]])
    plane = plane_through(cell, points, q_max=6.0)
    np.testing.assert_allclose((cell.q_of_hkl(points) - plane.centre) @ plane.normal, 0, atol=1e-9)
    np.testing.assert_allclose(plane.hkl(cell)[128, 128], points[0], atol=1e-9)


def test_bad_planes_are_refused_with_the_argument_named() -> None:
    origin, x, y = np.zeros(3), np.array([1.0, 0, 0]), np.array([0, 1.0, 0])
    with pytest.raises(ValueError, match="axis_x.*scalar product.*right angle"):
        Plane(origin, x, np.array([0.6, 0.8, 0]), 6.0)
    with pytest.raises(ValueError, match="lengths 2 and 1"):
        Plane(origin, 2 * x, y, 6.0)
    with pytest.raises(ValueError, match=r"centre\[1\] = nan"):
        Plane(np.array([0, np.nan, 0]), x, y, 6.0)
    with pytest.raises(ValueError, match="q_max"):
        Plane(origin, x, y, -1.0)
    with pytest.raises(ValueError, match=r"pixels = 2\.5"):
        Plane(origin, x, y, 6.0, 2.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="one line"):
        plane_through(Cell(5, 5, 5), [(0, 0, 0), (1, 0, 0), (2, 0, 0)], 6.0)
    with pytest.raises(ValueError, match="hkl_points = .*: expected an array of real numbers"):
        plane_through(Cell(5, 5, 5), [(0, 0, 0), (1, 0, "l"), (0, 1, 0)], 6.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="axis = 'd'"):
        layer(Cell(5, 5, 5), "d", 0, 6.0)  # type: ignore[arg-type]
