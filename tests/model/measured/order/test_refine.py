"""Refinement against known parameters: exact without noise, honest about its uncertainty with it."""

import numpy as np
import pytest

from dsfu.errors import InputError
from dsfu.model.measured.order.planes import SroPlane, SroSettings
from dsfu.model.measured.order.refine import refine_sro
from dsfu.simulate.disorder.oscillator import draw_oscillator_set
from dsfu.simulate.disorder.planes import layer
from dsfu.simulate.disorder.scattering import sro_of_planes
from dsfu.simulate.lattice import Cell
from tests.benchmarks.tba import ALPHA as PAPER_ALPHA
from tests.benchmarks.tba import tba_alpha as paper_set
from tests.model.measured.order.cases import (
    PAPER_CELL,
    exact,
    hexagonal_layer,
    lattice_gas,
    noise,
    plane_of,
)

CELL = Cell(5.0, 6.0, 7.0)


def truth_of(shell, alpha):
    u, v, w = shell.vector
    return alpha[u + 5, v + 5, w + 5]


def test_the_parameters_of_the_papers_table_come_back():
    plane = layer(PAPER_CELL, "c", 1.0, 5.0)
    sro, clipped = sro_of_planes(PAPER_CELL, paper_set(), [plane])[0]
    assert clipped == 0
    given = SroPlane(sro=3.3 * sro, live=np.ones(sro.shape, np.bool_), plane=plane, cell=PAPER_CELL)
    found = refine_sro([given], SroSettings(symmetry="6/m", no_order_along="c"))
    assert {shell.vector[:2]: pytest.approx(shell.alpha, abs=1e-6) for shell in found.shells} == PAPER_ALPHA
    assert found.fit is not None
    assert found.fit.scales == pytest.approx([3.3], abs=1e-6)
    assert found.fit.r_value < 1e-6
    assert {shell.multiplicity for shell in found.shells} == {6}


def test_columns_in_perfect_order_along_c_look_the_same_on_a_bragg_layer():
    columns = paper_set()[:, :, [5]].repeat(11, axis=2)  # α does not depend on w
    plane = plane_of(columns, PAPER_CELL, "c", 1.0, pixels=96, q_max=2.0)
    found = refine_sro([plane], SroSettings(symmetry="6/m", no_order_along="c"))
    assert {shell.vector[:2]: pytest.approx(shell.alpha, abs=1e-6) for shell in found.shells} == PAPER_ALPHA
    assert found.fit is not None
    assert found.fit.scales == pytest.approx([11.0])


@pytest.mark.parametrize("lattice", ["hexagonal", "tetragonal"])
def test_oscillator_sets_come_back_although_negative_values_were_clipped(lattice):
    drawn = draw_oscillator_set(1, lattice)
    cell = Cell(5.0, 4.0, 5.0, beta=120.0 if lattice == "hexagonal" else 90.0)
    plane = layer(cell, "b", 0.0, 6.0, 128)
    sro, clipped = sro_of_planes(cell, drawn.alpha, [plane])[0]
    assert clipped > 0.01
    given = SroPlane(sro=sro, live=np.ones(sro.shape, np.bool_), plane=plane, cell=cell)
    symmetry = "6/m" if lattice == "hexagonal" else "4/mmm:b"
    settings = SroSettings(symmetry=symmetry, no_order_along="b", negative="clipped")
    found = refine_sro([given], settings)
    errors = [shell.alpha - truth_of(shell, drawn.alpha) for shell in found.shells]
    assert np.abs(errors).max() < 1e-5
    as_they_are = refine_sro([given], SroSettings(symmetry=symmetry, no_order_along="b", negative="allowed"))
    assert np.abs(as_they_are.values - found.values).max() > 1e-3


