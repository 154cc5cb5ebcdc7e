"""How many starts are made, and that no map is tried twice."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dsfu.model.problems.phases import solve as module
from dsfu.model.problems.phases.projections import PhasedMap
from dsfu.model.problems.phases.reading import read_reflections
from tests.model.problems.phases.made_elsewhere import packed, write_hkl


@pytest.mark.parametrize(("r", "starts"), [(0.27, 32), (0.16, 8)])
def test_starts_go_on_where_none_found_the_map_and_each_map_is_tried_once(tmp_path, monkeypatch, r, starts):
    """One start in twelve found a molecule in P2₁2₁2₁; where R says that a map is found, others find the same."""
    made: list[PhasedMap] = []
    tried: list[int] = []

    def one_start(*_: object, **__: object) -> PhasedMap:
        made.append(PhasedMap(density=np.zeros((2, 2, 2), np.float32), r=r + 0.01 / (1 + len(made))))
        return made[-1]

    def attempt(_: object, p1: PhasedMap, *__: object) -> Any:
        tried.append(id(p1))
        return SimpleNamespace(accepted=False, told=lambda: "", better_than=lambda _: False)

    class EnoughError(Exception):
        """The starts are over."""

    def in_groups(*_: object) -> list[Any]:
        raise EnoughError

    monkeypatch.setattr(module, "phase", one_start)
    monkeypatch.setattr(module, "attempt_of", attempt)
    monkeypatch.setattr(module, "_in_groups", in_groups)
    write_hkl(tmp_path / "x.hkl", packed("C4H4O", "P 1 21/c 1"), 1.0)
    with pytest.raises(EnoughError):
        module.solve(read_reflections(tmp_path / "x.hkl"))
    assert len(made) == starts
    assert len(tried) == len(set(tried)) > 1
