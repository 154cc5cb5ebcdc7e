"""The inner loops of the scattering calculation, compiled by Numba. `scattering` is their public face.

On a regular grid both sums of the model separate. With Q = centre + x·axis_x + y·axis_y,

- exp(iQ·r) is a factor of x times a factor of y, and so is each Gaussian of an atomic form factor: on every row a
  form factor difference costs four multiply-adds per atom and pixel, and five per element and pixel;
- the cosine sum over lattice vectors collapses, row by row, into a short Fourier series in x.

Tables are made in double precision, the sums over atoms in single precision unless double is asked for. Two rows are
done at once, because one alone is limited by reading the tables of x. There is no `fastmath`, not even fused
multiply-adds: the same plane has the same bits on every processor, and a store is the same whoever made it.
"""

from math import cos, exp, sin
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from dsfu.simulate.arrays import Float32Array, FloatArray, IntArray
from dsfu.simulate.disorder.fields import SHELL_CUTOFF
from dsfu.simulate.form_factors import GAUSSIANS

RealArray = npt.NDArray[np.floating[Any]]

_ACROSS = 2 * SHELL_CUTOFF + 1


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
    out: Float32Array,
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
    precision
        np.float32 or np.float64: the type in which the sums over atoms run.
    """
    pixels = out.shape[1]
    elements = constants.shape[0]
    atoms = positions.shape[0]
    start = -(pixels // 2) * step

    phases = np.empty(pixels, np.complex128)
    x_cos = np.empty((atoms, pixels), precision)
    x_sin = np.empty((atoms, pixels), precision)
    y_phases = np.empty((atoms, pixels), np.complex128)
    for i in range(atoms):
        _fill_phases(_dot(positions[i], axis_x), start, step, phases)
        _split(phases, x_cos[i], x_sin[i])
        _fill_phases(_dot(positions[i], axis_y), start, step, y_phases[i])

    x_gauss = np.empty((elements, GAUSSIANS, pixels))
    y_gauss = np.empty((elements, GAUSSIANS, pixels))
    x_table = np.empty((elements, GAUSSIANS, pixels), precision)
    y_table = np.empty((pixels, elements, GAUSSIANS), precision)
    y_cos = np.empty((pixels, atoms), precision)
    y_sin = np.empty((pixels, atoms), precision)
    element_constants = np.empty(elements, precision)
    element_constants[:] = constants
    shift_x = np.inf
    shift_y = np.inf
    for n in range(centres.shape[0]):
        centre = centres[n]
        in_x, in_y = _dot(centre, axis_x), _dot(centre, axis_y)
        if in_x != shift_x or in_y != shift_y:
            shift_x, shift_y = in_x, in_y
            _fill_gaussians(exponents, start + shift_x, step, x_gauss)
            _fill_gaussians(exponents, start + shift_y, step, y_gauss)
        off_plane_squared = max(_dot(centre, centre) - shift_x * shift_x - shift_y * shift_y, 0.0)
        for e in range(elements):
            for k in range(GAUSSIANS):
                factor = amplitudes[e, k] * exp(-exponents[e, k] * off_plane_squared)
                for p in range(pixels):
                    x_table[e, k, p] = factor * x_gauss[e, k, p]
                    y_table[p, e, k] = y_gauss[e, k, p]
        for i in range(atoms):
            at_centre = signs[i] * _phase(positions[i], centre)
            for y in range(pixels):
                value = at_centre * y_phases[i, y]
                y_cos[y, i] = value.real
                y_sin[y, i] = value.imag
        _form_factor_rows(
            x_cos, x_sin, y_cos, y_sin, first_atom, x_table, y_table, element_constants, precision(scale), out[n]
        )


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
    out: Float32Array,
) -> None:
    """Two rows at a time: for each element sum the phases of its atoms (two at once), then weight with f(|Q|)."""
    pixels = out.shape[0]
    real, imag = np.empty((2, pixels), x_cos.dtype), np.empty((2, pixels), x_cos.dtype)
    total_real, total_imag = np.empty((2, pixels), x_cos.dtype), np.empty((2, pixels), x_cos.dtype)
    for y in range(0, pixels, 2):
        z = min(y + 1, pixels - 1)
        total_real[:] = 0
        total_imag[:] = 0
        for e in range(constants.shape[0]):
            real[:] = 0
            imag[:] = 0
            for i in range(first_atom[e], first_atom[e + 1], 2):
                j = i + 1
                yc, ys, yc2, ys2 = y_cos[y, i], y_sin[y, i], y_cos[y, j], y_sin[y, j]
                zc, zs, zc2, zs2 = y_cos[z, i], y_sin[z, i], y_cos[z, j], y_sin[z, j]
                for x in range(pixels):
                    c, s, c2, s2 = x_cos[i, x], x_sin[i, x], x_cos[j, x], x_sin[j, x]
                    real[0, x] += (yc * c - ys * s) + (yc2 * c2 - ys2 * s2)
                    imag[0, x] += (yc * s + ys * c) + (yc2 * s2 + ys2 * c2)
                    real[1, x] += (zc * c - zs * s) + (zc2 * c2 - zs2 * s2)
                    imag[1, x] += (zc * s + zs * c) + (zc2 * s2 + zs2 * c2)
            constant = constants[e]
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


@njit(nogil=True, cache=True)
def sro_planes(
    alpha: FloatArray,
    vectors: FloatArray,
    in_x: int,
    in_y: int,
    centres: FloatArray,
    axis_x: FloatArray,
    axis_y: FloatArray,
    step: float,
    out: Float32Array,
    clipped: IntArray,
) -> None:
    """Fill ``out[n, y, x]`` with Σ_v α_v cos(Q·v), negative values set to zero and counted in ``clipped[n]``.

    Parameters
    ----------
    alpha, vectors
        (11, 11, 11) parameters and the (3, 3) lattice vectors (rows, Å) that their three axes count. They are ordered
        so that the first ``in_x`` vectors have a component along axis_x, the next ``in_y`` none there but one along
        axis_y, and the rest are normal to the plane: the fewer of the first kind, the shorter the series.
    centres, axis_x, axis_y, step
        As for `form_factor_planes`.
    """
    pixels = out.shape[1]
    start = -(pixels // 2) * step
    x_terms, y_terms = _ACROSS**in_x, _ACROSS**in_y
    folded_terms = alpha.size // (x_terms * y_terms)
    table = alpha.reshape(x_terms, y_terms, folded_terms)
    x_vectors = _lattice_points(vectors[:in_x])
    y_vectors = _lattice_points(vectors[in_x : in_x + in_y])
    folded_vectors = _lattice_points(vectors[in_x + in_y :])
    # α_−v = α_v: the terms −v double those of v, and the last one kept, v = 0 along x, is its own partner.
    kept = (x_terms + 1) // 2
    padded = kept + kept % 2

    x_cos = np.zeros((padded, pixels), np.float32)
    x_sin = np.zeros((padded, pixels), np.float32)
    phases = np.empty(pixels, np.complex128)
    row_phases = np.empty((kept, pixels), np.complex128)
    for i in range(kept):
        _fill_phases(_dot(x_vectors[i], axis_x), start, step, phases)
        _split(phases, x_cos[i], x_sin[i])
        _fill_phases(_dot(x_vectors[i], axis_y), start, step, row_phases[i])
    y_phases = np.empty((y_terms, pixels), np.complex128)
    for j in range(y_terms):
        _fill_phases(_dot(y_vectors[j], axis_y), start, step, y_phases[j])

    row_cos = np.zeros((pixels, padded), np.float32)
    row_sin = np.zeros((pixels, padded), np.float32)
    folded_phases = np.empty(folded_terms, np.complex128)
    y_centre_phases = np.empty(y_terms, np.complex128)
    folded = np.empty(y_terms, np.complex128)
    row = np.empty(pixels, np.complex128)
    for n in range(centres.shape[0]):
        centre = centres[n]
        for k in range(folded_terms):
            folded_phases[k] = _phase(folded_vectors[k], centre)
        for j in range(y_terms):
            y_centre_phases[j] = _phase(y_vectors[j], centre)
        for i in range(kept):
            weight = (1.0 if i == kept - 1 else 2.0) * _phase(x_vectors[i], centre)
            for j in range(y_terms):
                folded[j] = 0
                for k in range(folded_terms):
                    folded[j] += table[i, j, k] * folded_phases[k]
                folded[j] *= weight * y_centre_phases[j]
            row[:] = 0
            for j in range(y_terms):
                for y in range(pixels):
                    row[y] += folded[j] * y_phases[j, y]
            for y in range(pixels):
                value = row[y] * row_phases[i, y]
                row_cos[y, i] = value.real
                row_sin[y, i] = value.imag
        clipped[n] = _cosine_rows(x_cos, x_sin, row_cos, row_sin, out[n])


@njit(nogil=True, cache=True)
def _cosine_rows(
    x_cos: Float32Array, x_sin: Float32Array, row_cos: Float32Array, row_sin: Float32Array, out: Float32Array
) -> int:
    """Sum the series of two rows at a time, two terms at once; set what is negative to zero, and count it."""
    pixels = out.shape[0]
    line = np.empty((2, pixels), np.float32)
    negative = 0
    for y in range(0, pixels, 2):
        z = min(y + 1, pixels - 1)
        line[:] = 0
        for i in range(0, x_cos.shape[0], 2):
            j = i + 1
            yc, ys, yc2, ys2 = row_cos[y, i], row_sin[y, i], row_cos[y, j], row_sin[y, j]
            zc, zs, zc2, zs2 = row_cos[z, i], row_sin[z, i], row_cos[z, j], row_sin[z, j]
            for x in range(pixels):
                c, s, c2, s2 = x_cos[i, x], x_sin[i, x], x_cos[j, x], x_sin[j, x]
                line[0, x] += (yc * c - ys * s) + (yc2 * c2 - ys2 * s2)
                line[1, x] += (zc * c - zs * s) + (zc2 * c2 - zs2 * s2)
        for row in range(y, z + 1):
            for x in range(pixels):
                negative += line[row - y, x] < 0
                out[row, x] = max(line[row - y, x], np.float32(0))
    return negative


@njit(nogil=True, cache=True)
def _fill_phases(frequency: float, start: float, step: float, out: np.ndarray) -> None:
    """exp(i · frequency · (start + n·step)) for all n, by doubling: two sines instead of one for every n."""
    out[0] = complex(cos(frequency * start), sin(frequency * start))
    ratio = complex(cos(frequency * step), sin(frequency * step))
    done = 1
    while done < out.shape[0]:
        for i in range(min(done, out.shape[0] - done)):
            out[done + i] = out[i] * ratio
        ratio *= ratio
        done *= 2


@njit(nogil=True, cache=True)
def _split(phases: npt.NDArray[np.complex128], cosines: RealArray, sines: RealArray) -> None:
    """Real and imaginary parts, in the precision of what they go into."""
    for i in range(phases.shape[0]):
        cosines[i] = phases[i].real
        sines[i] = phases[i].imag


@njit(nogil=True, cache=True)
def _fill_gaussians(exponents: FloatArray, start: float, step: float, out: FloatArray) -> None:
    """exp(−B (start + n·step)²) for every element, Gaussian and n."""
    for e in range(exponents.shape[0]):
        for k in range(GAUSSIANS):
            for p in range(out.shape[2]):
                q = start + p * step
                out[e, k, p] = exp(-exponents[e, k] * q * q)


@njit(nogil=True, cache=True)
def _lattice_points(vectors: FloatArray) -> FloatArray:
    """All sums u·a + v·b + … with −5 ≤ u, v ≤ 5 of zero to three vectors, the last index fastest: (11^vectors, 3)."""
    points = np.zeros((_ACROSS ** vectors.shape[0], 3))
    for i in range(points.shape[0]):
        rest = i
        for k in range(vectors.shape[0] - 1, -1, -1):
            count = rest % _ACROSS - SHELL_CUTOFF
            rest //= _ACROSS
            for axis in range(3):
                points[i, axis] += count * vectors[k, axis]
    return points


@njit(nogil=True, cache=True)
def _phase(vector: FloatArray, q: FloatArray) -> np.complex128:
    angle = _dot(vector, q)
    return np.complex128(complex(cos(angle), sin(angle)))


@njit(nogil=True, cache=True)
def _dot(first: FloatArray, second: FloatArray) -> np.float64:
    return np.float64(first[0] * second[0] + first[1] * second[1] + first[2] * second[2])
