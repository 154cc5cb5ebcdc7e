"""Derivatives of structure factors, in groups with and without a centre at the origin."""

from dataclasses import replace

import gemmi
import numpy as np
import pytest

from dsfu.model.problems.phases.atom_model import (
    AtomModel,
    ModelFit,
    _waves_and_gradients,
    special,
    structure_factors_of,
)
from dsfu.model.problems.phases.elements import with_stand_ins
from dsfu.model.problems.phases.groups import candidate_of
from dsfu.model.problems.phases.polishing import exchanged


def group(symbol):
    return candidate_of(gemmi.find_spacegroup_by_name(symbol))


@pytest.mark.parametrize("symbol", ["P 1 21/c 1", "P 21 21 21", "C 1 2/c 1", "P -1"])
def test_derivatives_of_waves_are_those_of_differences(symbol):
    model = AtomModel(
        positions=np.random.default_rng(1).random((5, 3)), numbers=np.array([6, 8, 6, 16, 7]),
        weights=np.array([1, 0.9, 1, 1.1, 1]), u_iso=np.full(5, 0.04), multiplicity=np.full(5, 4),
        candidate=group(symbol), cell=(8.0, 9.0, 10.0, 90.0, 105.0 if "1 2" in symbol else 90.0, 90.0),
    )  # fmt: skip
    hkl = np.array(
        gemmi.make_miller_array(gemmi.UnitCell(*model.cell), gemmi.SpaceGroup("P 1"), 1.5, 0.0, True), dtype=np.int64
    )
    orth_inverse = np.linalg.inv(np.array(gemmi.UnitCell(*model.cell).orth.mat.tolist()))
    waves, gradients = _waves_and_gradients(model, hkl, orth_inverse)
    assert np.abs(waves.sum(axis=1) - structure_factors_of(model, hkl)).max() < 1e-3
    for axis in range(3):
        step = 1e-4 * orth_inverse[:, axis]
        after, before = (
            structure_factors_of(replace(model, positions=model.positions + s * step), hkl) for s in (1, -1)
        )
        assert np.abs(gradients[axis].sum(axis=1) - (after - before) / 2e-4).max() < 5e-3


@pytest.mark.parametrize(
    ("symbol", "place"),
    [
        ("C 1 2/m 1", (0.25, 0.25, 0.0)),
        ("C 1 2/c 1", (0.25, 0.25, 0.0)),
        ("I 4/m m m", (0.0, 0.5, 0.25)),
        ("R -3 m :H", (1 / 3, 2 / 3, 1 / 6)),
        ("F m -3 m", (0.0, 0.5, 0.0)),
        ("F d -3 m :2", (0.125, 0.125, 0.125)),
        ("F m -3 m", (0.06, 0.17, 0.25)),
    ],
)
def test_special_places_of_centred_lattices_have_as_many_atoms_as_gemmi_counts(symbol, place):
    """Half of them are special only by an operator together with a translation of the lattice."""
    cell = (9.0, 9.0, 9.0, 90.0, 90.0, 120.0 if symbol.startswith("R") else 90.0)
    crystal = gemmi.SmallStructure()
    crystal.cell = gemmi.UnitCell(*cell)
    crystal.spacegroup_hm = symbol
    crystal.determine_and_set_spacegroup("2")
    site = gemmi.SmallStructure.Site()
    site.element, site.occ, site.fract = gemmi.Element("Fe"), 1.0, gemmi.Fractional(*place)
    crystal.add_site(site)
    crystal.setup_cell_images()
    candidate = group(symbol)
    near = np.array(place) + 0.01 * np.array([1.0, -1.0, 1.0])
    position, _, count = special(near, candidate, cell)
    assert count * len(candidate.lattice) == len(crystal.get_all_unit_cell_sites())
    if count < len(candidate.turns):
        apart = position - np.array(place)
        assert np.allclose(apart, np.round(apart), atol=1e-9)


def in_p21c(numbers, weights=None):
    """Atoms at random places, and indices to .9 Å."""
    count = len(numbers)
    model = AtomModel(
        positions=np.random.default_rng(4).random((count, 3)), numbers=np.array(numbers),
        weights=np.ones(count) if weights is None else np.array(weights), u_iso=np.full(count, 0.04),
        multiplicity=np.full(count, 4), candidate=group("P 1 21/c 1"), cell=(8.0, 9.0, 10.0, 90.0, 105.0, 90.0),
    )  # fmt: skip
    unique = gemmi.make_miller_array(gemmi.UnitCell(*model.cell), gemmi.SpaceGroup("P 1 21/c 1"), 0.9, 0.0, True)
    return model, np.array(unique, dtype=np.int64)


def test_elements_given_the_wrong_way_round_are_exchanged():
    true, hkl = in_p21c([6, 7, 8, 6, 6, 7, 16])
    size = np.abs(structure_factors_of(true, hkl))
    size *= 1 + 0.02 * np.random.default_rng(1).standard_normal(len(size))
    wrong = replace(true, numbers=np.array([7, 6, 8, 6, 7, 6, 16]))
    fit = exchanged(ModelFit(model=wrong, scale=1.0, r1=0.3), hkl, size, 0.02 * size)
    assert fit.model.numbers.tolist() == true.numbers.tolist()
    assert fit.r1 < 0.03


def test_atoms_without_a_formula_have_form_factors_of_their_size():
    model, _ = in_p21c([6, 6, 6], weights=[0.9, 1.4, 8.8])
    found = with_stand_ins(model)
    assert found.numbers.tolist() == [6, 6, 53]
    assert np.allclose(found.electrons, model.electrons)
