"""Patterns as an instrument measures them: widths, a doublet, texture, background, noise."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from dsfu.simulate.arrays import FloatArray, IntArray
from dsfu.simulate.densities.crystals import UnitCell
from dsfu.simulate.densities.kernels import pseudo_voigts
from dsfu.simulate.densities.pattern import lorentz_polarisation, reflections

_REACH: Final = 25.0
"""Peaks are followed this many FWHM to either side: 98.7 % of the area of a Lorentzian."""

_SCHERRER: Final = 0.9


@dataclass(frozen=True, kw_only=True)
class Instrument:
    """What a diffractometer and a specimen do to the lines.

    Attributes
    ----------
    wavelengths, weights
        In Å, and the share of each: two for a doublet.
    caglioti
        U, V, W in degrees²: FWHM² = U tan² θ + V tan θ + W, the Gaussian part.
    size
        Crystallite diameter in Å (Scherrer, K = 0.9), 0: no broadening. Lorentzian.
    strain
        Relative spread of d (FWHM), Lorentzian: 4 · strain · tan θ / 2.
    zero
        Shift of all angles in degrees 2θ.
    displacement
        Of the specimen, as the shift in degrees 2θ at θ = 0; it goes with cos θ.
    texture_axis, texture
        hkl of the plates' normal and March's r: 1 none, below 1 plates, above 1 needles.
    b_iso
        Displacement parameter of all atoms in Å².
    """

    wavelengths: tuple[float, ...] = (1.540593, 1.544427)
    weights: tuple[float, ...] = (2 / 3, 1 / 3)
    caglioti: tuple[float, float, float] = (0.005, -0.005, 0.008)
    size: float = 1000.0
    strain: float = 0.0
    zero: float = 0.0
    displacement: float = 0.0
    texture_axis: tuple[int, int, int] = (0, 0, 1)
    texture: float = 1.0
    b_iso: float = 1.0


def measured_pattern(crystal: UnitCell, two_theta: FloatArray, instrument: Instrument) -> FloatArray:
    """Intensity at angles 2θ (degrees, ascending), without background; its maximum is 1."""
    two_theta = np.asarray(two_theta, np.float64)
    if two_theta.ndim != 1 or len(two_theta) < 2 or (np.diff(two_theta) <= 0).any():
        raise ValueError("two_theta must ascend")
    if two_theta[0] < 0 or two_theta[-1] > 180:
        raise ValueError(f"two_theta runs from {two_theta[0]} to {two_theta[-1]}; expected 0 to 180 degrees")
    out = np.zeros(len(two_theta))
    for wavelength, weight in zip(instrument.wavelengths, instrument.weights, strict=True):
        s_max = min(np.sin(np.radians(min(two_theta[-1] / 2 + 3, 89.9))) / wavelength, 3.0)
        found = reflections(crystal, s_max, b_iso=instrument.b_iso, wavelength=wavelength)
        theta = np.arcsin(wavelength * found.s)
        areas = weight * found.square * lorentz_polarisation(theta)
        areas *= march_dollase(crystal, found.hkl, instrument.texture_axis, instrument.texture)
        centres = np.degrees(2 * theta) + instrument.zero + instrument.displacement * np.cos(theta)
        widths, mixing = _shape(theta, wavelength, instrument)
        pseudo_voigts(two_theta, centres, areas, widths, mixing, _REACH, out)
    return np.asarray(out / max(out.max(), 1e-300))


def march_dollase(crystal: UnitCell, hkl: IntArray | FloatArray, axis: tuple[int, int, int], r: float) -> FloatArray:
    """(r² cos² α + sin² α / r)^(-3/2) of each reflection, α its angle with the axis (March 1932, Dollase 1986).

    The mean over the symmetry-equivalent reflections comes about by itself, as all of them are there.
    """
    if not 0.05 <= r <= 20:
        raise ValueError(f"March's r is {r}; expected 0.05 to 20")
    reciprocal = np.linalg.inv(crystal.lattice).T
    along, normals = np.asarray(axis) @ reciprocal, hkl @ reciprocal
    # cos² α, despite its name: the square of the scalar product over the squares of both lengths.
    cosine = (normals @ along) ** 2 / (normals**2).sum(axis=1) / (along @ along)
    return np.asarray((r**2 * cosine + (1 - cosine) / r) ** -1.5)


def _shape(theta: FloatArray, wavelength: float, instrument: Instrument) -> tuple[FloatArray, FloatArray]:
    """FWHM in degrees and Lorentzian share of each peak (Thompson, Cox & Hastings 1987)."""
    tangent = np.tan(theta)
    u, v, w = instrument.caglioti
    gauss = np.sqrt(np.maximum(u * tangent**2 + v * tangent + w, 1e-5))
    # In radians of 2θ: Bragg's law gives 2 tan θ Δd/d, Scherrer's K λ / (D cos θ).
    lorentz = 2 * instrument.strain * tangent
    if instrument.size:
        lorentz = lorentz + _SCHERRER * wavelength / (instrument.size * np.cos(theta))
    lorentz = np.degrees(lorentz)
    # The width of the convolution of both, and the mixing that has its shape.
    total = (
        gauss**5 + 2.69269 * gauss**4 * lorentz + 2.42843 * gauss**3 * lorentz**2 + 4.47163 * gauss**2 * lorentz**3
        + 0.07842 * gauss * lorentz**4 + lorentz**5
    ) ** 0.2  # fmt: skip
    ratio = lorentz / total
    return total, np.clip(1.36603 * ratio - 0.47719 * ratio**2 + 0.11116 * ratio**3, 0, 1)


def with_background(
    pattern: FloatArray, two_theta: FloatArray, rng: np.random.Generator, *, counts: float, level: float, hump: float
) -> FloatArray:
    """Counts: a pattern whose peak is 1, a smooth background, a hump as glass makes it, and Poisson noise.

    counts: at the highest point of the pattern. level and hump: in units of that.
    """
    span = (two_theta - two_theta[0]) / (two_theta[-1] - two_theta[0])
    slope, bend = rng.uniform(0.2, 0.9), rng.uniform(0, 0.3)
    smooth = level * (1 - slope * span + bend * span**2)
    centre, width = rng.uniform(0.1, 0.4), rng.uniform(0.05, 0.15)
    glass = hump * np.exp(-0.5 * ((span - centre) / width) ** 2)
    return np.asarray(rng.poisson(counts * (pattern + smooth + glass)), np.float64)
