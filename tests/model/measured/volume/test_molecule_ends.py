"""What tells molecules that differ at two ends from faults: one sharp, sure maximum of I_FF's Patterson function."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from dsfu.model.measured.volume import verdict
from dsfu.model.measured.volume.molecule_ends import molecule_ends

VECTORS = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 1], [4, 1, 2]])


def _found(coefficients: list[float], deviation: float) -> Any:
    fit = SimpleNamespace(
        vectors=VECTORS,
        periods=np.array([5, 5, 5]),
        parts=lambda: (np.array(coefficients), None, None),
        form_factor_uncertainties=lambda _: np.full(len(VECTORS), deviation),
    )
    return molecule_ends(cast(Any, fit), np.eye(len(VECTORS)))


def test_a_sharp_maximum_far_away_is_found_and_told():
    found = _found([10.0, 9.0, 3.0, 2.1], 0.1)
    assert found.vector == (0.8, 0.2, 0.4)
    assert "(0.80, 0.20, 0.40) cells, 21%" in found.sentence()


@pytest.mark.parametrize(
    ("coefficients", "deviation"),
    [
        ([10.0, 9.0, 3.0, 2.1], 0.5),  # unsure
        ([10.0, 9.0, 3.0, 0.5], 0.01),  # weak
        ([10.0, 9.0, 3.0, -2.1], 0.1),  # a minimum
        ([-1.0, 9.0, 3.0, 2.1], 0.1),  # nothing at the origin
    ],
)
def test_what_is_unsure_weak_or_negative_is_no_pair_of_ends(coefficients, deviation):
    assert _found(coefficients, deviation) is None


def _voxels(shape):
    """What the verdict asks of voxels of .05 reciprocal lattice units."""
    return SimpleNamespace(
        cells_measured=lambda: 30.0,
        smoothed=(False, False, False),
        shape=shape,
        ranges=lambda: [0.05 * (count - 1) for count in shape],
    )


@pytest.mark.parametrize(("chi_square", "cells", "told"), [(1.0, 9, "ends"), (9.0, 9, "χ²"), (1.0, 2, "cells")])
def test_what_else_speaks_against_the_fit_is_told_first(chi_square, cells, told, monkeypatch):
    monkeypatch.setattr(verdict, "molecule_ends", lambda *_: SimpleNamespace(sentence=lambda: "ends"))
    monkeypatch.setattr(verdict, "several_sites", lambda _: "")
    solution = SimpleNamespace(voxels=_voxels((41, 41, 41)), chi_square=chi_square, fit=None, factor=None)
    check = SimpleNamespace(name=verdict._WIDTH, passed=False)
    found = verdict._verdict(cast(Any, solution), cast(Any, (check,)), cells)
    assert found.judgement == "not judged"
    assert told in found.sentence


@pytest.mark.parametrize(
    ("shape", "failed", "judgement"),
    [
        ((41, 41, 1), [verdict._WIDTH], "not judged"),
        ((41, 41, 41), [verdict._WIDTH], "contradicts"),
        ((41, 41, 1), [verdict._WIDTH, "|Q|"], "contradicts"),
    ],
)
def test_the_width_alone_is_not_held_against_a_plane(shape, failed, judgement, monkeypatch):
    monkeypatch.setattr(verdict, "molecule_ends", lambda *_: None)
    monkeypatch.setattr(verdict, "likelier_causes", lambda _: "")
    solution = SimpleNamespace(voxels=_voxels(shape), chi_square=1.0, fit=None, factor=None)
    checks = [SimpleNamespace(name=name, passed=False, ratio=2.0, limit=1.0, meaning="") for name in failed]
    assert verdict._verdict(cast(Any, solution), cast(Any, tuple(checks)), 9).judgement == judgement
