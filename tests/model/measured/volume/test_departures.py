"""Departures from the model: a wrong lattice with its size, a second site, neither; and the algebra written out."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from dsfu.model.measured.volume.departures import order_that_varies, stretched_lattice
from dsfu.model.measured.volume.order import order_of
from dsfu.model.measured.volume.settings import VolumeSettings
from dsfu.model.measured.volume.softness import soft_combination
from dsfu.model.measured.volume.solve import VolumeSolution, solve_volume
from dsfu.model.measured.volume.verdict import judge_volume
from tests.benchmarks.crystal_maker import CLEAN, CUTOFF, Wrongs, make, recipes
from tests.benchmarks.crystals import reconstruction_of


def _solved(wrongs: Wrongs, kind: str = "triclinic") -> VolumeSolution:
    volume = make(recipes()[kind], (22, 22, 22), wrongs, ideal=True, seed=11)
    return solve_volume(reconstruction_of(volume), VolumeSettings())


@pytest.fixture(scope="module")
def good() -> VolumeSolution:
    return _solved(replace(CLEAN, counts=100.0))


def test_a_good_crystal_has_neither(good):
    lattice = stretched_lattice(good.fit, good.factor)
    varies = order_that_varies(good.fit, good.factor)
    assert lattice is not None
    assert varies is not None
    assert np.abs(lattice.values / lattice.uncertainties).max() < 3
    assert varies.chi_square < 1.5


def test_a_wrong_lattice_is_found_and_measured():
    wrong = _solved(replace(CLEAN, counts=100.0, lattice=1.01))
    found = stretched_lattice(wrong.fit, wrong.factor)
    assert found is not None
    # what lies at h was measured at h / 1.01, so the order repeats after 1.01: its lattice is coarser by a hundredth
    assert np.all(found.uncertainties < 0.003)
    assert np.all(np.abs(found.values + 0.01) < 4 * found.uncertainties)
    verdict = judge_volume(wrong)
    assert verdict.judgement == "contradicts"
    assert "lattice" in [check.name for check in verdict.checks if not check.passed]


def test_amplitudes_are_those_of_least_squares_with_everything_free(good):
    """The same from the whole normal matrix with the patterns as further parameters."""
    fit = good.fit
    rng = np.random.default_rng(1)
    patterns = [torch.from_numpy(rng.normal(size=fit.voxels.shape).astype(np.float32)) for _ in range(2)]
    values, covariance = fit.amplitudes_of(patterns, good.factor)
    form_factor, order, extra = fit.factors()
    weight = fit._w.double()
    rest = (fit._counts - form_factor * order - extra).double()
    products = np.stack([fit._products(fit._w * each, fit._falloff * order, form_factor) for each in patterns])
    products *= fit._deviations
    whole = np.block(
        [
            [good.factor @ good.factor.T, products.T],
            [products, np.array([[float((weight * a * b).sum()) for b in patterns] for a in patterns])],
        ]
    )
    target = np.r_[np.zeros(len(good.factor)), [float((weight * rest * each).sum()) for each in patterns]]
    expected = np.linalg.inv(whole)
    np.testing.assert_allclose(values, (expected @ target)[-2:], rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(covariance, expected[-2:, -2:], rtol=1e-3)


def test_a_soft_combination_is_named_and_others_are_not(good):
    direction = np.array([0.8, 0.6, 0.0])
    soft = soft_combination(1e-6 * np.eye(3) + 1e-2 * np.outer(direction, direction))
    assert soft is not None
    np.testing.assert_allclose(soft.coefficients, direction, atol=1e-6)
    assert soft.uncertainty == pytest.approx(0.1, rel=1e-3)
    assert soft.others == pytest.approx(1e-3 * (2 / 3) ** 0.5, rel=1e-3)
    assert "+0.80 α(1 0 0) +0.60 α(0 1 0)" in soft.text(["1 0 0", "0 1 0", "0 0 1"])
    assert soft_combination(1e-6 * np.eye(3)) is None
    assert not any("much worse" in note for note in order_of(good).notes)


def test_an_alloy_whose_background_may_be_anything_is_not_called_wrong():
    """Its I_FF depends on |Q| alone, as a background does: all α share a scale that is known badly."""
    volume = make(recipes()["alloy"], (20, 20, 20), replace(CLEAN, counts=25.0), ideal=True, seed=1)
    found = solve_volume(reconstruction_of(volume), VolumeSettings())
    verdict = judge_volume(found)
    assert verdict.judgement == "agrees"
    order = order_of(found, verdict)
    assert any("scale" in note for note in order.notes)
    true = np.array([volume.alpha[tuple(np.array(shell.vector) + CUTOFF)] for shell in order.shells])
    assert np.all(np.abs(order.values - true) < 4 * order.uncertainties)
    assert order.uncertainties[0] < 0.3 * abs(order.values[0])
