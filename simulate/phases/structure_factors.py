"""Structure factors of a cell on a grid of hkl, and its density on a grid of voxels.

F(h) = Σ_j w_j exp(2πi h·x_j). With form "Z" the weight is the atomic number at every h, as in the published data set
(Scripps, Cumby & Seth 2021): points at rest. With form "IT92" it is the form factor of International Tables (C, 1992)
times exp(−B_j / 4d²).

Two grids of n³ indices. "centred" has h = −n/2 … n/2−1 in the order of a fast Fourier transform, so that maps and F
are transforms of one another. Where n is even, h = n/2 and −n/2 share a place: F there is the mean of the two, which
is what the transform of a real map has. "octant" has 0 … n−1 along each axis; for crystals of lower symmetry than mmm
it leaves out reflections that are not equivalent to any in it.
"""

from functools import lru_cache
from typing import Final, Literal, TypeVar, get_args

import numpy as np
import numpy.typing as npt
from scipy import fft

from dsfu.simulate.form_factors import form_factor
from dsfu.simulate.phases.atoms import CellContents, FloatArray, inverse_d_squared

Form = Literal["Z", "IT92"]
Grid = Literal["centred", "octant"]
Scalar = TypeVar("Scalar", bound=np.generic)
ComplexArray = npt.NDArray[np.complex128]

SMALLEST, LARGEST = 2, 512
"""Sizes of grids, chosen: 512³ complex numbers are 1 GB by halves."""

_DEFAULT_SIGMA: Final = 1.0
_ATOMS_AT_ONCE: Final = 256


@lru_cache(maxsize=8)
def indices(n: int, grid: Grid = "centred") -> npt.NDArray[np.int64]:
    """Miller indices along an axis in the order of the grid; not to be written to."""
    return np.arange(n) if grid == "octant" else np.fft.fftfreq(n, 1 / n).astype(np.int64)


def structure_factors(contents: CellContents, n: int, *, form: Form = "Z", grid: Grid = "centred") -> ComplexArray:
    """F on the grid: "centred" gives the half l ≥ 0, (n, n, n//2+1), as `scipy.fft.rfftn` does; "octant" (n, n, n)."""
    _check(n, form, grid)
    depth = n if grid == "octant" else n // 2 + 1
    if form == "Z":
        return _sum(contents.positions, contents.numbers.astype(np.float64), n, depth, grid)
    # sin² θ / λ² = 1 / 4d²; in it B is defined, and |Q| = 4π sin θ / λ.
    quarter = inverse_d_squared(contents.cell, _hkl(n, depth, grid)) / 4
    total = np.zeros((n, n, depth), dtype=np.complex128)
    kinds = np.stack([contents.numbers.astype(np.float64), contents.b_iso], axis=1)
    for number, b_iso in np.unique(kinds, axis=0):
        of_kind = (kinds == (number, b_iso)).all(axis=1)
        waves = _sum(contents.positions[of_kind], np.ones(of_kind.sum()), n, depth, grid)
        total += waves * (form_factor(int(number), 4 * np.pi * np.sqrt(quarter)) * np.exp(-b_iso * quarter))
    return total