def test_a_lattice_gas_comes_back_from_as_many_layers_as_there_are_cosines_along_c():
    alpha = lattice_gas()
    planes = [plane_of(alpha, CELL, "c", index, pixels=32, q_max=1.5) for index in (0.04, 0.13, 0.22, 0.31, 0.4, 0.49)]
    found = refine_sro(planes, SroSettings(symmetry="mmm", cutoff=5))
    assert len(found.shells) == 215
    assert not any(shell.together_with for shell in found.shells)
    errors = [shell.alpha - truth_of(shell, alpha) for shell in found.shells]
    assert np.abs(errors).max() < 1e-6


def check_sums(found, alpha):
    """What is given as a value is the sum that it says, relative to that at the origin."""
    by_vector = {tuple(v): value for v, value in zip(np.argwhere(alpha != 9) - 5, alpha.ravel(), strict=True)}
    assert found.fit is not None
    for shell in found.shells:
        total = by_vector[shell.vector] + sum(factor * by_vector[v] for v, factor in shell.together_with)
        assert shell.alpha * found.fit.scales[0] == pytest.approx(total, abs=1e-6)


@pytest.mark.parametrize("index", [0.0, 0.5, 1.0, 0.3, 0.1234])
def test_a_single_layer_gives_the_sums_that_it_determines_and_says_so(index):
    alpha = lattice_gas()
    found = refine_sro(
        [plane_of(alpha, CELL, "c", index, pixels=48, q_max=3.0)], SroSettings(symmetry="mmm", negative="allowed")
    )
    assert len(found.shells) == 35  # 6 × 6 projected vectors, without the origin
    assert all(shell.together_with for shell in found.shells)
    check_sums(found, alpha)
    assert any("cannot be told apart" in note for note in found.notes)
    assert any("relative to the sum at the origin" in note for note in found.notes)


def test_without_symmetry_a_layer_between_bragg_layers_determines_cosines_and_sines():
    alpha = lattice_gas()
    plane = plane_of(alpha, CELL, "c", 0.3, q_max=2.2)
    found = refine_sro([plane], SroSettings(cutoff=5, negative="allowed"))
    assert len(found.shells) == 120  # 60 pairs of projected vectors, each with a cosine and a sine
    check_sums(found, alpha)


def test_planes_with_scales_of_their_own():
    alpha = lattice_gas()
    planes = [
        plane_of(alpha, CELL, axis, index, scale=scale, pixels=48, q_max=2.0)
        for axis, index, scale in (("c", 0.0, 2.0), ("a", 0.0, 0.3), ("b", 0.0, 5.0))
    ]
    found = refine_sro(planes, SroSettings(symmetry="mmm", own_scales=True, negative="allowed"))
    assert found.fit is not None
    ratios = np.array(found.fit.scales) / found.fit.scales[0]
    np.testing.assert_allclose(ratios, [1.0, 0.15, 2.5], rtol=1e-4)
    np.testing.assert_allclose(
        found.series_at(planes[1].plane.hkl(CELL)) * found.fit.scales[1], planes[1].sro, atol=2e-3
    )


def test_scales_of_parallel_planes_are_not_determined():
    planes = [plane_of(lattice_gas(), CELL, "c", index, pixels=40, q_max=2.0) for index in (0.07, 0.31)]
    with pytest.raises(InputError, match="scales of the planes are not determined"):
        refine_sro(planes, SroSettings(symmetry="mmm", own_scales=True))


def noisy(rng, *, smooth=0.0, friedel=False, size=0.3, pixels=128):
    cell, plane, sro, form_factor, live = hexagonal_layer(pixels)
    wrong = size * noise(rng, sro.shape, smooth=smooth, friedel=friedel) / np.sqrt(form_factor)
    return SroPlane(sro=sro + wrong, live=live, plane=plane, cell=cell, form_factor=form_factor)


