"""What merging makes of equivalents and of weak intensities, against the papers' formulas."""

from dataclasses import replace

import gemmi
import numpy as np
import pytest
from scipy.integrate import quad

from dsfu.model.problems.phases.crystal_data import ReflectionList
from dsfu.model.problems.phases.laue import find_laue_class, laue_rotations, r_of_equivalents
from dsfu.model.problems.phases.merging import _french_wilson

INVERSION = np.array([-np.eye(3, dtype=int), np.eye(3, dtype=int)])


def test_r_of_equivalents_does_not_depend_on_how_many_there_are():
    """Σ √(n/(n−1)) |I − mean| / ΣI: of two with 90 and 110 it is √2 · 20 / 200, and what is alone does not count."""
    hkl = np.array([[1, 0, 0], [-1, 0, 0], [2, 0, 0]])
    data = ReflectionList(
        hkl=hkl, intensity=np.array([90.0, 110.0, 7.0]), sigma=np.ones(3), cell=(5.0, 6.0, 7.0, 90.0, 90.0, 90.0)
    )
    r, more = r_of_equivalents(data, INVERSION)
    assert r == pytest.approx(np.sqrt(2) * 20 / 200)
    assert more == 1


def test_equivalents_that_are_noise_are_no_evidence():
    """Of merged lists only absent reflections have equivalents; their R of 1 refused 4/mmm for an oxide."""
    alone = np.array([[h, 0, 0] for h in range(1, 9)])
    absent = np.array([[0, k, sign * odd] for k in range(1, 4) for odd in (1, 3, 5) for sign in (1, -1)])
    sigma = np.ones(26)
    intensity = np.concatenate([np.full(8, 100.0), np.random.default_rng(1).standard_normal(18)])
    data = ReflectionList(
        hkl=np.concatenate([alone, absent]), intensity=intensity, sigma=sigma, cell=(5.0, 6.0, 7.0, 90.0, 90.0, 90.0)
    )
    mirror = np.array([np.eye(3, dtype=int), np.diag([1, 1, -1])])
    assert r_of_equivalents(data, mirror)[1] == 0
    assert r_of_equivalents(replace(data, intensity=intensity + 20), mirror)[1] == 9


@pytest.mark.parametrize("measured", [-1.5, 0.0, 2.0])
def test_weak_intensities_are_those_of_french_and_wilson(measured: float):
    """⟨√J⟩ and its spread over exp(−(I − J)²/2σ² − J/⟨I⟩), J > 0, by integrals of another program."""
    sigma, others = 1.0, np.full(79, 10.0)
    intensity = np.append(others, measured)
    mean = intensity.mean()
    found, spread = _french_wilson(intensity, np.append(np.full(79, 0.1), sigma), np.arange(80.0))

    def moment(power: float) -> float:
        value, _ = quad(lambda j: j**power * np.exp(-0.5 * ((j - measured) / sigma) ** 2 - j / mean), 0, 20)
        return float(value)

    first, second = moment(0.5) / moment(0), moment(1.0) / moment(0)
    assert found[-1] == pytest.approx(first, rel=2e-3)
    assert spread[-1] == pytest.approx(np.sqrt(second - first**2), rel=1e-2)
    assert found[0] == pytest.approx(np.sqrt(10.0))


def test_a_rhombohedral_lattice_has_no_sixfold_axis():
    """Equal intensities agree under every rotation; but what 6/m makes of them is forbidden by R."""
    cell = (10.0, 10.0, 12.0, 90.0, 90.0, 120.0)
    every = gemmi.make_miller_array(gemmi.UnitCell(*cell), gemmi.SpaceGroup("R -3:H"), 1.5, 0.0, False)
    hkl = np.array(every, dtype=np.int64)
    ones = np.ones(len(hkl))
    found = find_laue_class(ReflectionList(hkl=hkl, intensity=ones, sigma=0.01 * ones, cell=cell))
    assert (found.centring, found.name) == ("R", "-3m")


@pytest.mark.parametrize("symbol", ["P 1 21/c 1", "P 1 1 21/b", "P 21/b 1 1"])
def test_a_few_pairs_tell_the_unique_axis_of_merged_data(symbol):
    cell = gemmi.UnitCell(7.0, 9.0, 8.0, 90.0, 90.0, 90.0)
    group = gemmi.SpaceGroup(symbol)
    hkl = np.array(gemmi.make_miller_array(cell, group, 2.0, 0.0, True), dtype=np.int64)
    intensity = np.random.default_rng(3).exponential(size=len(hkl))
    data = ReflectionList(hkl=hkl, intensity=intensity, sigma=0.03 * intensity, cell=cell.parameters)
    for turned in (hkl, hkl * np.array([1, -1, -1])):
        found = find_laue_class(replace(data, hkl=turned))
        assert found.name == "2/m"
        assert (found.rotations == laue_rotations(group)).all()
