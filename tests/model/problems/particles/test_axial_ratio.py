from dataclasses import replace

import numpy as np
import pytest

from dsfu.model.problems.particles.axial_ratio import _pairs_of
from dsfu.model.problems.particles.intervals import intervals_of
from dsfu.model.problems.particles.reading import MeasuredPdf
from dsfu.model.problems.particles.solving import solve_particle
from dsfu.model.problems.particles.verdict import OTHER_BOND, judge
from dsfu.simulate.particles.distances import pair_distances
from dsfu.simulate.particles.experiment import PdfExperiment
from dsfu.simulate.particles.samples import ParticleSpec, simulate
from dsfu.simulate.particles.shapes import Shape, positions_of
from tests.benchmarks.pretended_particles import Experiment, written_out

EXPERIMENT = Experiment(q_min=0.7, q_max=22.0, q_damp=0.03, b_iso=0.5, r_max=30.0, r_step=0.02)


def hcp_ball(diameter, c_over_a):
    """Cut from the lattice, with a centre that no shape of the table has."""
    steps = np.stack(np.meshgrid(*[np.arange(-9, 10)] * 3, indexing="ij"), -1).reshape(-1, 3)
    vectors = np.array([[1, 0, 0], [0.5, np.sqrt(0.75), 0], [0, 0, c_over_a]])
    places = np.concatenate([steps, steps + np.array([1 / 3, 1 / 3, 0.5])]) @ vectors - [0.2, 0.1, 0.3]
    return places[np.linalg.norm(places, axis=1) < diameter / 2]


def measured(atoms, bond, composition=""):
    r, g = written_out(["Au"] * len(atoms), atoms * bond, EXPERIMENT)
    return MeasuredPdf(r=r, g=g, q_min=0.7, q_max=22.0, q_damp=0.03, composition=composition)


@pytest.mark.parametrize(("diameter", "c_over_a"), [(4.2, 1.585), (6.5, 1.612)])
def test_the_axial_ratio_of_hcp_is_fitted_and_no_longer_spoils_b(diameter, c_over_a):
    atoms = hcp_ball(diameter, c_over_a)
    solution = solve_particle(measured(atoms, 2.95))
    best, within = solution.candidates[0], intervals_of(solution)
    assert best.family == "HCP"
    assert best.positions is not None
    assert best.c_over_a == pytest.approx(c_over_a, abs=0.008)
    assert best.refined.bond == pytest.approx(2.95, abs=0.006)
    assert 0.9 * within.atoms[0] <= len(atoms) <= 1.1 * within.atoms[1]
    assert within.bond[0] <= 2.95 <= within.bond[1]
    height, width = np.ptp(best.positions[:, 2]), 2 * len({*np.round(best.positions[:, 2], 3)}) - 2
    assert 4 * height / width == pytest.approx(best.c_over_a, rel=1e-3)


def test_pairs_are_counted_by_layers_as_they_are_one_by_one():
    positions = positions_of("Faulted", ("ABABA", 4, 1, "s", 1580))
    pairs = _pairs_of(positions, 1.58)
    squares = (pairs.in_plane + pairs.along).repeat(pairs.counts.astype(int))
    assert np.sort(np.sqrt(squares)) == pytest.approx(np.sort(pair_distances(positions)), abs=1e-6)


@pytest.mark.parametrize("seed", [1, 2])
def test_noise_moves_no_ratio(seed):
    experiment, shape = PdfExperiment(), Shape("HCP", (1, 3, 6))
    pdf = simulate(ParticleSpec(shape=shape, bond_length=2.54, noise=0.03, seed=seed)).pdf.astype(float)
    best = solve_particle(MeasuredPdf(r=experiment.r, g=pdf, q_min=0.7, q_max=25.0, q_damp=0.0)).candidates[0]
    assert (best.family, best.parameters) == ("HCP", (1, 3, 6))
    assert best.c_over_a is None


def test_a_metal_that_has_another_bond_length_is_not_believed():
    """The hydride of palladium is 3.5 % longer than the metal, and its hydrogen does not show."""
    steps = np.stack(np.meshgrid(*[np.arange(-6, 7)] * 3, indexing="ij"), -1).reshape(-1, 3)
    places = steps[steps.sum(axis=1) % 2 == 0] / np.sqrt(2)
    ball = places[np.linalg.norm(places, axis=1) < 3.1]
    solution = solve_particle(measured(ball, 2.751 * 1.035, "Pd"))
    assert judge(solution).words == OTHER_BOND
    assert judge(replace(solution, measured=replace(solution.measured, composition=""))).accepted
    assert judge(replace(solution, measured=replace(solution.measured, composition="Ag"))).accepted


def test_lead_is_found_where_the_formula_says_it():
    steps = np.stack(np.meshgrid(*[np.arange(-6, 7)] * 3, indexing="ij"), -1).reshape(-1, 3)
    places = steps[steps.sum(axis=1) % 2 == 0] / np.sqrt(2)
    solution = solve_particle(measured(places[np.linalg.norm(places, axis=1) < 2.1], 3.49, "Pb"))
    assert solution.candidates[0].refined.bond == pytest.approx(3.49, abs=0.003)
    assert judge(solution).accepted
