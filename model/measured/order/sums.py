"""Which α a single plane adds up: what the solver gives for a projected lattice vector."""

import numpy as np

from dsfu.model.measured.order.planes import SroPlane
from dsfu.model.measured.order.result import Vector, as_vector
from dsfu.model.measured.solver.lattice_terms import lattice_terms
from dsfu.simulate.arrays import IntArray

_NO_PART = 1e-3
"""Factors below this are none."""


def sums_on_plane(plane: SroPlane, vectors: IntArray) -> dict[Vector, tuple[tuple[Vector, float], ...]]:
    """Of each vector of a solver's answer on one plane the others with the same projection, and their factors.

    Of ±v either may be named by who averages over symmetry, so both are there.
    """
    terms = lattice_terms(plane.plane, plane.cell, int(np.abs(vectors).max()))
    found: dict[Vector, tuple[tuple[Vector, float], ...]] = {}
    factors = np.cos(terms.member_phase)
    for number, name in enumerate(terms.vectors):
        members = np.flatnonzero(terms.member_term == number)
        others = [i for i in members if not np.array_equal(terms.members[i], name) and abs(factors[i]) > _NO_PART]
        for sign in (1, -1):
            found[as_vector(sign * name)] = tuple(
                (as_vector(sign * terms.members[i]), round(float(factors[i]), 9)) for i in others
            )
    return found
