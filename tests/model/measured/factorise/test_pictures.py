"""Oblique axes against the reciprocal lattice; pictures against what they are made of."""

import base64
import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dsfu.model.measured.factorise.pictures import as_address, plane_figure
from dsfu.model.measured.factorise.pictures_axes import edges, line_ends, oblique_axes
from dsfu.simulate.disorder.planes import AxisName, layer, plane_through
from dsfu.simulate.lattice import Cell
from tests.model.measured.factorise.made import HEXAGONAL, TRICLINIC, hexagonal_layer, plane_factors


@pytest.mark.parametrize(("axis", "labels"), [("a", ("k", "l")), ("b", ("h", "l")), ("c", ("h", "k"))])
@given(index=st.floats(-3, 3), h1=st.floats(-5, 5), h2=st.floats(-5, 5))
def test_directions_of_a_layer_are_its_indices(
    axis: AxisName, labels: tuple[str, str], index: float, h1: float, h2: float
) -> None:
    plane = layer(TRICLINIC, axis, index, 3.0, 16)
    found = oblique_axes(plane, TRICLINIC)
    assert found is not None
    assert found.labels == labels
    x, y = (np.array([h1, h2]) - found.middle) @ found.vectors
    hkl = TRICLINIC.hkl_of_q(plane.centre + x * plane.axis_x + y * plane.axis_y)
    np.testing.assert_allclose(np.delete(hkl, "abc".index(axis)), [h1, h2], atol=1e-8)


def test_planes_through_the_origin_have_combined_indices() -> None:
    plane = plane_through(HEXAGONAL, [[0, 0, 0], [1, 1, 0], [0, 0, 1]], 3.0, 16)
    found = oblique_axes(plane, HEXAGONAL)
    assert found is not None
    assert found.labels == ("[h, h, 0]", "l")
    np.testing.assert_allclose(found.middle, 0, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(found.vectors[0]), np.linalg.norm(HEXAGONAL.q_of_hkl([1, 1, 0])))


def test_planes_without_simple_directions_have_none() -> None:
    points = [[0, 0, 0], [1, np.sqrt(2) / 2, 0.1], [0, 0.123, 1]]
    assert oblique_axes(plane_through(TRICLINIC, points, 3.0, 16), TRICLINIC) is None
    assert oblique_axes(hexagonal_layer(16), None) is None


def test_lines_are_where_an_index_is_constant() -> None:
    plane = layer(TRICLINIC, "c", 1.0, 3.0, 16)
    found = oblique_axes(plane, TRICLINIC)
    assert found is not None
    values = np.array([-1.0, 0.0, 2.0])
    for number in (0, 1):
        for ends, edge in zip(line_ends(found, number, values, edges(plane)), edges(plane), strict=True):
            q = plane.centre + ends @ np.stack([plane.axis_x, plane.axis_y])
            np.testing.assert_allclose(TRICLINIC.hkl_of_q(q)[:, number], values, atol=1e-9)
            np.testing.assert_allclose(ends[:, 1 - number], edge, atol=1e-9)


def texts(figure: Any, number: int) -> list[str]:
    panels = [axes for axes in figure.axes if axes.get_title()]
    return [text.get_text() for text in panels[number].texts]


def test_numbers_stand_where_the_axes_are_cut() -> None:
    cell = Cell(2 * np.pi, 2 * np.pi, 5)  # a* = b* = 1/Å, a right angle: indices are 1/Å
    figure = plane_figure(plane_factors(layer(cell, "c", 0, 3.0, 32), cell))
    assert set(texts(figure, 0)) == {"−3", "−2", "−1", "0", "1", "2"}
    assert texts(figure, 1)  # below every panel
    assert len(texts(figure, 0)) == 2 * len(texts(figure, 1))  # and on the left only once


@pytest.mark.parametrize(
    ("uncertain", "cell", "panels"), [(True, HEXAGONAL, 8), (False, HEXAGONAL, 6), (False, None, 6)]
)
def test_a_figure_has_its_panels_and_becomes_an_image(uncertain: bool, cell: Cell | None, panels: int) -> None:
    plane = plane_factors(hexagonal_layer(32), cell, uncertain=uncertain)
    figure = plane_figure(plane)
    named = [axes for axes in figure.axes if axes.get_title()]
    assert len(named) == panels
    assert all(axes.get_aspect() == 1 for axes in named)
    observed: Any = named[0].images[0].get_array()
    np.testing.assert_array_equal(observed.mask, ~plane.live)
    np.testing.assert_allclose(observed.data, np.maximum(plane.measured.intensity, 0))
    kind, _, content = as_address(figure).partition(",")
    assert kind == "data:image/png;base64"
    assert Image.open(io.BytesIO(base64.b64decode(content))).width > 1000
