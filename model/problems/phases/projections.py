"""Phases by projections in P1: relaxed averaged alternating reflections (Luke, Inverse Problems 21, 37, 2005).

ρ ← β (ρ + P_S(2 P_M ρ − ρ)) + (1 − 2β) P_M ρ. P_M gives the transform the measured moduli; what was not measured inside
the sphere stays as it is, what lies beyond is 0. P_S keeps the brightest voxels if they are positive: atoms are few.
"""

from collections.abc import Callable
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

_ATOMS_TOUCH: Final = 0.8
"""Å: at this d points, as wide as d makes them, fill `SUPPORT`; at smaller d less, in proportion to d³."""

_LOOK_EVERY: Final = 20


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


def support_of_points(d_min: float) -> float:
    """Share of voxels that atoms fill if they are no wider than the smallest d makes them. Those of molecules are."""
    return SUPPORT * min(1.0, d_min / _ATOMS_TOUCH) ** 3


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
    # What was not measured may become no stronger than what was; what lies beyond is 0.
    least = np.where(measured, amplitude, np.float32(0))
    most = np.where(free, np.float32(2 * typical), least)

    def with_moduli(density: Map) -> Map:
        waves = fft.rfftn(density)
        mean = waves[0, 0, 0]
        size = np.abs(waves)
        waves *= np.clip(size, least, most) / np.maximum(size, np.float32(1e-6 * typical))
        waves[0, 0, 0] = mean
        return np.asarray(fft.irfftn(waves, s=sphere.shape, overwrite_x=True), dtype=np.float32)

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
