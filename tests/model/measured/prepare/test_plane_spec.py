"""Planes as people write them."""

import numpy as np
import pytest

from dsfu.errors import InputError
from dsfu.model.measured.prepare.plane_spec import own_plane, parse_plane
from dsfu.simulate.lattice import Cell
from tests.model.measured.prepare.made import TRICLINIC, made, on_grid


@pytest.mark.parametrize(
    ("text", "axis", "index"),
    [
        ("hk0", "c", 0.0),
        ("HK1", "c", 1.0),
        ("hk1.5", "c", 1.5),
        ("h0l", "b", 0.0),
        ("-0.5kl", "a", -0.5),
        ("h-1l", "b", -1.0),
        ("hk−2", "c", -2.0),
        ("(h k 0.25)", "c", 0.25),
        ("h, .5, l", "b", 0.5),
    ],
)
def test_layers(text: str, axis: str, index: float) -> None:
    spec = parse_plane(text)
    assert (spec.axis, spec.index) == (axis, index)
    assert (spec.points[:, "abc".index(axis)] == index).all()


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("hhl", [[1, 1, 0], [0, 0, 1], [2, 2, -3]]),
        ("h-hl", [[1, -1, 0], [0, 0, 1]]),
        ("hkk", [[1, 0, 0], [0, 1, 1]]),
        ("-hkh", [[-1, 0, 1], [0, 1, 0]]),
        ("0,0,1 1,0,1 0,1,1", [[3, -4, 1], [0.5, 0.5, 1]]),
        ("0 0 0; 1 1 0; 0 0 1", [[1, 1, 5]]),
    ],
)
def test_general_planes_hold_their_points(text: str, inside: list[list[float]]) -> None:
    plane = parse_plane(text).plane(TRICLINIC, 2.0, 8)
    for hkl in inside:
        assert (TRICLINIC.q_of_hkl(hkl) - plane.centre) @ plane.normal == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    "text", ["", "hk", "hkl", "h00", "kh0", "hk0x", "hk00", "1,2,3", "0,0,0 1,1,1 2,2,2", "0,0,0 1,0,0 nan,0,1", "xyz"]
)
def test_what_is_no_plane_is_refused_with_examples(text: str) -> None:
    with pytest.raises(InputError, match="hk0"):
        parse_plane(text)


def test_thickness_is_in_layers() -> None:
    cell = Cell(5.0, 6.0, 7.0)
    assert parse_plane("hk3").unit_of_thickness(cell) == pytest.approx(2 * np.pi / 7)
    assert parse_plane("hhl").unit_of_thickness(cell) == 1.0


def test_a_reconstruction_of_one_layer_is_its_own_plane() -> None:
    flat = on_grid(lambda hkl: hkl[..., 0], np.array([-2, 1.5, -2]), np.eye(3) / 10, (41, 1, 41), TRICLINIC)
    spec = own_plane(flat)
    assert spec is not None
    assert (spec.axis, spec.index, spec.name) == ("b", 1.5, "h1.5l")
    steps = np.array([[0.1, 0.1, 0], [0, 0, 0.1], [0.1, -0.1, 0]])
    tilted = on_grid(lambda hkl: hkl[..., 0], -20 * (steps[0] + steps[1]), steps, (41, 41, 1), TRICLINIC)
    spec = own_plane(tilted)
    assert spec is not None
    assert spec.axis is None
    np.testing.assert_allclose(spec.points, np.array([[0, 0, 0], [0.1, 0.1, 0], [0, 0, 0.1]]), atol=1e-12)
    assert own_plane(made(lambda hkl: hkl[..., 0])) is None
