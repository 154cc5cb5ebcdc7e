"""Particles that the table does not have: found from others by the search over sites."""

import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.spatial.distance import pdist

from dsfu.model.problems.particles.reading import MeasuredPdf
from dsfu.model.problems.particles.shape_table import load_table
from dsfu.model.problems.particles.sites import sites_of
from dsfu.model.problems.particles.solving import solve_particle
from dsfu.simulate.particles.shapes import positions_of


def debye_pdf(positions, b_iso=0.4, q_min=0.7, q_max=25.0):
    """G by the definition, in float64: nothing of the kernels or of the table."""
    r, q = np.arange(0, 30, 0.01), np.arange(q_min, q_max, 0.02)
    d, counts = np.unique(np.round(pdist(positions), 6), return_counts=True)
    f = 2 / len(positions) * (np.sin(np.outer(q, d)) / d) @ counts * np.exp(-b_iso * q**2 / (8 * np.pi**2))
    return r, 2 / np.pi * 0.02 * f @ np.sin(np.outer(q, r))


def hidden(family, parameters):
    """The table without a shape, and without others that have its distances."""
    table = load_table()
    k = next(i for i in range(197) if (table.families[i], table.parameters[i]) == (family, parameters))
    distances, counts = table.of(k)
    moments = counts @ distances, counts @ distances**2
    twins = []
    for j in np.flatnonzero(table.atoms == table.atoms[k]).tolist():
        d, m = table.of(j)
        if np.allclose((m @ d, m @ d**2), moments, rtol=1e-4):
            twins.append(j)
    assert k in twins
    return table.without(twins)


@pytest.mark.parametrize(
    ("family", "parameters", "noise"),
    [
        ("SC", (2, 4, 4), 0.0),
        ("HCP", (2, 3, 6), 0.0),
        ("Decahedron", (1, 2, 1), 0.02),
        ("HCP", (1, 4, 5), 0.02),
        ("FCC", (3, 4, 4), 0.02),
    ],
)
def test_a_hidden_shape_is_found(family, parameters, noise):
    positions = positions_of(family, parameters)
    r, g = debye_pdf(positions * 2.68)
    g = g + noise * g.max() * np.random.default_rng(4).standard_normal(len(r))
    measured = MeasuredPdf(r=r, g=g, q_min=0.7, q_max=25.0, q_damp=0.0)
    best = solve_particle(measured, table=hidden(family, parameters)).candidates[0]
    assert best.family == family
    assert best.edited_from
    assert best.positions is not None
    assert best.atoms == len(positions)
    assert np.sort(pdist(best.positions)) == pytest.approx(np.sort(pdist(positions)), abs=2e-3)
    assert best.refined.bond == pytest.approx(2.68, abs=2e-3)


@pytest.mark.parametrize(("family", "parameters"), [("HCP", (2, 3, 6)), ("FCC", (3, 4, 4)), ("SC", (3, 3, 4))])
def test_noise_is_not_explained_by_atoms(family, parameters):
    """A shape of the table comes first, as the search has to explain more than its moves cost."""
    r, g = debye_pdf(positions_of(family, parameters) * 2.68)
    for seed in range(3):
        noisy = g + 0.02 * g.max() * np.random.default_rng(seed).standard_normal(len(r))
        solution = solve_particle(MeasuredPdf(r=r, g=noisy, q_min=0.7, q_max=25.0, q_damp=0.0))
        assert (solution.candidates[0].family, solution.candidates[0].edited_from) == (family, "")


def test_a_vacancy_is_found():
    positions = positions_of("Octahedron", (4,))
    corner = int(np.argmax(np.linalg.norm(positions - positions.mean(axis=0), axis=1)))
    r, g = debye_pdf(np.delete(positions, corner, axis=0) * 2.7)
    best = solve_particle(MeasuredPdf(r=r, g=g, q_min=0.7, q_max=25.0, q_damp=0.0)).candidates[0]
    assert best.atoms == 43
    assert best.refined.rw < 0.004


@pytest.mark.parametrize(
    ("one", "larger"),
    [
        (("Decahedron", (2, 2, 1)), ("Decahedron", (3, 2, 1))),
        (("Icosahedron", (2,)), ("Icosahedron", (3,))),
        (("HCP", (2, 3, 3)), ("HCP", (2, 3, 4))),
    ],
)
def test_sites_hold_the_next_larger_shape(one, larger):
    given = sites_of(*one)
    assert given is not None
    atoms, sites = given
    assert np.array_equal(sites[: len(atoms)], positions_of(*one))
    assert pdist(sites).min() > 0.8
    wanted = positions_of(*larger)
    best = 9.0
    for i in range(len(wanted)):  # moved so that one of its atoms is on the first site
        moved = wanted - wanted[i] + sites[0]
        off = np.sqrt(((moved[:, None] - sites) ** 2).sum(axis=-1)).min(axis=1).max()
        best = min(best, off)
    assert best < 2e-3


def test_sites_of_a_sphere_are_its_layers_wider_and_one_more_at_both_ends():
    own, wider = (("ABABABAB", diameter, 3, "s", 1580) for diameter in (6, 8))
    given = sites_of("Faulted", own)
    assert given is not None
    atoms, sites = given
    assert np.array_equal(atoms, positions_of("Faulted", own))
    assert cKDTree(sites).query(positions_of("Faulted", wider))[0].max() < 1e-6
    height = 1.58 / 2
    ends = sites[np.abs(np.abs(sites[:, 2]) - 4.5 * height) < 1e-6]
    assert len(ends) > 20
    assert len(np.unique(ends[:, 2].round(6))) == 2
