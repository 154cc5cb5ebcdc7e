"""Structures of no known type: a formula's atoms put on special positions of space groups, in all ways that fit.

Only what has few parameters is tried: cubic, hexagonal and tetragonal groups, positions that symmetry fixes, and few
free coordinates, each started in steps that the fit can bridge.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import Final

import gemmi
import numpy as np

from dsfu.model.problems.densities.formulas import UNKNOWN, Formula
from dsfu.simulate.densities.special_positions import SpecialPosition, fixed_positions, line_positions
from dsfu.simulate.densities.structure_types import Orbit, StructureType
from dsfu.simulate.densities.substitutions import SHORTEST, expected_volume, shortest_distance

SOURCE: Final = "sites assigned"
"""Where types that this module makes are from."""

MOST_ATOMS: Final = {"cubic": 56, "hexagonal": 12, "tetragonal": 12}
MOST_FREE: Final = {"cubic": 1, "hexagonal": 0, "tetragonal": 0}
"""Atoms in the cell, and free coordinates, that are tried. Chosen: further ones multiply the ways by hundreds."""

_GROUPS: Final = {"cubic": (195, 230), "hexagonal": (143, 194), "tetragonal": (75, 142)}

_RATIOS: Final = {
    "cubic": (1.0,),
    "hexagonal": (0.62, 0.8, 1.04, 1.35, 1.63, 2.1, 2.75),
    "tetragonal": (0.55, 0.72, 1.0, 1.3, 1.7, 2.2),
}
"""c / a that are tried: the search goes 14 % to either side."""

_STARTS: Final = tuple(np.arange(0.04, 1.0, 0.08))
"""Along a line, from its point; the fit moves coordinates by up to .09."""

_TOO_NEAR: Final = 0.9 * SHORTEST
_INDICES: Final = np.array([hkl for hkl in product(range(-3, 4), repeat=3) if hkl > (0, 0, 0)])
"""Of each reflection and its Friedel mate one."""


@dataclass(frozen=True)
class _Way:
    """Positions chosen for each element, and how many coordinates are free."""

    places: tuple[tuple[int, SpecialPosition], ...]
    free: int


def assigned_types(
    formula: Formula, systems: Sequence[str] = ("cubic", "hexagonal", "tetragonal"), *, until: float = float("inf")
) -> Iterator[StructureType]:
    """Those of the highest symmetry first; none where ratios or elements are not known.

    No group is begun after ``until`` (`time.process_time`).
    """
    if not formula.ratios or UNKNOWN in formula.counts:
        return
    seen: set[bytes] = set()
    for system in systems:
        first, last = _GROUPS[system]
        for number in range(last, first - 1, -1):
            if time.process_time() > until:
                return
            yield from _of_group(number, system, formula.counts, seen)


def _of_group(number: int, system: str, counts: Mapping[int, int], seen: set[bytes]) -> Iterator[StructureType]:
    group = gemmi.find_spacegroup_by_number(number)
    most_free = MOST_FREE[system]
    places = (*fixed_positions(group.hall), *(line_positions(group.hall) if most_free else ()))
    gamma = 120.0 if system == "hexagonal" else 90.0
    for units in range(1, MOST_ATOMS[system] // sum(counts.values()) + 1):
        wanted = tuple((z, n * units) for z, n in sorted(counts.items(), key=lambda each: -each[1]))
        for way in _ways(wanted, places, most_free):
            for kind in _started(way, group, gamma):
                key = _fingerprint(kind, system)
                if key in seen:
                    continue
                seen.add(key)
                for ratio in _RATIOS[system]:
                    shaped = _shaped(kind, ratio, gamma)
                    if shortest_distance(shaped.crystal()) >= _TOO_NEAR:
                        yield shaped


def _ways(wanted: tuple[tuple[int, int], ...], places: Sequence[SpecialPosition], free: int) -> Iterator[_Way]:
    """Positions whose multiplicities add up to the atoms of each element; a fixed one holds one element."""
    if not wanted:
        yield _Way((), 0)
        return
    (element, atoms), *others = wanted
    for chosen in _sums(atoms, places, 0, free):
        used = sum(each.line is not None for each in chosen)
        left = [each for each in places if each.line is not None or each not in chosen]
        for rest in _ways(tuple(others), left, free - used):
            yield _Way((*((element, each) for each in chosen), *rest.places), used + rest.free)


def _sums(
    atoms: int, places: Sequence[SpecialPosition], first: int, free: int
) -> Iterator[tuple[SpecialPosition, ...]]:
    if atoms == 0:
        yield ()
        return
    for number in range(first, len(places)):
        place = places[number]
        moves = place.line is not None
        if place.multiplicity <= atoms and free >= moves:
            following = number if moves else number + 1
            for rest in _sums(atoms - place.multiplicity, places, following, free - moves):
                yield (place, *rest)


def _started(way: _Way, group: gemmi.SpaceGroup, gamma: float) -> Iterator[StructureType]:
    """The way with every start of its free coordinates."""
    letters = "+".join(f"{gemmi.Element(z).name}{place.multiplicity}" for z, place in way.places)
    for starts in product(_STARTS, repeat=way.free):
        shifts = iter(starts)
        sites = []
        for element, place in way.places:
            point = np.array(place.point)
            if place.line is not None:
                point = point + next(shifts) * np.array(place.line)
            x, y, z = map(float, point % 1)
            sites.append((element, (x, y, z)))
        kind = StructureType(
            name=f"{group.short_name()} {letters}", prototype="no known type", number=group.number, hall=group.hall,
            cell=(1.0, 1.0, 1.0, 90.0, 90.0, gamma), sites=tuple(sites), source=SOURCE,
        )  # fmt: skip
        # Where a position's atoms are is dear to find out, and the same whatever element is there.
        kind.__dict__["orbits"] = tuple(replace(_orbit_at(group.hall, xyz), element=z) for z, xyz in sites)
        yield kind


@lru_cache(maxsize=4096)
def _orbit_at(hall: str, point: tuple[float, float, float]) -> Orbit:
    alone = StructureType(name="", prototype="", number=1, hall=hall, cell=(1, 1, 1, 90, 90, 90), sites=((1, point),))
    return alone.orbits[0]


def _shaped(kind: StructureType, ratio: float, gamma: float) -> StructureType:
    """In a cell of that c / a, of the size that its atoms need."""
    volume = expected_volume(kind)
    a = (volume / (ratio * np.sin(np.radians(gamma)))) ** (1 / 3)
    shaped = replace(kind, cell=(a, a, a * ratio, 90.0, 90.0, gamma))
    shaped.__dict__["orbits"] = kind.orbits
    return shaped


def _fingerprint(kind: StructureType, system: str) -> bytes:
    """Equal for structures with the same powder pattern: of another origin, or of a group and its subgroup."""
    crystal = kind.crystal()
    # |F|² of points, summed over each line of a powder: what does not change with the origin or the axes.
    h, k, l = _INDICES.T  # noqa: E741
    # exp 2πi(hx + ky + lz) as a product: seven exponentials of an atom and an axis instead of one for every reflection.
    x, y, z = np.exp(2j * np.pi * np.arange(-3, 4)[:, None] * crystal.positions.T[:, None])
    waves = (x[h + 3] * y[k + 3] * z[l + 3] * crystal.numbers).sum(axis=1)
    within = h * h + k * k + (h * k if system == "hexagonal" else 0 * h)
    line = within + l * l if system == "cubic" else 100 * within + l * l
    _, which = np.unique(line, return_inverse=True)
    sums = 2 * np.bincount(which, np.abs(waves) ** 2) / len(crystal.numbers) ** 2
    return np.round(sums, 2).tobytes() + str(len(crystal.numbers)).encode()
