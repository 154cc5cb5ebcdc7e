"""Limits of B and of the number of atoms, and whether the verdict names all that the data do not tell apart."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from dsfu.model.problems.particles.intervals import intervals_of
from dsfu.model.problems.particles.reading import MeasuredPdf
from dsfu.model.problems.particles.settings import SolveSettings
from dsfu.model.problems.particles.solving import solve_particle
from dsfu.model.problems.particles.verdict import BULK, judge
from dsfu.simulate.particles.shapes import positions_of


def correlated_pdf(atoms, b_iso, delta2=0.0, q_damp=0.0, noise=0.0, is_windowed=False):
    """Debye's sum written out, with B (1 − δ₂/d²) of each pair."""
    r, q = np.arange(0, 30, 0.02), np.arange(0.7, 22.0, 0.02)
    d, counts = np.unique(np.round(pdist(atoms), 5), return_counts=True)
    b_pairs = b_iso * (1 - delta2 / d**2)
    waves = np.sin(np.outer(q, d)) / d * np.exp(-np.outer(q**2, b_pairs) / (8 * np.pi**2))
    window = np.sinc(q / 22.0) if is_windowed else 1.0
    g = (
        2
        / np.pi
        * 0.02
        * (2 / len(atoms) * waves @ counts * window)
        @ np.sin(np.outer(q, r))
        * np.exp(-((r * q_damp) ** 2) / 2)
    )
    g += noise * g.max() * np.random.default_rng(3).standard_normal(len(r))
    return MeasuredPdf(r=r, g=3 * g, q_min=0.7, q_max=22.0)


def ball(diameter):
    """FCC around a point that no shape of the table has in its middle."""
    steps = np.stack(np.meshgrid(*[np.arange(-9, 10)] * 3, indexing="ij"), -1).reshape(-1, 3)
    places = steps[steps.sum(axis=1) % 2 == 0] / np.sqrt(2) - [0.2, 0.1, 0.3]
    return places[np.linalg.norm(places, axis=1) < diameter / 2]


@pytest.mark.parametrize(("family", "parameters"), [("Decahedron", (2, 2, 1)), ("BCC", (3, 3, 5))])
def test_b_is_that_of_far_pairs_where_near_ones_move_together(family, parameters):
    measured = correlated_pdf(positions_of(family, parameters) * 2.89, 0.6, delta2=3.0)
    best = solve_particle(measured, SolveSettings(q_damp=0.0)).candidates[0]
    assert best.parameters == parameters
    assert best.refined.b_iso == pytest.approx(0.6, abs=0.02)
    assert best.refined.b_bonds == pytest.approx(0.6 * (1 - 3 / 2.89**2), abs=0.02)


@pytest.mark.parametrize("is_windowed", [False, True])
def test_lorchs_window_is_seen_and_makes_no_b_larger(is_windowed):
    atoms = positions_of("Octahedron", (6, 2)) * 2.75
    solution = solve_particle(correlated_pdf(atoms, 0.6, noise=0.002, is_windowed=is_windowed))
    assert solution.limits.is_windowed == is_windowed
    assert any("Lorch" in note for note in solution.notes) == is_windowed
    assert solution.candidates[0].refined.b_iso == pytest.approx(0.6, abs=0.05)


@pytest.mark.parametrize("diameter", [5.6, 7.1])
def test_limits_of_size_know_that_the_damping_is_not_known(diameter):
    atoms = ball(diameter)
    solution = solve_particle(correlated_pdf(atoms * 2.75, 0.6, q_damp=0.05))
    fewest, most = intervals_of(solution).atoms
    assert fewest <= len(atoms) <= most
    assert intervals_of(replace(solution, is_damping_known=True)).atoms[1] < 0.95 * most


def test_the_verdict_names_a_family_that_the_data_do_not_tell_from_the_first():
    solution = solve_particle(correlated_pdf(positions_of("FCC", (3, 4, 4)) * 2.88, 0.6, noise=0.02))
    best = solution.candidates[0]
    other = replace(best, family="Faulted", score=best.score + 0.1)
    alike = replace(solution, candidates=[best, other])
    worse = replace(other, refined=replace(best.refined, rw=best.refined.rw * 1.1))
    clear = replace(solution, candidates=[best, worse])
    assert judge(clear).words == best.family
    assert judge(alike).words == f"{best.family} or Faulted: equally likely"


def test_much_noise_makes_no_particle_a_crystal_without_end():
    """A ball of some 190 atoms with noise of 30 % of the highest peak was called larger than the data can tell."""
    solution = solve_particle(correlated_pdf(ball(6.4) * 2.75, 0.6, noise=0.3))
    assert solution.envelope.rw < 1
    assert not solution.envelope.endless
    assert BULK not in judge(solution).words
