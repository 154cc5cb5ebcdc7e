"""Loops of powder patterns and densities. Their public faces check what comes in: `pattern`, `density`, `profiles`."""

import math

import numpy as np
from numba import njit

from dsfu.simulate.arrays import Float32Array, FloatArray, IntArray


@njit(nogil=True, cache=True)
def _phases(positions: FloatArray, limit: int, axis: int, sign: float) -> tuple[FloatArray, FloatArray]:
    """exp(sign 2πi h x) of every atom for h from -limit to limit along one axis, real and imaginary parts."""
    atoms = positions.shape[0]
    real = np.empty((2 * limit + 1, atoms))
    imaginary = np.empty((2 * limit + 1, atoms))
    for atom in range(atoms):
        angle = sign * 2 * math.pi * positions[atom, axis]
        for h in range(limit + 1):
            c, s = math.cos(h * angle), math.sin(h * angle)
            # exp(−ix) is the conjugate of exp(ix).
            real[limit + h, atom], imaginary[limit + h, atom] = c, s
            real[limit - h, atom], imaginary[limit - h, atom] = c, -s
    return real, imaginary


@njit(nogil=True, cache=True)
def half_sphere(
    reciprocal: FloatArray,
    limits: IntArray,
    s_max: float,
    positions: FloatArray,
    species: IntArray,
    table: FloatArray,
    step: float,
    dispersion_real: FloatArray,
    dispersion_imaginary: FloatArray,
    b_iso: float,
    s: FloatArray,
    squares: FloatArray,
    indices: IntArray,
) -> int:
    """Write s, 2|F|² (the Friedel mate counted) and hkl of half of the reflections with s ≤ s_max; return how many.

    reciprocal: rows a*, b*, c* in 1/Å without 2π. table[species, j]: f at s = j·step. |F|² is the mean of the two
    Friedel mates, |Σ(f + f′)e|² + |Σ f″ e|². b_iso in Å² is one for all atoms.
    """
    atoms = positions.shape[0]
    anomalous = False
    for k in range(dispersion_imaginary.shape[0]):
        if dispersion_imaginary[k] != 0:
            anomalous = True
    # exp 2πi(hx + ky + lz) is a product of three factors: tables of each axis instead of a sine for every reflection.
    h_real, h_imaginary = _phases(positions, limits[0], 0, 1.0)
    k_real, k_imaginary = _phases(positions, limits[1], 1, 1.0)
    l_real, l_imaginary = _phases(positions, limits[2], 2, 1.0)
    hk_real, hk_imaginary = np.empty(atoms), np.empty(atoms)
    kinds = table.shape[0]
    sums_real, sums_imaginary = np.empty(kinds), np.empty(kinds)
    count = 0
    for h in range(limits[0] + 1):
        for k in range(-limits[1], limits[1] + 1):
            # Half of reciprocal space: h > 0, or h = 0 and k > 0, or both 0 and l > 0.
            if h == 0 and k < 0:
                continue
            for atom in range(atoms):
                a, b = h_real[limits[0] + h, atom], h_imaginary[limits[0] + h, atom]
                c, d = k_real[limits[1] + k, atom], k_imaginary[limits[1] + k, atom]
                hk_real[atom], hk_imaginary[atom] = a * c - b * d, a * d + b * c
            for m in range(-limits[2], limits[2] + 1):
                if h == 0 and k == 0 and m <= 0:
                    continue
                x = h * reciprocal[0, 0] + k * reciprocal[1, 0] + m * reciprocal[2, 0]
                y = h * reciprocal[0, 1] + k * reciprocal[1, 1] + m * reciprocal[2, 1]
                z = h * reciprocal[0, 2] + k * reciprocal[1, 2] + m * reciprocal[2, 2]
                # s = sin θ / λ = |h a* + k b* + l c*| / 2.
                here = 0.5 * math.sqrt(x * x + y * y + z * z)
                if here > s_max:
                    continue
                sums_real[:] = 0.0
                sums_imaginary[:] = 0.0
                row = limits[2] + m
                for atom in range(atoms):
                    a, b = hk_real[atom], hk_imaginary[atom]
                    c, d = l_real[row, atom], l_imaginary[row, atom]
                    sums_real[species[atom]] += a * c - b * d
                    sums_imaginary[species[atom]] += a * d + b * c
                # f between its tabulated values, linearly: one sum of phases for each element, whatever the number of
                # atoms.
                place = here / step
                low = int(place)
                weight = place - low
                real = imaginary = real_2 = imaginary_2 = 0.0
                for kind in range(kinds):
                    f = table[kind, low] * (1 - weight) + table[kind, low + 1] * weight + dispersion_real[kind]
                    real += f * sums_real[kind]
                    imaginary += f * sums_imaginary[kind]
                    if anomalous:
                        real_2 += dispersion_imaginary[kind] * sums_real[kind]
                        imaginary_2 += dispersion_imaginary[kind] * sums_imaginary[kind]
                # |Σ(f + f′)e ± i Σ f″e|² of both Friedel mates, their mean: the mixed terms cancel.
                square = real * real + imaginary * imaginary + real_2 * real_2 + imaginary_2 * imaginary_2
                s[count] = here
                squares[count] = 2 * square * math.exp(-2 * b_iso * here * here)
                indices[count, 0], indices[count, 1], indices[count, 2] = h, k, m
                count += 1
    return count


