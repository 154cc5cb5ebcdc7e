"""What the planes of a store are made from: species, pairs, Warren–Cowley sets, masks and rules. Reads no plane."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from dsfu.errors import InputError
from dsfu.model.problems.disorder.data.shards import Split
from dsfu.simulate.arrays import Float32Array, FloatArray, IntArray
from dsfu.simulate.lattice import Cell

Range = tuple[float, float]

OSCILLATOR: Final = "oscillator"

_MANIFEST: Final = "the manifest in the store"


@dataclass(frozen=True, kw_only=True, eq=False)
class SpeciesRecord:
    """A species as the store has it: positions in Å relative to the site, atomic numbers, shape group, own cell."""

    name: str
    positions: FloatArray
    numbers: IntArray
    group: int
    cell: Cell


@dataclass(frozen=True, kw_only=True)
class Rules:
    """From which ranges the manifest has planes and sets drawn; `plane_rules` and docs/manifest.md explain them."""

    q_max: Range = (6.0, 8.0)
    layers: int = 4
    displaced_below: float = -0.05
    amplitude: Range = (0.6, 1.5)
    decay: Range = (0.2, 1.2)
    frequency: Range = (1.0, 2.0)
    most_clipped: float = 0.3


@dataclass(frozen=True, kw_only=True, eq=False)
class SroSets:
    """Warren–Cowley sets, (sets, 11, 11, 11), with their mole fraction, kind, and number in the store."""

    alpha: Float32Array
    fraction_a: FloatArray
    is_oscillator: npt.NDArray[np.bool_]
    number: IntArray

    def place(self, numbers: IntArray) -> IntArray:
        """Where sets are here that have these numbers in the store."""
        return np.searchsorted(self.number, numbers)


class StoreParameters:
    """Parameters of one split. Everything is read when it is asked for, once."""

    def __init__(self, split: Split) -> None:
        self.split = split

    @cached_property
    def species(self) -> tuple[SpeciesRecord, ...]:
        """Every species of the store, of this split or not."""
        columns = {name: self._read(f"species/{name}") for name in ("first_atom", "atoms", "group", "cell", "name")}
        positions, numbers = self._read("species/position"), self._read("species/atomic_number")
        found = []
        for row, (first, count) in enumerate(zip(columns["first_atom"], columns["atoms"], strict=True)):
            atoms = slice(int(first), int(first + count))
            found.append(
                SpeciesRecord(
                    name=str(columns["name"][row]),
                    positions=np.asarray(positions[atoms], np.float64),
                    numbers=np.asarray(numbers[atoms], np.int64),
                    group=int(columns["group"][row]),
                    cell=Cell(*columns["cell"][row].tolist()),
                )
            )
        return tuple(found)

    @cached_property
    def pairs(self) -> IntArray:
        """(pairs, 2): the species A and B of every pair of the split."""
        every = slice(None, None, self.split.planes_per_pair)
        columns = [self.split.coordinates[name][every] for name in ("species_a", "species_b")]
        return np.stack(columns, axis=1).astype(np.int64)

    @cached_property
    def sets(self) -> SroSets:
        """The sets that samples of the split have."""
        used = np.unique(self.split.coordinates["sro_set"]).astype(np.int64)
        return SroSets(
            alpha=np.asarray(self._read("sro_sets/alpha"), np.float32)[used],
            fraction_a=np.asarray(self._read("sro_sets/fraction_a"), np.float64)[used],
            is_oscillator=(self._read("sro_sets/kind") == OSCILLATOR)[used],
            number=used,
        )

    @cached_property
    def masks(self) -> int:
        """How many masks the store has."""
        return int(self._read("masks/bits").shape[0])

    @cached_property
    def rules(self) -> Rules:
        """What the manifest says, and for what it leaves out, what the published data set was made with."""
        document = self.split.store.settings
        planes, oscillator = _section(document, "planes"), _section(document, "sro", "oscillator")
        given: dict[str, Any] = {name: oscillator.get(name) for name in ("amplitude", "decay", "frequency")}
        given |= {"q_max": planes.get("q_max"), "most_clipped": oscillator.get("most_clipped")}
        monte_carlo = _section(planes, "monte_carlo")
        given |= {"layers": monte_carlo.get("layers_per_axis"), "displaced_below": monte_carlo.get("displaced_below")}
        found = {name: _as_range(name, value) for name, value in given.items() if value is not None}
        return replace(Rules(), **found)

    def _read(self, path: str) -> npt.NDArray[Any]:
        return self.split.store.read(path)


def _as_range(name: str, value: Any) -> Any:
    is_range = isinstance(getattr(Rules, name), tuple)
    numbers = value if is_range else [value]
    good = isinstance(numbers, list) and len(numbers) == (2 if is_range else 1)
    if not good or any(isinstance(each, bool) or not isinstance(each, int | float) for each in numbers):
        expected = "a range such as [6.0, 8.0]" if is_range else "a number"
        raise InputError(f"{name} = {value!r}", where=_MANIFEST, expected=expected)
    return (float(value[0]), float(value[1])) if is_range else value


def _section(document: Any, *names: str) -> Mapping[str, Any]:
    """A section of the manifest, empty if it is not there."""
    for name in names:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document if isinstance(document, Mapping) else {}
