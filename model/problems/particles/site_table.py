"""Sites that atoms may take, with all distances between them, bonds and layers: worked out once a search."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from dsfu.model.problems.particles.shape_table import BOND_REACH
from dsfu.simulate.arrays import FloatArray, IntArray

_CLASH: Final = 0.8
"""In b: no two atoms are nearer."""

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
    distances = cdist(sites, sites)
    # Thousandths of b, counted: sorting half a million distances took longer than the search.
    place = np.rint(distances * 1000).astype(np.int64)
    occurs = np.bincount(place.ravel()) > 0
    kind = (np.cumsum(occurs) - 1)[place]
    bonded = (distances < BOND_REACH) & (distances > 1e-6)
    middle = int(np.argmin(np.linalg.norm(sites - sites.mean(axis=0), axis=1)))
    vectors = sites[(distances[middle] < _LAYER_REACH) & (distances[middle] > 1e-6)] - sites[middle]
    tree = cKDTree(sites)
    off, found = tree.query(sites[None] + vectors[:, None])
    return SiteTable(
        positions=sites,
        distances=np.flatnonzero(occurs) / 1000,
        kind=kind,
        bonded=bonded,
        clashing=(distances < _CLASH) & (distances > 1e-6),
        neighbours=_neighbours(bonded),
        shifts=np.where(off < 1e-3, found, -1),
        full=int(bonded.sum(axis=1).max()),
    )


def _neighbours(bonded: np.ndarray) -> IntArray:
    own, other = np.nonzero(bonded)
    counts = bonded.sum(axis=1)
    place = np.arange(len(own)) - np.repeat(np.cumsum(counts) - counts, counts)
    neighbours = np.full((len(bonded), int(counts.max())), len(bonded))
    neighbours[own, place] = other
    return neighbours
