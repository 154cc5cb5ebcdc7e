"""Symmetry of short-range order: operators on lattice vectors, the orbits that they make, and averages over orbits.

α_v = α_−v always, so what a crystal's symmetry means for α is its Laue class. An operator is an integer matrix R that
takes the lattice vector (u, v, w), a column, to R (u, v, w); it takes hkl, a row, to hkl R.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from dsfu.errors import InputError, near_miss
from dsfu.simulate.arrays import FloatArray, IntArray
from dsfu.simulate.lattice import Cell

_Matrix = tuple[tuple[int, int, int], tuple[int, int, int], tuple[int, int, int]]

_TWO_A: Final[_Matrix] = ((1, 0, 0), (0, -1, 0), (0, 0, -1))
_TWO_B: Final[_Matrix] = ((-1, 0, 0), (0, 1, 0), (0, 0, -1))
_TWO_C: Final[_Matrix] = ((-1, 0, 0), (0, -1, 0), (0, 0, 1))
_TWO_A_PLUS_B: Final[_Matrix] = ((0, 1, 0), (1, 0, 0), (0, 0, -1))
_TWO_A_MINUS_B: Final[_Matrix] = ((0, -1, 0), (-1, 0, 0), (0, 0, -1))
_FOUR_C: Final[_Matrix] = ((0, -1, 0), (1, 0, 0), (0, 0, 1))
_THREE_C: Final[_Matrix] = ((0, -1, 0), (1, -1, 0), (0, 0, 1))
_SIX_C: Final[_Matrix] = ((1, -1, 0), (1, 0, 0), (0, 0, 1))
_THREE_DIAGONAL: Final[_Matrix] = ((0, 0, 1), (1, 0, 0), (0, 1, 0))

_GENERATORS: Final[dict[str, tuple[_Matrix, ...]]] = {
    "-1": (),
    "2/m": (_TWO_B,),
    "mmm": (_TWO_A, _TWO_B),
    "4/m": (_FOUR_C,),
    "4/mmm": (_FOUR_C, _TWO_A),
    "-3": (_THREE_C,),
    "-3m1": (_THREE_C, _TWO_A_PLUS_B),
    "-31m": (_THREE_C, _TWO_A_MINUS_B),
    "-3:R": (_THREE_DIAGONAL,),
    "-3m:R": (_THREE_DIAGONAL, ((0, -1, 0), (-1, 0, 0), (0, 0, -1))),
    "6/m": (_SIX_C,),
    "6/mmm": (_SIX_C, _TWO_A_PLUS_B),
    "m-3": (_TWO_A, _TWO_B, _THREE_DIAGONAL),
    "m-3m": (_FOUR_C, _THREE_DIAGONAL),
}
"""Rotations that make each Laue class together with the inversion, in its standard setting."""

LAUE_CLASSES: Final = tuple(_GENERATORS)
"""Names of the Laue classes; -3m in its two settings on hexagonal axes, and both rhombohedral ones (:R)."""

_WITH_UNIQUE_AXIS: Final = ("2/m", "4/m", "4/mmm", "-3", "-3m1", "-31m", "6/m", "6/mmm")

_PLANE_GROUPS: Final = {
    "p1": "-1",
    "p2": "2/m:c",
    "pm": "2/m:a",
    "pg": "2/m:a",
    "cm": "2/m:a",
    "p2mm": "mmm",
    "p2mg": "mmm",
    "p2gg": "mmm",
    "c2mm": "mmm",
    "p4": "4/m",
    "p4mm": "4/mmm",
    "p4gm": "4/mmm",
    "p3": "-3",
    "p3m1": "-3m1",
    "p31m": "-31m",
    "p6": "6/m",
    "p6mm": "6/mmm",
}
"""Plane groups, of a layer normal to the unique axis (c unless the cell says otherwise)."""

_FIT: Final = 0.02
"""How far a cell's metric may be from the symmetry, relative to the squared lengths of its edges."""


def operators(symmetry: str, cell: Cell | None = None) -> IntArray:
    """The operators of a Laue class on lattice vectors, the inversion included: (operators, 3, 3).

    Parameters
    ----------
    symmetry
        A Laue class ("6/mmm"), if need be with its unique axis ("6/mmm:b"); a plane group ("p6mm"); or the symbol of a
        space group ("P 63/m", "Fm-3m"), of which the rotations count.
    cell
        If given, the operators must leave its metric as it is, and where no unique axis is named, that one of the three
        axes is taken with which they do.
    """
    settings = _settings(symmetry)
    for group in settings:
        if cell is None or _fits(group, cell):
            return group
    assert cell is not None
    raise _does_not_fit(symmetry, cell)


