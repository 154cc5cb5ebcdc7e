"""Which sites are occupied: from a shape that is nearly right, add and remove atoms while that explains more.

Moves are single sites, sites that are equivalent by their distances to all atoms, whole layers, and swaps of two sites.
What a move explains is weighed against its price, in units of the logarithm of the likelihood with the noise as it is
outside of what any particle reaches: a single site is one of hundreds, a layer one of few, and smooth.
One table of waves, a row for each different distance, makes one product of matrices of what all sites would add to the
fit, and a move of several sites is the sum of theirs, and of their distances from one another.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from dsfu.model.problems.particles.fit_space import FitSpace
from dsfu.model.problems.particles.refining import Refined, pair_b_iso
from dsfu.model.problems.particles.site_table import SiteTable
from dsfu.simulate.arrays import Float32Array, FloatArray, IntArray
from dsfu.simulate.form_factors import EIGHT_PI_SQUARED

_LEAST_RW: Final = 0.001
"""A fit as good as this is exact: what rounding of tables and of grids leaves."""

_SINGLE_PRICE, _ORBIT_PRICE, _LAYER_PRICE = 6.0, 4.0, 3.0
"""Of moves. About the logarithms of how many there are of each: the best of so many explains that much of noise by
chance. From twelve hidden shapes at noise .02, that of layers (some twenty) from a shape of the table at .03."""

_BOND_PRICE: Final = 0.1
"""Of a bond that the surface breaks. Chosen, not calibrated."""

_MOST_ORBIT: Final = 80
_SWAPPED: Final = 16


def _waves(distances: FloatArray, space: FitSpace, fit: Refined) -> Float32Array:
    """sin(x d)/d of each distance with the fit's B, averaged over its spread of b."""
    spread = np.sqrt(3) * fit.strain
    # Gauss and Hermite's three points: the mean over a Gaussian of b from b and b (1 ± √3 · strain).
    shares = ((1 / 6, 1 - spread), (2 / 3, 1.0), (1 / 6, 1 + spread)) if fit.strain > 1e-5 else ((1.0, 1.0),)
    damping = np.exp(-pair_b_iso(distances, fit.b_iso, fit.b_bonds)[:, None] / EIGHT_PI_SQUARED * space.q**2)
    total = np.zeros((len(distances), len(space.q)))
    safe = np.maximum(distances, 1e-9)
    for share, scale in shares:
        total += share / scale * np.sin(np.outer(safe, space.q * fit.bond * scale))
    waves = (total * damping / safe[:, None]) @ space.transform
    waves[0] = 0.0
    return np.asarray(waves, np.float32)


def likelihood_unit(space: FitSpace, noise: float) -> float:
    """Square of R_w that changes the logarithm of the likelihood by one."""
    return 2 * (noise**2 + _LEAST_RW**2) / len(space.data)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Weighed:
    """Moves as sites that change, what that changes of the fit, and values that hold their prices.

    Single sites come first, whose waves are kept: of an atom there with all atoms.
    """

    moves: list[IntArray]
    changes: Float32Array
    values: FloatArray
    prices: FloatArray
    single: IntArray
    waves: Float32Array
    near: IntArray


