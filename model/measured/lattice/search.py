"""Finding the lattice of a plane that comes without one: candidates by Fourier transform, decided by fits.

Candidates come from what the network makes of I_SRO, and from the data with their local mean divided out. Each is
fitted by the solver's first stage. Those that fit best are refined and fitted by its second one, too; of the lattices
that fit nearly alike the one with the smallest cell is taken, and from it the lattice that vectors with order span.
Lengths, orientation and the angle of an oblique lattice are refined again at the end.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final

import numpy as np

from dsfu.errors import InputError
from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.factorise.guess import Guess
from dsfu.model.measured.lattice.bases import (
    Kind,
    are_same,
    area,
    beside,
    coarser_lattices,
    idealised,
    is_coarser,
    longest,
)
from dsfu.model.measured.lattice.found import FoundLattice
from dsfu.model.measured.lattice.placing import on_lattice, pixels_apart
from dsfu.model.measured.lattice.proposals import LONGEST_EDGE, is_possible, proposed_lattices
from dsfu.model.measured.lattice.refinement import OrderSeries, moved
from dsfu.model.measured.solver.settings import STAGES, SolverSettings
from dsfu.model.measured.solver.solve import on_all_pixels, solve
from dsfu.simulate.arrays import Float32Array, FloatArray

COARSE: Final = SolverSettings(stretch=True, stages=STAGES[:2], widths=(0.42,), again_if_lost=False)
"""Enough of a fit to tell lattices apart."""

_FIRST: Final = replace(COARSE, stages=STAGES[:1])
"""Enough of a fit to see which lattices are hopeless."""

_TO_THE_END: Final = replace(COARSE, stages=STAGES, again_if_lost=True)
"""A lattice twice too fine has fitted coarsely as well as the right one, .042 and .036; to the end, .009 and .001."""

_FULL: Final = SolverSettings(stretch=True)
"""A fit as users get it, whose form factor may become wider than the cell: what else varies is not put into order."""

_KEPT, _HOPELESS = 3, 2.5
"""So many lattices at most are fitted again, and none whose first misfit is so many times the best one's. Chosen: two
first fits on one lattice, a tenth of a per cent apart, have differed by a factor of 2.3."""

_COARSER_KEPT, _COARSER_HOPELESS, _COARSER_ALIKE = 2, 4.0, 1.6
"""The same for lattices coarser than one of those, and how much worse their second fits may be until fits to the end
decide. Order on a finer lattice takes up a part of the form factor, so that a short fit on it ends lower. Seen on one
plane of an independent simulation: 3.3 and 1.3."""

_FEW_PIXELS: Final = 8.0
"""Pixels from one lattice point to the next, below which every second one is not enough: the right lattices of two
images were fitted worse than wrong ones then; on all pixels, to the end, without a misfit."""

_STRONGEST: Final = 3
"""Vectors of a first fit, pairs of which may span the lattice."""

CUTOFFS: Final = {"hexagonal": 10, "rectangular": 6, "oblique": 6}
"""Largest index: on hexagonal axes vectors of one length have indices that differ by a factor of two."""

_NEARLY_ALIKE, _ALIKE_ANYWAY = 1.15, 1e-4
"""Structured misfits up to this factor, and this much, above the best one's are as good."""

_ONE_LATTICE: Final = 0.03
"""Relative difference of the vectors of two candidates up to which they are one lattice, seen more or less well."""

_FAR: Final = 0.002
"""Relative to a vector: what it may move by without the fit's form factor being wrong. Chosen."""

_SIGNIFICANT: Final = 0.08
"""Coefficients smaller than this share of the largest say nothing of the lattice. Chosen, not calibrated."""

_STRONG: Final = 0.2
"""The same in the end, where a fit on the coarser lattice decides. On a lattice twice too fine, a fit that left nothing
has had .1 on vectors that are none, which its form factor made up for."""

ONE_DIRECTION: Final = 0.9
"""Share of the order (sum of squares) on one row of lattice vectors above which it is called one-dimensional."""


@dataclass(frozen=True, eq=False)
class _Trial:
    basis: FloatArray
    kind: Kind
    misfit: float
    form_factor: Float32Array
    sro: Float32Array
    series: OrderSeries
    settings: SolverSettings


