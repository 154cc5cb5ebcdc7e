"""Diffuse scattering of a binary substitutionally disordered crystal on planes of reciprocal space.

I_D(Q) = I_FF(Q) · I_SRO(Q), with I_FF = m_A m_B |F_A − F_B|² per unit cell and I_SRO = Σ_v α_v cos(Q·v).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import hypot
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from ase import Atoms

from dsfu.simulate.arrays import BoolArray, Float32Array, FloatArray, IntArray
from dsfu.simulate.checks import finite_array, number_between, warren_cowley_set
from dsfu.simulate.disorder.form_factor_kernels import form_factor_planes
from dsfu.simulate.disorder.order_kernels import sro_planes
from dsfu.simulate.disorder.planes import Plane
from dsfu.simulate.form_factors import CANCELLATION, coefficients
from dsfu.simulate.lattice import Cell

_PARALLEL = 1e-9
"""Component of a lattice vector along an axis of the plane, relative to its length, that counts as none."""

_SURELY_BELOW = 0.99
"""Share of the limit of cancellation below which a peak in double precision is below it in single precision as well.
At the limit the two differ by some 1e-5: |F| is there a fifth of the terms that are summed, each good to 6e-8."""


@dataclass(frozen=True, eq=False)
class Scattering:
    """The two factors of the diffuse scattering on one plane, indexed [y, x].

    Attributes
    ----------
    form_factor
        I_FF in electrons² per unit cell, float32.
    sro
        I_SRO, dimensionless, float32; negative values of the truncated series are set to zero.
    clipped_fraction
        Share of the pixels of I_SRO that were negative.
    """

    form_factor: Float32Array
    sro: Float32Array
    clipped_fraction: float

    @property
    def intensity(self) -> Float32Array:
        """I_D, the product of the two, in electrons² per unit cell."""
        return self.form_factor * self.sro


def simulate_plane(
    atoms_a: Atoms, atoms_b: Atoms, fraction_a: float, cell: Cell, alpha: npt.ArrayLike, plane: Plane
) -> Scattering:
    """Form factor and short-range order of one plane. See `simulate_planes`."""
    return simulate_planes(atoms_a, atoms_b, fraction_a, cell, alpha, [plane])[0]


def simulate_planes(
    atoms_a: Atoms, atoms_b: Atoms, fraction_a: float, cell: Cell, alpha: npt.ArrayLike, planes: Sequence[Plane]
) -> list[Scattering]:
    """Form factor and short-range order of several planes of one crystal.

    Parameters
    ----------
    atoms_a, atoms_b
        The two species, at Cartesian positions in Å relative to the site that they share. No atoms: a vacancy.
    fraction_a
        Mole fraction m_A; m_B = 1 − m_A.
    cell
        The lattice of the sites.
    alpha
        Warren–Cowley parameters, (11, 11, 11): alpha[u + 5, v + 5, w + 5] for u a + v b + w c; 1 at the origin, and
        the same for v and −v.
    planes
        Where to compute. Planes that share their axes, q_max and pixels (the layers normal to one lattice vector, say)
        share work when they follow one another.
    """
    form_factors = form_factor_of_planes(atoms_a, atoms_b, fraction_a, planes)
    orders = sro_of_planes(cell, alpha, planes)
    return [Scattering(ff, sro, clipped) for ff, (sro, clipped) in zip(form_factors, orders, strict=True)]


def form_factor_of_planes(
    atoms_a: Atoms, atoms_b: Atoms, fraction_a: float, planes: Sequence[Plane]
) -> list[Float32Array]:
    """I_FF = m_A m_B |F_A − F_B|² on each plane, in electrons² per unit cell."""
    fraction_a = number_between("fraction_a", fraction_a, 0.0, 1.0)
    difference = _difference_of(atoms_a, atoms_b)
    weight = fraction_a * (1 - fraction_a)
    results: list[Float32Array] = []
    for stack in _stacks(planes):
        results.extend(_form_factor_of_stack(difference, stack, weight))
    return results


def sro_of_planes(cell: Cell, alpha: npt.ArrayLike, planes: Sequence[Plane]) -> list[tuple[Float32Array, float]]:
    """I_SRO = Σ_v α_v cos(Q·v), clipped at zero, and the clipped share of the pixels, for each plane."""
    alpha = warren_cowley_set("alpha", alpha)
    results: list[tuple[Float32Array, float]] = []
    for stack in _stacks(planes):
        order, in_x, in_y = _order_of_axes(cell.vectors, stack.axis_x, stack.axis_y)
        out = np.empty((len(stack.centres), stack.pixels, stack.pixels), np.float32)
        clipped = np.zeros(len(stack.centres), np.int64)
        sro_planes(
            np.ascontiguousarray(alpha.transpose(order)),
            np.ascontiguousarray(cell.vectors[order]),
            in_x,
            in_y,
            stack.centres,
            stack.axis_x,
            stack.axis_y,
            stack.step,
            out,
            clipped,
        )
        results.extend(zip(out, (clipped / stack.pixels**2).tolist(), strict=True))
    return results


@dataclass(frozen=True, eq=False)
class _Stack:
    """Consecutive planes that share everything but their centres."""

    centres: FloatArray
    axis_x: FloatArray
    axis_y: FloatArray
    step: float
    pixels: int

    def subset(self, chosen: BoolArray) -> Self:
        return replace(self, centres=self.centres[chosen])

    @property
    def distances(self) -> FloatArray:
        """Distance of each plane from the origin, in 1/Å."""
        (a, b, c), (u, v, w) = self.axis_x.tolist(), self.axis_y.tolist()
        normal = np.array([b * w - c * v, c * u - a * w, a * v - b * u])  # a fifth of the time of np.cross
        return np.asarray(np.abs(self.centres @ normal))


def _stacks(planes: Sequence[Plane]) -> Iterator[_Stack]:
    first = 0
    for i in range(1, len(planes) + 1):
        if i == len(planes) or not _share_a_frame(planes[first], planes[i]):
            one = planes[first]
            centres = np.stack([plane.centre for plane in planes[first:i]])
            yield _Stack(centres, one.axis_x, one.axis_y, one.step, one.pixels)
            first = i


def _share_a_frame(one: Plane, other: Plane) -> bool:
    return (
        one.q_max == other.q_max
        and one.pixels == other.pixels
        and np.array_equal(one.axis_x, other.axis_x)
        and np.array_equal(one.axis_y, other.axis_y)
    )


@dataclass(frozen=True, eq=False)
class _Difference:
    """F_A − F_B as the kernel wants it: the atoms of both, sorted by element, each element padded to an even number."""

    positions: FloatArray
    signs: FloatArray
    first_atom: IntArray
    amplitudes: FloatArray
    exponents: FloatArray
    constants: FloatArray

    def intensity(
        self, stack: _Stack, weight: float, precision: type[np.floating[Any]], limits: FloatArray | None = None
    ) -> tuple[Float32Array, BoolArray]:
        """weight · |F_A − F_B|² on the planes of a stack, summed over atoms in the given precision.

        With them: which planes were left unfinished, as their first rows are below their limits.
        """
        planes = len(stack.centres)
        out = np.empty((planes, stack.pixels, stack.pixels), np.float32)
        left = np.empty(planes, np.bool_)
        form_factor_planes(
            self.positions,
            self.signs,
            self.first_atom,
            self.amplitudes,
            self.exponents,
            self.constants,
            weight,
            stack.centres,
            stack.axis_x,
            stack.axis_y,
            stack.step,
            np.zeros(planes) if limits is None else limits,
            out,
            left,
            precision,
        )
        return out, left

    def largest_form_factor(self, q: FloatArray) -> FloatArray:
        """The larger of Σ f_i over A and over B at each |Q| in 1/Å: as much as |F| can be there or further out."""
        # f falls with |Q|: at the distance of a plane from the origin it is as large as anywhere on the plane.
        of_elements = (self.amplitudes * np.exp(-self.exponents * np.square(q)[:, None, None])).sum(-1) + self.constants
        of_atoms = np.repeat(of_elements, np.diff(self.first_atom), axis=1)
        return np.asarray(np.maximum(of_atoms @ (self.signs > 0), of_atoms @ (self.signs < 0)))


def _difference_of(atoms_a: Atoms, atoms_b: Atoms) -> _Difference:
    for name, atoms in {"atoms_a": atoms_a, "atoms_b": atoms_b}.items():
        if not isinstance(atoms, Atoms):
            raise ValueError(f"{name} = {atoms!r}: expected an ase.Atoms")
    return _difference(
        tuple(atoms_a.numbers.tolist()),
        atoms_a.positions.tobytes(),
        tuple(atoms_b.numbers.tolist()),
        atoms_b.positions.tobytes(),
    )


@lru_cache(maxsize=64)
def _difference(
    numbers_a: tuple[int, ...], positions_a: bytes, numbers_b: tuple[int, ...], positions_b: bytes
) -> _Difference:
    """By what it is made of, as it takes as long as a tenth of a plane. Nobody may write into its arrays."""
    numbers = np.array([*_known("atoms_a", numbers_a), *_known("atoms_b", numbers_b)], dtype=np.int64)
    places = np.concatenate([_positions("atoms_a", positions_a), _positions("atoms_b", positions_b)])
    sign = np.repeat([1.0, -1.0], [len(numbers_a), len(numbers_b)])
    elements, counts = np.unique(numbers, return_counts=True)
    first_atom = np.concatenate([[0], np.cumsum(counts + counts % 2)])
    # The place of an atom: the first one of its element, which starts at an even place, and its number among its like.
    slots = np.repeat(first_atom[:-1] - np.cumsum(counts) + counts, counts) + np.arange(len(numbers))
    order = np.argsort(numbers, kind="stable")
    positions = np.zeros((first_atom[-1], 3))
    signs = np.zeros(first_atom[-1])
    positions[slots], signs[slots] = places[order], sign[order]
    return _Difference(
        positions,
        signs,
        first_atom.astype(np.int64),
        *_tables(tuple(elements.tolist())),
    )


def _form_factor_of_stack(difference: _Difference, stack: _Stack, weight: float) -> Float32Array:
    """I_FF of a stack in single precision, and in double where two molecules nearly cancel."""
    limits = weight * (CANCELLATION * difference.largest_form_factor(stack.distances)) ** 2
    stacked, left = difference.intensity(stack, weight, np.float32, limits)
    if left.any():
        # A plane that is finished has reached its limit. Most of the rest are below it everywhere, as double precision
        # says; near the limit single precision decides, as it does for every other plane.
        rest, limits = stack.subset(left), limits[left]
        exact, _ = difference.intensity(rest, weight, np.float64)
        doubtful = exact.max(axis=(1, 2)) >= _SURELY_BELOW * limits
        if doubtful.any():
            whole, _ = difference.intensity(rest.subset(doubtful), weight, np.float32)
            enough = whole.max(axis=(1, 2)) >= limits[doubtful]
            exact[np.flatnonzero(doubtful)[enough]] = whole[enough]
        stacked[left] = exact
    return stacked


@lru_cache(maxsize=256)
def _tables(elements: tuple[int, ...]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Amplitudes, exponents and constants of some elements. Nobody may write into them."""
    tables = [coefficients(number) for number in elements]
    return (
        np.array([amplitudes for amplitudes, _, _ in tables]).reshape(-1, 4),
        np.array([exponents for _, exponents, _ in tables]).reshape(-1, 4),
        np.array([constant for _, _, constant in tables]),
    )


def _known(name: str, numbers: tuple[int, ...]) -> tuple[int, ...]:
    """Atomic numbers, after a look whether there are form factors of them."""
    for i, number in enumerate(numbers):
        try:
            coefficients(number)
        except ValueError as error:
            raise ValueError(f"{name}.numbers[{i}], {error}") from None
    return numbers


def _positions(name: str, contents: bytes) -> FloatArray:
    return finite_array(f"{name}.positions", np.frombuffer(contents).reshape(-1, 3), (None, 3))


def _order_of_axes(vectors: FloatArray, axis_x: FloatArray, axis_y: FloatArray) -> tuple[list[int], int, int]:
    """Order of the lattice vectors for `sro_planes`, and how many have a component along x, and only along y."""
    ranks = [0 if _runs_along(v, axis_x) else 1 if _runs_along(v, axis_y) else 2 for v in vectors]
    return sorted(range(3), key=ranks.__getitem__), ranks.count(0), ranks.count(1)


def _runs_along(vector: FloatArray, axis: FloatArray) -> bool:
    return bool(abs(vector @ axis) > _PARALLEL * hypot(*vector))