class Occupation:
    """Which sites are occupied now, and how well that explains the data.

    ``work`` counts what was weighed, moves times kinds of distances: some 10⁷ are a second; ``paid`` is the price of
    the moves that were made.
    """

    def __init__(self, table: SiteTable, occupied: np.ndarray, space: FitSpace, fit: Refined, noise: float) -> None:
        self.table, self.occupied, self.work, self.paid = table, occupied.copy(), 0, 0.0
        self._waves = _waves(table.distances, space, fit)
        self._data = space.data.astype(np.float64)
        self._unit = likelihood_unit(space, noise)
        self._kinds = len(table.distances)
        inside = np.flatnonzero(occupied)
        pairs = np.bincount(table.kind[np.ix_(inside, inside)].ravel(), minlength=self._kinds) / 2
        self._fit = pairs.astype(np.float32) @ self._waves
        self.value = float(self._values(np.zeros_like(self._fit)[None], np.array([self._surface()]))[0])

    def improve(self, only_layers: bool = False) -> bool:
        """Make the best move that there is, or the best layer; False if none helps."""
        weighed = self._weighed(only_layers)
        if weighed is None:
            return False
        best = int(weighed.values.argmin())
        if weighed.values[best] < self.value:
            price = float(weighed.prices[best])
            self._apply(weighed.moves[best], weighed.changes[best], float(weighed.values[best]) - price, price)
            return True
        return not only_layers and self._swap(weighed)

    def likely(self, count: int) -> Iterator[tuple[np.ndarray, float]]:
        """What would be occupied after each of the best moves, whether it helps or not, and the price of the move."""
        weighed = self._weighed()
        if weighed is None:
            return
        for best in np.argsort(weighed.values, kind="stable")[:count]:
            after = self.occupied.copy()
            after[weighed.moves[best]] ^= True
            yield after, float(weighed.prices[best])

    def _weighed(self, only_layers: bool = False) -> "_Weighed | None":
        # Moves: one atom on or off, whole orbits of the symmetry, whole layers of a facet; each has a price.
        near = self.table.bonded[:, self.occupied].sum(axis=1)
        empty = ~self.occupied & (near >= 2) & ~self.table.clashing[:, self.occupied].any(axis=1)
        loose = self.occupied & (near < self.table.full)
        if not (empty | loose).any() or self.occupied.sum() < 5:
            return None
        layers = list(self._layers())
        if only_layers and not layers:
            return None
        alone = np.zeros_like(empty) if only_layers else empty | loose
        sites = np.unique(np.concatenate([np.flatnonzero(alone), *layers]))
        counts = self._counts(sites)
        waves = counts @ self._waves
        single = np.flatnonzero(alone[sites])
        groups = [] if only_layers else [*self._orbits(sites, counts)]
        prices = np.repeat([_SINGLE_PRICE, _ORBIT_PRICE, _LAYER_PRICE], [len(single), len(groups), len(layers)])
        groups += [np.searchsorted(sites, layer) for layer in layers]
        sign = np.where(self.occupied[sites[single]], np.float32(-1), np.float32(1))
        changes = np.stack([*(waves[single] * sign[:, None]), *(self._change(sites, waves, move) for move in groups)])
        # An atom put on makes bonds for its neighbours too: the surface changes by half of the full number less these.
        bonds = sign * (self.table.full / 2 - near[sites[single]])
        surfaces = np.append(bonds, [self._surface_change(sites[move], near) for move in groups]) + self._surface()
        self.work += len(changes) * self._kinds
        return _Weighed(
            moves=[*sites[single][:, None], *(sites[move] for move in groups)],
            changes=changes,
            values=self._values(changes, surfaces) + prices,
            prices=prices,
            single=sites[single],
            waves=waves[single],
            near=near[sites[single]],
        )

    def _counts(self, sites: IntArray) -> Float32Array:
        """(sites, kinds): how many atoms are at each distance."""
        kinds = self.table.kind[sites[:, None], np.flatnonzero(self.occupied)]
        rows = np.arange(len(sites))[:, None] * self._kinds
        counts = np.bincount((kinds + rows).ravel(), minlength=len(sites) * self._kinds)
        return counts.reshape(len(sites), self._kinds).astype(np.float32)

    def _orbits(self, sites: IntArray, counts: Float32Array) -> Iterator[IntArray]:
        """Sites, by their places, that have the same distances to all atoms."""
        signature = counts @ np.stack([self.table.distances, self.table.distances**2], axis=1)
        signature = np.round(signature[:, 0] + 7.31 * np.sqrt(signature[:, 1]), 3)
        signature *= np.where(self.occupied[sites], -1, 1)
        _, group = np.unique(signature, return_inverse=True)
        for number in range(int(group.max()) + 1):
            members = np.flatnonzero(group == number)
            if 1 < len(members) <= _MOST_ORBIT and not self._clash(sites[members]):
                yield members

    def _layers(self) -> Iterator[IntArray]:
        """Sites that one more layer in some direction adds, and those that one less removes."""
        inside = np.flatnonzero(self.occupied)
        seen: set[bytes] = set()
        for shift in self.table.shifts:
            beyond = shift[inside]
            is_free = (beyond >= 0) & ~self.occupied[np.maximum(beyond, 0)]
            added, removed = np.unique(beyond[is_free]), inside[(beyond < 0) | is_free]
            for move in (added, removed):
                is_new = move.tobytes() not in seen
                if is_new and len(move) > 1 and (move is added or len(move) < len(inside) - 4):
                    seen.add(move.tobytes())
                    if not self._clash(move):
                        yield move

    def _clash(self, sites: IntArray) -> bool:
        """Whether atoms that are added would be too near to one another or to others."""
        if self.occupied[sites[0]]:
            return False
        after = self.occupied.copy()
        after[sites] = True
        return bool((self.table.clashing[sites] & after).any())

    def _change(self, sites: IntArray, waves: Float32Array, move: IntArray) -> Float32Array:
        """By how much a move of several sites changes the fit."""
        own = sites[move]
        # Waves are with atoms that were there: added ones make pairs of their own, removed ones were counted twice.
        kinds = np.bincount(self.table.kind[own[:, None], own].ravel())
        used = np.flatnonzero(kinds)
        within = (kinds[used] / np.float32(2)).astype(np.float32) @ self._waves[used]
        alone = waves[move].sum(axis=0)
        return np.asarray(within - alone if self.occupied[own[0]] else alone + within)

    def _surface(self) -> float:
        """Bonds that the surface breaks."""
        inside = self.table.bonded[np.ix_(self.occupied, self.occupied)]
        return float((self.table.full * len(inside) - inside.sum()) / 2)

    def _surface_change(self, own: IntArray, near: IntArray) -> float:
        moved = np.zeros(len(self.table.positions) + 1, np.bool_)
        moved[own] = True
        within = float(moved[self.table.neighbours[own]].sum()) / 2
        bonds, half = float(near[own].sum()), self.table.full * len(own) / 2
        return bonds - within - half if self.occupied[own[0]] else half - bonds - within

    def _values(self, changes: Float32Array, surfaces: FloatArray) -> FloatArray:
        """Misfit over twice the variance of noise, and the price of broken bonds."""
        fits = (self._fit + changes).astype(np.float64)
        # The least misfit over all scales that are not negative.
        overlap = np.maximum(fits @ self._data, 0.0)
        misfit = float(self._data @ self._data) - overlap**2 / np.maximum((fits**2).sum(axis=1), 1e-30)
        return np.asarray(misfit / self._unit + _BOND_PRICE * surfaces)

    def _apply(self, own: IntArray, change: Float32Array, value: float, price: float) -> None:
        self.occupied[own] ^= True
        self.paid += price
        self._fit = self._fit + change
        self.value = value

    def _swap(self, weighed: "_Weighed") -> bool:
        """One atom to another site, of those whose removal and addition do the least harm."""
        sites, waves, near = weighed.single, weighed.waves, weighed.near
        filled = self.occupied[sites]
        order = np.argsort(weighed.values[: len(sites)], kind="stable")
        out, to = order[filled[order]][:_SWAPPED], order[~filled[order]][:_SWAPPED]
        if not len(out) or not len(to):
            return False
        pairs = [(i, j) for i in out for j in to]
        both = np.array([self.table.kind[sites[i], sites[j]] for i, j in pairs])
        changes = np.array([waves[j] - waves[i] for i, j in pairs]) - self._waves[both]
        lost = np.array([float(self.table.bonded[sites[i], sites[j]]) for i, j in pairs])
        bonds = np.array([near[i] - near[j] for i, j in pairs]) + lost
        values = self._values(changes, self._surface() + bonds)
        best = int(values.argmin())
        if values[best] + _SINGLE_PRICE >= self.value:
            return False
        i, j = pairs[best]
        self._apply(sites[[i, j]], changes[best], float(values[best]), _SINGLE_PRICE)
        return True
