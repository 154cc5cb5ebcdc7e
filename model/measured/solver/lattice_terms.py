"""Which lattice vectors can be told apart on a plane, and how I_SRO depends on each.

I_SRO = Σ_v α_v cos(Q·v). On a plane only the projections of v matter. Vectors that project on the same point (on a
layer normal to a direct lattice vector d, all v + n d) differ by a phase, n Q·d, the same on the whole plane. So
they share one cosine and, unless all those phases are multiples of π (as on integer and half-integer layers), one sine.
"""

from dataclasses import dataclass

import numpy as np

from dsfu.model.measured.solver.series import Terms
from dsfu.simulate.arrays import FloatArray, IntArray
from dsfu.simulate.disorder.planes import Plane
from dsfu.simulate.lattice import Cell

_SAME_ANGSTROM = 1e-4
"""Projections nearer than this, in Å, are one."""

_SAME_PHASE = 2e-3
"""Sines of phases below this, in radians, are none."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LatticeTerms:
    """Distinct projections of the lattice vectors on one plane, one of each ±; the origin comes first.

    Attributes
    ----------
    vectors
        (terms, 3): for each, the shortest lattice vector [u, v, w] that projects there.
    terms
        The same as terms of a series.
    members, member_term, member_phase, member_weight
        Every lattice vector, one of each ± (members, 3); the term that it belongs to; its phase relative to that
        term's, so that its cosine is cos(θ + phase); and how often it counts (1 at the origin, otherwise 2).
    """

    vectors: IntArray
    terms: Terms
    members: IntArray
    member_term: IntArray
    member_phase: FloatArray
    member_weight: FloatArray

    def __len__(self) -> int:
        return len(self.terms)

    def map_from_alpha(self) -> FloatArray:
        """(2, terms, members): coefficients of the cosines and the sines, from the α of every member."""
        out = np.zeros((2, len(self), len(self.members)))
        columns = np.arange(len(self.members))
        # α cos(θ + φ) = α cos φ cos θ − α sin φ sin θ.
        out[0, self.member_term, columns] = self.member_weight * np.cos(self.member_phase)
        out[1, self.member_term, columns] = -self.member_weight * np.sin(self.member_phase)
        return out


def half_of_lattice(cutoff: int) -> IntArray:
    """One of each ±v with |u|, |v|, |w| ≤ cutoff, the origin first: (members, 3)."""
    side = np.arange(-cutoff, cutoff + 1)
    u, v, w = (each.ravel() for each in np.meshgrid(side, side, side, indexing="ij"))
    upper = (u > 0) | ((u == 0) & ((v > 0) | ((v == 0) & (w >= 0))))
    vectors = np.column_stack([u, v, w])[upper]
    order = np.argsort(np.abs(vectors).sum(axis=1), kind="stable")
    return np.asarray(vectors[order], np.int64)


def lattice_terms(plane: Plane, cell: Cell, cutoff: int) -> LatticeTerms:
    """The terms of I_SRO on a plane, from all lattice vectors with |u|, |v|, |w| ≤ cutoff."""
    members = half_of_lattice(cutoff)
    places = members @ cell.vectors
    projected = places @ np.stack([plane.axis_x, plane.axis_y], axis=1)
    at_centre = places @ plane.centre
    # of each ± take the one whose projection is in the upper half plane, or, there, as it is
    keys = np.rint(projected / _SAME_ANGSTROM).astype(np.int64)
    down = (keys[:, 1] < 0) | ((keys[:, 1] == 0) & (keys[:, 0] < 0))
    sign = np.where(down, -1, 1)
    members, projected, at_centre = members * sign[:, None], projected * sign[:, None], at_centre * sign
    first, term = _classes(keys * sign[:, None], np.linalg.norm(places, axis=1))
    phase = at_centre - at_centre[first][term]
    has_sine = np.zeros(len(first), np.bool_)
    np.logical_or.at(has_sine, term, np.abs(np.sin(phase)) > _SAME_PHASE)
    has_sine[0] = False  # at the projected origin sin θ is a constant too
    weight = np.where((members == 0).all(axis=1), 1.0, 2.0)
    return LatticeTerms(
        vectors=members[first],
        terms=Terms(vectors=projected[first], phases=at_centre[first], has_sine=has_sine),
        members=members,
        member_term=term,
        member_phase=phase,
        member_weight=weight,
    )


def _classes(keys: IntArray, lengths: FloatArray) -> tuple[IntArray, IntArray]:
    """Which rows of keys are the same: of each class its shortest, in order of length, and the class of each row."""
    _, label = np.unique(keys, axis=0, return_inverse=True)
    label = label.reshape(-1)
    order = np.lexsort((lengths, label))
    first = order[np.r_[True, np.diff(label[order]) > 0]]
    rank = np.argsort(np.argsort(np.round(np.hypot(*keys[first].T)), kind="stable"), kind="stable")
    new_first = np.empty_like(first)
    new_first[rank] = first
    return new_first, rank[label]
