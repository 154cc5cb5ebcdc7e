from dataclasses import replace

import numpy as np
import pytest

from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.data.sections import central_sections
from dsfu.simulate.lattice import Cell

HEXAGONAL = Cell(7.0, 7.0, 4.5, 90.0, 90.0, 120.0)


def reconstruction(order: tuple[int, int, int] = (0, 1, 2)) -> Reconstruction:
    """A volume [h, k, l], or with its axes in another order; intensity 1000 h + 10 k + 0.1 l, offset to be positive."""
    shape = (7, 9, 5)
    origin, steps = np.array([-1.5, -1.0, 2.0]), np.diag([0.5, 0.25, 0.1])
    hkl = origin + np.moveaxis(np.indices(shape), 0, -1) @ steps
    intensity = 5000 + hkl @ [1000, 10, 0.1]
    return Reconstruction(
        intensity=intensity.transpose(order),
        live=np.ones(shape, np.bool_).transpose(order),
        origin=origin,
        steps=steps[list(order)],
        cell=HEXAGONAL,
    )


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_they_are_hk_hl_and_kl_whatever_the_order_of_the_array(order: tuple[int, int, int]):
    sections = central_sections(reconstruction(order))
    assert [section.across for section in sections] == ["l = 2.2", "k = 0", "h = 0"]
    assert [section.label_x + section.label_y for section in sections] == ["hk", "hl", "kl"]
    hk = sections[0]
    expected = 5000 + 1000 * hk.x.values + 10 * hk.y.values[:, np.newaxis] + 0.1 * 2.2
    np.testing.assert_allclose(hk.intensity, expected)
    np.testing.assert_allclose(sections[2].intensity[0], 5000 + 10 * sections[2].x.values + 0.1 * 2.0)


def test_shape_is_true():
    hk, hl, _ = central_sections(reconstruction())
    a_star, c_star = 2 * np.pi / (7 * np.sin(np.radians(120))), 2 * np.pi / 4.5
    np.testing.assert_allclose(hk.step_x, [0.5 * a_star, 0], atol=1e-12)
    np.testing.assert_allclose(hk.step_y, 0.25 * a_star * np.array([0.5, np.sqrt(0.75)]), atol=1e-12)
    np.testing.assert_allclose(hl.step_y, [0, 0.1 * c_star], atol=1e-12)


def test_without_a_cell_axes_are_at_right_angles():
    hk = central_sections(replace(reconstruction(), cell=None))[0]
    np.testing.assert_allclose([hk.step_x, hk.step_y], [[0.5, 0], [0, 0.25]])


def test_an_array_of_which_nothing_is_known_is_drawn_as_it_is():
    plane = np.arange(12.0).reshape(3, 4, 1)
    unknown = Reconstruction(
        intensity=plane,
        live=np.ones(plane.shape, np.bool_),
        origin=np.zeros(3),
        steps=np.eye(3),
        cell=None,
        indexed=False,
    )
    (section,) = central_sections(unknown)
    np.testing.assert_array_equal(section.intensity, plane[..., 0])
    assert (section.label_x, section.label_y, section.across) == ("array axis 1", "array axis 0", "")
