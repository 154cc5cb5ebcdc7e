from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.optimize import FIRE

from dsfu.model.problems.particles.formula import against_formula, is_compound, may_hold_light_atoms, metal_share
from dsfu.model.problems.particles.matching import BOND_RANGE
from dsfu.model.problems.particles.ranking import score
from dsfu.model.problems.particles.reading import MeasuredPdf, read_pdf
from dsfu.model.problems.particles.settings import SolveSettings
from dsfu.model.problems.particles.shape_table import load_table
from dsfu.model.problems.particles.sine_sums import SumsOnDemand, sine_sums
from dsfu.model.problems.particles.solving import solve_particle
from dsfu.model.problems.particles.verdict import (
    BULK,
    HOSTED,
    NO_FAMILY,
    NOT_JUDGED,
    NOT_TOLD,
    OTHER_BOND,
    judge,
    tied,
)
from dsfu.simulate.particles.experiment import PdfExperiment
from dsfu.simulate.particles.samples import ParticleSpec, simulate
from dsfu.simulate.particles.shapes import Shape, positions_of
from tests.benchmarks.pretended_particles import Experiment, glass, written_out
from tests.benchmarks.unusual_particles import unusual
from tests.model.problems.particles.test_editing import debye_pdf

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
    for shape in (3, 100, 190, len(table) - 150, len(table) - 35, len(table) - 25):
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
    sums = SumsOnDemand(table, 80.0)
    x = np.array([1.234, 20.3, 55.55])
    distances, counts = table.of(2)
    expected = 2 / table.atoms[2] * (np.sin(np.outer(x, distances)) / distances) @ counts
    assert sums.of(np.array([2])).at(x)[:, 0] == pytest.approx(expected, abs=0.02 * table.atoms[2] ** 0.5)


def test_sums_on_demand_are_those_of_the_whole_table_in_any_order():
    table = load_table().only(range(20))
    whole, asked = sine_sums(table, 40.0).values, SumsOnDemand(table, 40.0)
    for shapes in ([7, 3], [3, 19, 7, 0]):
        assert np.array_equal(asked.of(np.array(shapes)).values, whole[:, shapes])
    assert np.array_equal(asked.column(11), whole[:, 11])


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


def test_noise_whose_q_max_is_known_and_a_single_spike_are_no_bulk():
    """What is explained counts: R_w beyond noise is small where all is noise."""
    r = np.arange(1.0, 25.0, 0.025)
    spike = np.where(np.arange(len(r)) == 500, 100.0, 0.0) + np.sin(9 * r)
    for g in (np.random.default_rng(0).standard_normal(len(r)), spike):
        verdict = judge(solve_particle(MeasuredPdf(r=r, g=g, q_max=20.0)))
        assert not verdict.accepted
        assert any("explains" in reason for reason in verdict.reasons)


def test_more_freedom_costs_faulted_particles_where_models_lack_more():
    """At .5 % of R_w hardly anything more than other families' prior, at 10 % as much again."""
    solution = solve_particle(read_pdf(MEASURED / "ni_bulk_xray.gr"))
    fit, space, envelope = solution.candidates[0].refined, solution.space, solution.envelope

    def cost(rw):
        own = replace(fit, rw=rw)
        return score("Faulted", 100, own, envelope, space, 0.0) - score("FCC", 100, own, envelope, space, 0.0)

    assert [cost(rw) for rw in (0.005, 0.1, 0.3)] == pytest.approx([0.105, 0.2, 0.2], abs=2e-3)


def test_share_of_metals():
    assert metal_share("Au") == 1
    assert metal_share("TiO2") == pytest.approx(484 / 612)
    assert metal_share("Au144S60C360") == pytest.approx(0.97, abs=0.01)
    assert metal_share("a sample") is None


def test_a_large_particle_with_one_twin_plane_or_fault_is_no_decahedron(tmp_path):
    """Without such shapes in the table this one, of 889 atoms, looked like a decahedron of 1935."""
    file = unusual(tmp_path, 19, 1)
    best = solve_particle(read_pdf(file.path)).candidates[0]
    assert best.family in file.family.split("/")
    assert best.atoms == pytest.approx(file.atoms, rel=0.3)


