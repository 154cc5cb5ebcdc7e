"""One sample of the phase problem: what a diffractometer would give of a crystal, and what is sought."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from dsfu.simulate.checks import number_between
from dsfu.simulate.phases.atoms import CellContents, inverse_d_squared
from dsfu.simulate.phases.structure_factors import Form, Grid, density_of, full_sphere, indices, structure_factors
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
    half = structure_factors(contents, n, form=settings.form)
    target = density_of(half, n, sigma=settings.sigma)
    if settings.grid == "octant":
        amplitude = np.abs(structure_factors(contents, n, form=settings.form, grid="octant"))
    else:
        amplitude = np.abs(half)
    known = np.ones(amplitude.shape, dtype=bool)
    depth = amplitude.shape[2]
    along = indices(n, settings.grid).astype(np.float64)
    hkl = (along[:, None, None], along[None, :, None], np.abs(along[None, None, :depth]))
    if settings.sharpness:
        amplitude = amplitude * np.exp(-2 * (np.pi * settings.sharpness / n) ** 2 * sum(h * h for h in hkl))
    if settings.d_min:
        every = np.stack(np.broadcast_arrays(*hkl), axis=-1)
        known &= inverse_d_squared(contents.cell, every) <= 1 / settings.d_min**2
    if settings.noise or settings.completeness < 1:
        rng = np.random.default_rng(stream_key(seed, "phases noise", index))
        error, chance = rng.standard_normal(amplitude.shape), rng.random(amplitude.shape)
        if settings.grid == "centred":
            error, chance = _of_pairs(error, n), _of_pairs(chance, n)
        amplitude = np.abs(amplitude * (1 + settings.noise * error))
        known &= chance <= settings.completeness
    amplitude = amplitude.astype(np.float32)
    if settings.grid == "centred":
        amplitude = full_sphere(amplitude, n)
        known = np.ones_like(amplitude, dtype=bool) if known.all() else full_sphere(known, n)
    return PhaseSample(amplitude=amplitude * known, known=known, density=target)


def _of_pairs(half: npt.NDArray[np.float64], n: int) -> npt.NDArray[np.float64]:
    """One number for both of a pair ±h where both lie in the half: in the planes l = 0 and l = n/2."""
    back = -np.arange(n) % n
    for plane in {0, n // 2} if n % 2 == 0 else {0}:
        image = half[back][:, back, plane]
        first = np.arange(n * n).reshape(n, n) <= (back[:, None] * n + back[None, :])
        half[:, :, plane] = np.where(first, half[:, :, plane], image)
    return half
