"""Several layers of a crystal that an independent program made: α across the layers, and the verdict."""

from dataclasses import replace

import numpy as np

from dsfu.model.measured.factorise.methods import of_solver
from dsfu.model.measured.factorise.verdict import judge
from dsfu.model.measured.prepare.preparing import prepared_planes
from dsfu.model.measured.solver.settings import SolverSettings
from tests.benchmarks.crystal_maker import CLEAN, CUTOFF, make, recipes
from tests.benchmarks.crystals import reconstruction_of

LAYERS = ("hk0", "hk0.2", "hk0.4")


def test_parallel_layers_say_what_they_know_of_the_order_across_them() -> None:
    volume = make(recipes()["orthorhombic"], (45, 45, 12), replace(CLEAN, counts=100.0), ideal=True, seed=5)
    planes = list(prepared_planes(reconstruction_of(volume), LAYERS, pixels=90))
    factors = of_solver(planes, SolverSettings(uncertainty=True))
    assert judge(factors).judgement == "agrees"
    assert factors.alpha is not None
    assert factors.alpha_covariance is not None
    assert factors.alpha_vectors is not None
    near = (np.abs(factors.alpha_vectors) <= 1).all(axis=1) & factors.alpha_vectors.any(axis=1)
    true = np.array([volume.alpha[tuple(vector + CUTOFF)] for vector in factors.alpha_vectors[near]])
    deviations = np.sqrt(np.diag(factors.alpha_covariance)[near])
    z = (factors.alpha[near] - true) / deviations
    assert np.abs(z).max() < 3.5
    across = (factors.alpha_vectors[near] == [0, 0, 1]).all(axis=1)
    assert deviations[across] > 0.01  # near layers hardly tell the scale of I_FF from the mean of I_SRO
