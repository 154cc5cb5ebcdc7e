"""Laying molecules on axes, cells by the rules, and rotations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import pdist
from scipy.spatial.transform import Rotation

from dsfu.simulate.shapes import (
    GROUPS,
    cell_lengths_by_rule,
    diameter_across_b,
    extent_along_b,
    group_of,
    laid_on_axes,
    longest_distance,
    rotation_angles_of,
    rotation_matrix,
)

TETRAHEDRON = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3)
HEXAGON = np.array([[np.cos(t), np.sin(t), 0.0] for t in np.radians(np.arange(0, 360, 60))])
# A chain of different atoms without any symmetry: 4 Å long, 2 Å broad, 1 Å thick.
CHAIN = np.array([[0.0, 0.0, 0.0], [1.4, 0.4, 0.1], [2.1, 1.7, -0.2], [3.6, 1.2, 0.7], [4.1, 0.1, 0.3]])
CHAIN_NUMBERS = np.array([6, 7, 8, 9, 17])

BENZENE_ANGLES = (150.051, 197.538, 269.83)

orientations = st.integers(0, 2**32 - 1).map(lambda seed: Rotation.random(random_state=seed).as_matrix())
laid_groups = st.sampled_from([group.number for group in GROUPS if group.principal_axes])


def handedness(positions):
    return np.sign(np.linalg.det(positions[1:4] - positions[0]))


@given(orientations, laid_groups)
def test_laying_forgets_the_orientation_a_molecule_came_in(orientation, group):
    laid = laid_on_axes(CHAIN, CHAIN_NUMBERS, group)
    from_elsewhere = laid_on_axes(CHAIN @ orientation.T + [3.0, -2.0, 7.0], CHAIN_NUMBERS, group)
    np.testing.assert_allclose(from_elsewhere, laid, atol=1e-9)


@given(orientations, laid_groups)
def test_laying_moves_a_molecule_as_a_whole_and_mirrors_nothing(orientation, group):
    turned = CHAIN @ orientation.T
    laid = laid_on_axes(turned, CHAIN_NUMBERS, group)
    np.testing.assert_allclose(pdist(laid), pdist(turned), atol=1e-9)
    assert handedness(laid) == handedness(turned)
    np.testing.assert_allclose(laid.mean(axis=0), 0.0, atol=1e-12)


@pytest.mark.parametrize(("group", "widest", "narrowest"), [(0, 1, 2), (1, 1, 2), (2, 0, 1), (3, 0, 1)])
def test_spreads_fall_where_the_group_wants_them(group, widest, narrowest):
    spread = laid_on_axes(CHAIN, CHAIN_NUMBERS, group).var(axis=0)
    assert (spread.argmax(), spread.argmin()) == (widest, narrowest)


@given(orientations)
def test_symmetric_tops_are_laid_by_their_farthest_atom(orientation):
    benzene = np.vstack([1.395 * HEXAGON, 2.482 * HEXAGON]) @ orientation.T
    laid = laid_on_axes(benzene, [6] * 6 + [1] * 6, 3)
    np.testing.assert_allclose(laid[:, 1], 0.0, atol=1e-9)
    on_x = np.abs(laid[:, [1, 2]]).max(axis=1) < 1e-6
    assert on_x.sum() == 4
    assert np.isclose(laid[:, 0].max(), 2.482)


@given(orientations)
def test_spherical_tops_are_laid_by_two_atoms(orientation):
    methane = np.vstack([[[0, 0, 0]], 1.09 * TETRAHEDRON]) @ orientation.T
    laid = laid_on_axes(methane, [6, 1, 1, 1, 1], 1)
    spread = {tuple(row) for row in laid.round(6) + 0.0}
    again = {tuple(row) for row in laid_on_axes(laid, [6, 1, 1, 1, 1], 1).round(6) + 0.0}
    assert spread == again
    assert np.isclose(np.abs(laid).max(), 1.09)  # one bond is on an axis


def test_the_heaviest_of_equally_far_atoms_decides():
    square = np.array([[1.0, 0, 0], [0, 1.0, 0], [-1.0, 0, 0], [0, -1.0, 0]])
    laid = laid_on_axes(square, [6, 8, 6, 8], 2)
    np.testing.assert_allclose(np.abs(laid[[1, 3], 0]), 1.0, atol=1e-12)


def test_a_single_atom_goes_to_the_origin():
    np.testing.assert_array_equal(laid_on_axes([[4.0, 4.0, 4.0]], [13], 0), np.zeros((1, 3)))


def test_a_diatomic_molecule_is_a_rod():
    laid = laid_on_axes([[0.0, 0.0, 0.0], [0.0, 0.0, 1.2]], [6, 8], 1)
    np.testing.assert_allclose(np.abs(laid), [[0.0, 0.6, 0.0], [0.0, 0.6, 0.0]], atol=1e-12)


def test_pieces_of_a_crystal_are_not_laid():
    with pytest.raises(ValueError, match="group = 4: its species are pieces of a crystal"):
        laid_on_axes(CHAIN, CHAIN_NUMBERS, 4)


def test_extents_of_a_box():
    box = np.array([[0, 0, 0], [3, 0, 0], [0, 5, 0], [0, 0, 4]], dtype=float)
    assert longest_distance(box) == pytest.approx(np.sqrt(41))
    assert extent_along_b(box) == 5.0
    assert diameter_across_b(box) == 5.0
    assert cell_lengths_by_rule(0, box) == pytest.approx((np.sqrt(41) + 1.5,) * 3)
    for group in (1, 2, 3):
        assert cell_lengths_by_rule(group, box) == pytest.approx((6.5, 6.5, 6.5))
    assert cell_lengths_by_rule(2, box * [1, 0.1, 1]) == pytest.approx((6.5, 3.0, 6.5))


def test_no_cell_is_shorter_than_three():
    for group in range(4):
        assert cell_lengths_by_rule(group, np.zeros((1, 3))) == (3.0, 3.0, 3.0)


@given(orientations, st.sampled_from([0, 1, 2, 3]))
def test_cells_do_not_depend_on_where_a_molecule_is_nor_cubic_ones_on_how_it_lies(orientation, group):
    by_rule = cell_lengths_by_rule(group, CHAIN)
    assert cell_lengths_by_rule(group, CHAIN + np.array([1.0, 2.0, -3.0])) == pytest.approx(by_rule)
    if group == 0:
        assert cell_lengths_by_rule(group, CHAIN @ orientation.T) == pytest.approx(by_rule)
    about_b = Rotation.from_euler("y", 77.0, degrees=True).as_matrix()
    assert cell_lengths_by_rule(group, CHAIN @ about_b.T) == pytest.approx(by_rule)


def test_rules_refuse_what_they_cannot_give():
    with pytest.raises(ValueError, match=r"group = 4 \(perovskite\): its cells follow no rule"):
        cell_lengths_by_rule(4, CHAIN)
    with pytest.raises(ValueError, match=r"shape \(0, 3\): expected one atom or more"):
        cell_lengths_by_rule(1, np.zeros((0, 3)))


@pytest.mark.parametrize("number", [-1, 5, 1.0, "1", True, None])
def test_unknown_groups_are_named(number):
    with pytest.raises(ValueError, match=r"group = .*: expected one of 0 \(globular\), 1 \(rod\)"):
        group_of(number)


@given(st.tuples(*[st.floats(-720.0, 720.0)] * 3))
def test_rotations_agree_with_scipy(angles):
    expected = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()  # lower case: about fixed axes
    np.testing.assert_allclose(rotation_matrix(angles), expected, atol=1e-12)


def test_rotations_have_the_right_sense():
    np.testing.assert_allclose(rotation_matrix((90, 0, 0)) @ [0, 1, 0], [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(rotation_matrix((0, 90, 0)) @ [0, 0, 1], [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(rotation_matrix((0, 0, 90)) @ [1, 0, 0], [0, 1, 0], atol=1e-12)


def test_angles_of_a_name_are_the_same_in_every_run():
    assert rotation_angles_of("benzene") == BENZENE_ANGLES
    assert rotation_angles_of("toluene") != BENZENE_ANGLES
    many = np.array([rotation_angles_of(f"species{i}") for i in range(500)])
    assert many.min() >= 0.0
    assert many.max() <= 360.0
    np.testing.assert_allclose(many.mean(axis=0), 180.0, atol=5 * 104 / np.sqrt(500))
