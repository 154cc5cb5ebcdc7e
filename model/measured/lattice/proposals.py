"""Lattices worth a fit, seen in a plane: by Fourier transform of a network's I_SRO, and of the data."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from scipy.ndimage import gaussian_filter

from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.factorise.guess import Guess
from dsfu.model.measured.lattice.bases import Kind, are_same, area, idealised, longest, shortest
from dsfu.model.measured.lattice.spectrum import SHORTEST, LatticeCandidate, candidates, spectrum_of
from dsfu.simulate.arrays import FloatArray

_SHARES: Final = (0.99, 0.97, 0.93, 0.85)
"""Of candidates that capture at least this share of the best one's power, that of the largest area is tried."""

_WIDTHS: Final = (8, 16)
"""Pixels over which the data's local mean is taken, of planes of 256."""

_SHORTEST_EDGE, LONGEST_EDGE = 0.98 * SHORTEST, 25.0
"""Å: nothing on sites of one kind is nearer, and no cell that the solver is made for is longer."""


def is_possible(basis: FloatArray) -> bool:
    """Whether sites of one kind can be as near, and the solver's cells as long."""
    return shortest(basis) >= _SHORTEST_EDGE and longest(basis) <= LONGEST_EDGE


def proposed_lattices(plane: MeasuredPlane, guess: Guess | None) -> list[tuple[FloatArray, Kind]]:
    """Lattices worth a fit, no two alike."""
    chosen: list[tuple[FloatArray, Kind]] = []
    for basis in _proposed(plane, guess):
        ideal, kind = idealised(basis)
        if is_possible(ideal) and not any(are_same(ideal, other, 0.01) for other, _ in chosen):
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
