import numpy as np
import pytest
from ase import Atoms
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import find_peaks

from dsfu.simulate.disorder.plane_rules import (
    Crystal,
    PlaneRules,
    monte_carlo_layers,
    oscillator_layers,
    peaks_of,
    prominent_offsets,
)
from dsfu.simulate.disorder.planes import layer
from dsfu.simulate.lattice import Cell
from dsfu.simulate.random_stream import RandomStream

CUBIC = Cell(4.0, 4.0, 4.0)
HEXAGONAL = Cell(6.0, 3.5, 6.0, 90.0, 120.0, 90.0)


def correlated(**along: float) -> np.ndarray:
    alpha = np.zeros((11, 11, 11))
    alpha[5, 5, 5] = 1.0
    for axis, value in along.items():
        step = np.eye(3, dtype=int)["abc".index(axis)]
        alpha[tuple(5 + step)] = alpha[tuple(5 - step)] = value
    return alpha


def crystal(alpha: np.ndarray, cell: Cell = CUBIC) -> Crystal:
    return Crystal(atoms_a=Atoms("Cu"), atoms_b=Atoms("Au"), fraction_a=0.5, cell=cell, alpha=alpha)


def offsets(layers, axis: str) -> list[float]:
    return [each.offset for each in layers if each.axis == axis]


def test_four_planes_normal_to_each_axis() -> None:
    layers = monte_carlo_layers(crystal(correlated(a=0.3, c=-0.3)), 7.0, PlaneRules(pixels=128), RandomStream(1))
    assert [each.axis for each in layers] == list("bbbbccccaaaa")
    assert offsets(layers, "b") == [0.0, 1.0, 2.0, 3.0]


def test_alternation_along_b_moves_the_layers_between_the_bragg_layers() -> None:
    layers = monte_carlo_layers(crystal(correlated(b=-0.4)), 7.0, PlaneRules(pixels=64), RandomStream(1))
    assert offsets(layers, "b") == [0.5, 1.5, 2.5, 3.5]
    weak = monte_carlo_layers(crystal(correlated(b=-0.04)), 7.0, PlaneRules(pixels=64), RandomStream(1))
    assert offsets(weak, "b") == [0.0, 1.0, 2.0, 3.0]


def test_planes_normal_to_c_and_a_go_through_the_maxima() -> None:
    layers = monte_carlo_layers(crystal(correlated(a=0.3, c=-0.3)), 7.0, PlaneRules(), RandomStream(1))
    np.testing.assert_allclose(sorted(offsets(layers, "a")), [0, 1, 2, 3], atol=0.06)
    np.testing.assert_allclose(sorted(offsets(layers, "c")), [0.5, 1.5, 2.5, 3.5], atol=0.06)


def test_offsets_follow_the_index_on_an_oblique_lattice() -> None:
    layers = monte_carlo_layers(crystal(correlated(a=-0.4), HEXAGONAL), 7.0, PlaneRules(), RandomStream(1))
    remainder = np.mod(offsets(layers, "a"), 1.0)
    np.testing.assert_allclose(remainder, 0.5, atol=0.1)


def test_planes_that_the_projection_does_not_give_are_made_up_reproducibly() -> None:
    flat = crystal(correlated())
    first, again, other = (monte_carlo_layers(flat, 7.0, PlaneRules(pixels=64), RandomStream(s)) for s in (1, 1, 2))
    assert len(offsets(first, "a")) == 4
    assert offsets(first, "a") == offsets(again, "a")
    assert offsets(first, "a") != offsets(other, "a")


@given(st.lists(st.integers(1, 6), min_size=1, max_size=3, unique=True))
def test_prominent_offsets_finds_stripes(stripes: list[int]) -> None:
    plane = layer(CUBIC, "b", 0, 2 * np.pi * 7.5 / 4.0, 128)
    h = plane.hkl(CUBIC)[..., 0]
    intensity = sum(np.exp(-(((np.abs(h) - stripe) / 0.15) ** 2)) for stripe in stripes)
    found = prominent_offsets(np.asarray(intensity, np.float32), plane, CUBIC, "a", 4)
    np.testing.assert_allclose(sorted(found), sorted(stripes), atol=0.12)


def test_no_layer_lies_outside_the_sphere() -> None:
    plane = layer(HEXAGONAL, "b", 0, 6.0, 64)
    noise = np.random.default_rng(0).random((64, 64)).astype(np.float32)
    for offset in prominent_offsets(noise, plane, HEXAGONAL, "a", 50):
        assert np.linalg.norm(layer(HEXAGONAL, "a", offset, 6.0).centre) <= 6.0


def test_oscillator_sets_have_layers_normal_to_b_only() -> None:
    layers = oscillator_layers(crystal(correlated(a=0.3)), 7.0, PlaneRules(pixels=16))
    assert [(each.axis, each.offset) for each in layers] == [("b", k) for k in (0.0, 1.0, 2.0, 3.0)]


def test_scattering_belongs_to_its_plane() -> None:
    one = crystal(correlated(a=0.3, b=-0.2))
    for each in monte_carlo_layers(one, 6.5, PlaneRules(pixels=16), RandomStream(3)):
        (alone,) = one.scattering([each.plane])
        np.testing.assert_array_equal(alone.sro, each.scattering.sro)
        assert each.plane.hkl(CUBIC)[8, 8]["abc".index(each.axis)] == pytest.approx(each.offset)


@given(st.lists(st.integers(0, 5), min_size=3, max_size=40))
def test_peaks_are_those_of_scipy(heights: list[int]) -> None:
    profile = np.array(heights, float) / 3
    expected, properties = find_peaks(profile, prominence=0.0)
    peaks, prominences = peaks_of(profile)
    np.testing.assert_array_equal(peaks, expected)
    np.testing.assert_array_equal(prominences, properties["prominences"])
