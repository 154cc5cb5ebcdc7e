"""Which candidates of a search are fitted: the best, but some of each system, of simple ones, and few of one type."""

from collections.abc import Sequence
from typing import Final

from dsfu.model.problems.densities.colourings import is_coloured
from dsfu.model.problems.densities.search import Found

SIMPLE: Final = 16
"""Of the candidates that are fitted, places for types with at most two free coordinates: large cells have a line
wherever a peak is, so that the search likes them better. Chosen with wurtzite in view."""

_RESERVED: Final = {"cubic": 8, "hexagonal": 4, "rhombohedral": 4, "tetragonal": 4, "orthorhombic": 4}
"""Candidates of each system that are fitted in any case. Chosen."""

UNLIKE: Final = 0.8
"""Share of the best cosine that a type with sites divided anew must reach to be fitted. Chosen."""


def varied(found: Sequence[Found], most: int) -> list[Found]:
    """The best of each of the systems with few cell parameters, then the best of all; at most four of a type.

    Types of low symmetry have more lines and cells to choose from, and would fill the list. So would types whose sites
    are divided anew, of which there are many: they get places of their own, half as many.
    """
    plain = _chosen([each for each in found if not is_coloured(each.kind)], most)
    least = UNLIKE * max((each.cosine for each in found), default=0.0)
    anew = [each for each in found if is_coloured(each.kind) and each.cosine > least]
    return [*plain, *_chosen(anew, most // 2)]


def _chosen(found: Sequence[Found], most: int) -> list[Found]:
    seen: dict[str, int] = {}
    chosen: list[Found] = []
    reserved = [each for system, n in _RESERVED.items() for each in [f for f in found if f.kind.system == system][:n]]
    simple = [each for each in found if each.kind.free <= 2][:SIMPLE]
    for each in (*reserved, *simple, *found):
        if seen.get(each.kind.name, 0) < 4 and each not in chosen:
            seen[each.kind.name] = seen.get(each.kind.name, 0) + 1
            chosen.append(each)
        if len(chosen) == most:
            break
    return chosen
