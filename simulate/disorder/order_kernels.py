"""The inner loops of I_SRO, compiled by Numba. `scattering` is their public face.

On a regular grid the cosine sum over lattice vectors collapses, row by row, into a short Fourier series in x: cos(Q·v)
is the real part of a factor of x, a factor of y, and one that is the same on the whole plane. Tables are made in double
precision, the series is summed in single precision, two rows at once, as in `form_factor_kernels`.
"""

import numpy as np
from numba import njit

from dsfu.simulate.arrays import Float32Array, FloatArray, IntArray
from dsfu.simulate.disorder.kernel_tables import ACROSS, dot, fill_phases, lattice_points, phase, write_parts


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
    # v = v_x + v_y + v_0: what runs in x, what runs in y alone, and what is normal to the plane and has one phase on
    # it. Σ_v α_v exp(iQ·v) = Σ_x exp(i…x) Σ_y exp(i…y) Σ_0 α exp(i centre·v_0), from the inside outwards.
    x_terms, y_terms = ACROSS**in_x, ACROSS**in_y
    folded_terms = alpha.size // (x_terms * y_terms)
    table = alpha.reshape(x_terms, y_terms, folded_terms)
    x_vectors = lattice_points(vectors[:in_x])
    y_vectors = lattice_points(vectors[in_x : in_x + in_y])
    folded_vectors = lattice_points(vectors[in_x + in_y :])
    # α_−v = α_v: the terms −v double those of v, and the last one kept, v = 0 along x, is its own partner.
    kept = (x_terms + 1) // 2
    padded = kept + kept % 2

    x_cos = np.zeros((padded, pixels), np.float32)
    x_sin = np.zeros((padded, pixels), np.float32)
    phases = np.empty(pixels, np.complex128)
    row_phases = np.empty((kept, pixels), np.complex128)
    for i in range(kept):
        fill_phases(dot(x_vectors[i], axis_x), start, step, phases)
        write_parts(phases, x_cos[i], x_sin[i])
        fill_phases(dot(x_vectors[i], axis_y), start, step, row_phases[i])
    y_phases = np.empty((y_terms, pixels), np.complex128)
    for j in range(y_terms):
        fill_phases(dot(y_vectors[j], axis_y), start, step, y_phases[j])

    # Of every row the coefficients of its series in x: real and imaginary part, since Σ α cos(Q·v) is the real part.
    row_cos = np.zeros((pixels, padded), np.float32)
    row_sin = np.zeros((pixels, padded), np.float32)
    folded_phases = np.empty(folded_terms, np.complex128)
    y_centre_phases = np.empty(y_terms, np.complex128)
    folded = np.empty(y_terms, np.complex128)
    row = np.empty(pixels, np.complex128)
    for n in range(centres.shape[0]):
        centre = centres[n]
        for k in range(folded_terms):
            folded_phases[k] = phase(folded_vectors[k], centre)
        for j in range(y_terms):
            y_centre_phases[j] = phase(y_vectors[j], centre)
        for i in range(kept):
            # The middle one is v_x = 0, which has no partner −v_x to stand for.
            weight = (1.0 if i == kept - 1 else 2.0) * phase(x_vectors[i], centre)
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
        # Re(exp(iy) exp(ix)) = cos y cos x − sin y sin x. Terms in pairs: a pixel is read and written half as often.
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
