"""Particles that are in no table: from the best shapes that are, by the search over occupied sites."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from dsfu.model.problems.particles.fit_space import FitSpace
from dsfu.model.problems.particles.occupancies import Occupation, likelihood_unit
from dsfu.model.problems.particles.ranking import beyond_noise
from dsfu.model.problems.particles.refining import Refined, refine_atoms
from dsfu.model.problems.particles.site_table import SiteTable, site_table
from dsfu.model.problems.particles.sites import sites_of
from dsfu.simulate.arrays import FloatArray

_LARGEST_GAP, _LARGEST_GAP_OF_SMALL, _SMALL = 0.18, 0.25, 80
"""R_w beyond noise: a shape that is further off than this is no start. Published measured particles are at .1 to .35,
where ligands and mixtures of sizes are what is missing, and not single atoms: few starts are tried there."""

_LEAST_GAP: Final = 0.002
_BEYOND_NOISE: Final = 0.1
"""Standard deviations of χ² that the best shape leaves beyond noise, if there is to be a search. What the search finds
has to explain more than it costs: that it is there by chance is in its price. Chosen."""

_GAIN: Final = 0.5
"""Where the best shape leaves more than noise does, an edited particle counts if its R_w beyond noise is at most this
share: not all of that comes from atoms, and the likelihood does not know it. Chosen."""

_OTHER_LATTICE: Final = 0.6
"""An edited particle of another lattice than the best shape's counts if its gap is at most this share of the least that
edits of the best shape's lattice came to: who moves enough atoms explains much from any start. Chosen."""

_FAR: Final = 0.07
_STARTS, _STARTS_FROM_FAR = 8, 3
_EXACT: Final = 0.0015
_MOST_ATOMS: Final = 260
_CLEAR: Final = 1.3
_WORSE: Final = 3.0
"""A shape whose gap is larger than this many times the least is no start. Chosen."""

_FIRST_MOVES, _MOVES = 2, 4
_NEAR: Final = 0.04
_PROMISING, _PROMISING_FROM_FAR = 0.85, 0.7
"""After the first moves a start goes on if its gap is at most this share of what it was. Starts that lead to hidden
shapes came to .3–.8, and measured particles, whose ligands and strain no site explains, to more. Chosen."""

_STEADY, _CLEARLY = 0.97, 0.8
_LIKELY: Final = 8
_FIT_WORK: Final = 150_000
_MOST_WORK: Final = 15_000_000
"""What `Occupation.work` counts; some 3 s on one core. Then the best so far is taken."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """A shape of the table and its fit; ``stretch``: of its third axis, where c/a is not the table's."""

    lattice: str
    built_as: str
    parameters: tuple[int | str, ...]
    atoms: int
    refined: Refined
    stretch: float = 1.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Edited:
    """What became of a start: positions in b, their fit, and the price of the moves that led to them."""

    start: Start
    positions: FloatArray
    refined: Refined
    price: float

    def against(self, unit: float) -> float:
        """Logarithm of the likelihood that the data leave it, price included: lower is better."""
        return self.refined.rw**2 / unit + self.price


def gap(refined: Refined, space: FitSpace, noise: float) -> float:
    """R_w that neither noise nor the limits of Q explain."""
    return float(np.sqrt(beyond_noise(refined, space, noise)))


