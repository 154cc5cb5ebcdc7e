"""The inner loops of I_FF, compiled by Numba. `scattering` is their public face.

On a regular grid the sum over atoms separates. With Q = centre + x·axis_x + y·axis_y, exp(iQ·r) is a factor of x times
a factor of y, and so is each Gaussian of an atomic form factor: on every row a form factor difference costs four
multiply-adds per atom and pixel, and five per element and pixel.

Tables (`kernel_tables`) are made in double precision, the sums over atoms in single precision unless double is asked
for. Two rows are done at once, because one alone is limited by reading the tables of x.
"""

from math import exp
from typing import Any, Final

import numpy as np
from numba import njit

from dsfu.simulate.arrays import BoolArray, Float32Array, FloatArray, IntArray
from dsfu.simulate.disorder.kernel_tables import RealArray, dot, fill_gaussians, fill_phases, phase, write_parts
from dsfu.simulate.form_factors import GAUSSIANS

TRIED_FIRST: Final = 8
"""One in so many pairs of rows is summed first; where they are all below its limit, a plane is left. Of 2296 planes of
every second pair of the library 26 were left, one of which reaches its limit elsewhere; with 16 two did."""


@njit(nogil=True, cache=True)
def form_factor_planes(
    positions: FloatArray,
    signs: FloatArray,
    first_atom: IntArray,
    amplitudes: FloatArray,
    exponents: FloatArray,
    constants: FloatArray,
    scale: float,
    centres: FloatArray,
    axis_x: FloatArray,
    axis_y: FloatArray,
    step: float,
    limits: FloatArray,
    out: Float32Array,
    left: BoolArray,
    precision: type[np.floating[Any]],
) -> None:
    """Fill ``out[n, y, x]`` with scale · |Σ_i sign_i f_i(|Q|) exp(iQ·x_i)|² on parallel planes that share their axes.

    Parameters
    ----------
    positions, signs
        (atoms, 3) in Å and (atoms,): +1 for the atoms of A, −1 for those of B, 0 for padding. Atoms are sorted by
        element, and every element has an even number of them.
    first_atom
        (elements + 1,): atoms first_atom[e] … first_atom[e + 1] − 1 are of element e.
    amplitudes, exponents, constants
        (elements, 4), (elements, 4), (elements,): form factors as in `form_factors.coefficients`.
    centres
        (planes, 3): Q in 1/Å at pixel (pixels // 2, pixels // 2).
    axis_x, axis_y, step
        Orthonormal directions and pixel size in 1/Å, the same for all planes.
    limits, left
        (planes,): a plane is left unfinished, and says so in ``left``, if its first rows are all below its limit.
    precision
        np.float32 or np.float64: the type in which the sums over atoms run.
    """
    pixels = out.shape[1]
    elements = constants.shape[0]
    atoms = positions.shape[0]
    start = -(pixels // 2) * step

    # exp(iQ·r) = exp(i centre·r) · exp(i x axis_x·r) · exp(i y axis_y·r): the last two are the same on all planes.
    x_cos, x_sin = np.empty((atoms, pixels), precision), np.empty((atoms, pixels), precision)
    y_phases = np.empty((atoms, pixels), np.complex128)
    for i in range(atoms):
        fill_phases(dot(positions[i], axis_x), start, step, y_phases[i])
        write_parts(y_phases[i], x_cos[i], x_sin[i])
        fill_phases(dot(positions[i], axis_y), start, step, y_phases[i])

    x_gauss, y_gauss = np.empty((elements, GAUSSIANS, pixels)), np.empty((elements, GAUSSIANS, pixels))
    x_table = np.empty((elements, GAUSSIANS, pixels), precision)
    y_table = np.empty((pixels, elements, GAUSSIANS), precision)
    y_cos, y_sin = np.empty((pixels, atoms), precision), np.empty((pixels, atoms), precision)
    element_constants = constants.astype(precision)
    shift_x = shift_y = np.inf
    for n in range(centres.shape[0]):
        centre = centres[n]
        in_x, in_y = dot(centre, axis_x), dot(centre, axis_y)
        # A Gaussian of |Q|² = (in_x + x)² + (in_y + y)² + off² is one of x times one of y times a constant. Layers of
        # one normal differ by the constant alone, so that most planes keep the tables of the one before.
        if in_x != shift_x or in_y != shift_y:
            shift_x, shift_y = in_x, in_y
            fill_gaussians(exponents, start + shift_x, step, x_gauss)
            if shift_x == shift_y:  # as in every layer normal to a lattice vector: the same exponentials again
                y_gauss[:] = x_gauss
            else:
                fill_gaussians(exponents, start + shift_y, step, y_gauss)
        # Rounding may leave less than nothing of what is normal to the plane.
        off_plane_squared = max(dot(centre, centre) - shift_x * shift_x - shift_y * shift_y, 0.0)
        _fill_tables_of_gaussians(amplitudes, exponents, off_plane_squared, x_gauss, y_gauss, x_table, y_table)
        for i in range(atoms):
            # The sign turns the sum over A and B into F_A − F_B; the phase of the centre goes with the table of y.
            at_centre = signs[i] * phase(positions[i], centre)
            for y in range(pixels):
                value = at_centre * y_phases[i, y]
                y_cos[y, i] = value.real
                y_sin[y, i] = value.imag
        tables = (x_cos, x_sin, y_cos, y_sin, first_atom, x_table, y_table, element_constants)
        left[n] = _form_factor_rows(*tables, precision(scale), limits[n], out[n])


@njit(nogil=True, cache=True)
def _fill_tables_of_gaussians(
    amplitudes: FloatArray,
    exponents: FloatArray,
    off_plane_squared: float,
    x_gauss: FloatArray,
    y_gauss: FloatArray,
    x_table: RealArray,
    y_table: RealArray,
) -> None:
    """Tables of one plane in the precision of its sums; that of x has the amplitudes, and what the distance leaves."""
    for e in range(x_gauss.shape[0]):
        for k in range(GAUSSIANS):
            factor = amplitudes[e, k] * exp(-exponents[e, k] * off_plane_squared)
            for p in range(x_gauss.shape[2]):
                x_table[e, k, p] = factor * x_gauss[e, k, p]
                y_table[p, e, k] = y_gauss[e, k, p]


@njit(inline="always")
def _add_pair(
    first: bool,
    i: int,
    y: int,
    z: int,
    x_cos: RealArray,
    x_sin: RealArray,
    y_cos: RealArray,
    y_sin: RealArray,
    real: RealArray,
    imag: RealArray,
) -> None:
    """Add the phases of atoms i and i + 1 to the sums of an element on rows y and z; its first pair begins the sums."""
    # (yc + i ys)(c + i s) of two atoms of one element on two rows: eight products for two reads of the tables of x.
    j = i + 1
    yc, ys, yc2, ys2 = y_cos[y, i], y_sin[y, i], y_cos[y, j], y_sin[y, j]
    zc, zs, zc2, zs2 = y_cos[z, i], y_sin[z, i], y_cos[z, j], y_sin[z, j]
    if first:
        for x in range(x_cos.shape[1]):
            c, s, c2, s2 = x_cos[i, x], x_sin[i, x], x_cos[j, x], x_sin[j, x]
            real[0, x] = (yc * c - ys * s) + (yc2 * c2 - ys2 * s2)
            imag[0, x] = (yc * s + ys * c) + (yc2 * s2 + ys2 * c2)
            real[1, x] = (zc * c - zs * s) + (zc2 * c2 - zs2 * s2)
            imag[1, x] = (zc * s + zs * c) + (zc2 * s2 + zs2 * c2)
    else:
        for x in range(x_cos.shape[1]):
            c, s, c2, s2 = x_cos[i, x], x_sin[i, x], x_cos[j, x], x_sin[j, x]
            real[0, x] += (yc * c - ys * s) + (yc2 * c2 - ys2 * s2)
            imag[0, x] += (yc * s + ys * c) + (yc2 * s2 + ys2 * c2)
            real[1, x] += (zc * c - zs * s) + (zc2 * c2 - zs2 * s2)
            imag[1, x] += (zc * s + zs * c) + (zc2 * s2 + zs2 * c2)


@njit(nogil=True, cache=True)
def _form_factor_rows(
    x_cos: RealArray,
    x_sin: RealArray,
    y_cos: RealArray,
    y_sin: RealArray,
    first_atom: IntArray,
    x_gauss: RealArray,
    y_gauss: RealArray,
    constants: RealArray,
    scale: np.floating[Any],
    limit: float,
    out: Float32Array,
) -> bool:
    """Two rows at a time: for each element sum the phases of its atoms (two at once), then weight with f(|Q|).

    True: the rows that come first were all below the limit, and no more were summed.
    """
    pixels = out.shape[0]
    real, imag = np.empty((2, pixels), x_cos.dtype), np.empty((2, pixels), x_cos.dtype)
    total_real, total_imag = np.empty((2, pixels), x_cos.dtype), np.empty((2, pixels), x_cos.dtype)
    for sweep in range(2):
        if sweep == 1 and out[:: 2 * TRIED_FIRST].max() < limit:
            return True
        for y in range(0, pixels, 2):
            if (y % (2 * TRIED_FIRST) == 0) != (sweep == 0):
                continue
            z = min(y + 1, pixels - 1)
            total_real[:] = 0
            total_imag[:] = 0
            for e in range(constants.shape[0]):
                for i in range(first_atom[e], first_atom[e + 1], 2):
                    _add_pair(i == first_atom[e], i, y, z, x_cos, x_sin, y_cos, y_sin, real, imag)
                constant = constants[e]
                # f(|Q|) = c + Σ_k [a_k exp(−B_k Q_x²)] · exp(−B_k Q_y²), with the amplitude in the table of x.
                y0, y1, y2, y3 = y_gauss[y, e, 0], y_gauss[y, e, 1], y_gauss[y, e, 2], y_gauss[y, e, 3]
                z0, z1, z2, z3 = y_gauss[z, e, 0], y_gauss[z, e, 1], y_gauss[z, e, 2], y_gauss[z, e, 3]
                for x in range(pixels):
                    g0, g1, g2, g3 = x_gauss[e, 0, x], x_gauss[e, 1, x], x_gauss[e, 2, x], x_gauss[e, 3, x]
                    f = (constant + y0 * g0 + y1 * g1) + (y2 * g2 + y3 * g3)
                    total_real[0, x] += f * real[0, x]
                    total_imag[0, x] += f * imag[0, x]
                    f = (constant + z0 * g0 + z1 * g1) + (z2 * g2 + z3 * g3)
                    total_real[1, x] += f * real[1, x]
                    total_imag[1, x] += f * imag[1, x]
            for x in range(pixels):
                out[y, x] = scale * (total_real[0, x] * total_real[0, x] + total_imag[0, x] * total_imag[0, x])
                out[z, x] = scale * (total_real[1, x] * total_real[1, x] + total_imag[1, x] * total_imag[1, x])
    return False
