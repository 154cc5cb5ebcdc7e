"""Powder patterns of crystals: the lines, and the 1024 bins that CrystalNet was trained on."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from dsfu.simulate.arrays import FloatArray, IntArray
from dsfu.simulate.constants import MO_KALPHA
from dsfu.simulate.densities.conventions import BINS
from dsfu.simulate.densities.crystals import UnitCell
from dsfu.simulate.densities.kernels import half_sphere
from dsfu.simulate.densities.scattering_factors import STEP, Source, dispersion, form_factor_table

_SAME_ANGLE: Final = 1e-5
"""Degrees of 2θ within which lines are one; as in pymatgen."""

_WEAKEST: Final = 1e-5
"""Lines below this share of the strongest are dropped; as in pymatgen."""


@dataclass(frozen=True, eq=False)
class Lines:
    """Lines of a powder pattern, by angle: 2θ in degrees, intensities (strongest = 1), one hkl of each."""

    two_theta: FloatArray
    intensity: FloatArray
    hkl: IntArray


@dataclass(frozen=True, eq=False)
class Reflections:
    """Half of the reflections of a crystal: hkl, s = 1/2d in 1/Å, and 2|F|² (the Friedel mate counted)."""

    hkl: IntArray
    s: FloatArray
    square: FloatArray


def reflections(
    crystal: UnitCell, s_max: float, *, b_iso: float = 0.0, source: Source = "it92", wavelength: float | None = None
) -> Reflections:
    """|F|² of all reflections with sin θ / λ ≤ s_max, in electrons² per cell.

    Parameters
    ----------
    b_iso
        Displacement parameter of all atoms in Å².
    source
        Which form factors.
    wavelength
        In Å: then f′ and f″ are added.
    """
    if not 0 < s_max <= 3:
        raise ValueError(f"s_max is {s_max}; expected sin θ / λ between 0 and 3 1/Å")
    elements, species = np.unique(crystal.numbers, return_inverse=True)
    table = np.stack([form_factor_table(int(each), round(s_max + STEP, 4), source) for each in elements])
    nothing = np.zeros(len(elements))
    real, imaginary = dispersion(elements, wavelength) if wavelength else (nothing, nothing)
    reciprocal = np.ascontiguousarray(np.linalg.inv(crystal.lattice).T)
    limits = (2 * s_max * np.linalg.norm(crystal.lattice, axis=1)).astype(np.int64) + 1
    # The half sphere of radius 2 s_max holds 2π/3 (2 s_max)³ V reflections; its edge needs room.
    room = int(2 * np.pi / 3 * (2 * s_max + 1.5 * np.linalg.norm(reciprocal, axis=1).max()) ** 3 * crystal.volume) + 100
    s, square, hkl = np.empty(room), np.empty(room), np.empty((room, 3), np.int64)
    count = half_sphere(
        reciprocal, limits, s_max, np.ascontiguousarray(crystal.positions), species.astype(np.int64), table, STEP,
        real, imaginary, b_iso, s, square, hkl,
    )  # fmt: skip
    return Reflections(hkl[:count], s[:count], square[:count])


def powder_lines(
    crystal: UnitCell, wavelength: float = MO_KALPHA, *, source: Source = "published", b_iso: float = 0.0,
    last: float = 180.0,
) -> Lines:  # fmt: skip
    """All lines up to ``last`` degrees of 2θ with Lorentz and polarisation factors (1 + cos² 2θ) / (sin² θ cos θ)."""
    if not 0.05 <= wavelength <= 5:
        raise ValueError(f"wavelength {wavelength} Å; expected 0.05 to 5 Å")
    if not 1 <= last <= 180:
        raise ValueError(f"last angle {last} degrees; expected 1 to 180")
    s_max = min(np.sin(np.radians(last / 2)) / wavelength, 3.0) * (1 - 1e-12)
    found = reflections(crystal, float(s_max), b_iso=b_iso, source=source)
    theta = np.arcsin(np.minimum(wavelength * found.s, 1))
    two_theta = np.degrees(2 * theta)
    order = np.argsort(two_theta, kind="stable")
    weighted = (found.square * lorentz_polarisation(theta))[order]
    two_theta = two_theta[order]
    first = np.concatenate([[True], np.diff(two_theta) > _SAME_ANGLE])
    summed = np.add.reduceat(weighted, np.flatnonzero(first)) if len(weighted) else weighted
    summed = summed / summed.max() if len(summed) else summed
    kept = summed > _WEAKEST
    return Lines(two_theta[first][kept], summed[kept], found.hkl[order][first][kept])


def lorentz_polarisation(theta: FloatArray) -> FloatArray:
    """(1 + cos² 2θ) / (sin² θ cos θ), θ in radians; no monochromator."""
    return np.asarray((1 + np.cos(2 * theta) ** 2) / (np.sin(theta) ** 2 * np.maximum(np.cos(theta), 1e-9)))


def binned(lines: Lines, bins: int = BINS) -> FloatArray:
    """The pattern as published: bin floor(bins · 2θ / 180), the strongest line of a bin, the strongest of all = 1."""
    out = np.zeros(bins)
    np.maximum.at(out, np.minimum((bins * lines.two_theta / 180).astype(np.int64), bins - 1), lines.intensity)
    return out


def augmented(pattern: FloatArray, composition: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Pattern and composition as the published network sees them in training.

    The pattern is shifted by up to 3 bins either way, zeros moving in; both get Gaussian noise of 1e-3, cut at 0.
    """
    shift = int(rng.integers(-3, 4))
    moved = np.zeros_like(pattern)
    source = slice(max(-shift, 0), len(pattern) - max(shift, 0))
    moved[max(shift, 0) : len(pattern) + min(shift, 0)] = pattern[source]
    moved = np.maximum(moved + rng.normal(0, 1e-3, len(moved)), 0)
    return moved, np.maximum(composition + rng.normal(0, 1e-3, len(composition)), 0)