def covered(count, settings, **how):
    """Share of all 68 % intervals that hold the truth, and root mean square of error / uncertainty."""
    rng = np.random.default_rng(7)
    deviations = []
    for _ in range(count):
        found = refine_sro([noisy(rng, **how)], settings)
        truth = np.array([PAPER_ALPHA[shell.vector[:2]] for shell in found.shells])
        deviations.append((found.values - truth) / found.uncertainties)
    return float((np.abs(deviations) < 1).mean()), float(np.sqrt(np.mean(np.square(deviations))))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("count", "how"), [(200, {}), (80, {"smooth": 0.8, "friedel": True})], ids=["white", "correlated"]
)
def test_intervals_hold_the_truth_as_often_as_they_say(count, how):
    share, rms = covered(count, SroSettings(symmetry="6/m", no_order_along="c"), **how)
    assert 0.60 <= share <= 0.76
    assert 0.8 <= rms <= 1.3


def test_independent_pixels_would_promise_too_much_where_errors_hang_together():
    rng = np.random.default_rng(1)
    settings = SroSettings(symmetry="6/m", no_order_along="c")
    plain, smooth = (refine_sro([noisy(rng, smooth=each)], settings).fit for each in (0.0, 1.5))
    assert plain is not None
    assert smooth is not None
    assert plain.effective_pixels > 0.65 * plain.pixels
    assert smooth.effective_pixels < 0.5 * smooth.pixels


def test_averaged_data_count_half():
    settings = SroSettings(symmetry="6/m", no_order_along="c")
    rng = np.random.default_rng(2)
    inflation = []
    for _ in range(6):
        fit = refine_sro([noisy(rng, friedel=True)], settings).fit
        assert fit is not None
        inflation.append(fit.pixels / fit.effective_pixels)
    assert np.mean(inflation) == pytest.approx(2.0, rel=0.25)


def test_goodness_of_fit_is_one_if_sigma_is_right():
    rng = np.random.default_rng(3)
    cell, plane, sro, form_factor, live = hexagonal_layer()
    sigma = 0.2 / np.sqrt(form_factor)
    given = SroPlane(sro=sro + sigma * noise(rng, sro.shape), live=live, plane=plane, cell=cell, sigma=sigma)
    found = refine_sro([given], SroSettings(symmetry="6/m", no_order_along="c"))
    assert found.fit is not None
    assert found.fit.goodness_of_fit == pytest.approx(1.0, abs=0.03)
    assert found.correlations.diagonal() == pytest.approx(np.ones(15))


def test_positivity_keeps_noisy_series_from_being_negative_and_brings_them_nearer_to_the_truth():
    cell, plane, _, form_factor, live = hexagonal_layer()
    alpha = np.zeros((11, 11, 11))
    alpha[5, 5, 5] = 1.0
    for u, v in ((1, 0), (1, 1), (0, 1), (-1, 0), (-1, -1), (0, -1)):
        alpha[u + 5, v + 5, 5] = -1 / 6  # I_SRO touches zero at every lattice point
    rng = np.random.default_rng(4)
    sro = exact(alpha, plane.hkl(cell))
    given = SroPlane(sro=sro + noise(rng, sro.shape), live=live, plane=plane, cell=cell, form_factor=form_factor)
    kept, free = (
        refine_sro([given], SroSettings(symmetry="6/m", no_order_along="c", negative=each))
        for each in ("forbidden", "allowed")
    )
    h, k = np.meshgrid(np.arange(97) / 97, np.arange(97) / 97)
    grid = np.stack([h, k, np.zeros_like(h)], axis=-1)
    assert free.series_at(grid).min() < -0.01
    assert kept.series_at(grid).min() > -1e-3
    assert kept.fit is not None
    assert kept.fit.touching > 0
    truth = np.array([truth_of(shell, alpha) for shell in free.shells])
    assert np.abs(kept.values - truth).mean() < np.abs(free.values - truth).mean()


def test_parameters_stay_within_what_a_composition_allows():
    rng = np.random.default_rng(5)
    cell, plane, sro, _, live = hexagonal_layer()
    given = SroPlane(sro=sro + 2 * noise(rng, sro.shape), live=live, plane=plane, cell=cell)
    settings = SroSettings(symmetry="6/m", no_order_along="c", fraction_a=0.12, negative="allowed")
    least = -0.12 / 0.88
    found = refine_sro([given], settings)
    assert found.values.min() == pytest.approx(least, abs=1e-6)  # -0.2516 is not possible
    assert settings.bounds == pytest.approx((least, 1.0))


