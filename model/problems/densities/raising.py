"""A fitted structure in the highest symmetry that fits the pattern as well."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from dsfu.model.problems.densities.fitting import Fit, fit
from dsfu.model.problems.densities.judging import RAISED, fits_as_well, higher_symmetry, independent_volume
from dsfu.model.problems.densities.pattern_model import Source
from dsfu.model.problems.densities.powder import Signal
from dsfu.simulate.densities.structure_types import StructureType

TOLERANCES: Final = (0.05, 0.15, 0.3, RAISED)
"""Å by which atoms may be away from a symmetry that is tried."""

AS_WELL: Final = 1.05
"""Times the rank of the lower symmetry up to which the higher one fits as well. Chosen."""

NEARLY_AS_WELL: Final = 1.5
"""Times the rank of the lower symmetry up to which the higher one is kept beside it. Chosen."""

_EXPLAINS: Final = 0.5
"""R without noise from which on a structure explains nothing, and its symmetry is not looked for. Chosen."""


@dataclass(frozen=True)
class Fitting:
    """What a fit needs beside the structure."""

    signal: Signal
    source: Source
    texture_axes: tuple[tuple[int, int, int], ...]

    def __call__(self, kind: StructureType, zero: float = 0.0) -> Fit:
        """The type fitted with its free positions, from its cell and the zero that goes with it."""
        return fit(
            kind, np.array(kind.cell), self.signal, self.source, positions=True, texture_axes=self.texture_axes,
            zero=zero,
        )  # fmt: skip


def raised(found: Fit, fitting: Callable[[StructureType, float], Fit]) -> list[Fit]:
    """The structure in the highest symmetry that fits as well; those still higher that nearly do; what was found."""
    if found.excess > _EXPLAINS:
        return [found]
    best, near = found, list[Fit]()
    for higher in _higher(found.kind):
        again = fitting(higher, found.zero)
        if fits_as_well(again, found, AS_WELL):
            best = again
        elif fits_as_well(again, found, NEARLY_AS_WELL):
            near.append(again)
    near = [each for each in near if independent_volume(each.kind) < 0.9 * independent_volume(best.kind)]
    if best is found:
        return [found, *near]
    # Atoms that have moved with the symmetry may now be near a higher one that they were far from, as hydrogen is.
    return [*raised(best, fitting), *near, found]


def _higher(kind: StructureType) -> Iterator[StructureType]:
    """Descriptions of higher and higher symmetry, as atoms may move farther."""
    least = independent_volume(kind)
    for tolerance in TOLERANCES:
        higher = higher_symmetry(kind, tolerance)
        if higher is None or independent_volume(higher) > 0.9 * least:
            continue
        if all(count * higher.atoms == higher.composition[z] * kind.atoms for z, count in kind.composition.items()):
            least = independent_volume(higher)
            yield higher
