"""Derivatives of structure factors, in groups with and without a centre at the origin."""

from dataclasses import replace

import gemmi
import numpy as np
import pytest

from dsfu.model.problems.phases.atom_model import AtomModel, _waves_and_gradients, structure_factors_of
from dsfu.model.problems.phases.groups import candidate_of


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
