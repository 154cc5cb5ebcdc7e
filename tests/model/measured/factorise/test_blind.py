"""Planes of images whose lattice is found: on which pixels it is looked for, and when nothing is judged."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from dsfu.model.measured.data.plane import MADE_UP_Q_MAX, MeasuredPlane
from dsfu.model.measured.factorise import blind
from dsfu.model.measured.factorise.factors import Check, CrystalFactors, Verdict
from dsfu.model.measured.factorise.verdict import judge
from dsfu.model.measured.lattice.found import FoundLattice
from dsfu.model.measured.solver.settings import CAREFUL_STAGES, STAGES, SolverSettings
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.planes import Plane

SIDE, CENTRE = 60, np.array([0.3, -0.4, 0.0])


def image(apart: float) -> tuple[MeasuredPlane, FloatArray]:
    """Order on a square lattice whose points are so many pixels apart, and its vectors on the made-up scale."""
    plane = Plane(CENTRE, np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), SIDE / 2, SIDE)
    x, y = np.moveaxis(plane.q[..., :2], -1, 0)
    fine = 2 * np.pi / apart
    intensity = np.exp(-(x**2 + y**2) / 600) * (1.5 + 0.6 * np.cos(fine * x) - 0.5 * np.cos(fine * y))
    live = np.ones((SIDE, SIDE), np.bool_)
    basis = fine * plane.q_max / MADE_UP_Q_MAX * np.eye(2)
    return MeasuredPlane(intensity=intensity, live=live, plane=plane, cell=None, scale_known=False), basis


def found_by(basis: FloatArray, looked_at: list[MeasuredPlane]) -> Callable[..., FoundLattice]:
    def find(plane: MeasuredPlane, *_: object) -> FoundLattice:
        looked_at.append(plane)
        return FoundLattice(
            basis=basis, kind="rectangular", misfit=0.0, agreement=float("nan"), one_dimensional=False, tried=1
        )

    return find


@pytest.mark.parametrize(("apart", "judgement"), [(6.0, "agrees"), (2.6, "not judged")])
def test_an_image_is_looked_at_finely_and_fitted_as_it_is(
    apart: float, judgement: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plane, basis = image(apart)
    looked_at: list[MeasuredPlane] = []
    monkeypatch.setattr(blind, "find_lattice", found_by(basis, looked_at))
    factors, found = blind.factorise_blind(plane, None, judge=judge)
    assert looked_at[0].plane.pixels == 256
    assert looked_at[0].plane.q_max == factors.planes[0].plane.q_max == MADE_UP_Q_MAX
    assert factors.planes[0].plane.pixels == SIDE
    np.testing.assert_array_equal(factors.planes[0].measured.intensity, plane.intensity)
    assert factors.verdict.judgement == judgement
    assert found is not None
    points = found.points_apart
    assert points is not None
    np.testing.assert_allclose(np.hypot(*points.T), apart, rtol=0.005)
    assert factors.alpha_vectors is not None
    assert factors.alpha is not None
    assert factors.alpha_sines is not None
    if judgement == "agrees":  # Q = 0 is where it was found, beside a pixel: there order has no sines
        nearest = np.abs(factors.alpha_vectors).sum(axis=1) == 1
        assert np.abs(factors.alpha[nearest]).max() > 0.05
        assert np.abs(factors.alpha_sines[nearest]).max() < 0.002


def test_points_few_pixels_apart_are_fitted_carefully_unless_stages_are_chosen() -> None:
    plane, basis = image(6.0)
    made_up = blind.on_made_up_scale(plane)
    np.testing.assert_allclose(made_up.plane.centre, CENTRE * MADE_UP_Q_MAX / (SIDE / 2))
    assert blind.settings_for(made_up, basis, SolverSettings()).stages == CAREFUL_STAGES
    assert blind.settings_for(made_up, basis / 2, SolverSettings()).stages == STAGES
    assert blind.settings_for(made_up, basis, SolverSettings(stages=STAGES[:1])).stages == STAGES[:1]


@pytest.mark.parametrize(("value", "judgement"), [(0.3, "agrees"), (0.95, "not judged"), (1.2, "contradicts")])
def test_a_lattice_that_was_found_has_to_fit_by_a_margin(
    value: float, judgement: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def judged(factors: CrystalFactors) -> Verdict:
        check = Check(name="something", value=value, limit=1.0, passed=value <= 1, meaning="something else")
        return replace(judge(factors), checks=(check,))

    plane, basis = image(6.0)
    monkeypatch.setattr(blind, "find_lattice", found_by(basis, []))
    verdict = blind.factorise_blind(plane, None, judge=judged)[0].verdict
    assert verdict.judgement == judgement
    assert ("only just" in verdict.sentence) == (judgement == "not judged")
