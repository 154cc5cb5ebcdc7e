"""The paper's example as `tests/benchmarks/tba.py` simulates it."""

import numpy as np
import pytest

from dsfu.simulate.structures.bonds import bonds_of, connected_to
from dsfu.simulate.structures.files import read_structure
from tests.benchmarks.tba import ALPHA, CELL, orbit, simulated_tba_plane, tba_alpha
from tests.model.measured.molecules.made import TBA


def test_orbits_are_vectors_of_one_length():
    for vector, value in ALPHA.items():
        six = orbit(*vector)
        assert len(set(six)) == 6
        assert {(-u, -v) for u, v in six} == set(six)
        lengths = np.linalg.norm(np.array(six) @ CELL.vectors[:2], axis=1)
        np.testing.assert_allclose(lengths, lengths[0])
        assert {tba_alpha()[u + 5, v + 5, 5] for u, v in six} == {value}
    assert np.count_nonzero(tba_alpha()) == 1 + 6 * 15


@pytest.mark.parametrize("name", ["up", "down"])
def test_columns_are_two_molecules_with_the_symmetry_of_their_screw_axis(name):
    column = read_structure(TBA / f"{name}.xyz")
    first = connected_to(bonds_of(column), [0])
    assert sorted(column.numbers[first].tolist()) == sorted([6] * 21 + [1] * 33 + [7] * 3 + [8] * 3)
    turned = column.positions @ np.array([[0.5, -np.sqrt(0.75), 0], [np.sqrt(0.75), 0.5, 0], [0, 0, 1]]).T
    turned[:, 2] += CELL.c / 2
    turned = np.vstack([turned, turned - [0, 0, CELL.c]])
    nearest = np.linalg.norm(column.positions[:, None] - turned, axis=-1).min(axis=1)
    assert nearest.max() < 1e-6


def test_the_plane_is_reproducible_and_noisy_as_stated():
    (one, truth), (again, _), (other, _) = (simulated_tba_plane(seed, 400.0, pixels=64) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.intensity, again.intensity)
    assert not np.array_equal(one.live, other.live)
    expected = truth.form_factor * truth.sro
    assert expected.max() == pytest.approx(400)
    pulls = ((one.intensity - expected) / np.sqrt(expected))[one.live & (expected > 10)]
    assert abs(pulls.mean()) < 0.15
    assert pulls.std() == pytest.approx(1, abs=0.15)
    assert not one.intensity[~one.live].any()
    assert 0.6 <= one.coverage <= 0.93
    assert truth.sro.min() > 0


def test_the_plane_has_the_twofold_axis_of_its_sixfold_one():
    _, truth = simulated_tba_plane(0, 400.0, pixels=64)
    product = truth.form_factor * truth.sro
    np.testing.assert_allclose(product[1:, 1:], product[:0:-1, :0:-1], atol=1e-3 * product.max())
