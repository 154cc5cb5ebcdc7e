"""A group is refuted by R1 only where the atoms themselves lack its symmetry."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dsfu.model.problems.phases import attempts
from dsfu.model.problems.phases.attempts import Attempt, Polisher
from dsfu.model.problems.phases.origin import GroupFit

NOTHING: Any = None


def placed(name: str, worst: float) -> GroupFit:
    candidate: Any = SimpleNamespace(name=name)
    return GroupFit(candidate=candidate, origin=np.zeros(3), mean=worst, worst=worst, each=np.array([worst]))


def attempt(fit: GroupFit, r1: float) -> Attempt:
    polished: Any = SimpleNamespace(fit=SimpleNamespace(r1=r1, model=None))
    return Attempt(data=NOTHING, fit=fit, hkl=NOTHING, waves=NOTHING, r=0.1, polished=polished, alternatives=(fit,))


@pytest.mark.parametrize(
    ("correlation", "r1", "refuted"), [(0.7, 0.043, ("P21/n",)), (0.98, 0.043, ()), (0.98, 0.02, ("P21/n",))]
)
@pytest.mark.parametrize("said", [-1, 0])
def test_atoms_that_have_a_symmetry_are_not_refuted_by_r1(
    correlation: float, r1: float, refuted: tuple[str, ...], said: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the intensities say of a centre; a published crystal in P2₁/n was called P2₁, and solved.

    R1 four times as high refutes a group nevertheless: of bismuth and light atoms the first alone had a mirror plane.
    """
    low, high = placed("P21", 1.0), placed("P21/n", correlation)
    monkeypatch.setattr(attempts, "structure_factors_of", lambda *_: NOTHING)
    of_atoms = SimpleNamespace(fit={"P21": low, "P21/n": high}.get)
    monkeypatch.setattr(attempts, "SymmetryOfMap", lambda *_: SimpleNamespace(fit=lambda each: of_atoms.fit(each.name)))
    monkeypatch.setattr(
        attempts, "rival_of", lambda fit, nearest, known: None if known else next(e for e in nearest if e is high)
    )
    monkeypatch.setattr(attempts, "say_of_a_centre", lambda *_: said)
    monkeypatch.setattr(Polisher, "attempt", lambda self, fit: attempt(fit, 0.09))
    polisher = Polisher(
        data=NOTHING, hkl=NOTHING, waves=NOTHING, r=0.1, fits=(low, placed("P21/n", 0.6)), reflections=NOTHING
    )
    found = attempts._against_rivals(attempt(low, r1), polisher)
    assert found.fit is low
    assert found.refuted == refuted
