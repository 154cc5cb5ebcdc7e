"""One sample of the phase problem: what a diffractometer would give of a crystal, and what is sought."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from dsfu.simulate.checks import number_between
from dsfu.simulate.phases.atoms import CellContents, inverse_d_squared
from dsfu.simulate.phases.point_kernels import LARGEST, points_on_grid
from dsfu.simulate.phases.structure_factors import (
    Form,
    Grid,
    density_of,
    full_sphere,
    indices,
    structure_factors,
)
from dsfu.simulate.random_stream import stream_key

_MOST_NOISE: Final = 10.0


@dataclass(frozen=True, kw_only=True)
class PhaseSettings:
    """How samples are made of crystals.

    Parameters
    ----------
    n
        Indices along each axis, and voxels.
    form
        "Z": atoms are points; "IT92": form factors and Debye–Waller factors of the crystal.
    grid
        "centred" or "octant" (`dsfu.simulate.phases.structure_factors`).
    sigma
        Width of the Gaussians of the density sought, in voxels.
    sharpness
        Width in voxels of the Gaussians that the amplitudes belong to; 0 for the points themselves.
    d_min
        Reflections of smaller d, in Å, are not known; 0 for all of the grid.
    completeness
        Share of the pairs ±h that are known, at random.
    noise
        Standard deviation of |F| relative to itself.
    """

    n: int = 20
    form: Form = "Z"
    grid: Grid = "centred"
    sigma: float = 1.0
    sharpness: float = 0.0
    d_min: float = 0.0
    completeness: float = 1.0
    noise: float = 0.0

    def __post_init__(self) -> None:
        number_between("sigma", self.sigma, 0, self.n)
        number_between("sharpness", self.sharpness, 0, self.n)
        number_between("d_min", self.d_min, 0, 100)
        number_between("completeness", self.completeness, 0, 1, open_low=True)
        number_between("noise", self.noise, 0, _MOST_NOISE)


@dataclass(frozen=True, kw_only=True, eq=False)
class PhaseSample:
    """Amplitudes |F|, which of them are known, and the density; each (n, n, n), in the order of the grid."""

    amplitude: npt.NDArray[np.float32]
    known: npt.NDArray[np.bool_]
    density: npt.NDArray[np.float32]


def simulate_phases(contents: CellContents, settings: PhaseSettings, *, seed: int = 0, index: int = 0) -> PhaseSample:
    """What is measured of a crystal and what is sought. Noise and gaps are functions of seed and index alone."""
    n = settings.n
    if settings.form == "Z" and settings.grid == "centred" and n <= LARGEST:
        size, target = points_on_grid(contents, n, sigma=settings.sigma)
    else:
        waves = structure_factors(contents, n, form=settings.form)
        target = density_of(waves, n, sigma=settings.sigma)
        if settings.grid == "octant":
            waves = structure_factors(contents, n, form=settings.form, grid="octant")
        size = np.abs(waves)
    amplitude, known = _measured(size, contents, settings, seed, index)
    if settings.grid == "centred":
        amplitude = full_sphere(amplitude, n)
        known = np.ones(amplitude.shape, dtype=bool) if known is None else full_sphere(known, n)
    elif known is None:
        known = np.ones(amplitude.shape, dtype=bool)
    return PhaseSample(amplitude=amplitude, known=known, density=target)


def _measured(
    amplitude: npt.NDArray[np.float64], contents: CellContents, settings: PhaseSettings, seed: int, index: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_] | None]:
    """|F| with noise, 0 where it is not known, and where it is; None for everywhere."""
    n, known = settings.n, None
    if settings.sharpness or settings.d_min:
        along = indices(n, settings.grid).astype(np.float64)
        hkl = (along[:, None, None], along[None, :, None], np.abs(along[None, None, : amplitude.shape[2]]))
    if settings.sharpness:
        # A Gaussian of standard deviation ``sharpness`` voxels on every atom: exp(−2 π² σ² h²/n²).
        amplitude = amplitude * np.exp(-2 * (np.pi * settings.sharpness / n) ** 2 * sum(h * h for h in hkl))
    if settings.d_min:
        every = np.stack(np.broadcast_arrays(*hkl), axis=-1)
        known = inverse_d_squared(contents.cell, every) <= 1 / settings.d_min**2
    if settings.noise or settings.completeness < 1:
        rng = np.random.default_rng(stream_key(seed, "phases noise", index))
        error, chance = rng.standard_normal(amplitude.shape), rng.random(amplitude.shape)
        # h and −h are one measurement: one error, and one chance to be missed.
        if settings.grid == "centred":
            error, chance = _of_pairs(error, n), _of_pairs(chance, n)
        amplitude = np.abs(amplitude * (1 + settings.noise * error))
        seen = chance <= settings.completeness
        known = seen if known is None else known & seen
    result = amplitude.astype(np.float32)
    return (result, None) if known is None or known.all() else (result * known, known)


def _of_pairs(half: npt.NDArray[np.float64], n: int) -> npt.NDArray[np.float64]:
    """One number for both of a pair ±h where both lie in the half: in the planes l = 0 and l = n/2."""
    back = -np.arange(n) % n
    for plane in {0, n // 2} if n % 2 == 0 else {0}:
        # Both h and −h are in a plane with l = −l: the later of the two takes the number of the first.
        image = half[back][:, back, plane]
        first = np.arange(n * n).reshape(n, n) <= (back[:, None] * n + back[None, :])
        half[:, :, plane] = np.where(first, half[:, :, plane], image)
    return half
