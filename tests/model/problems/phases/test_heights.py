"""How many electrons a height stands for, and what R1 of few data proves."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dsfu.model.problems.phases.elements import per_height
from dsfu.model.problems.phases.judging import PhasingVerdict, judge
from dsfu.model.problems.phases.origin import GroupFit

FORMULA = {92: 4.0, 8: 8.0, 6: 16.0}


@pytest.mark.parametrize("found", [7, 5, 1])
def test_heights_are_those_of_the_heaviest_where_light_atoms_are_missing(found: int) -> None:
    """Uranium alone stood out of the map and was taken for carbon, so that no lighter atom was ever added."""
    electrons = np.array([92.0, 8.0, 8.0, 6.0, 6.0, 6.0, 6.0])
    heights = 0.5 * electrons[:found] * np.linspace(1.05, 0.95, found)
    atoms = np.full(found, 4)
    order = np.random.default_rng(found).permutation(found)
    assert per_height(heights[order], atoms, FORMULA) == pytest.approx(2.0, rel=0.06)


def test_without_a_formula_most_are_carbon() -> None:
    assert per_height(np.array([9.0, 3.0, 3.0, 2.9]), np.full(4, 4), {}) == pytest.approx(2.0, rel=0.02)


@pytest.mark.parametrize(
    ("reflections", "r", "outcome"),
    [(775, 0.165, "doubtful"), (775, 0.08, "solved"), (2400, 0.165, "solved"), (400, 0.08, "doubtful")],
)
def test_a_low_r1_of_few_reflections_proves_little(reflections: int, r: float, outcome: str) -> None:
    """74 wrong atoms in P1 had R1 .165 of 775 reflections (a crystal in R3m, cell of unusual axes)."""
    assert judged(reflections, r).outcome == outcome


@pytest.mark.parametrize(("completeness", "told"), [(0.22, True), (0.95, False)])
def test_the_verdict_says_when_reflections_are_missing(completeness: float, told: bool) -> None:
    verdict = judged(2400, 0.08, completeness)
    assert verdict.outcome == "solved"
    assert ("Only 22 % of the reflections to d = 0.85 Å are there." in verdict.reasons) == told


def judged(reflections: int, r: float, completeness: float = 1.0) -> PhasingVerdict:
    """Of 74 atoms in P1."""
    data: Any = SimpleNamespace(hkl=np.zeros((reflections, 3)), d_min=0.85, completeness=completeness)
    atoms: Any = SimpleNamespace(numbers=np.full(74, 6), u_iso=np.full(74, 0.04), coordinates=3 * 74)
    candidate: Any = SimpleNamespace(group=SimpleNamespace(number=1), absent=0, turns=np.eye(3)[None])
    fit = GroupFit(candidate=candidate, origin=np.zeros(3), mean=1.0, worst=1.0, each=np.ones(1))
    return judge(data, r=r, fit=fit, alternatives=(), atoms=atoms)
