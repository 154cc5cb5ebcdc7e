"""The parameters of I_SRO: α of lattice vectors, joined where symmetry or the grid of the data makes them one.

Two things join vectors. The Laue class makes the α of an orbit equal. And where an index goes in steps of ½, say, the
waves of v and v + 2 are the same on every voxel: only the sum of such α is in the data, and it is one parameter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from dsfu.model.measured.volume.cosines import half_of_box
from dsfu.simulate.arrays import BoolArray, FloatArray, IntArray

_LONGEST: Final = 40
"""Periods of an axis that are looked for; steps of 0.025 have this one."""

_ALIKE: Final = 1e-4
_BEYOND: Final = -1
_ORIGIN: Final = -2


@dataclass(frozen=True, kw_only=True, eq=False)
class OrderTerms:
    """What is refined of I_SRO.

    Attributes
    ----------
    vectors
        (n, 3), one of each pair ±v, those left out that the grid cannot tell from another.
    number
        (n,): which parameter each belongs to.
    together
        For each vector, all those whose α is summed in it, itself first; (m, 3) each.
    at_origin
        Vectors that the grid cannot tell from the origin; the scale contains them.
    """

    vectors: IntArray
    number: IntArray
    together: tuple[IntArray, ...]
    at_origin: IntArray

    def __len__(self) -> int:
        return int(self.number.max()) + 1 if len(self.number) else 0

    def spread(self, values: FloatArray) -> FloatArray:
        """The value of each vector, from those of the parameters."""
        return np.asarray(values[self.number])

    def gathered(self, rows: FloatArray) -> FloatArray:
        """Sums over the vectors of each parameter, along the first axis."""
        if len(self) == len(self.vectors):
            return rows  # numbered in their order
        total = np.zeros((len(self), *rows.shape[1:]))
        np.add.at(total, self.number, rows)
        return total

    def members(self) -> list[IntArray]:
        """All vectors of each parameter, both of each pair."""
        halves = [self.vectors[self.number == number] for number in range(len(self))]
        return [np.concatenate([half, -half]) for half in halves]

    def shells(self) -> IntArray:
        """Of each parameter the largest |u|, |v|, |w|."""
        largest = np.abs(self.vectors).max(axis=1)
        found = np.zeros(len(self), np.int64)
        np.maximum.at(found, self.number, largest)
        return found

    def kept(self, chosen: BoolArray) -> "OrderTerms":
        """Only some of the parameters."""
        used = chosen[self.number]
        renumbered = np.cumsum(chosen) - 1
        return OrderTerms(
            vectors=self.vectors[used],
            number=renumbered[self.number[used]],
            together=tuple(each for each, is_used in zip(self.together, used, strict=True) if is_used),
            at_origin=self.at_origin,
        )

    def symmetric(self, group: IntArray) -> "OrderTerms":
        """With one parameter for each orbit under those operators that the grid allows.

        Orbits of which some vectors lie beyond the cut-off are left out.
        """
        usable = [g for g in group if self._allows(g)]
        place = self._places()
        number = np.full(len(self.vectors), -1)
        count = 0
        for index, vector in enumerate(self.vectors):
            if number[index] >= 0:
                continue
            images = {place.get(_key(g @ vector), _BEYOND) for g in usable}
            if _BEYOND not in images:
                number[list(images)] = count
                count += 1
        closed = number >= 0
        return OrderTerms(
            vectors=self.vectors[closed],
            number=number[closed],
            together=tuple(each for each, is_closed in zip(self.together, closed, strict=True) if is_closed),
            at_origin=self.at_origin,
        )

    def _places(self) -> dict[tuple[int, ...], int]:
        found = {_key(each): _ORIGIN for each in self.at_origin}
        return found | {_key(each): i for i, many in enumerate(self.together) for each in many}

    def _allows(self, operator: IntArray) -> bool:
        """Whether vectors that are one parameter stay one."""
        if all(len(many) == 1 for many in self.together) and not len(self.at_origin):
            return True
        place = self._places()
        for many in self.together:
            images = {place.get(_key(operator @ each), _BEYOND) for each in many} - {_BEYOND}
            if len(images) > 1 or _ORIGIN in images:
                return False
        return True


def _key(vector: IntArray) -> tuple[int, ...]:
    """Of a vector and its opposite the larger, so that a pair has one key."""
    v = tuple(int(x) for x in vector)
    return max(v, tuple(-x for x in v))


def period_of(axis: FloatArray) -> int:
    """The smallest n for which waves of v and v + n are the same everywhere on an axis; 0 if there is none."""
    for n in range(1, _LONGEST + 1):
        turns = n * axis
        if np.abs(turns - np.round(turns)).max() < _ALIKE * n:
            return n
    return 0


def order_terms(axes: Sequence[FloatArray], cutoff: int, without: Sequence[int] = ()) -> OrderTerms:
    """One parameter for each vector up to a cut-off that the grid tells from the others.

    Parameters
    ----------
    axes
        h, k and l of the voxels.
    without
        Axes (0, 1, 2) along which there is no order: vectors with a component along them are left out.
    """
    periods = [period_of(axis) for axis in axes]
    box = half_of_box([0 if axis in without else cutoff for axis in range(3)])[1:]
    classes: dict[tuple[int, ...], list[IntArray]] = {}
    for vector in box:
        classes.setdefault(_least(vector, periods), []).append(vector)
    at_origin = classes.pop((0, 0, 0), [])
    for many in classes.values():
        many.sort(key=lambda v: (int(v @ v), int((v < 0).sum())))
    vectors = np.array([many[0] for many in classes.values()]).reshape(-1, 3)
    return OrderTerms(
        vectors=vectors,
        number=np.arange(len(vectors)),
        together=tuple(np.array(many) for many in classes.values()),
        at_origin=np.array(at_origin, np.int64).reshape(-1, 3),
    )


def _least(vector: IntArray, periods: Sequence[int]) -> tuple[int, ...]:
    """A name that vectors share if and only if their cosines, or those of their opposites, are the same."""

    def reduced(v: IntArray) -> tuple[int, ...]:
        return tuple(int(x) % n if n else int(x) for x, n in zip(v, periods, strict=True))

    return max(reduced(vector), reduced(-vector))