def edited(starts: Sequence[Start], space: FitSpace, noise: float) -> Edited | None:
    """The edited particle that explains the data best for its price, if it is much better than all starts.

    A race: each start makes some moves and is fitted anew; then the best goes on, until it is exact, or nothing helps,
    or the work is done that may be done: the answer does not depend on the machine.
    """
    if not starts:
        return None
    gaps = [gap(start.refined, space, noise) for start in starts]
    least, best_start = min(gaps), starts[int(np.argmin(gaps))]
    first = best_start.atoms
    seen = max(_LEAST_GAP, noise * (2 / len(space.data)) ** 0.25 * _BEYOND_NOISE**0.5)
    if not seen < least < (_LARGEST_GAP if first > _SMALL else _LARGEST_GAP_OF_SMALL):
        return None
    if min((own for s, own in zip(starts, gaps, strict=True) if s.atoms <= _MOST_ATOMS), default=9.0) > _CLEAR * least:
        return None  # what is too large for the search is better than all that it could begin with
    usable = [s for s, own in zip(starts, gaps, strict=True) if s.atoms <= _MOST_ATOMS and own < _WORSE * least]
    racers = [r for s in usable[: _STARTS if least < _FAR else _STARTS_FROM_FAR] if (r := _racer(s)) is not None]
    work, found = 0, list[Edited]()
    for racer in racers:
        work += racer.advance(space, noise, _FIRST_MOVES, only_layers=True)
        found += racer.made()
    share = _PROMISING if least < _NEAR else _PROMISING_FROM_FAR
    going_on = [each for each in racers if each.gap < share * gap(each.start.refined, space, noise)]
    if going_on and least > noise:
        # The best shape goes on with the others: a worse one gains more by its first moves, and is not better for that.
        going_on += [each for each in racers if each not in going_on and each.start is best_start]
    racers = going_on
    while racers and work < _MOST_WORK:
        best = min(racers, key=lambda each: each.hope)
        if best.fit.rw**2 - space.outside < _EXACT**2:
            break
        work += best.advance(space, noise)
        found += best.made()
        if best.is_done:
            racers.remove(best)
            racers += best.again()
    unit = likelihood_unit(space, noise)
    most = least if least < noise else _GAIN * least
    least_against = min(start.refined.rw**2 / unit for start in starts)
    own = [gap(each.refined, space, noise) for each in found if each.start.lattice == best_start.lattice]
    of_other = _OTHER_LATTICE * min([*own, least])

    def is_good(each: Edited) -> bool:
        limit = most if each.start.lattice == best_start.lattice else min(most, of_other)
        return gap(each.refined, space, noise) < limit and each.against(unit) < least_against

    good = [each for each in found if is_good(each)]
    return min(good, key=lambda each: each.against(unit), default=None)


@dataclass(kw_only=True, eq=False)
class _Racer:
    """A start on its way: the fit, and which sites are occupied, as good as any so far."""

    start: Start
    table: SiteTable
    first: np.ndarray
    occupied: np.ndarray
    fit: Refined
    paid: float = 0.0
    gap: float = 9.0
    hope: float = 9.0
    is_second: bool = False
    is_done: bool = False

    def made(self) -> list[Edited]:
        """What it is now, if it has moved."""
        if self.paid == 0:
            return []
        positions = np.asarray(self.table.positions[self.occupied])
        return [Edited(start=self.start, positions=positions, refined=self.fit, price=self.paid)]

    def again(self) -> list["_Racer"]:
        """Once more from the start with the b and B of the end: its own made up for atoms that were missing."""
        if self.is_second:
            return []
        return [replace(self, occupied=self.first, paid=0.0, gap=9.0, hope=self.gap, is_second=True, is_done=False)]

    def advance(self, space: FitSpace, noise: float, most: int = _MOVES, only_layers: bool = False) -> int:
        """Some moves, and b and B fitted anew; the work that it took."""
        occupation = Occupation(self.table, self.occupied, space, self.fit, noise)
        moves = 0
        while moves < most and occupation.improve(only_layers):
            moves += 1
        is_better = moves > 0 and self._take(occupation.occupied, self.paid + occupation.paid, space, noise, _STEADY)
        if not is_better:
            # Moves that do not help with b and B as they are may help with others.
            paid = self.paid + occupation.paid
            likely = occupation.likely(_LIKELY)  # each from where the moves began, not one after the other
            tried = [self._take(each, paid + price, space, noise, _CLEARLY) for each, price in likely]
            self.is_done = not any(tried)
            occupation.work += _FIT_WORK * len(tried)
        return occupation.work + _FIT_WORK

    def _take(self, occupied: np.ndarray, paid: float, space: FitSpace, noise: float, share: float) -> bool:
        fit = refine_atoms(self.table.positions[occupied], space, self.fit)
        now = gap(fit, space, noise)
        if now >= self.gap * share:
            return False
        self.fit, self.gap, self.hope, self.occupied = fit, now, now, occupied.copy()
        self.paid = paid
        return True


def _racer(start: Start) -> _Racer | None:
    given = sites_of(start.built_as, start.parameters)
    if given is None:
        return None
    first = np.arange(len(given[1])) < len(given[0])
    sites = given[1] * np.array([1, 1, start.stretch])
    return _Racer(start=start, table=site_table(sites), first=first, occupied=first, fit=start.refined)
