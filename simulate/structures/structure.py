"""A molecule on its site: what structure files give, and what the form factor is calculated from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from dsfu.errors import InputError, near_miss
from dsfu.simulate.arrays import FloatArray, IntArray
from dsfu.simulate.form_factors import coefficients
from dsfu.simulate.lattice import Cell


@dataclass(frozen=True, kw_only=True, eq=False)
class Structure:
    """Atoms of one species.

    Attributes
    ----------
    numbers
        (atoms,): atomic numbers.
    positions
        (atoms, 3) in Å, in the Cartesian frame of a cell (`dsfu.simulate.arrays`): a along x, b in the xy plane.
    occupancies
        (atoms,): how much of each atom is there, 1 as a rule.
    labels
        A name for each atom, no two the same: "C7".
    name
        For people, and for files.
    cell
        That of the file, if it has one.
    """

    numbers: IntArray
    positions: FloatArray
    occupancies: FloatArray
    labels: tuple[str, ...]
    name: str = ""
    cell: Cell | None = None

    def __post_init__(self) -> None:
        count = len(self.labels)
        for name, shape in (("numbers", (count,)), ("positions", (count, 3)), ("occupancies", (count,))):
            values = getattr(self, name)
            if values.shape != shape or not np.isfinite(values).all():
                raise ValueError(f"{name}: shape {values.shape}; expected {shape}, one for each label, all finite")
        if len(set(self.labels)) != count:
            raise ValueError(f"labels = {self.labels}: expected no two the same")
        for number in set(self.numbers.tolist()):
            coefficients(int(number))

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def centroid(self) -> FloatArray:
        """Mean of the atoms' positions, weighted by occupancy; that of an empty structure is the origin."""
        weight = float(self.occupancies.sum())
        return np.asarray(self.occupancies @ self.positions / weight) if weight > 0 else np.zeros(3)

    def index(self, label: str) -> int:
        """Number of the atom of that name."""
        if label in self.labels:
            return self.labels.index(label)
        near = near_miss(label, self.labels)
        raise InputError(
            f"has no atom {label}",
            where=self.name or "structure",
            expected=f"one of {_some(self.labels)}",
            remedy=f"did you mean {near}?" if near else "",
        )

    def at(self, positions: FloatArray) -> Self:
        """The same atoms elsewhere."""
        return replace(self, positions=np.array(positions, np.float64))

    def relative_to(self, site: FloatArray) -> Self:
        """The same, with the origin moved to ``site``."""
        return self.at(self.positions - site)

    def subset(self, indices: Sequence[int]) -> Self:
        """Some of the atoms, in the order given."""
        chosen = np.asarray(indices, np.int64)
        return replace(
            self,
            numbers=self.numbers[chosen],
            positions=self.positions[chosen],
            occupancies=self.occupancies[chosen],
            labels=tuple(self.labels[i] for i in indices),
        )


def unique_labels(labels: Sequence[str]) -> tuple[str, ...]:
    """The same names with "_2", "_3" … at those that came before."""
    given, seen = set(labels), set[str]()
    unique: list[str] = []
    for label in labels:
        name, count = label, 1
        while name in seen or (count > 1 and name in given):
            count += 1
            name = f"{label}_{count}"
        seen.add(name)
        unique.append(name)
    return tuple(unique)


def _some(labels: Sequence[str], most: int = 30) -> str:
    shown = ", ".join(labels[:most])
    return f"{shown}, … ({len(labels)} atoms)" if len(labels) > most else shown
