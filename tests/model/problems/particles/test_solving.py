from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dsfu.model.problems.particles.matching import BOND_RANGE
from dsfu.model.problems.particles.reading import MeasuredPdf, read_pdf
from dsfu.model.problems.particles.shape_table import load_table
from dsfu.model.problems.particles.sine_sums import sine_sums
from dsfu.model.problems.particles.solving import SolveSettings, solve_particle
from dsfu.model.problems.particles.verdict import BULK, NO_FAMILY, is_compound, judge, metal_share, tied
from dsfu.simulate.particles.experiment import PdfExperiment
from dsfu.simulate.particles.samples import ParticleSpec, simulate
from dsfu.simulate.particles.shapes import Shape, positions_of

MEASURED = Path("/work/shared/data/pdf")


def pretend(shape, bond=2.83, noise=0.0, q_damp=0.0, b_iso=0.6):
    experiment = PdfExperiment(q_damp=q_damp)
    spec = ParticleSpec(shape=shape, bond_length=bond, b_iso=b_iso, experiment=experiment, noise=noise, seed=5)
    return MeasuredPdf(r=experiment.r, g=simulate(spec).pdf.astype(float), q_min=0.7, q_max=25.0)


@pytest.mark.parametrize(
    ("family", "parameters", "noise"),
    [("Decahedron", (3, 2, 1), 0.0), ("Icosahedron", (3,), 0.05), ("HCP", (3, 3, 4), 0.03)],
)
def test_a_known_particle_is_found_with_its_bond_length_and_b(family, parameters, noise):
    solution = solve_particle(pretend(Shape(family, parameters), noise=noise, q_damp=0.025))
    best = solution.candidates[0]
    assert (best.family, best.parameters) == (family, parameters)
    assert best.refined.bond == pytest.approx(2.83, abs=0.003)
    assert best.refined.b_iso == pytest.approx(0.6, abs=0.05)
    assert judge(solution).accepted


def test_a_stacking_fault_is_found():
    best = solve_particle(pretend(Shape("Faulted", ("ABCAC", 4, 5)), noise=0.01)).candidates[0]
    assert (best.family, best.parameters) == ("Faulted", ("ABCAC", 4, 5))


def test_the_table_is_what_its_shapes_are():
    table = load_table()
    for shape in (3, 100, 190, len(table) - 5):
        positions = positions_of(table.built_as[shape], table.parameters[shape])
        distances, counts = table.of(shape)
        n = len(positions)
        assert n == table.atoms[shape]
        assert counts.sum() == n * (n - 1) / 2
        d = np.linalg.norm(positions[:, None] - positions, axis=-1)[np.triu_indices(n, 1)]
        assert distances @ counts == pytest.approx(d.sum(), rel=1e-4)
    assert set(table.families[:197]) == {"SC", "BCC", "FCC", "HCP", "Icosahedron", "Decahedron", "Octahedron"}


def test_sums_of_the_table_are_debyes():
    table = load_table().without(range(5, len(load_table())))
    sums = sine_sums(table, 80.0)
    x = np.array([1.234, 20.3, 55.55])
    distances, counts = table.of(2)
    expected = 2 / table.atoms[2] * (np.sin(np.outer(x, distances)) / distances) @ counts
    assert sums.at(x, np.array([2]))[:, 0] == pytest.approx(expected, abs=0.02 * table.atoms[2] ** 0.5)


def test_the_table_of_sums_reaches_as_far_as_a_refinement_may_go():
    """A pattern at the end of the range of bond lengths, strained: found by a fuzz that ran out of the table."""
    measured = pretend(Shape("FCC", (3, 3, 3)), bond=BOND_RANGE[1] * 1.05)
    stretched = MeasuredPdf(r=measured.r, g=measured.g, q_min=0.7, q_max=20.0, q_damp=0.0)
    assert solve_particle(stretched).candidates


@pytest.mark.skipif(not MEASURED.is_dir(), reason="the measured files are not here")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("alpha_keggin_cluster", NO_FAMILY),
        ("cdse_nanoparticle", NO_FAMILY),
        ("nacl_bulk", NO_FAMILY),
        ("ni_bulk_xray", BULK),
    ],
)
def test_measured_files_that_are_no_particles(name, words):
    verdict = judge(solve_particle(read_pdf(MEASURED / f"{name}.gr")))
    assert verdict.words.startswith(words)


def test_noise_alone_is_refused():
    r = np.arange(0, 30, 0.01)
    noise = np.random.default_rng(2).standard_normal(len(r))
    smooth = np.convolve(noise, np.hanning(21), "same")
    assert not judge(solve_particle(MeasuredPdf(r=r, g=smooth, q_max=20.0))).accepted


def test_share_of_metals():
    assert metal_share("Au") == 1
    assert metal_share("TiO2") == pytest.approx(484 / 612)
    assert metal_share("Au144S60C360") == pytest.approx(0.97, abs=0.01)
    assert metal_share("a sample") is None


@pytest.mark.parametrize(
    ("formula", "is_one"),
    [("WO3", True), ("CdSe", True), ("Fe3O4", True), ("Au", False), ("AuCu", False), ("Au144S60C360", False),
     ("a sample", False)],
)  # fmt: skip
def test_compounds_are_no_metals(formula, is_one):
    assert is_compound(formula) == is_one


def test_gold_that_is_called_an_oxide_is_refused():
    solution = solve_particle(replace(pretend(Shape("Octahedron", (4,))), composition="WO3"))
    assert judge(solution).words == NO_FAMILY


def test_what_noise_makes_alike_is_told_as_tied():
    """Cells of HCP one atom wider or narrower: told apart when clean, and not under much noise."""
    table = load_table()
    some = table.without(range(197, len(table)))
    shape = Shape("HCP", (4, 4, 5))
    settings = SolveSettings(q_damp=0.0)
    clean = solve_particle(pretend(shape), settings, table=some)
    assert [each.parameters for each in tied(clean)] == [shape.parameters]
    noisy = tied(solve_particle(pretend(shape, noise=0.2), settings, table=some))
    assert 1 < len(noisy) < 20
    assert shape.parameters in [each.parameters for each in noisy]