def find_lattice(
    plane: MeasuredPlane, guess: Guess | None = None, progress: Callable[[int, int], None] | None = None
) -> FoundLattice:
    """The lattice behind a plane, from the data and from what a network makes of its order.

    Parameters
    ----------
    plane
        Its cell, if it has one, is not looked at; its Q gives Å.
    guess
        What `dsfu.model.measured.factorise.guess.guess` says of the plane; without, the data alone have to do.
    progress
        Told how many of how many lattices have been fitted.
    """
    bases = proposed_lattices(plane, guess)
    if not bases:
        raise InputError(
            "no lattice is seen in it: nothing repeats between 2.6 and 25 Å",
            where=plane.name or "plane",
            remedy="give --cell, or use --method network, which needs no lattice",
        )
    best = _chosen(plane, _trials(plane, bases, progress))
    best = _refined(plane, _coarser(plane, best, best.settings, _SIGNIFICANT) or best)
    best = _coarser_in_the_end(plane, best) or best
    agreement = float("nan") if guess is None else _agreement(best.sro, guess.sro_root)
    return FoundLattice(
        basis=best.basis,
        kind=best.kind,
        misfit=best.misfit,
        agreement=agreement,
        one_dimensional=_is_along_a_row(best.series),
        tried=len(bases),
    )


def _trials(
    plane: MeasuredPlane, bases: list[tuple[FloatArray, Kind]], progress: Callable[[int, int], None] | None
) -> list[_Trial]:
    """Those of the lattices that are not hopeless, refined and fitted."""

    def hasty(basis: FloatArray, kind: Kind) -> _Trial:
        return _fitted(plane, basis, kind, _for_all(plane, [basis], _FIRST))

    first = []
    for number, (basis, kind) in enumerate(bases):
        first.append(hasty(basis, kind))
        if progress is not None:
            progress(number + 1, len(bases))
    first.sort(key=lambda each: each.misfit)
    first += [hasty(basis, kind) for basis, kind in _of_strongest(first[:_KEPT], bases)]
    first.sort(key=lambda each: each.misfit)
    good = [each for each in first[:_KEPT] if each.misfit <= _HOPELESS * first[0].misfit]
    limit = _COARSER_HOPELESS * first[0].misfit
    others = [each for each in first if each not in good and each.misfit <= limit]
    good += [each for each in others if any(_coarser_one(each, other) for other in good)][:_COARSER_KEPT]
    settings = _for_all(plane, [each.basis for each in good], COARSE)
    return [_fitted(plane, _moved(plane, each), each.kind, settings) for each in good]


def _of_strongest(trials: list[_Trial], tried: list[tuple[FloatArray, Kind]]) -> list[tuple[FloatArray, Kind]]:
    """Coarser lattices of the strongest vectors with order, of those that were not tried."""
    found: list[tuple[FloatArray, Kind]] = []
    for trial in trials:
        order = np.argsort(-trial.series.sizes)[:_STRONGEST]
        for pair in combinations(trial.series.indices[order], 2):
            if abs(np.linalg.det(pair)) < 1.5:
                continue
            ideal, kind = idealised(np.array(pair) @ trial.basis)
            known = any(are_same(ideal, other, _ONE_LATTICE) for other, _ in [*tried, *found])
            if not known and is_possible(ideal):
                found.append((ideal, kind))
    return found


def _chosen(plane: MeasuredPlane, trials: list[_Trial]) -> _Trial:
    """Of those that fit nearly as well as the best one, the lattice with the smallest cell.

    Where these are several lattices, and not one seen more or less well, they are told apart by fits to the end.
    """
    best = min(trials, key=lambda each: each.misfit)
    limit = _COARSER_ALIKE * best.misfit
    rivals = [each for each in trials if each.misfit <= limit and _coarser_one(each, best)]
    alike = _best_of_each([*_nearly_alike(trials), *rivals])
    if len(alike) == 1:
        return alike[0]
    settings = _for_all(plane, [each.basis for each in alike], _TO_THE_END)
    ended = [_fitted(plane, each.basis, each.kind, settings) for each in alike]
    return min(_nearly_alike(ended), key=lambda each: area(each.basis))


def _coarser_one(trial: _Trial, other: _Trial) -> bool:
    return is_coarser(trial.basis, other.basis, 2 * _ONE_LATTICE)


def _nearly_alike(trials: list[_Trial]) -> list[_Trial]:
    limit = _good_enough(min(each.misfit for each in trials))
    return [each for each in trials if each.misfit <= limit]


def _good_enough(best: float) -> float:
    return _NEARLY_ALIKE * best + _ALIKE_ANYWAY


def _best_of_each(trials: list[_Trial]) -> list[_Trial]:
    """Of all that are one lattice the one that fits best."""
    chosen: list[_Trial] = []
    for trial in sorted(trials, key=lambda each: each.misfit):
        if not any(are_same(trial.basis, other.basis, _ONE_LATTICE) for other in chosen):
            chosen.append(trial)
    return chosen


