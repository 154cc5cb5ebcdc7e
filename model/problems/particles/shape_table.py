"""The dictionary of shapes that ships with the package: families, parameters, and how often each distance occurs.

`python -m dsfu.model.problems.particles.making_table` makes the file anew. Distances of a shape that lie in one bin of
0.002 b are one, at their mean: an error of at most 0.003 Å, far below the width of any peak.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from dsfu.simulate.arrays import Float32Array, FloatArray, IntArray

TABLE_FILE: Final = Path(__file__).with_name("shapes.npz")

BOND_REACH: Final = 1.2
"""Distances up to this, in units of b, are bonds (in BCC, those of 0.866 b and of b)."""


@dataclass(frozen=True, eq=False)
class ShapeTable:
    """Shapes one after the other; shape k has the distances ``first[k]`` to ``first[k + 1]``, in units of b."""

    families: tuple[str, ...]
    parameters: tuple[tuple[int | str, ...], ...]
    built_as: tuple[str, ...]
    atoms: IntArray
    extent: Float32Array
    distances: Float32Array
    multiplicities: Float32Array
    first: IntArray

    def __len__(self) -> int:
        return len(self.families)

    def of(self, shape: int) -> tuple[FloatArray, FloatArray]:
        """Distances of one shape, and how many pairs have each."""
        part = slice(int(self.first[shape]), int(self.first[shape + 1]))
        return self.distances[part].astype(np.float64), self.multiplicities[part].astype(np.float64)

    def without(self, dropped: Sequence[int]) -> "ShapeTable":
        """The table less some shapes."""
        return self.only([k for k in range(len(self)) if k not in set(dropped)])

    def only(self, kept: Sequence[int]) -> "ShapeTable":
        """Some shapes of the table."""
        parts = [slice(int(self.first[k]), int(self.first[k + 1])) for k in kept]
        lengths = [part.stop - part.start for part in parts]
        return ShapeTable(
            families=tuple(self.families[k] for k in kept),
            built_as=tuple(self.built_as[k] for k in kept),
            parameters=tuple(self.parameters[k] for k in kept),
            atoms=self.atoms[kept],
            extent=self.extent[kept],
            distances=np.concatenate([self.distances[part] for part in parts]),
            multiplicities=np.concatenate([self.multiplicities[part] for part in parts]),
            first=np.concatenate([[0], np.cumsum(lengths)]),
        )


@cache
def load_table() -> ShapeTable:
    """The table that ships with the package."""
    with np.load(TABLE_FILE, allow_pickle=False) as file:
        names = [str(name) for name in file["names"]]
        steps = file["steps"].astype(np.int64)
        lengths = file["lengths"].astype(np.int64)
        multiplicities, atoms, extent = file["multiplicities"].astype(np.float32), file["atoms"], file["extent"]
        offsets = file["offsets"]
    first = np.concatenate([[0], np.cumsum(lengths)])
    bins = np.cumsum(steps)
    before = np.concatenate([[0], bins])[first[:-1]]
    bins -= np.repeat(before, lengths)
    distances = (bins + offsets.astype(np.float32) / 256) * BIN
    words = [name.split() for name in names]
    return ShapeTable(
        families=tuple(_family(word) for word in words),
        parameters=tuple(_parameters(word) for word in words),
        built_as=tuple(word[0] for word in words),
        atoms=atoms.astype(np.int64),
        extent=extent.astype(np.float32),
        distances=distances.astype(np.float32),
        multiplicities=multiplicities,
        first=first,
    )


def _parameters(words: Sequence[str]) -> tuple[int | str, ...]:
    return tuple(int(each) if each.isdigit() else each for each in words[1:])


def _family(words: Sequence[str]) -> str:
    """Layers without any fault are what their stacking is; an octahedron with its corners cut off is FCC."""
    if words[0] == "Octahedron" and len(words) == 3:
        return "FCC"
    if words[0] != "Faulted":
        return words[0]
    kinds = {below == above for below, above in zip(words[1], words[1][2:], strict=False)}
    return "Faulted" if len(kinds) == 2 else ("HCP" if kinds == {True} else "FCC")


BIN: Final = 0.002
"""Width of a bin of distances, in units of b."""


REACH: Final = 16.0
"""In b: longer distances are left out. 35 Å at least, longer than any range that is fitted."""


def binned_distances(distances: FloatArray, reach: float = REACH) -> tuple[IntArray, FloatArray, FloatArray]:
    """Bins that occur, where in its bin (0 to 1) the mean of each lies, and how many distances it holds."""
    near = distances[distances < reach]
    places = near / BIN
    bins = places.astype(np.int64)
    size = int(bins.max(initial=0)) + 1
    counts = np.bincount(bins, minlength=size).astype(np.float64)
    sums = np.bincount(bins, weights=places - bins, minlength=size)
    used = np.flatnonzero(counts)
    return used, sums[used] / counts[used], counts[used]