def _settings(symmetry: str) -> list[IntArray]:
    """The operators in every setting that the name allows, the usual one first."""
    name, _, setting = _plain_name(symmetry).partition(":")
    if setting == "R":
        name, setting = f"{name}:R", ""
    if name not in _GENERATORS:
        return [_space_group_operators(symmetry)]
    standard = _closure(_GENERATORS[name])
    if name not in _WITH_UNIQUE_AXIS:
        if setting:
            raise _unknown(symmetry)
        return [standard]
    own, axes = ("b", "bca") if name == "2/m" else ("c", "cba")
    if setting and setting not in ("a", "b", "c"):
        raise _unknown(symmetry)
    return [_turned(standard, own, axis) for axis in setting or axes]


def _plain_name(symmetry: str) -> str:
    words = "".join(symmetry.split()).replace("−", "-").replace("–", "-")
    named = _PLANE_GROUPS.get(words.partition(":")[0], "")
    if named and ":" in words:
        named = f"{named.partition(':')[0]}:{words.partition(':')[2]}"
    return named or words


def _closure(generators: Sequence[npt.ArrayLike]) -> IntArray:
    group = {_key(np.eye(3, dtype=np.int64)): np.eye(3, dtype=np.int64)}
    matrices = [-np.eye(3, dtype=np.int64), *(np.array(each, np.int64) for each in generators)]
    fresh = list(group.values())
    while fresh:
        products = {_key(one @ other): one @ other for one in fresh for other in matrices}
        fresh = [matrix for key, matrix in products.items() if key not in group]
        group.update({_key(matrix): matrix for matrix in fresh})
        if len(group) > 48:
            raise ValueError("generators: they make more than 48 operators; expected those of a crystal class")
    return np.stack(list(group.values()))


def _key(matrix: IntArray) -> tuple[int, ...]:
    return tuple(matrix.ravel().tolist())


def _turned(group: IntArray, own: str, axis: str) -> IntArray:
    """The operators with the unique axis elsewhere, by renaming the axes in turn."""
    shift = "abc".index(axis) - "abc".index(own)
    return np.roll(group, (shift, shift), axis=(1, 2))


def _space_group_operators(symmetry: str) -> IntArray:
    import gemmi

    group = gemmi.find_spacegroup_by_name(symmetry) if re.search("[A-Za-z]", symmetry) else None
    if group is None:
        raise _unknown(symmetry)
    rotations = [np.array(each.rot, np.int64) // each.DEN for each in group.operations().sym_ops]
    return _closure(rotations)


def _fits(group: IntArray, cell: Cell) -> bool:
    metric = cell.vectors @ cell.vectors.T
    moved = np.swapaxes(group, 1, 2) @ metric @ group
    edges = np.sqrt(np.diag(metric))
    return bool((np.abs(moved - metric) <= _FIT * np.outer(edges, edges)).all())


def _unknown(symmetry: str) -> InputError:
    near = near_miss(symmetry, [*LAUE_CLASSES, *_PLANE_GROUPS])
    meant = f'; did you mean "{near}"?' if near else ""
    return InputError(
        f'"{symmetry}" is not a symmetry that is known{meant}',
        expected=f"a Laue class ({', '.join(LAUE_CLASSES)}), a plane group, or a space group such as P63/m; "
        'the unique axis may follow, as in "6/mmm:b"',
    )


def _does_not_fit(symmetry: str, cell: Cell) -> InputError:
    fitting = [name for name in LAUE_CLASSES if any(_fits(group, cell) for group in _settings(name))]
    constants = ", ".join(f"{each:.5g}" for each in cell.constants)
    return InputError(
        f'the symmetry "{symmetry}" does not fit the cell {constants}',
        expected=f"one of {', '.join(fitting)}",
        remedy="choose a lower symmetry, or give the cell in the setting of the symmetry",
    )


@dataclass(frozen=True, eq=False)
class Orbits:
    """Sets of lattice vectors that are equivalent, by length; the origin comes first if it is there.

    Attributes
    ----------
    members
        The vectors of each orbit, (multiplicity, 3).
    representatives
        (orbits, 3): the vector by which each is called.
    lengths
        In Å.
    left_out
        How many vectors were left out because some of their equivalents are not among the vectors given.
    """

    members: tuple[IntArray, ...]
    representatives: IntArray
    lengths: FloatArray
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.members)

    @property
    def multiplicities(self) -> IntArray:
        return np.array([len(each) for each in self.members], np.int64)