def _for_all(plane: MeasuredPlane, bases: Iterable[FloatArray], settings: SolverSettings) -> SolverSettings:
    """Settings for fits that are compared: of all pixels, if one of the lattices needs them."""
    few = any(pixels_apart(plane, each) < _FEW_PIXELS for each in bases)
    return on_all_pixels(settings) if few else settings


def _fitted(plane: MeasuredPlane, basis: FloatArray, kind: Kind, settings: SolverSettings) -> _Trial:
    """A fit, and the lattice with the lengths that it has found."""
    solution = solve([on_lattice(plane, basis)], replace(settings, cutoff=CUTOFFS[kind]))
    found = solution.planes[0]
    return _Trial(
        basis=basis * np.asarray(solution.axis_scales)[0],
        kind=kind,
        misfit=solution.misfit.structured,
        form_factor=found.form_factor,
        sro=found.sro,
        series=OrderSeries.of(solution.alpha_vectors, solution.alpha_values, solution.alpha_sines),
        settings=settings,
    )


def _coarser(plane: MeasuredPlane, start: _Trial, settings: SolverSettings, share: float) -> _Trial | None:
    """The coarser lattice that the vectors with order above ``share`` span, if there is one and it fits as well."""
    lattices = _spanned(start.series, start.basis, share)
    if not lattices:
        return None
    settings = _for_all(plane, [start.basis, *(basis for basis, _ in lattices)], settings)
    if settings != start.settings:
        start = _fitted(plane, start.basis, start.kind, settings)
    limit = _good_enough(start.misfit)
    for basis, kind in lattices:
        trial = _fitted(plane, basis, kind, settings)
        if trial.misfit > limit:  # of a finer lattice the lengths are less certain
            trial = _refined(plane, trial)
        if trial.misfit <= limit:
            return trial
    return None


def _coarser_in_the_end(plane: MeasuredPlane, start: _Trial) -> _Trial | None:
    """The same for the order of a full fit, which leaves little on vectors that are not needed.

    As long as a fit is coarse, and its form factor as wide as the cell of a lattice that is too fine lets it be, order
    stands in for what the form factor does.
    """
    full = _fitted(plane, start.basis, start.kind, _FULL)
    return _coarser(plane, replace(start, series=full.series), _TO_THE_END, _STRONG)


def _spanned(series: OrderSeries, basis: FloatArray, share: float) -> list[tuple[FloatArray, Kind]]:
    """Coarser lattices that all vectors are of whose order is above a share of the strongest."""
    sizes = series.sizes
    vectors = series.indices[sizes > share * sizes.max(initial=0.0)]
    if len(vectors) and np.linalg.matrix_rank(vectors) < 2:  # what is across a row is not seen: it is not made longer
        vectors = np.vstack([vectors, beside(vectors[0])])
    ideal = [idealised(whole @ basis) for whole in coarser_lattices(vectors)]
    return [(each, kind) for each, kind in ideal if longest(each) <= LONGEST_EDGE]


def _refined(plane: MeasuredPlane, start: _Trial) -> _Trial:
    """The lattice moved to where it fits best; if that is far, it is fitted there, and moved once more."""
    basis = _moved(plane, start)
    if are_same(basis, start.basis, _FAR):
        return replace(start, basis=basis)
    best = min(_fitted(plane, basis, start.kind, start.settings), start, key=lambda each: each.misfit)
    return replace(best, basis=_moved(plane, best))


def _moved(plane: MeasuredPlane, trial: _Trial) -> FloatArray:
    """The lattice that the data prefer, of the kind that it was."""
    basis = moved(plane, trial.basis, trial.series, trial.form_factor, trial.sro)
    ideal, kind = idealised(basis)
    return ideal if kind == trial.kind else basis


def _agreement(sro: Float32Array, root: Float32Array) -> float:
    ours = np.sqrt(np.maximum(sro, 0)).ravel()
    if ours.std() == 0 or root.std() == 0:
        return 0.0
    return float(np.corrcoef(ours, root.ravel())[0, 1])


def _is_along_a_row(series: OrderSeries) -> bool:
    """Whether nearly all that is not at the origin lies on one line through it."""
    indices, power = series.indices, np.square(series.sizes)
    if power.sum() == 0:
        return False
    strongest = indices[power.argmax()]
    on_row = indices[:, 0] * strongest[1] == indices[:, 1] * strongest[0]
    return bool(power[on_row].sum() > ONE_DIRECTION * power.sum())