def density(
    contents: CellContents, n: int, *, sigma: float = _DEFAULT_SIGMA, cartesian: bool = False, unit: bool = False
) -> npt.NDArray[np.float32]:
    """A Gaussian on every atom, periodic, (n, n, n), its transform cut at the grid's largest indices.

    Parameters
    ----------
    sigma
        Width in voxels, the same along each axis; with ``cartesian`` in Å, round in space whatever the cell's shape.
    unit
        Every atom has weight 1 instead of its atomic number.
    """
    _check(n, "Z", "centred")
    weights = np.ones(len(contents.numbers)) if unit else contents.numbers.astype(np.float64)
    waves = _sum(contents.positions, weights, n, n // 2 + 1, "centred")
    return density_of(waves, n, sigma=sigma, cell=contents.cell if cartesian else None)


def density_of(
    waves: ComplexArray, n: int, *, sigma: float, cell: tuple[float, ...] | None = None
) -> npt.NDArray[np.float32]:
    """The map Σ F exp(−2πi h·x) of ``waves`` (n, n, n//2+1), smoothed by a Gaussian: voxels wide, or Å in a cell."""
    if not 0 <= sigma < np.inf:
        raise ValueError(f"sigma = {sigma}: expected a width of 0 or more")
    if cell is None:
        smooth = _blur(n, float(sigma))
    else:
        smooth = np.exp(-2 * (np.pi * sigma) ** 2 * inverse_d_squared(cell, _hkl(n, n // 2 + 1, "centred")))
    # The transform sums with exp(+2πi h·x); a density wants the other sign, and the conjugate gives it.
    return np.asarray(fft.irfftn(np.conj(waves).astype(np.complex64) * smooth, s=(n, n, n)), dtype=np.float32)


def full_sphere(half: npt.NDArray[Scalar], n: int) -> npt.NDArray[Scalar]:
    """An array over l ≥ 0 (n, n, n//2+1), written out over all indices by Friedel's law; of moduli, not of phases."""
    return half.reshape(-1).take(_whole_from_half(n))


@lru_cache(maxsize=8)
def _whole_from_half(n: int) -> npt.NDArray[np.int64]:
    """Where in the flat half l ≥ 0 each index of the whole sphere, or its Friedel mate, is."""
    h, k, last = np.meshgrid(*(np.arange(n),) * 3, indexing="ij")
    beyond = last > n // 2
    h, k, last = (np.where(beyond, -axis % n, axis) for axis in (h, k, last))
    return np.asarray((h * n + k) * (n // 2 + 1) + last)


def _check(n: int, form: str, grid: str) -> None:
    if not (isinstance(n, int | np.integer) and SMALLEST <= n <= LARGEST):
        raise ValueError(f"n = {n!r}: expected a whole number of grid points from {SMALLEST} to {LARGEST}")
    if form not in get_args(Form):
        raise ValueError(f"form = {form!r}: expected one of {', '.join(get_args(Form))}")
    if grid not in get_args(Grid):
        raise ValueError(f"grid = {grid!r}: expected one of {', '.join(get_args(Grid))}")


def _hkl(n: int, depth: int, grid: Grid) -> npt.NDArray[np.int64]:
    along = indices(n, grid)
    last = np.arange(depth)
    return np.stack(np.meshgrid(along, along, last, indexing="ij"), axis=-1)


@lru_cache(maxsize=8)
def _blur(n: int, sigma: float) -> npt.NDArray[np.float32]:
    along = np.exp(-2 * (np.pi * sigma / n * indices(n)) ** 2)
    return np.asarray(along[:, None, None] * along[None, :, None] * along[None, None, : n // 2 + 1], dtype=np.float32)


def _sum(positions: FloatArray, weights: FloatArray, n: int, depth: int, grid: Grid) -> ComplexArray:
    """Σ w exp(2πi h·x), (n, n, depth): three tables of waves, and one product of matrices."""
    out = np.zeros((n, n * depth), dtype=np.complex128)
    for first in range(0, len(positions), _ATOMS_AT_ONCE):
        some = slice(first, first + _ATOMS_AT_ONCE)
        waves = _waves(positions[some].T[:, None, :], n, grid)  # (axes, n, atoms)
        last_two = waves[1][:, None, :] * waves[2][None, :depth, :]
        out += (waves[0] * weights[some]) @ last_two.reshape(n * depth, -1).T
    return out.reshape(n, n, depth)


def _waves(x: FloatArray, n: int, grid: Grid) -> ComplexArray:
    """exp(2πi h x) for the indices along an axis; on the centred grid those of −h are conjugates."""
    waves = _powers(np.exp(2j * np.pi * x[:, 0, :]), n if grid == "octant" else n // 2 + 1)
    if grid == "octant":
        return waves
    if n % 2 == 0:
        waves[:, -1].imag = 0.0  # the mean of h = n/2 and −n/2
    return np.concatenate([waves, np.conj(waves[:, (n - 1) // 2 : 0 : -1])], axis=1)


def _powers(waves: ComplexArray, count: int) -> ComplexArray:
    """(axes, count, atoms): the powers 0 to count − 1, by products of powers that are known; errors are 1e-15 each."""
    powers = np.empty((len(waves), count, waves.shape[1]), dtype=np.complex128)
    powers[:, 0] = 1.0
    powers[:, 1] = waves
    done = 2
    while done < count:
        more = min(done - 1, count - done)
        np.multiply(powers[:, 1 : more + 1], powers[:, done - 1 : done], out=powers[:, done : done + more])
        done += more
    return powers