def test_a_ball_of_ruthenium_is_found_whose_c_over_a_is_not_that_of_spheres():
    """The largest HCP of the table once had 200 atoms: such a ball came to R_w .35 and 38 % too small a diameter."""
    i, j, k = np.stack(np.meshgrid(*[np.arange(-9, 10)] * 3, indexing="ij"), -1).reshape(-1, 3).T
    cells = np.stack([i - j / 2, j * 0.75**0.5, k * 1.582], axis=1)
    places = np.concatenate([cells, cells + np.array([0.5, 12**-0.5, 0.791])])
    ball = places[np.linalg.norm(places - [0.25, 0.1, 0.4], axis=1) < 4.1] * 2.706
    r, g = debye_pdf(ball)
    solution = solve_particle(MeasuredPdf(r=r, g=g, q_min=0.7, q_max=25.0, q_damp=0.0))
    best = solution.candidates[0]
    assert (best.family, best.parameters[-1]) == ("HCP", 1580)
    assert best.atoms == pytest.approx(len(ball), rel=0.3)
    assert best.refined.bond == pytest.approx(2.706, rel=0.003)
    assert best.refined.rw < 0.1


def test_a_rhombic_dodecahedron_of_iron_is_found():
    grid = np.stack(np.meshgrid(*[np.arange(-9, 10)] * 3, indexing="ij"), -1).reshape(-1, 3)
    places = np.concatenate([grid, grid + 0.5])
    size = np.abs(places)
    dodecahedron = places[(size.sum(axis=1) - size.min(axis=1)) <= 6] * 2.866
    r, g = debye_pdf(dodecahedron)
    best = solve_particle(MeasuredPdf(r=r, g=g, q_min=0.7, q_max=25.0, q_damp=0.0)).candidates[0]
    assert best.family == "BCC"
    assert best.atoms == pytest.approx(len(dodecahedron), rel=0.02)
    assert best.refined.bond == pytest.approx(2.866, rel=0.001)


def test_a_shell_of_ligands_is_no_reason_to_refuse_and_an_oxide_is():
    assert not [each for each in ("Au", "PtC8H9S", "Au144S60C360", "PtC20H40O2N", "AuC12H25S") if against_formula(each)]
    refused = ("TiO2", "WO3", "CdSe", "CdSeC18H34O2", "TiO2C4H8")
    assert [each for each in refused if not against_formula(each)] == []


@pytest.mark.parametrize(
    ("formula", "is_one"),
    [("WO3", True), ("CdSe", True), ("Fe3O4", True), ("Au", False), ("AuCu", False), ("Au144S60C360", False),
     ("a sample", False)],
)  # fmt: skip
def test_compounds_are_no_metals(formula, is_one):
    assert is_compound(formula) == is_one


def test_light_atoms_in_a_metal_are_told_from_its_ligands():
    hosts = ("HfC", "TaC", "WC", "Fe3C", "TiC0.5N0.5", "Fe4N", "PdH0.3", "Pd4H", "Hf1C1")
    assert [each for each in hosts if not may_hold_light_atoms(each)] == []
    others = ("", "Au", "AuCu", "a sample", "PtC10", "Pt100C30H60", "AuC8H9S", "Au144S60C360", "Ni", "In house")
    assert [each for each in others if may_hold_light_atoms(each)] == []


def test_a_carbide_is_not_judged_where_its_formula_says_so():
    """Its metal is FCC and scatters 99 % of all: the fit is good. Named as the metal it has not that metal's b."""
    solution = solve_particle(pretend(Shape("Octahedron", (5, 1)), bond=3.28, b_iso=0.3))
    assert judge(solution).accepted
    named = {name: replace(solution, measured=replace(solution.measured, composition=name)) for name in ("HfC", "Hf")}
    assert (judge(named["HfC"]).words, judge(named["HfC"]).accepted) == (HOSTED, False)
    assert "--element" in judge(named["HfC"]).reasons[0]
    assert judge(named["Hf"]).words == OTHER_BOND
    for name in ("PtN", "PdH", "Cu2O", "MgO", "CdSe", "TiO2", "Se", "C"):
        assert not judge(replace(solution, measured=replace(solution.measured, composition=name))).accepted


def test_gold_that_is_called_an_oxide_is_refused():
    solution = solve_particle(replace(pretend(Shape("Octahedron", (4,))), composition="WO3"))
    assert judge(solution).words == NO_FAMILY


@pytest.mark.skipif(not MEASURED.is_dir(), reason="the measured files are not here")
def test_rock_salt_without_a_formula_is_not_judged():
    solution = solve_particle(replace(read_pdf(MEASURED / "nacl_bulk.gr"), composition=""))
    verdict = judge(solution)
    assert (verdict.words, verdict.accepted) == (NOT_TOLD, False)
    assert "NaCl" in verdict.reasons[0]