def test_weak_regions_are_left_out():
    cell, plane, sro, form_factor, live = hexagonal_layer()
    wrong = np.where(form_factor < 0.05 * form_factor.max(), 100.0, sro)
    assert (wrong != sro)[live].any()
    settings = SroSettings(symmetry="6/m", no_order_along="c")
    given = SroPlane(sro=wrong, live=live, plane=plane, cell=cell, form_factor=form_factor)
    found = refine_sro([given], settings)
    assert found.fit is not None
    assert found.fit.weak == (wrong != sro)[live].sum()
    truth = [PAPER_ALPHA[shell.vector[:2]] for shell in found.shells]
    np.testing.assert_allclose(found.values, truth, atol=1e-9)


def test_a_cutoff_that_the_pixels_cannot_carry_is_called_so():
    rng = np.random.default_rng(6)
    cell, plane, sro, _, live = hexagonal_layer()
    rows, columns = np.indices(live.shape)
    corner = live & (rows >= 30) & (rows < 38) & (columns >= 30) & (columns < 70)
    given = SroPlane(sro=sro + noise(rng, sro.shape), live=corner, plane=plane, cell=cell)
    found = refine_sro([given], SroSettings(no_order_along="c", negative="allowed"))
    assert any("not determined by these data" in note for note in found.notes)
    assert not all(shell.determined for shell in found.shells)


def test_what_cannot_be_refined_is_refused():
    cell, plane, sro, _, live = hexagonal_layer()
    nothing = SroPlane(sro=sro, live=np.zeros_like(live), plane=plane, cell=cell, name="hk1")
    with pytest.raises(InputError, match="hk1: 0 of 16384 pixels"):
        refine_sro([nothing])
    whole = SroPlane(sro=sro, live=live, plane=plane, cell=cell)
    with pytest.raises(InputError, match="mean of I_SRO"):
        refine_sro([SroPlane(sro=-sro, live=live, plane=plane, cell=cell)], SroSettings(no_order_along="c"))
    other = SroPlane(sro=sro, live=live, plane=plane, cell=Cell(8.0, 8.0, 7.0, gamma=120.0))
    with pytest.raises(InputError, match="planes of one crystal"):
        refine_sro([whole, other])
    with pytest.raises(InputError, match="shorter cutoff"):
        refine_sro([whole], SroSettings(cutoff=40))
    with pytest.raises(ValueError, match="no_order_along"):
        SroSettings(no_order_along="abc")


def test_cosines_that_vanish_on_a_quarter_layer_are_named_and_not_refined():
    """On hk¼ cos 2π(hu + kv + w/4) of w = 1 is odd in h, k: of (0 0 1) nothing is left but rounding."""
    cell = Cell(7.0, 6.0, 8.0)
    plane = plane_of(lattice_gas(), cell, "c", 0.25, pixels=64, q_max=3.0)
    plane.sro[:] += noise(np.random.default_rng(2), plane.sro.shape)
    found = refine_sro([plane], SroSettings(cutoff=2, negative="allowed"))
    assert (0, 0, 1) not in [shell.vector for shell in found.shells]
    assert any("do not depend" in note and "(0 0 1)" in note for note in found.notes)
    assert all(shell.determined for shell in found.shells)
    assert max(shell.uncertainty for shell in found.shells) < 0.1


def test_values_that_no_crystal_has_are_remarked_on():
    """A background that was taken off twice makes α of the nearest too large."""
    cell = Cell(7.0, 6.0, 8.0)
    plane = plane_of(lattice_gas(), cell, "c", 0.0, pixels=64, q_max=3.0)
    plane.sro[:] = 3.0 * (plane.sro - plane.sro.mean()) + 0.3
    found = refine_sro([plane], SroSettings(cutoff=2, negative="allowed", no_order_along="c"))
    impossible = [shell for shell in found.shells if not shell.possible]
    assert impossible
    assert any("beyond ±1" in note for note in found.notes)
