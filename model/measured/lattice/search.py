"""Finding the lattice of a plane that comes without one: candidates by Fourier transform, decided by fits.

Candidates come from what the network makes of I_SRO, and from the data with their local mean divided out. Each is
fitted by the solver's coarse stages; of those that fit nearly alike the one with the smallest cell is taken, and from
it the lattice that vectors with order span. Lengths, orientation and the angle of an oblique lattice are then
refined.
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
    coarser_lattices,
    idealised,
    longest,
    sheared,
    turned,
)
from dsfu.model.measured.lattice.spectrum import LatticeCandidate, candidates, spectrum_of
from dsfu.model.measured.solver.settings import STAGES, SolverSettings
from dsfu.model.measured.solver.solve import solve
from dsfu.simulate.arrays import Float32Array, FloatArray
from dsfu.simulate.disorder.planes import Plane
from dsfu.simulate.lattice import Cell

COARSE: Final = SolverSettings(stretch=True, stages=STAGES[:2], widths=(0.42,))
"""Enough of a fit to tell lattices apart."""

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

_SMALLEST_AREA, _LONGEST_EDGE = 4.0, 25.0
"""Å² and Å: no cell of molecules or atoms on a plane is smaller, and none that the solver is made for is longer."""

_STEPS: Final = (-0.4, 0.4)
"""Degrees by which the lattice is turned, or its angle changed, to see whether it fits better so."""

_SIGNIFICANT: Final = 0.08
"""Coefficients smaller than this share of the largest say nothing of the lattice. Chosen, not calibrated."""

_ONE_DIRECTION: Final = 0.9
"""Share of the order (sum of squares) on one row of lattice vectors above which it is called one-dimensional."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FoundLattice:
    """The lattice that a plane shows.

    Attributes
    ----------
    basis
        (2, 2), rows in Å along the plane's x and y: the two shortest vectors.
    kind
        "rectangular", "hexagonal" or "oblique".
    misfit
        Structured misfit of the coarse fit with it.
    agreement
        Correlation of the fit's I_SRO with the network's, both as roots; 1 is the same. NaN without a network.
    one_dimensional
        Whether order is along one direction only: the second vector is then not determined.
    tried
        How many lattices were fitted.
    """

    basis: FloatArray
    kind: Kind
    misfit: float
    agreement: float
    one_dimensional: bool
    tried: int

    @property
    def lengths(self) -> tuple[float, float]:
        """Of the basis, in Å."""
        first, second = np.hypot(*self.basis.T)
        return float(first), float(second)

    @property
    def angle(self) -> float:
        """Between the vectors of the basis, in degrees."""
        return float(np.degrees(np.arccos(self.basis[0] @ self.basis[1] / np.prod(self.lengths))))

    @property
    def orientation(self) -> float:
        """Degrees from the plane's x to the first vector, anticlockwise."""
        return float(np.degrees(np.arctan2(self.basis[0, 1], self.basis[0, 0])))

    @property
    def words(self) -> str:
        """One line for people."""
        first, second = self.lengths
        line = (
            f"{self.kind} lattice, {first:.3f} and {second:.3f} Å, {self.angle:.1f}°, at {self.orientation:.1f}° from x"
        )
        return f"{line}; order along one direction only" if self.one_dimensional else line


