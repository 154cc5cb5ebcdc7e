"""Light atoms in the gaps of an FCC metal. Data are Debye's sum written out, with two kinds of atoms."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from dsfu.model.problems.particles.gaps import light_atoms
from dsfu.model.problems.particles.reading import MeasuredPdf
from dsfu.model.problems.particles.solving import solve_particle
from dsfu.model.problems.particles.verdict import HOSTED, judge

OCTAHEDRAL, TETRAHEDRAL = [0.5, 0.5, 0.5], [0.25, 0.25, 0.25]


def ball(gap, share, a, radius=9.0, noise=0.02):
    """G of a ball of FCC with the lattice constant a; atoms in a kind of gaps have a share of the metal's power."""
    n = int(radius / a) + 2
    cells = np.stack(np.meshgrid(*[np.arange(-n, n + 1)] * 3, indexing="ij"), -1).reshape(-1, 1, 3)
    faces = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    metal, light = ((cells + faces + shift).reshape(-1, 3) * a for shift in ([0, 0, 0], gap))
    metal, light = (each[np.linalg.norm(each - [0.3, 0.5, 0.1], axis=1) < radius] for each in (metal, light))
    places = np.concatenate([metal, light])
    power = np.repeat([1.0, share], [len(metal), len(light)])
    first, second = np.triu_indices(len(places), 1)
    bins = np.bincount(np.round(pdist(places) / 0.002).astype(int), power[first] * power[second])
    d = np.flatnonzero(bins) * 0.002
    r, q = np.arange(1, 25, 0.02), np.arange(0.7, 20, 0.04)
    f = (np.sin(np.outer(q, d)) @ (bins[bins > 0] / d)) * np.exp(-0.5 * q**2 / (8 * np.pi**2))
    draw = np.random.default_rng(3)
    f += noise * np.abs(f).max() * draw.standard_normal(len(q)) * (q / 20) ** 1.5
    return MeasuredPdf(r=r, g=f @ np.sin(np.outer(q, r)), q_min=0.7, q_max=20.0, q_damp=0.0)


@pytest.mark.parametrize(
    ("gap", "share", "a", "neighbours"),
    [(OCTAHEDRAL, 6 / 72, 4.638, "six"), (OCTAHEDRAL, 6 / 73, 4.455, "six"), (TETRAHEDRAL, 7 / 78, 4.80, "four")],
    ids=["HfC", "TaC", "PtN"],
)
def test_what_the_metal_leaves_tells_its_light_atoms(gap, share, a, neighbours):
    solution = solve_particle(ball(gap, share, a))
    found = light_atoms(solution.space, solution.candidates[0])
    assert found.neighbours == neighbours
    assert share < found.amplitude < 4 * share  # each distance is there twice, metal to light and light to metal
    verdict = judge(solution)
    assert (verdict.words, verdict.accepted) == (HOSTED, False)


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_a_metal_without_any_is_accepted(noise):
    solution = solve_particle(ball(OCTAHEDRAL, 0.0, 4.08, noise=noise))
    assert light_atoms(solution.space, solution.candidates[0]).amplitude < 0.04
    assert judge(solution).accepted


def test_carbon_atoms_of_ligands_are_not_taken_for_atoms_in_the_gaps_of_nickel():
    """1.54 Å is .61 b of nickel."""
    nickel = ball(OCTAHEDRAL, 0.0, 3.52)
    g = nickel.g + 0.3 * nickel.g.max() * np.exp(-(((nickel.r - 1.54) / 0.1) ** 2) / 2)
    assert judge(solve_particle(replace(nickel, g=g))).accepted
