"""Finding the lattice of a plane that comes without one: candidates by Fourier transform, decided by fits.

Candidates come from what the network makes of I_SRO, and from the data with their local mean divided out. Each is
fitted by the solver's first stage. Those that fit best are refined and fitted by its second one, too; of the lattices
that fit nearly alike the one with the smallest cell is taken, and from it the lattice that vectors with order span.
Lengths, orientation and the angle of an oblique lattice are refined again at the end.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy.ndimage import gaussian_filter

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
    longest,
    shortest,
)
from dsfu.model.measured.lattice.found import FoundLattice
from dsfu.model.measured.lattice.refinement import OrderSeries, moved
from dsfu.model.measured.lattice.spectrum import SHORTEST, LatticeCandidate, candidates, spectrum_of
from dsfu.model.measured.solver.settings import STAGES, SolverSettings
from dsfu.model.measured.solver.solve import solve
from dsfu.simulate.arrays import Float32Array, FloatArray
from dsfu.simulate.disorder.planes import Plane
from dsfu.simulate.lattice import Cell

COARSE: Final = SolverSettings(stretch=True, stages=STAGES[:2], widths=(0.42,), again_if_lost=False)
"""Enough of a fit to tell lattices apart."""

_FIRST: Final = replace(COARSE, stages=STAGES[:1])
"""Enough of a fit to see which lattices are hopeless."""

_TO_THE_END: Final = replace(COARSE, stages=STAGES)
"""A lattice twice too fine has fitted coarsely as well as the right one, .042 and .036; to the end, .009 and .001."""

_KEPT, _HOPELESS = 3, 2.5
"""So many lattices at most are fitted again, and none whose first misfit is so many times the best one's. Chosen: two
first fits on one lattice, a tenth of a per cent apart, have differed by a factor of 2.3."""

CUTOFFS: Final = {"hexagonal": 10, "rectangular": 6, "oblique": 6}
"""Largest index: on hexagonal axes vectors of one length have indices that differ by a factor of two."""

_THIRD_AXIS: Final = 30.0
"""Å along the direction that the plane knows nothing of; any length does."""

_LAYER: Final = 0.25
"""Index of the plane along that axis: a general one, so that waves may have any phase."""

_SHARES: Final = (0.99, 0.97, 0.93, 0.85)
"""Of candidates that capture at least this share of the best one's power, that of the largest area is tried."""

_WIDTHS: Final = (8, 16)
"""Pixels over which the data's local mean is taken, of planes of 256."""

_NEARLY_ALIKE, _ALIKE_ANYWAY = 1.15, 1e-4
"""Structured misfits up to this factor, and this much, above the best one's are as good."""

_SHORTEST_EDGE, _LONGEST_EDGE = 0.98 * SHORTEST, 25.0
"""Å: nothing on sites of one kind is nearer, and no cell that the solver is made for is longer."""

_ONE_LATTICE: Final = 0.03
"""Relative difference of the vectors of two candidates up to which they are one lattice, seen more or less well."""

_FAR: Final = 0.002
"""Relative to a vector: what it may move by without the fit's form factor being wrong. Chosen."""

_SIGNIFICANT: Final = 0.08
"""Coefficients smaller than this share of the largest say nothing of the lattice. Chosen, not calibrated."""

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
    bases = _to_try(plane, guess)
    if not bases:
        raise InputError(
            "no lattice is seen in it: nothing repeats between 2.6 and 25 Å",
            where=plane.name or "plane",
            remedy="give --cell, or use --method network, which needs no lattice",
        )
    best = _refined(plane, _coarsened(plane, _chosen(plane, _trials(plane, bases, progress))))
    agreement = float("nan") if guess is None else _agreement(best.sro, guess.sro_root)
    return FoundLattice(
        basis=best.basis,
        kind=best.kind,
        misfit=best.misfit,
        agreement=agreement,
        one_dimensional=_is_along_a_row(best.series),
        tried=len(bases),
    )


def on_lattice(plane: MeasuredPlane, basis: FloatArray) -> MeasuredPlane:
    """The same data on a plane of a cell that has this lattice in it, in whatever orientation."""
    cell = Cell.from_vectors([[*basis[0], 0.0], [*basis[1], 0.0], [0.0, 0.0, _THIRD_AXIS]])
    turn = np.arctan2(basis[0, 1], basis[0, 0])  # the cell's own frame has its first vector along x
    cosine, sine = np.cos(turn), np.sin(turn)
    own = plane.plane
    axes = np.array([cosine, -sine, 0.0]), np.array([sine, cosine, 0.0])
    centre = np.array([0.0, 0.0, 2 * np.pi * _LAYER / _THIRD_AXIS])
    return replace(plane, plane=Plane(centre, *axes, own.q_max, own.pixels), cell=cell)


def _to_try(plane: MeasuredPlane, guess: Guess | None) -> list[tuple[FloatArray, Kind]]:
    """Lattices worth a fit, no two alike."""
    chosen: list[tuple[FloatArray, Kind]] = []
    for basis in _proposed(plane, guess):
        ideal, kind = idealised(basis)
        fits = shortest(ideal) >= _SHORTEST_EDGE and longest(ideal) <= _LONGEST_EDGE
        if fits and not any(are_same(ideal, other, 0.01) for other, _ in chosen):
            chosen.append((ideal, kind))
    return chosen