def orbits_of(vectors: npt.ArrayLike, group: IntArray, cell: Cell) -> Orbits:
    """Orbits of lattice vectors (n, 3) under operators. Only whole orbits count."""
    given = np.unique(np.asarray(vectors, np.int64).reshape(-1, 3), axis=0)
    images = np.einsum("oij,nj->noi", group, given)
    inside = {tuple(each) for each in given.tolist()}
    seen: set[tuple[int, ...]] = set()
    members: list[IntArray] = []
    left_out = 0
    for vector, equivalents in zip(given.tolist(), images, strict=True):
        if tuple(vector) in seen:
            continue
        orbit = np.unique(equivalents, axis=0)
        keys = {tuple(each) for each in orbit.tolist()}
        seen |= keys
        if keys <= inside:
            members.append(orbit)
        else:
            left_out += len(keys & inside)
    return _sorted_orbits(members, cell, left_out)


def _sorted_orbits(members: list[IntArray], cell: Cell, left_out: int) -> Orbits:
    names = np.array([_name_giver(orbit) for orbit in members], np.int64).reshape(-1, 3)
    lengths = np.linalg.norm(names @ cell.vectors, axis=1)
    order = sorted(range(len(members)), key=lambda i: (round(lengths[i], 6), -names[i][0], *names[i][1:].tolist()))
    return Orbits(tuple(members[i] for i in order), names[order], lengths[order], left_out)


def _name_giver(orbit: IntArray) -> list[int]:
    """Without minus signs if there is such a vector; of those the largest u, then the smallest indices."""

    def rank(vector: list[int]) -> tuple[bool, int, int, list[int]]:
        return min(vector) >= 0, vector[0], -sum(map(abs, vector)), vector

    return max(orbit.tolist(), key=rank)


@dataclass(frozen=True, eq=False)
class Symmetrised:
    """Values averaged over orbits.

    Attributes
    ----------
    orbits
        The orbits, by length.
    values
        (orbits,): the average over those members of each orbit that were given.
    covariance
        (orbits, orbits): that of the averages.
    asymmetry
        χ² of the differences within orbits over their number; near 1 if the symmetry holds and the covariance is
        honest, None if there are no differences.
    """

    orbits: Orbits
    values: FloatArray
    covariance: FloatArray
    asymmetry: float | None


def symmetrise(
    vectors: npt.ArrayLike, values: npt.ArrayLike, covariance: npt.ArrayLike, group: IntArray, cell: Cell
) -> Symmetrised:
    """Project values of lattice vectors on what a symmetry leaves as it is, and their covariance with them.

    Parameters
    ----------
    vectors
        (n, 3) lattice vectors, each once; of ±v one is enough.
    values, covariance
        (n,) and (n, n).
    group
        Operators, see `operators`.
    """
    given = np.asarray(vectors, np.int64).reshape(-1, 3)
    numbers = np.asarray(values, np.float64)
    spread = np.asarray(covariance, np.float64)
    if numbers.shape != (len(given),) or spread.shape != (len(given), len(given)):
        raise ValueError(
            f"values {numbers.shape}, covariance {spread.shape}: expected ({len(given)},) and "
            f"({len(given)}, {len(given)}), one for each vector"
        )
    everything = np.unique(np.einsum("oij,nj->noi", group, given).reshape(-1, 3), axis=0)
    orbits = orbits_of(everything, group, cell)
    number_of = {tuple(v): i for i, orbit in enumerate(orbits.members) for v in orbit.tolist()}
    belongs = np.array([number_of[tuple(v)] for v in given.tolist()])
    averages = np.zeros((len(orbits), len(given)))
    averages[belongs, np.arange(len(given))] = 1.0
    averages /= averages.sum(axis=1, keepdims=True)
    mean = averages @ numbers
    differences = np.eye(len(given)) - averages[belongs]
    return Symmetrised(
        orbits,
        mean,
        averages @ spread @ averages.T,
        _misfit(differences @ numbers, differences @ spread @ differences.T),
    )


def _misfit(differences: FloatArray, covariance: FloatArray) -> float | None:
    """χ² per degree of freedom, in the subspace in which the covariance is not zero."""
    sizes, axes = np.linalg.eigh(covariance)
    real = sizes > 1e-10 * max(sizes.max(initial=0.0), 1e-300)
    if not real.any() or sizes.max() <= 0:
        return None
    return float(((axes[:, real].T @ differences) ** 2 / sizes[real]).mean())