@dataclass(frozen=True, eq=False)
class _Trial:
    basis: FloatArray
    kind: Kind
    misfit: float
    sro: Float32Array
    alpha: FloatArray


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
    trials = []
    for number, (basis, kind) in enumerate(bases):
        trials.append(_fitted(plane, basis, kind))
        if progress is not None:
            progress(number + 1, len(bases))
    limit = _NEARLY_ALIKE * min(each.misfit for each in trials) + _ALIKE_ANYWAY
    chosen = min((each for each in trials if each.misfit <= limit), key=lambda each: area(each.basis))
    best = _moved_to_fit(plane, _coarsened(plane, chosen))
    agreement = float("nan") if guess is None else _agreement(best.sro, guess.sro_root)
    return FoundLattice(
        basis=best.basis,
        kind=best.kind,
        misfit=best.misfit,
        agreement=agreement,
        one_dimensional=_is_along_a_row(best.alpha),
        tried=len(trials),
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


def misfit_on(plane: MeasuredPlane) -> float:
    """Structured misfit of a coarse fit with the lattice that the plane has: what `find_lattice` compares."""
    return solve([plane], COARSE).misfit.structured


def _to_try(plane: MeasuredPlane, guess: Guess | None) -> list[tuple[FloatArray, Kind]]:
    """Lattices worth a fit, no two alike."""
    chosen: list[tuple[FloatArray, Kind]] = []
    for basis in _proposed(plane, guess):
        ideal, kind = idealised(basis)
        fits = area(ideal) >= _SMALLEST_AREA and longest(ideal) <= _LONGEST_EDGE
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


def _fitted(plane: MeasuredPlane, basis: FloatArray, kind: Kind) -> _Trial:
    """A coarse fit, and the lattice with the lengths that it has found."""
    solution = solve([on_lattice(plane, basis)], replace(COARSE, cutoff=CUTOFFS[kind]))
    size = np.hypot(solution.alpha_values, solution.alpha_sines)
    alpha = np.column_stack([solution.alpha_vectors, size])
    return _Trial(
        basis * np.asarray(solution.axis_scales)[0], kind, solution.misfit.structured, solution.planes[0].sro, alpha
    )


def _coarsened(plane: MeasuredPlane, start: _Trial) -> _Trial:
    """The coarser lattice that the vectors with order span, if there is one and it fits as well."""
    sizes = start.alpha[1:, 3]
    vectors = start.alpha[1:, :2][sizes > _SIGNIFICANT * sizes.max(initial=0.0)]
    for whole in coarser_lattices(vectors):
        basis, kind = idealised(whole @ start.basis)
        if longest(basis) <= _LONGEST_EDGE:
            trial = _fitted(plane, basis, kind)
            if trial.misfit <= _NEARLY_ALIKE * start.misfit + _ALIKE_ANYWAY:
                return trial
    return start


def _moved_to_fit(plane: MeasuredPlane, start: _Trial) -> _Trial:
    """The lattice turned, and an oblique one sheared, by a little, if it fits better so."""
    best = _better_along(plane, start, turned)
    if start.kind == "oblique":
        best = _better_along(plane, best, sheared)
        best = _better_along(plane, best, turned)
    return best


def _better_along(plane: MeasuredPlane, start: _Trial, move: Callable[[FloatArray, float], FloatArray]) -> _Trial:
    """The best of three steps along one way to move a lattice, and of the minimum of the parabola through them."""
    steps = np.radians(_STEPS)
    low, high = (_fitted(plane, move(start.basis, step), start.kind) for step in steps)
    middle = _fitted(plane, start.basis, start.kind)
    curve = np.polyfit([steps[0], 0.0, steps[1]], [low.misfit, middle.misfit, high.misfit], 2)
    trials = [start, middle, low, high]
    if curve[0] > 0:
        best = float(np.clip(-curve[1] / (2 * curve[0]), 2 * steps[0], 2 * steps[1]))
        trials.append(_fitted(plane, move(start.basis, best), start.kind))
    return min(trials, key=lambda each: each.misfit)


def _agreement(sro: Float32Array, root: Float32Array) -> float:
    ours = np.sqrt(np.maximum(sro, 0)).ravel()
    if ours.std() == 0 or root.std() == 0:
        return 0.0
    return float(np.corrcoef(ours, root.ravel())[0, 1])


def _is_along_a_row(alpha: FloatArray) -> bool:
    """Whether nearly all that is not at the origin lies on one line through it. Rows: u, v, w, size."""
    away = alpha[(alpha[:, :2] != 0).any(axis=1)]
    power = np.square(away[:, 3])
    if power.sum() == 0:
        return False
    strongest = away[power.argmax()]
    on_row = away[:, 0] * strongest[1] == away[:, 1] * strongest[0]
    return bool(power[on_row].sum() > _ONE_DIRECTION * power.sum())