def _proposed(plane: MeasuredPlane, guess: Guess | None) -> Iterator[FloatArray]:
    step = plane.plane.step
    if guess is not None:
        yield from _best_and_largest(candidates(spectrum_of(guess.sro_root, step)))
    for width in _WIDTHS:
        yield from _best_and_largest(candidates(spectrum_of(_locally_normalised(plane, width), step, plane.live)))


def _best_and_largest(found: list[LatticeCandidate]) -> Iterator[FloatArray]:
    if not found:
        return
    most = max(each.share for each in found)
    for share in _SHARES:
        good = [each for each in found if each.share >= share * most]
        if good:
            yield max(good, key=lambda each: area(each.basis)).basis
    yield from (each.basis for each in found[:3])


def _locally_normalised(plane: MeasuredPlane, width: float) -> FloatArray:
    """√I over its local mean: the form factor varies slowly, so that mostly order is left."""
    live = plane.live.astype(np.float64)
    root = np.sqrt(np.maximum(np.where(plane.live, plane.intensity, 0), 0))
    sigma = width * plane.plane.pixels / 256
    local = gaussian_filter(root, sigma) / np.maximum(gaussian_filter(live, sigma), 1e-3)
    floor = 1e-6 * max(float(root.max()), 1e-300)
    return np.minimum(np.where(plane.live, root / np.maximum(local, floor), 0), 4.0)


def _trials(
    plane: MeasuredPlane, bases: list[tuple[FloatArray, Kind]], progress: Callable[[int, int], None] | None
) -> list[_Trial]:
    """Those of the lattices that are not hopeless, refined and fitted."""
    first = []
    for number, (basis, kind) in enumerate(bases):
        first.append(_fitted(plane, basis, kind, _FIRST))
        if progress is not None:
            progress(number + 1, len(bases))
    first.sort(key=lambda each: each.misfit)
    good = [each for each in first[:_KEPT] if each.misfit <= _HOPELESS * first[0].misfit]
    return [_fitted(plane, _moved(plane, each), each.kind) for each in good]


def _chosen(plane: MeasuredPlane, trials: list[_Trial]) -> _Trial:
    """Of those that fit nearly as well as the best one, the lattice with the smallest cell.

    Where these are several lattices, and not one seen more or less well, they are told apart by fits to the end.
    """
    alike = _best_of_each(_nearly_alike(trials))
    if len(alike) == 1:
        return alike[0]
    ended = [_fitted(plane, each.basis, each.kind, _TO_THE_END) for each in alike]
    return min(_nearly_alike(ended), key=lambda each: area(each.basis))


def _nearly_alike(trials: list[_Trial]) -> list[_Trial]:
    limit = _NEARLY_ALIKE * min(each.misfit for each in trials) + _ALIKE_ANYWAY
    return [each for each in trials if each.misfit <= limit]


def _best_of_each(trials: list[_Trial]) -> list[_Trial]:
    """Of all that are one lattice the one that fits best."""
    chosen: list[_Trial] = []
    for trial in sorted(trials, key=lambda each: each.misfit):
        if not any(are_same(trial.basis, other.basis, _ONE_LATTICE) for other in chosen):
            chosen.append(trial)
    return chosen


def _fitted(plane: MeasuredPlane, basis: FloatArray, kind: Kind, settings: SolverSettings = COARSE) -> _Trial:
    """A coarse fit, and the lattice with the lengths that it has found."""
    solution = solve([on_lattice(plane, basis)], replace(settings, cutoff=CUTOFFS[kind]))
    found = solution.planes[0]
    return _Trial(
        basis=basis * np.asarray(solution.axis_scales)[0],
        kind=kind,
        misfit=solution.misfit.structured,
        form_factor=found.form_factor,
        sro=found.sro,
        series=OrderSeries(
            indices=solution.alpha_vectors[:, :2].astype(np.float64),
            cosines=2 * solution.alpha_values,
            sines=2 * solution.alpha_sines,
        ),
    )


def _coarsened(plane: MeasuredPlane, start: _Trial) -> _Trial:
    """The coarser lattice that the vectors with order span, if there is one and it fits as well."""
    sizes = start.series.sizes
    vectors = start.series.indices[sizes > _SIGNIFICANT * sizes.max(initial=0.0)]
    if _is_along_a_row(start.series):  # what is across the row is not seen, so it is not made longer
        vectors = np.vstack([vectors, beside(start.series.indices[sizes.argmax()])])
    for whole in coarser_lattices(vectors):
        basis, kind = idealised(whole @ start.basis)
        if longest(basis) <= _LONGEST_EDGE:
            trial = _fitted(plane, basis, kind)
            if trial.misfit <= _NEARLY_ALIKE * start.misfit + _ALIKE_ANYWAY:
                return trial
    return start


def _refined(plane: MeasuredPlane, start: _Trial) -> _Trial:
    """The lattice moved to where it fits best; if that is far, it is fitted there, and moved once more."""
    basis = _moved(plane, start)
    if are_same(basis, start.basis, _FAR):
        return replace(start, basis=basis)
    best = min(_fitted(plane, basis, start.kind), start, key=lambda each: each.misfit)
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
