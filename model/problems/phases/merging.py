"""From a list of reflections to one |F| for each set of equivalents, and to the whole sphere on a grid."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import fft

from dsfu.errors import InputError
from dsfu.model.problems.phases.crystal_data import (
    CellNumbers,
    ComplexArray,
    FloatArray,
    IntArray,
    ReflectionList,
)
from dsfu.model.problems.phases.laue import LaueClass, canonical, forbidden_by
from dsfu.simulate.phases.atoms import inverse_d_squared

FEWEST: Final = 20
"""Unique reflections below which nothing is tried, chosen."""

ATOMIC: Final = 1.35
"""Å: smallest d above which atoms do not separate, so that maps are not replaced by ones of atoms (chosen: 1.2 is the
usual limit of direct methods, and some margin)."""

_MOST_VOXELS: Final = 1 << 24


@dataclass(frozen=True, kw_only=True, eq=False)
class MergedData:
    """One amplitude for each set of equivalents.

    Parameters
    ----------
    hkl
        (unique, 3), absences by centring left out.
    amplitude, sigma
        |F| and its standard uncertainty; negative intensities are estimated after French & Wilson (1978).
    intensity
        Mean |F|² as measured.
    d_min
        Smallest d in Å.
    """

    hkl: IntArray
    amplitude: FloatArray
    sigma: FloatArray
    intensity: FloatArray
    intensity_sigma: FloatArray
    cell: CellNumbers
    laue: LaueClass
    d_min: float
    completeness: float


def merge(data: ReflectionList, laue: LaueClass, *, resolution: float = 0.0) -> MergedData:
    """Mean of equivalents, weighted by their uncertainties; none is left out.

    Parameters
    ----------
    resolution
        Smallest d in Å that is kept; 0 for all.
    """
    s_squared = inverse_d_squared(data.cell, data.hkl)
    keep = (s_squared > 0) & ~forbidden_by(laue.centring, data.hkl)
    if resolution > 0:
        keep &= s_squared <= 1 / resolution**2 * (1 + 1e-9)
    keys = canonical(data.hkl[keep], laue.rotations)
    intensity, sigma = data.intensity[keep], data.sigma[keep]
    unique, inverse = np.unique(keys, axis=0, return_inverse=True)
    if len(unique) < FEWEST:
        raise InputError(
            f"{len(unique)} unique reflections" + (f" with d ≥ {resolution:g} Å" if resolution else ""),
            where=data.source,
            expected=f"{FEWEST} or more",
            remedy="keep more with a smaller --resolution" if resolution else "",
        )
    inverse = inverse.reshape(-1)
    known = sigma > 0
    floor = 0.02 * np.abs(intensity).mean() + 0.02 * np.abs(intensity)
    # Uncertainties weight means only among themselves: without them, or with absurd ones, all count alike.
    sane = (
        known.all()
        and np.median(sigma[intensity > np.median(intensity)] / intensity[intensity > np.median(intensity)]) < 1
    )
    weights = 1 / (sigma**2 + floor**2) if sane else np.ones(len(sigma))
    total = np.bincount(inverse, weights)
    mean = np.bincount(inverse, weights * intensity) / total
    # Of a weighted mean: √Σ w²σ² / Σ w.
    error = np.sqrt(np.bincount(inverse, weights**2 * (sigma if sane else floor) ** 2)) / total
    largest = inverse_d_squared(data.cell, unique).max()
    amplitude, amplitude_sigma = _french_wilson(mean, error, inverse_d_squared(data.cell, unique))
    # A sphere of radius 1/d holds so many lattice points as its volume times that of the primitive cell.
    volume = data.unit_cell.volume / {"P": 1, "F": 4, "R": 3}.get(laue.centring, 2)
    images = np.einsum("nj,gjk->gnk", unique, laue.rotations)
    multiplicity = len(laue.rotations) // (images == unique).all(axis=2).sum(axis=0)
    return MergedData(
        hkl=unique,
        amplitude=amplitude,
        sigma=amplitude_sigma,
        intensity=mean,
        intensity_sigma=error,
        cell=data.cell,
        laue=laue,
        d_min=float(1 / np.sqrt(largest)),
        completeness=float(min(multiplicity.sum() / (4 / 3 * np.pi * largest**1.5 * volume), 1.0)),
    )


def _french_wilson(intensity: FloatArray, sigma: FloatArray, s_squared: FloatArray) -> tuple[FloatArray, FloatArray]:
    """|F| expected of intensities that noise may have made negative, by the prior of the mean in shells of d.

    A normal likelihood times the exponential prior of acentric reflections; the moments by sums on a grid.
    """
    order = np.argsort(s_squared)
    shells = np.array_split(order, max(1, len(order) // 80))
    mean = np.empty(len(intensity))
    for shell in shells:
        mean[shell] = max(intensity[shell].mean(), 1e-3 * np.abs(intensity).mean(), 1e-12)
    weak = intensity < 4 * sigma
    amplitude = np.sqrt(np.maximum(intensity, 0.0))
    amplitude_sigma = np.where(amplitude > 0, sigma / (2 * np.maximum(amplitude, 1e-12)), 0.0)
    if weak.any():
        steps = (np.arange(200) + 0.5) / 200
        top = np.maximum(intensity[weak], 0) + 5 * sigma[weak]
        true = top[:, None] * steps**2  # denser near 0, where the root is steep
        # dJ = 2 top t dt: a constant times the step.
        jacobian = steps
        likelihood = np.exp(-0.5 * ((true - intensity[weak, None]) / sigma[weak, None]) ** 2 - true / mean[weak, None])
        norm = (likelihood * jacobian).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            first = (np.sqrt(true) * likelihood * jacobian).sum(axis=1) / norm
            second = (true * likelihood * jacobian).sum(axis=1) / norm
        good = norm > 0
        amplitude[np.flatnonzero(weak)[good]] = first[good]
        amplitude_sigma[np.flatnonzero(weak)[good]] = np.sqrt(np.maximum(second - first**2, 0))[good]
        amplitude[np.flatnonzero(weak)[~good]] = 0.0
    return amplitude, amplitude_sigma


@dataclass(frozen=True, kw_only=True, eq=False)
class SphereOnGrid:
    """|F| over the half l ≥ 0 of a grid, (n₁, n₂, n₃//2+1), in the order of fast Fourier transforms.

    Parameters
    ----------
    known
        Where |F| was measured.
    inside
        Indices up to the smallest d, measured or not.
    s_squared
        1/d² in 1/Å².
    """

    shape: tuple[int, int, int]
    amplitude: npt.NDArray[np.float32]
    known: npt.NDArray[np.bool_]
    inside: npt.NDArray[np.bool_]
    s_squared: FloatArray


def grid_shape(
    cell: CellNumbers, d_min: float, *, per_d: float = 2.0, multiple: tuple[int, int, int] = (2, 2, 2)
) -> tuple[int, int, int]:
    """Voxels along each axis: at least ``per_d`` within the smallest d, without large prime factors."""
    reciprocal = [1 / d_min * length for length in _lengths(cell)]
    shape = []
    for highest, step in zip(reciprocal, multiple, strict=True):
        n = max(int(np.ceil(per_d * highest + 1)), 4)
        n = -(-n // step) * step
        while fft.next_fast_len(n, real=True) != n:
            n += step
        shape.append(n)
    if np.prod(shape, dtype=float) > _MOST_VOXELS:
        raise InputError(
            f"a map of {' × '.join(map(str, shape))} voxels", expected=f"at most {_MOST_VOXELS}", remedy="--resolution"
        )
    return shape[0], shape[1], shape[2]


def on_grid(
    data: MergedData, shape: tuple[int, int, int], values: FloatArray | None = None, *, reach: float = 1.0
) -> SphereOnGrid:
    """Amplitudes (or other values of the same symmetry) of all equivalents on a grid; inside down to ``reach`` · d."""
    images = np.einsum("nj,gjk->gnk", data.hkl, data.laue.rotations).reshape(-1, 3)
    what = np.tile(data.amplitude if values is None else values, len(data.laue.rotations))
    amplitude = np.zeros((shape[0], shape[1], shape[2] // 2 + 1), dtype=np.float32)
    known = np.zeros(amplitude.shape, dtype=bool)
    fits = (images[:, 2] >= 0) & (2 * np.abs(images) < np.array(shape)).all(axis=1)
    where = tuple((images[fits] % np.array(shape)).T)
    amplitude[where] = what[fits]
    known[where] = True
    s_squared = half_sphere_s_squared(data.cell, shape)
    inside = (s_squared <= 1 / (reach * data.d_min) ** 2 * (1 + 1e-6)) & ~_half_forbidden(data.laue.centring, shape)
    return SphereOnGrid(shape=shape, amplitude=amplitude, known=known, inside=inside, s_squared=s_squared)


def half_indices(shape: tuple[int, int, int]) -> IntArray:
    """Miller indices of the half l ≥ 0, (n₁, n₂, n₃//2+1, 3)."""
    first, second = (np.fft.fftfreq(n, 1 / n).astype(np.int64) for n in shape[:2])
    return np.stack(np.meshgrid(first, second, np.arange(shape[2] // 2 + 1), indexing="ij"), axis=-1)


def half_sphere_s_squared(cell: CellNumbers, shape: tuple[int, int, int]) -> FloatArray:
    """1/d² over the half l ≥ 0."""
    return inverse_d_squared(cell, half_indices(shape))


def waves_to_map(hkl: IntArray, waves: ComplexArray, shape: tuple[int, int, int]) -> FloatArray:
    """Σ F exp(−2πi h·x) over indices that include both of each pair ±h, or one with l ≥ 0."""
    half = np.zeros((shape[0], shape[1], shape[2] // 2 + 1), dtype=np.complex128)
    for sign in (1, -1):
        indices = sign * hkl
        fits = (indices[:, 2] >= 0) & (2 * np.abs(indices) < np.array(shape)).all(axis=1)
        value = np.conj(waves[fits]) if sign > 0 else waves[fits]
        half[tuple((indices[fits] % np.array(shape)).T)] = value
    return np.asarray(fft.irfftn(half, s=shape, norm="forward"))


def _half_forbidden(centring: str, shape: tuple[int, int, int]) -> npt.NDArray[np.bool_]:
    indices = half_indices(shape)
    return forbidden_by(centring, indices.reshape(-1, 3)).reshape(indices.shape[:3])


def _lengths(cell: CellNumbers) -> tuple[float, float, float]:
    return cell[0], cell[1], cell[2]
