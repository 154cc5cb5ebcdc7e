"""Sites that atoms may take, with all distances between them, bonds and layers: worked out once a search."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from dsfu.model.problems.particles.shape_table import BOND_REACH
from dsfu.simulate.arrays import FloatArray, IntArray
from dsfu.simulate.particles.distances import distances_between

_CLASH: Final = 0.8
"""In b: no two atoms are nearer."""

_SAME: Final = 1e-3
_DIRECTION: Final = np.array([1.0, np.sqrt(2) / np.e, np.pi / 7])

_LAYER_REACH: Final = 1.75  # b: layers are shifted by vectors up to this; c of HCP is 1.633


@dataclass(frozen=True, eq=False)
class SiteTable:
    """Sites that can be occupied, and what holds of pairs of them.

    Attributes
    ----------
    positions
        (sites, 3) in b.
    distances, kind
        (kinds,): all that occur, in b; (sites, sites): which of them each pair has. Kind 0 is a site and itself.
    bonded, clashing
        (sites, sites): near enough for a bond; too near.
    neighbours
        (sites, most bonds of a site): the sites that each is bonded to, then the number of sites where it has fewer.
    shifts
        (vectors, sites): the site that lies a vector beyond each, or −1.
    full
        Bonds of a site inside.
    """

    positions: FloatArray
    distances: FloatArray
    kind: IntArray
    bonded: np.ndarray
    clashing: np.ndarray
    neighbours: IntArray
    shifts: IntArray
    full: int


def site_table(sites: FloatArray) -> SiteTable:
    """The table of some sites, in b."""
    distances = distances_between(sites, sites)
    # Thousandths of b, counted: sorting half a million distances took longer than the search.
    place = np.rint(distances * 1000).astype(np.int64)
    occurs = np.bincount(place.ravel()) > 0
    kind = (np.cumsum(occurs) - 1)[place]
    bonded = (distances < BOND_REACH) & (distances > 1e-6)
    middle = int(np.argmin(np.linalg.norm(sites - sites.mean(axis=0), axis=1)))
    vectors = sites[(distances[middle] < _LAYER_REACH) & (distances[middle] > 1e-6)] - sites[middle]
    return SiteTable(
        positions=sites,
        distances=np.flatnonzero(occurs) / 1000,
        kind=kind,
        bonded=bonded,
        clashing=(distances < _CLASH) & (distances > 1e-6),
        neighbours=_neighbours(bonded),
        shifts=_shifts(sites, distances, vectors),
        full=int(bonded.sum(axis=1).max()),
    )


def _shifts(sites: FloatArray, distances: FloatArray, vectors: FloatArray) -> IntArray:
    """(vectors, sites): the site that lies a vector beyond each, or −1."""
    own, other = np.nonzero((distances > 0) & (distances < _LAYER_REACH))
    steps = sites[other] - sites[own]
    # Which vector a step is: along a direction in which no two vectors of a lattice are equally long.
    order = np.argsort(vectors @ _DIRECTION)
    ends = (vectors @ _DIRECTION)[order]
    which = order[np.searchsorted((ends[1:] + ends[:-1]) / 2, steps @ _DIRECTION)]
    is_one = ((steps - vectors[which]) ** 2).sum(axis=1) < _SAME**2
    found = np.full((len(vectors), len(sites)), -1)
    found[which[is_one], own[is_one]] = other[is_one]
    return found


def _neighbours(bonded: np.ndarray) -> IntArray:
    own, other = np.nonzero(bonded)
    counts = bonded.sum(axis=1)
    place = np.arange(len(own)) - np.repeat(np.cumsum(counts) - counts, counts)
    neighbours = np.full((len(bonded), int(counts.max())), len(bonded))
    neighbours[own, place] = other
    return neighbours
