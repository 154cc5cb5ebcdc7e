"""Particles that are in no table: from the best shapes that are, by the search over occupied sites."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.spatial.distance import pdist

from dsfu.model.problems.particles.fit_space import FitSpace
from dsfu.model.problems.particles.occupancies import searched
from dsfu.model.problems.particles.refining import Refined, forward_of, refine
from dsfu.model.problems.particles.shape_table import BIN, binned_distances
from dsfu.model.problems.particles.sites import sites_of
from dsfu.simulate.arrays import FloatArray

_LARGEST_GAP: Final = 0.25
"""R_w beyond noise: a shape that is further off than this is no start. Published measured particles are at .1 to .35,
where ligands and mixtures of sizes are what is missing, and not single atoms: few starts are tried there."""

_LEAST_GAP: Final = 0.002
_GAIN: Final = 0.5
"""An edited particle counts if the R_w beyond noise is at most this share of the best shape's. Chosen."""

_FAR: Final = 0.12
_STARTS, _STARTS_FROM_FAR = 8, 3
_EXACT: Final = 0.0015
_MOST_ATOMS: Final = 260


@dataclass(frozen=True, kw_only=True)
class Start:
    """A shape of the table and its fit."""

    built_as: str
    parameters: tuple[int | str, ...]
    atoms: int
    refined: Refined


@dataclass(frozen=True, eq=False, kw_only=True)
class Edited:
    """What became of a start: positions in b, and their fit."""

    start: Start
    positions: FloatArray
    refined: Refined


def gap(refined: Refined, space: FitSpace, noise: float) -> float:
    """R_w that neither noise nor the limits of Q explain."""
    return float(np.sqrt(max(refined.rw**2 - space.outside - noise**2, 0.0)))


def edited(starts: Sequence[Start], space: FitSpace, noise: float, is_enough: Callable[[], bool]) -> list[Edited]:
    """The edited particles that are much better than all starts; best first, each once.

    ``is_enough`` is asked after each start whether time is up.
    """
    usable = [start for start in starts if start.atoms <= _MOST_ATOMS][:_STARTS]
    if not usable:
        return []
    resolution = noise * (2 / len(space.data)) ** 0.25
    least = min(gap(start.refined, space, noise) for start in starts)
    if not max(_LEAST_GAP, resolution) < least < _LARGEST_GAP:
        return []
    found: list[Edited] = []
    for start in usable if least < _FAR else usable[:_STARTS_FROM_FAR]:
        result = _edited(start, space, noise)
        if result is not None and gap(result.refined, space, noise) < max(_GAIN * least, resolution):
            found.append(result)
        if is_enough() or (found and min(each.refined.rw**2 - space.outside for each in found) < _EXACT**2):
            break
    return _different(sorted(found, key=lambda each: each.refined.rw))


def _edited(start: Start, space: FitSpace, noise: float) -> Edited | None:
    """Search, fit b and B anew, and search from the start with these: its own b makes up for atoms that are missing."""
    given = sites_of(start.built_as, start.parameters)
    if given is None:
        return None
    atoms, sites = given
    fit, best = start.refined, None
    for _ in range(2):
        own, _ = searched(atoms, sites, space, fit, noise)
        if len(own) == len(atoms) and np.abs(own - atoms).max() < 1e-9:
            break
        fit = _fitted(own, space, fit)
        if best is None or fit.rw < best.refined.rw:
            best = Edited(start=start, positions=own, refined=fit)
        if fit.rw**2 - space.outside < _EXACT**2:
            break
    return best


def _fitted(atoms: FloatArray, space: FitSpace, before: Refined) -> Refined:
    bins, places, counts = binned_distances(pdist(atoms))
    distances = (bins + places) * BIN
    weights = 2 / len(atoms) * counts / distances

    def plain(x: FloatArray) -> FloatArray:
        return np.asarray(np.sin(np.outer(x, distances)) @ weights)

    forward = forward_of(space, plain, distances, counts, len(atoms))
    return refine(forward, before.bond, before.b_iso, 8)


def _different(found: Sequence[Edited]) -> list[Edited]:
    kept: list[Edited] = []
    for each in found:
        own = np.sort(pdist(each.positions))
        if not any(len(own) == len(o := np.sort(pdist(other.positions))) and np.allclose(own, o, atol=2e-3)
                   for other in kept):  # fmt: skip
            kept.append(each)
    return kept