@njit(nogil=True, cache=True)
def fourier_coefficients(
    positions: FloatArray,
    species: IntArray,
    reciprocal: FloatArray,
    table: FloatArray,
    step: float,
    out_real: Float32Array,
    out_imaginary: Float32Array,
) -> None:
    """F(h) on the half grid of an inverse real FFT, (n, n, n//2 + 1): Σ f(s) exp(-B s²) exp(-2πi h·x)."""
    n, half = out_real.shape[0], out_real.shape[2]
    atoms, kinds = positions.shape[0], table.shape[0]
    # Of a real density F(−h) = F(h)*: an inverse real FFT needs l ≥ 0 alone.
    low = n // 2
    h_real, h_imaginary = _phases(positions, low, 0, -1.0)
    k_real, k_imaginary = _phases(positions, low, 1, -1.0)
    if n % 2 == 0:
        # h = n/2 and −n/2 share a place on the grid: their mean, or a mirror image has another density than its mirror.
        # The inverse transform does the same along l.
        h_imaginary[0], k_imaginary[0] = 0.0, 0.0
    l_real = np.empty((atoms, half), np.float32)
    l_imaginary = np.empty((atoms, half), np.float32)
    for atom in range(atoms):
        for m in range(half):
            angle = -2 * math.pi * m * positions[atom, 2]
            l_real[atom, m], l_imaginary[atom, m] = math.cos(angle), math.sin(angle)
    sums_real = np.empty((kinds, half), np.float32)
    sums_imaginary = np.empty((kinds, half), np.float32)
    for i in range(n):
        h = i if i < n - low else i - n
        for j in range(n):
            k = j if j < n - low else j - n
            sums_real[:] = 0
            sums_imaginary[:] = 0
            for atom in range(atoms):
                a, b = h_real[low + h, atom], h_imaginary[low + h, atom]
                c, d = k_real[low + k, atom], k_imaginary[low + k, atom]
                re, im = np.float32(a * c - b * d), np.float32(a * d + b * c)
                kind = species[atom]
                for m in range(half):
                    sums_real[kind, m] += re * l_real[atom, m] - im * l_imaginary[atom, m]
                    sums_imaginary[kind, m] += re * l_imaginary[atom, m] + im * l_real[atom, m]
            gx = h * reciprocal[0, 0] + k * reciprocal[1, 0]
            gy = h * reciprocal[0, 1] + k * reciprocal[1, 1]
            gz = h * reciprocal[0, 2] + k * reciprocal[1, 2]
            for m in range(half):
                x, y, z = gx + m * reciprocal[2, 0], gy + m * reciprocal[2, 1], gz + m * reciprocal[2, 2]
                place = 0.5 * math.sqrt(x * x + y * y + z * z) / step
                cell = int(place)
                real, imaginary = 0.0, 0.0
                if cell + 1 < table.shape[1]:
                    weight = place - cell
                    for kind in range(kinds):
                        f = table[kind, cell] * (1 - weight) + table[kind, cell + 1] * weight
                        real += f * sums_real[kind, m]
                        imaginary += f * sums_imaginary[kind, m]
                out_real[i, j, m], out_imaginary[i, j, m] = real, imaginary


@njit(nogil=True, cache=True)
def pseudo_voigts(
    x: FloatArray,
    centres: FloatArray,
    areas: FloatArray,
    widths: FloatArray,
    mixing: FloatArray,
    reach: float,
    out: FloatArray,
) -> None:
    """Add pseudo-Voigt peaks of given areas to out; x ascending. reach: how many FWHM a peak is followed."""
    points = x.shape[0]
    gauss = 4 * math.log(2.0)
    for peak in range(centres.shape[0]):
        width, centre = widths[peak], centres[peak]
        start = np.searchsorted(x, centre - reach * width)
        stop = np.searchsorted(x, centre + reach * width)
        eta = mixing[peak]
        # Both shapes have unit area: √(4 ln 2 / π) / w · exp(−4 ln 2 u²) and 2 / (π w) / (1 + 4 u²), with u in FWHM.
        height_g = (1 - eta) * math.sqrt(gauss / math.pi) / width * areas[peak]
        height_l = eta * 2 / (math.pi * width) * areas[peak]
        for i in range(start, min(stop, points)):
            u = (x[i] - centre) / width
            u *= u
            out[i] += height_l / (1 + 4 * u)
            # Beyond three FWHM a Gaussian is below 1e-10 of its height.
            if u < 9:
                out[i] += height_g * math.exp(-gauss * u)
