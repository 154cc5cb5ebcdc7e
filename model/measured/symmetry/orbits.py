"""Lattice vectors that a symmetry makes equivalent: orbits, and averages over them with their covariance."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dsfu.simulate.arrays import FloatArray, IntArray
from dsfu.simulate.lattice import Cell


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
        Operators, see `groups.laue_operators`.
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
    # A matrix of means: covariances follow it from both sides.
    averages /= averages.sum(axis=1, keepdims=True)
    mean = averages @ numbers
    # Each value less the mean of its orbit, 0 if the symmetry holds.
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
