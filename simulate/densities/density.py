"""Electron density of a crystal on a grid of its cell: spherical atoms that vibrate, a substitute for DFT's."""

from typing import Final, Literal

import numpy as np
from scipy.fft import irfftn

from dsfu.simulate.arrays import Float32Array
from dsfu.simulate.densities.crystals import UnitCell
from dsfu.simulate.densities.kernels import fourier_coefficients
from dsfu.simulate.densities.scattering_factors import STEP, form_factor_table, valence_table

GRID: Final = 50
"""Points along each axis, as published."""

B_ISO: Final = 2.0
"""Å²: displacement parameter of all atoms. Chosen, so that 50 points along 10 Å show atoms without ripples."""

Electrons = Literal["all", "valence"]

_SHARPEST: Final = 4.0
"""1/Å: beyond this s an atom with B = 2 has less than 1e-13 of its f; tables end here."""


def density(
    crystal: UnitCell, points: int = GRID, *, b_iso: float = B_ISO, electrons: Electrons = "all"
) -> Float32Array:
    """Electrons per Å³ at fractional coordinates i/points along each axis, float32, (points, points, points).

    ρ = Σ_h F(h) exp(2πi h·x) / V over all h that the grid carries. With all electrons its mean times the volume is ΣZ.
    """
    if not 4 <= points <= 512:
        raise ValueError(f"{points} points; expected 4 to 512")
    if not 0 <= b_iso <= 50:
        raise ValueError(f"b_iso is {b_iso}; expected 0 to 50 Å²")
    elements, species = np.unique(crystal.numbers, return_inverse=True)
    reciprocal = np.ascontiguousarray(np.linalg.inv(crystal.lattice).T)
    s_max = min(_SHARPEST, round(float(np.linalg.norm(np.abs(reciprocal).sum(axis=0))) * points / 4 + STEP, 2))
    build = form_factor_table if electrons == "all" else valence_table
    table = np.stack([build(int(each), s_max) for each in elements])
    table = table * np.exp(-b_iso * (np.arange(table.shape[1]) * STEP) ** 2)
    half = (points, points, points // 2 + 1)
    real, imaginary = np.empty(half, np.float32), np.empty(half, np.float32)
    fourier_coefficients(
        np.ascontiguousarray(crystal.positions), species.astype(np.int64), reciprocal, table, STEP, real, imaginary
    )
    spectrum = np.empty(half, np.complex64)
    spectrum.real, spectrum.imag = real, imaginary
    scale = np.float32(points**3 / crystal.volume)
    return np.asarray(irfftn(spectrum, s=(points,) * 3, overwrite_x=True) * scale, np.float32)
