"""Phases by projections in P1: relaxed averaged alternating reflections (Luke, Inverse Problems 21, 37, 2005).

ρ ← β (ρ + P_S(2 P_M ρ − ρ)) + (1 − 2β) P_M ρ. P_M gives the transform the measured moduli; what was not measured inside
the sphere stays as it is, what lies beyond is 0. P_S keeps the brightest voxels if they are positive: atoms are few.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import fft

from dsfu.model.problems.phases.merging import SphereOnGrid

Map = npt.NDArray[np.float32]
Symmetriser = Callable[[Map], Map]

BETA: Final = 0.9
SUPPORT: Final = 0.12
"""Share of voxels that atoms may fill on a grid of two voxels within d; of .05 to .25, the best on PhAI's examples."""

_LOOK_EVERY: Final = 20
_FREE_GROWTH: Final = 1.0


@dataclass(frozen=True, kw_only=True)
class PhasedMap:
    """A map with the measured moduli, and how well its positive peaks alone explain them.

    Parameters
    ----------
    density
        (n₁, n₂, n₃).
    r
        Σ||F_peaks| − |F|| / Σ|F|, with the best scale; .5 and more is what wrong phases give.
    """

    density: Map
    r: float


def phase(
    sphere: SphereOnGrid,
    *,
    seed: int,
    iterations: int,
    support: float = SUPPORT,
    good_enough: float = 0.12,
    symmetriser: Symmetriser | None = None,
    start: Map | None = None,
) -> PhasedMap:
    """The best map of one start: from noise, or from a map.

    Parameters
    ----------
    symmetriser
        Averages a map over a space group with its origin where it should be; none in P1.
    """
    rng = np.random.default_rng(seed)
    amplitude, measured = sphere.amplitude, sphere.known.copy()
    measured[0, 0, 0] = False
    free = sphere.inside & ~measured
    rho = rng.standard_normal(sphere.shape).astype(np.float32) if start is None else start.copy()
    place = int((1 - support) * rho.size)
    wanted = amplitude[measured]
    total = float(wanted.sum())
    typical = float(np.sqrt(np.mean(wanted**2)))

    def with_moduli(density: Map) -> Map:
        waves = fft.rfftn(density)
        size = np.abs(waves)
        scaled = waves * (amplitude / np.maximum(size, 1e-6 * typical))
        # What was not measured may become no stronger than what was.
        limit = np.where(size > 2 * typical, 2 * typical / np.maximum(size, 1e-12), 1.0)
        result = np.where(measured, scaled, np.where(free, waves * limit, 0))
        result[0, 0, 0] = waves[0, 0, 0]
        return np.asarray(fft.irfftn(result.astype(np.complex64), s=sphere.shape), dtype=np.float32)

    def peaks_of(density: Map) -> Map:
        if symmetriser is not None:
            density = symmetriser(density)
        least = max(float(np.partition(density.ravel(), place)[place]), 0.0)
        return np.where(density > least, density, np.float32(0))

    best: PhasedMap | None = None
    for iteration in range(iterations):
        moduli = with_moduli(rho)
        peaks = peaks_of(2 * moduli - rho)
        rho = BETA * (rho + peaks) + (1 - 2 * BETA) * moduli
        if iteration % _LOOK_EVERY == _LOOK_EVERY - 1 or iteration == iterations - 1:
            size = np.abs(fft.rfftn(peaks_of(moduli)))[measured]
            scale = float((size * wanted).sum() / max(float((size * size).sum()), 1e-30))
            r = float(np.abs(scale * size - wanted).sum() / total)
            if best is None or r < best.r:
                best = PhasedMap(density=moduli if symmetriser is None else symmetriser(moduli), r=r)
            if r < good_enough:
                break
    if best is None:
        raise ValueError(f"iterations = {iterations}: expected one or more")
    return best


def starts(
    sphere: SphereOnGrid, *, seed: int, count: int, iterations: int, support: float = SUPPORT
) -> Iterator[PhasedMap]:
    """Maps of several starts, one after the other."""
    for number in range(count):
        yield phase(sphere, seed=1000 * seed + number, iterations=iterations, support=support)
