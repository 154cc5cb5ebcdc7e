"""The verdict on planes of every kind of wrongness, and on planes with nothing wrong."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.factorise.factors import CrystalFactors, PlaneFactors, Verdict
from dsfu.model.measured.factorise.methods import factorise
from dsfu.model.measured.factorise.verdict import judge
from dsfu.model.measured.solver.settings import SolverSettings
from dsfu.simulate.disorder.planes import layer
from dsfu.simulate.lattice import Cell
from tests.benchmarks.broken_planes import KINDS, as_measured, background, debye_waller, good

PIXELS = 128
FINE = "form factor finer than the cell allows"
BRAGG = "excess at Bragg points"
MISFIT = "what the product cannot explain"


def verdict_on(plane: MeasuredPlane, settings: SolverSettings | None = None) -> Verdict:
    return factorise([plane], "solver", settings=settings or SolverSettings(), judge=judge).verdict


def failed(verdict: Verdict) -> set[str]:
    return {check.name for check in verdict.checks if not check.passed}


@pytest.mark.parametrize(("seed", "noise"), [(1, 0.0), (5, 0.05), (7, 0.3)])
def test_good_planes_pass_whatever_the_noise(seed: int, noise: float) -> None:
    verdict = verdict_on(as_measured(good(seed, PIXELS), seed, noise=noise))
    assert verdict.passed, verdict.sentence
    assert "agree" in verdict.sentence


@pytest.mark.parametrize(
    ("kind", "strength", "expected"),
    [
        ("size effect", 0.1, FINE),
        ("two sites", 0.3, FINE),
        ("thermal", 0.3, FINE),
        ("thermal", 0.3, BRAGG),
        ("Bragg", 1.0, BRAGG),
        ("powder ring", 0.2, MISFIT),
        ("powder ring", 0.02, "rings"),
    ],
)
def test_what_breaks_the_assumptions_is_called_so(kind: str, strength: float, expected: str) -> None:
    verdict = _verdict_on_broken(kind, strength)
    assert expected in failed(verdict)
    assert "do not agree" in verdict.sentence


def test_order_that_no_crystal_has_is_not_judged() -> None:
    factors = factorise([as_measured(good(1, PIXELS), 1)], "solver")
    assert factors.alpha is not None
    beyond = replace(factors, alpha=np.where(np.arange(len(factors.alpha)) == 3, -1.3, factors.alpha))
    assert judge(factors).judgement == "agrees"
    assert judge(beyond).judgement == "not judged"
    assert "1.30" in judge(beyond).sentence


def test_a_wrong_lattice_is_called_so() -> None:
    assert failed(_verdict_on_broken("wrong lattice", 0.01)) & {FINE, MISFIT}


@cache
def _verdict_on_broken(kind: str, strength: float) -> Verdict:
    return verdict_on(as_measured(KINDS[kind](100, strength, PIXELS), 100, noise=0.01, dead_zones=False))


@pytest.mark.parametrize("kind", ["size effect", "two sites"])
def test_the_same_crystals_unbroken_pass(kind: str) -> None:
    verdict = verdict_on(as_measured(KINDS[kind](102, 0.0, PIXELS), 102))
    assert verdict.passed, verdict.sentence


def test_debye_waller_factors_and_fitted_backgrounds_pass() -> None:
    assert verdict_on(as_measured(debye_waller(1, 0.05, PIXELS), 1)).passed
    assert verdict_on(as_measured(background(1, 0.02, PIXELS), 1), SolverSettings(background=True)).passed


def answers(sigma_sro: float) -> CrystalFactors:
    """A network's, which explain a plane well and scatter by so much."""
    pixels = 64
    plane = layer(Cell(6, 6, 6), "b", 0, 4.0, pixels)
    live = np.ones((pixels, pixels), np.bool_)
    form_factor = np.exp(-np.square(plane.q).sum(-1) / 20).astype(np.float32)
    sro = (1 + 0.5 * np.cos(plane.q @ [6.0, 0, 0])).astype(np.float32)
    measured = MeasuredPlane(intensity=form_factor * sro, live=live, plane=plane, cell=None)
    factors = PlaneFactors(
        measured=measured,
        form_factor=form_factor,
        sro=sro,
        background=0.0,
        sigma_form_factor=None,
        sigma_sro=np.full_like(sro, sigma_sro),
        from_data=~live,
        misfit=0.0,
    )
    return CrystalFactors(planes=(factors,), method="network", verdict=Verdict(checks=()))


def test_a_network_that_contradicts_itself_is_not_believed() -> None:
    assert judge(answers(0.02)).passed
    assert failed(judge(answers(1.0))) == {"spread of the network's answers"}


def test_a_network_does_not_vouch_for_data() -> None:
    """Its two factors fit anything, so that nothing found is not the same as nothing wrong."""
    verdict = judge(answers(0.02))
    assert verdict.passed
    assert not verdict.tells
    assert "cannot tell" in verdict.sentence
    assert "agree" not in verdict.sentence
