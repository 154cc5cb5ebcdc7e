"""The fit of all voxels: its algebra against sums written out, and a small crystal of an independent kind."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from dsfu.errors import InputError
from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.symmetry.groups import laue_operators
from dsfu.model.measured.volume.cosines import CosineSeries, half_of_box, normal_block
from dsfu.model.measured.volume.cutoff import shells_needed
from dsfu.model.measured.volume.model import sums_of_products
from dsfu.model.measured.volume.order import order_of
from dsfu.model.measured.volume.settings import VolumeSettings
from dsfu.model.measured.volume.solve import VolumeSolution, solve_volume
from dsfu.model.measured.volume.terms import order_terms
from dsfu.model.measured.volume.verdict import judge_volume
from dsfu.model.measured.volume.voxels import voxels_of
from dsfu.simulate.lattice import Cell
from tests.benchmarks import crystal_maker
from tests.benchmarks.crystals import reconstruction_of

AXES = (np.linspace(0, 1.2, 7), np.linspace(-1, 1, 9), np.linspace(-0.8, 0.8, 5))
PERIODS = [4, 3, 3]
ALPHA = {(1, 0, 0): -0.2, (0, 1, 0): 0.15, (0, 0, 1): 0.1, (1, 1, 0): 0.05}


def _cosines(vectors):
    h = np.stack(np.meshgrid(*AXES, indexing="ij"), axis=-1).reshape(-1, 3)
    many = np.where((vectors == 0).all(axis=1), 1.0, 2.0)
    return many * np.cos(2 * np.pi * h @ (vectors / PERIODS).T)


def test_a_series_is_the_sum_written_out_and_its_sums_are_the_adjoint():
    vectors = half_of_box([2, 1, 2])
    series = CosineSeries(AXES, vectors, PERIODS, double=True)
    rng = np.random.default_rng(1)
    coefficients, values = rng.normal(size=len(vectors)), rng.normal(size=(7, 9, 5))
    written_out = _cosines(vectors)
    np.testing.assert_allclose(series.on_grid(torch.tensor(coefficients)).numpy().ravel(), written_out @ coefficients)
    np.testing.assert_allclose(series.sums(torch.tensor(values)).numpy(), values.ravel() @ written_out)


def test_a_block_of_the_normal_matrix_is_the_product_written_out():
    rows, columns = half_of_box([2, 1, 1]), half_of_box([1, 2, 2])
    weights = np.random.default_rng(2).uniform(size=(7, 9, 5))
    block = normal_block(AXES, torch.tensor(weights), rows, columns, PERIODS)
    expected = (_cosines(rows) * weights.ravel()[:, None]).T @ _cosines(columns)
    np.testing.assert_allclose(block, expected, atol=1e-10)
    own = normal_block(AXES, torch.tensor(weights), columns, columns, PERIODS)  # half of it is mirrored
    np.testing.assert_allclose(own, (_cosines(columns) * weights.ravel()[:, None]).T @ _cosines(columns), atol=1e-10)


def test_sums_of_products_keep_more_digits_than_single_precision_has():
    rng = np.random.default_rng(4)
    maps = rng.uniform(0.9, 1.1, size=(3, 50, 60, 70)).astype(np.float32)
    found = sums_of_products(*(torch.tensor(each).flatten(1) for each in (maps[:2], maps[1:])))
    flat = maps.reshape(3, -1).astype(np.float64)
    np.testing.assert_allclose(found, flat[:2] @ flat[1:].T, rtol=3e-8)


def _crystal(shape=(41, 41, 41), second=0.0, unit=1.0, seed=3):
    """Two pairs of atoms that replace each other, written out here, with counting noise."""
    cell = Cell(6.0, 7.0, 6.5, 90, 95, 90)
    axes = [0.1 * (np.arange(n) - n // 2) for n in shape]
    h = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    lengths = np.linalg.norm(h @ cell.reciprocal, axis=-1)
    atom = np.exp(-0.08 * lengths**2)
    waves = [np.exp(2j * np.pi * h @ np.array(x)) for x in ((0, 0, 0), (0.2, 0.1, 0), (-0.1, 0.15, 0.12))]
    form_factor = np.abs(atom * (waves[0] + waves[1] - 1.4 * waves[2])) ** 2
    order = 1 + sum(2 * a * np.cos(2 * np.pi * h @ np.array(v)) for v, a in ALPHA.items())
    expected = 60 * form_factor * order
    if second:
        other = np.abs(atom * (waves[0] - np.exp(2j * np.pi * h @ np.array((0.45, 0.4, 0.3))))) ** 2
        other = other * (1 + 0.8 * np.cos(2 * np.pi * h @ np.array((1, 0, 1))))
        expected = expected + second * expected.mean() / other.mean() * other
    counts = np.random.default_rng(seed).poisson(expected + 3.0)
    return Reconstruction(
        intensity=unit * counts.astype(np.float32),
        live=np.ones(shape, bool),
        origin=np.array([a[0] for a in axes]),
        steps=0.1 * np.eye(3),
        cell=cell,
    )


def _errors(shells):
    true = [ALPHA.get(s.vector, ALPHA.get((-s.vector[0], -s.vector[1], -s.vector[2]), 0.0)) for s in shells]
    return np.array([shell.alpha for shell in shells]) - true


@pytest.fixture(scope="module")
def solution() -> VolumeSolution:
    return solve_volume(_crystal(unit=0.01), VolumeSettings(cutoff=2))


def test_alpha_lies_within_its_uncertainty_whatever_the_unit(solution):
    shells = {shell.vector: shell for shell in order_of(solution).shells}
    true = np.array([ALPHA.get(v, ALPHA.get((-v[0], -v[1], -v[2]), 0.0)) for v in shells])
    z = np.array([(s.alpha - t) / s.uncertainty for s, t in zip(shells.values(), true, strict=True)])
    assert 0.6 < np.sqrt((z**2).mean()) < 1.4
    assert all(shell.uncertainty < 0.01 for shell in shells.values())


def test_the_background_is_found_and_what_i_ff_hides_of_it_is_told(solution):
    found = solution.background
    assert found is not None
    assert abs(found.mean - 0.03) < 3 * found.uncertainty
    fit = solution.fit
    first = fit.sizes[0]
    held = fit._with_prior(fit._matrix(fit._w))[first:, first:]
    weights = np.zeros(len(held))
    last = len(held) - fit.sizes[2]
    weights[last:] = fit.columns.basis[fit.columns.beyond_first_knot].mean(axis=0)
    alone = np.sqrt(weights @ np.linalg.solve(held, weights) * max(solution.chi_square, 1))
    assert found.if_form_factor_known == pytest.approx(alone * solution.voxels.gain, rel=1e-3)
    assert found.uncertainty > 2 * found.if_form_factor_known
    assert found.confused == (found.uncertainty > 0.05 * found.mean)


def test_a_fit_starts_at_alpha_that_are_known_with_i_ff_that_belongs_to_them(solution):
    fit = solution.fit
    best, known = fit.loss(), fit.parameters.copy()
    weight, model = fit._w, fit.model().numpy()
    _, alpha, columns = (each.copy() for each in fit.parts())
    try:
        fit.parameters = np.zeros_like(known)
        fit.start_from(alpha, 0 * columns, model)
        np.testing.assert_array_equal(fit.parts()[1], alpha)
        assert fit.loss() < 1.001 * best  # with I_FF fitted to no order it was twice that
    finally:
        fit.parameters, fit._w = known, weight


def test_the_covariance_is_the_end_of_the_inverse(solution):
    fit = solution.fit
    whole = fit._with_prior(fit._matrix(fit._w))
    first = fit.sizes[0]
    inverse = np.linalg.inv(whole)
    np.testing.assert_allclose(fit.covariance(), inverse[first:, first:], rtol=1e-4, atol=1e-9)
    deviations = np.sqrt(np.diag(inverse)[:first]) * fit._deviations[:first]
    np.testing.assert_allclose(fit.form_factor_uncertainties(fit.factored()), deviations, rtol=1e-4)


def test_half_of_a_volume_gives_the_same_alpha_and_verdict():
    whole = _crystal()
    half = replace(
        whole, intensity=whole.intensity[:, :, 20:], live=whole.live[:, :, 20:], origin=np.array([-2, -2, 0])
    )
    found = solve_volume(half, VolumeSettings(cutoff=2))
    assert judge_volume(found).judgement == "agrees"
    shells = order_of(found).shells
    assert np.sqrt(np.mean(np.square(_errors(shells) / [shell.uncertainty for shell in shells]))) < 1.5


def test_averaging_friedel_mates_does_not_make_the_data_better(solution):
    whole = _crystal(unit=0.01)
    mean = 0.5 * (whole.intensity + whole.intensity[::-1, ::-1, ::-1])
    found = solve_volume(replace(whole, intensity=mean), VolumeSettings(cutoff=2))
    assert found.chi_square == pytest.approx(solution.chi_square, rel=0.1)
    own, before = (np.sqrt(np.diag(each.covariance)) for each in (found, solution))
    assert np.median(own / before) == pytest.approx(1, abs=0.15)
    own, before = (np.array([c.ratio for c in judge_volume(each).checks[:5]]) for each in (found, solution))
    np.testing.assert_allclose(own, before, rtol=0.35)


def test_the_noise_is_found_from_the_data(solution):
    assert solution.voxels.gain == pytest.approx(0.01, rel=0.1)


def test_a_good_crystal_agrees_and_a_second_site_does_not(solution):
    assert judge_volume(solution).judgement == "agrees"
    wrong = judge_volume(solve_volume(_crystal(second=0.3), VolumeSettings(cutoff=2)))
    assert wrong.judgement == "contradicts"


def test_symmetry_averages_and_a_wrong_one_is_noticed(solution):
    right = order_of(solve_volume(_crystal(unit=0.01), VolumeSettings(cutoff=2, laue="2/m")))
    assert len(right.shells) < len(order_of(solution).shells)
    assert right.asymmetry is not None


def test_a_plane_gives_sums_and_says_so():
    plane = solve_volume(_crystal(shape=(61, 61, 1)), VolumeSettings(cutoff=2))
    found = order_of(plane)
    assert any(shell.together_with for shell in found.shells)
    assert any("sums" in note for note in found.notes)
    assert all(shell.uncertainty <= 0.1 for shell in found.shells)


def test_axes_that_are_not_of_the_lattice_are_refused():
    skew = _crystal(shape=(21, 21, 21))
    turned = Reconstruction(
        intensity=skew.intensity,
        live=skew.live,
        origin=skew.origin,
        steps=np.array([[0.1, 0.1, 0], [-0.1, 0.1, 0], [0, 0, 0.1]]),
        cell=skew.cell,
    )
    with pytest.raises(InputError, match="not h, k and l"):
        voxels_of(turned)


def test_nothing_but_zeros_is_refused():
    empty = _crystal(shape=(21, 21, 21), unit=0.0)
    with pytest.raises(InputError, match="positive"):
        voxels_of(empty)


def _on_layers(h_steps=0.1):
    """The same crystal in layers, k in steps of ½ from 0, so that v and v + 2 are alike."""
    whole = _crystal(shape=(61, 41, 61))
    k = np.arange(20, 41, 5)
    return Reconstruction(
        intensity=whole.intensity[:, k],
        live=whole.live[:, k],
        origin=np.array([whole.origin[0], 0.0, whole.origin[2]]),
        steps=np.diag([h_steps, 0.5, h_steps]),
        cell=whole.cell,
    )


def test_layers_in_steps_of_half_give_sums_of_what_they_cannot_tell_apart():
    found = solve_volume(_on_layers(), VolumeSettings(cutoff=3))
    refined = order_of(found, judge_volume(found))
    shells = {shell.vector: shell for shell in refined.shells}
    assert judge_volume(found).judgement != "contradicts"
    # of these layers, 0 2 0 looks like the origin, and 0 3 0 like 0 1 0
    assert ((0, 3, 0), 1.0) in shells[0, 1, 0].together_with
    assert (0, 2, 0) not in shells
    assert abs(shells[1, 0, 0].alpha - ALPHA[1, 0, 0]) < 4 * shells[1, 0, 0].uncertainty < 0.05
    # 1 1 0 and 1 −1 0 are one here
    assert abs(shells[1, 1, 0].alpha - ALPHA[1, 1, 0]) < 4 * shells[1, 1, 0].uncertainty < 0.05
    assert any("Σ" in note for note in refined.notes)


def test_the_cutoff_is_what_the_data_ask_for():
    found = solve_volume(_crystal(), VolumeSettings(laue="2/m"))
    assert found.cutoff == 1
    assert found.cutoff_enough


def test_shells_of_noise_are_not_needed_and_true_ones_are():
    rng = np.random.default_rng(1)
    shells = np.repeat([1, 2, 3, 4], 40)
    covariance = 1e-6 * np.eye(160)
    noise = rng.normal(0, 1e-3, 160)
    assert shells_needed(shells, noise + 0.01 * (shells == 1), covariance) == 1
    # 1.4 standard uncertainties each, in none of which one would believe
    assert shells_needed(shells, noise + 1.4e-3 * rng.choice([-1, 1], 160) * (shells <= 3), covariance) == 3


def test_equivalent_vectors_are_one_parameter():
    terms = order_terms(AXES, 2)
    joined = terms.symmetric(laue_operators("mmm", Cell(6, 7, 8, 90, 90, 90)))
    assert len(joined) == 26  # |u|, |v|, |w| up to 2, without the origin
    values = np.arange(len(joined), dtype=float)
    np.testing.assert_array_equal(joined.gathered(joined.spread(np.ones(len(joined)))), np.bincount(joined.number))
    by_vector = {tuple(np.abs(v)): x for v, x in zip(joined.vectors, joined.spread(values), strict=True)}
    assert len(by_vector) == len(set(by_vector.values())) == 26


@pytest.mark.parametrize("counts", [25.0, 250.0])
@pytest.mark.parametrize("kind", ["orthorhombic", "triclinic"])
def test_a_volume_of_two_cells_is_not_judged_and_what_it_says_is_true(kind, counts):
    """25³ voxels with Bragg peaks, air and gaps: all that was measured is the cell about the beam stop."""
    wrongs = crystal_maker.Wrongs(counts=counts)
    volume = crystal_maker.make(crystal_maker.recipes()[kind], (12, 12, 12), wrongs, ideal=True, seed=7)
    found = solve_volume(reconstruction_of(volume), VolumeSettings())
    verdict = judge_volume(found)
    assert verdict.judgement == "not judged"
    assert "reciprocal cells" in verdict.sentence
    shells = order_of(found, verdict).shells
    true = [volume.alpha[tuple(np.array(shell.vector) + crystal_maker.CUTOFF)] for shell in shells]
    assert all(abs(shell.alpha - t) < 4 * shell.uncertainty for shell, t in zip(shells, true, strict=True))


def test_a_thin_slab_that_was_not_fitted_is_told_as_such_and_not_as_displacements():
    """121 × 121 × 7 voxels of a good crystal, of which fits end at a χ² of some 50."""
    slab = crystal_maker.make(
        crystal_maker.recipes()["orthorhombic"],
        (60, 60, 3),
        replace(crystal_maker.CLEAN, counts=100.0),
        ideal=True,
        seed=11,
    )
    found = solve_volume(reconstruction_of(slab), VolumeSettings())
    verdict = judge_volume(found)
    assert verdict.judgement == "contradicts"
    assert "span 0.30 of a reciprocal cell" in verdict.sentence
    assert "need not be the crystal's fault" in verdict.sentence
    assert verdict.checks
    milder = judge_volume(replace(found, chi_square=1.2))
    assert milder.judgement == "not judged"
    assert milder.sentence.startswith("Not judged: the layers of this slab span 0.30")


def test_the_noise_of_a_trough_is_not_taken_for_less():
    """The middle of a dark fringe is darker than the mean of five voxels across it."""
    h = np.linspace(-3, 3, 121)
    expected = 400 * (0.05 + np.sin(np.pi * h[:, None, None]) ** 2) * np.ones((1, 41, 41))
    counts = np.random.default_rng(5).poisson(expected).astype(np.float32)
    whole = Reconstruction(
        intensity=counts,
        live=np.ones(counts.shape, bool),
        origin=np.array([-3.0, -1.0, -1.0]),
        steps=0.05 * np.eye(3),
        cell=Cell(6, 7, 8, 90, 90, 90),
    )
    assert voxels_of(whole).gain == pytest.approx(1.0, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wrongs", "seed", "judgement"),
    [
        (crystal_maker.Wrongs(counts=25.0, step=0.08), 164, "agrees"),
        (crystal_maker.Wrongs(counts=25.0, step=0.08, residue=0.1, bragg=0.0), 7002, "contradicts"),
    ],
    ids=["good", "Bragg residue"],
)
def test_coarse_voxels_are_not_held_against_a_good_crystal(wrongs, seed, judgement):
    """The foot of a narrow peak fills whole voxels of .08; this good crystal was called wrong for it."""
    volume = crystal_maker.make(crystal_maker.recipes()["triclinic"], (22, 22, 22), wrongs, ideal=True, seed=seed)
    solution = solve_volume(reconstruction_of(volume), VolumeSettings())
    assert judge_volume(solution).judgement == judgement