def test_sc_is_judged_where_one_metal_is_named():
    solution = solve_particle(pretend(Shape("SC", (3, 4, 5)), bond=3.35))
    assert judge(solution).words == NOT_TOLD
    named = replace(solution, measured=replace(solution.measured, composition="Po"))
    assert (judge(named).words, judge(named).accepted) == ("SC", True)


def test_wurtzite_is_told_from_hcp_by_the_atoms_between_four_others():
    cell = bulk("GaN", "wurtzite", a=3.19, c=5.185, u=0.377)
    whole = cell.repeat((9, 9, 6))
    places = whole.get_positions() - whole.get_positions().mean(axis=0)
    near = np.linalg.norm(places, axis=1) <= 7.5
    elements = ["Zn" if number == 31 else "N" for number in whole.get_atomic_numbers()[near]]
    experiment = Experiment(q_min=0.7, q_max=22.0, q_damp=0.02, b_iso=0.6, r_max=30.0, r_step=0.02)
    r, g = written_out(elements, places[near], experiment)
    solution = solve_particle(MeasuredPdf(r=r, g=g, q_min=0.7, q_max=22.0, q_damp=0.02))
    verdict = judge(solution)
    assert solution.candidates[0].family == "HCP"
    assert any("between four others" in each for each in verdict.reasons)
    assert not verdict.accepted


def test_a_glass_of_gold_is_refused_for_its_b():
    """Packed at random: a few atoms that are smeared out as in a melt fit its G to an R_w of 0.3."""
    draw = np.random.default_rng(11)
    elements, places = glass(16.0, draw)
    experiment = Experiment(q_min=0.8, q_max=20.0, q_damp=0.03, b_iso=0.6, r_max=22.0, r_step=0.02)
    r, g = written_out(elements, places, experiment)
    verdict = judge(solve_particle(MeasuredPdf(r=r, g=g, q_max=20.0)))
    assert verdict.words == NO_FAMILY
    assert any("melt" in each for each in verdict.reasons)


@pytest.mark.parametrize(("diameter", "b_iso"), [(13.0, 0.6), (14.0, 0.4)])
def test_a_disordered_cluster_that_was_relaxed_is_not_judged(diameter, b_iso):
    """Gold packed at random, let go in the potential of ASE's EMT: short order that some HCP of few atoms has too."""
    elements, places = glass(diameter, np.random.default_rng(3))
    relaxed = Atoms(elements, places, calculator=EMT())
    FIRE(relaxed, logfile=None).run(fmax=0.2, steps=60)
    experiment = Experiment(q_min=0.8, q_max=22.0, q_damp=0.03, b_iso=b_iso, r_max=30.0, r_step=0.02)
    r, g = written_out(elements, relaxed.get_positions(), experiment)
    verdict = judge(solve_particle(MeasuredPdf(r=r, g=g, q_min=0.8, q_max=22.0, q_damp=0.03)))
    assert (verdict.words, verdict.accepted) == (NOT_JUDGED, False)
    assert "disordered" in verdict.reasons[0]


def test_a_small_particle_with_thermal_motion_is_judged():
    """Marks' decahedron of 75 atoms at the B of gold particles at room temperature."""
    places = positions_of("Decahedron", (2, 2, 2)) * 2.86
    experiment = Experiment(q_min=0.8, q_max=22.0, q_damp=0.03, b_iso=1.3, r_max=30.0, r_step=0.02)
    r, g = written_out(["Au"] * len(places), places, experiment)
    verdict = judge(solve_particle(MeasuredPdf(r=r, g=g, q_min=0.8, q_max=22.0, q_damp=0.03)))
    assert verdict.words == "Decahedron"


@pytest.mark.parametrize(("parameters", "bond"), [((1, 6, 8), 2.56), ((3, 4, 8), 2.88)])
def test_a_cell_more_or_less_is_told_by_chi_square(parameters, bond):
    """Under noise ln(R_w) is nearly flat, and what is unlikely beforehand put the smaller one first."""
    table = load_table()
    r, g = debye_pdf(positions_of("HCP", parameters) * bond, b_iso=0.3)
    g += 0.03 * g.max() * np.random.default_rng(0).standard_normal(len(g))
    measured = MeasuredPdf(r=r, g=g, q_min=0.7, q_max=25.0, q_damp=0.0)
    solution = solve_particle(measured, table=table.without(range(197, len(table))))
    assert solution.candidates[0].parameters == parameters
    assert min(solution.candidates, key=lambda each: each.score).parameters != parameters


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
