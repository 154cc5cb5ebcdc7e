"""The fit of a whole pattern: cell, zero, widths, displacement, and positions that symmetry leaves free."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from dsfu.model.problems.densities.bounded_steps import bounded_least_squares, robust_cost
from dsfu.model.problems.densities.fit_target import Agreement
from dsfu.model.problems.densities.metrics import cell_of
from dsfu.model.problems.densities.pattern_model import SHAPE, PatternModel, Source
from dsfu.model.problems.densities.powder import Signal
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.densities.structure_types import StructureType, operations

MOST_FREE: Final = 45
"""Free positions that are fitted; of types with more only the cell is, since a powder pattern does not hold so many."""

WIDE: Final = 2.2
"""Times the typical width of the peaks of a rough fit: they reach over to a cell that is a little wrong. Chosen."""

STEPS: Final = {"rough": 8, "cell": 14, "positions": 20}
"""Steps that each part of a fit may take. Chosen."""

B_LIMITS: Final = (-1.0, 8.0)
"""Å²: the displacement parameter stays between. Where it ends at one of them something else is wrong."""

MOST_ASYMMETRY: Final = 0.1
"""Degrees, times cot 2θ: how far the left half of a peak is drawn out. Chosen: wide slits do so."""

TEXTURED: Final = 0.8
"""Share of the squares beyond the noise that may be left for texture to be believed. Chosen."""

TEXTURE_SEEN: Final = 25.0
"""By how much the weighted squares must fall, too: five standard deviations of noise."""

_AMOUNTS: Final = (0.55, 0.7, 0.85, 1.2, 1.5)
"""March's r that are tried for each axis before the best is fitted."""

MOST_TEXTURE: Final = (0.3, 2.5)
"""March's r stays between: sharper ones are needles and plates that a powder's pattern does not hold. Chosen."""

_NUDGE: Final = 1e-3
"""By how much March's r moves for a derivative."""

DOUBLETS: Final = {
    1.54056: 1.544398, 0.70930: 0.713590, 1.78897: 1.792850, 1.93604: 1.939980, 2.28970: 2.293606, 0.55941: 0.563798
}  # fmt: skip
"""Å: K-alpha-2 by K-alpha-1, of Cu, Mo, Co, Fe, Cr and Ag (International Tables C, table 4.2.2.4)."""

ROUNDED: Final = 5e-4
"""Relative difference up to which a wavelength is a tube's: people write 1.54 and 0.71."""


_Function = Callable[[FloatArray], FloatArray]
_Axis = tuple[int, int, int]


@dataclass(frozen=True, eq=False, kw_only=True)
class Fit:
    """A decorated type fitted to a pattern.

    Attributes
    ----------
    kind
        With the cell and the positions of the fit.
    r
        Σ|net − calculated| / Σ|net|, over the range fitted.
    noise
        What a perfect fit would leave of it.
    agreement
        Weighted squares.
    zero
        Shift of angles in degrees.
    fwhm
        In degrees, at the middle of the range.
    b_iso
        Å², of all atoms.
    texture
        March's r and its axis; 1: none.
    two_theta, net, calculated
        Curves of the fit.
    """

    kind: StructureType
    r: float
    noise: float
    agreement: Agreement
    zero: float
    fwhm: float
    b_iso: float
    texture: float
    texture_axis: tuple[int, int, int] | None
    parameters: int
    two_theta: FloatArray
    net: FloatArray
    calculated: FloatArray

    @property
    def excess(self) -> float:
        """What is left beyond the noise, as a share of the whole: 0.1 is a fit as instruments allow.

        Of weighted squares, since noise adds up in these: Σ|net − calculated| over a wide background hides everything.
        """
        squares = self.agreement
        return float(np.sqrt(max(squares.left - squares.noise, squares.spread, 1e-6 * squares.whole) / squares.whole))


def wavelengths_of(wavelength: float) -> Source:
    """Lines of the source and their shares: a doublet where the wavelength is that of its first or its mean."""
    for first, second in DOUBLETS.items():
        mean = (2 * first + second) / 3
        if abs(wavelength - first) < ROUNDED * first or abs(wavelength - mean) < ROUNDED * first:
            return ((first, 2 / 3), (second, 1 / 3))
    return ((wavelength, 1.0),)


@dataclass(frozen=True, eq=False)
class Rough:
    """A decorated type fitted with wide peaks: values of the fit about a cell, and what is left (less is better)."""

    kind: StructureType
    cell: FloatArray
    values: FloatArray
    cost: float


def rough_fit(kind: StructureType, cell: FloatArray, signal: Signal, source: Source, zero: float = 0.0) -> Rough:
    """Fit a cell that is only nearly right, with peaks drawn wide, on every other point: they need no more."""
    model = PatternModel(kind, cell, signal, source, coarse=2)
    start, low, high = _bounds(model.size, signal.fwhm)
    start[model.size] = zero
    width = model.size + 1
    start[width], low[width], high[model.size + 4] = WIDE * signal.fwhm, 0.7 * WIDE * signal.fwhm, 0.0
    values = bounded_least_squares(model.residual, model.jacobian, start, low, high, STEPS["rough"])
    return Rough(kind, np.asarray(cell, np.float64), values, robust_cost(model.residual(values)))


def fit(
    kind: StructureType, cell: FloatArray, signal: Signal, source: Source, *, positions: bool,
    texture_axes: tuple[_Axis, ...] = (), start: FloatArray | None = None, zero: float = 0.0,
) -> Fit:  # fmt: skip
    """Fit one decorated type, from a cell that is nearly right: the cell, positions, and a texture with them.

    ``start``: values of a rough fit about the same cell. Without, one is made from ``zero``, that of the fit which the
    cell is from: narrow peaks beside those of the data find no way to them.
    """
    if start is None:
        start = rough_fit(kind, cell, signal, source, zero).values
    model = PatternModel(kind, cell, signal, source)
    size, width = model.size, signal.fwhm
    _, low, high = _bounds(size, width)
    start = np.concatenate([start[: size + 1], [width], start[size + 2 :]])
    start = bounded_least_squares(model.residual, model.jacobian, start, low, high, STEPS["cell"])
    if not positions:
        return _told(model, start, size + 6)
    room = np.full(kind.free if kind.free <= MOST_FREE else 0, 0.09)
    start, low, high = (np.concatenate(each) for each in ((start, 0 * room), (low, -room), (high, room)))
    moved = bounded_least_squares(model.residual, model.jacobian, start, low, high, STEPS["positions"])
    best = plain = _told(model, moved, size + 6 + len(room))
    texture_axes = _unlike(texture_axes, kind.hall)
    # Before positions bend to the intensities of a texture, and after they have moved: what helps more is kept.
    for values in (start, moved):
        texture = _texture(model, values, texture_axes)
        if texture is not None:
            axis, amount = texture
            floor, roof = np.append(low, MOST_TEXTURE[0]), np.append(high, MOST_TEXTURE[1])
            # Texture says nothing of where peaks are: cell and zero would make up for a wrong amount.
            floor[: size + 1] = roof[: size + 1] = values[: size + 1]
            oriented = _oriented(model, axis)
            fitted = bounded_least_squares(*oriented, np.append(values, amount), floor, roof, STEPS["positions"])
            # With the right amount they may go where peaks are that were too weak before to hold them.
            floor[: size + 1], roof[: size + 1] = low[: size + 1], high[: size + 1]
            fitted = bounded_least_squares(*oriented, fitted, floor, roof, STEPS["cell"])
            found = _told(model, fitted[:-1], size + 7 + len(room), axis, float(fitted[-1]))
            left = found.agreement.left
            if left < best.agreement.left and _is_seen(plain.agreement, left):
                best = found
    return best


def _bounds(size: int, width: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Where the values of a fit without positions start, and between what they stay."""
    start = np.concatenate([np.ones(size), [0.0, width, 0.3 * width, 0.5, 0.0, 1.0]])
    low = np.concatenate([np.full(size, 0.95), [-0.4, 0.15 * width, 0.0, 0.0, 0.0, B_LIMITS[0]]])
    high = np.concatenate([np.full(size, 1.05), [0.4, 3 * width, 4 * width, 1.0, MOST_ASYMMETRY, B_LIMITS[1]]])
    return start, low, high


def _oriented(model: PatternModel, axis: tuple[int, int, int]) -> tuple[_Function, _Function]:
    """Differences and their derivatives by a fit's values with the amount of a texture after them."""

    def residual(values: FloatArray) -> FloatArray:
        model.orient(axis, float(values[-1]))
        return model.residual(values[:-1])

    def jacobian(values: FloatArray) -> FloatArray:
        more = values.copy()
        more[-1] += _NUDGE
        by_amount = (residual(more) - residual(values)) / _NUDGE
        return np.column_stack([model.jacobian(values[:-1]), by_amount])

    return residual, jacobian


def _is_seen(plain: Agreement, left: float) -> bool:
    """Whether a texture lowers the weighted squares by enough to be believed."""
    return plain.left - left > max((1 - TEXTURED) * max(plain.left - plain.noise, 0.0), TEXTURE_SEEN)


def _texture(model: PatternModel, values: FloatArray, axes: tuple[_Axis, ...]) -> tuple[_Axis, float] | None:
    """Axis and amount of the texture that helps most; nothing where none helps enough."""
    model.orient((0, 0, 1), 1.0)
    plain = _agreement(model, values)
    tried = {(axis, amount): _left(model, values, axis, amount) for axis in axes for amount in _AMOUNTS}
    best = min(tried, key=lambda each: tried[each], default=None)
    return best if best is not None and _is_seen(plain, tried[best]) else None


@lru_cache(maxsize=256)
def _unlike(axes: tuple[_Axis, ...], hall: str) -> tuple[_Axis, ...]:
    """Axes of which no two are the same by symmetry."""
    rotations = operations(hall)[0]
    kept = list[_Axis]()
    for axis in axes:
        images = np.array(axis) @ rotations
        if not any((np.abs(images - np.array(each)).sum(axis=1) == 0).any() for each in kept):
            kept.append(axis)
    return tuple(kept)


def _agreement(model: PatternModel, values: FloatArray) -> Agreement:
    return model.target.agreement(*model.target.explained(model.pattern(values)))


def _left(model: PatternModel, values: FloatArray, axis: tuple[int, int, int], amount: float) -> float:
    model.orient(axis, amount)
    return _agreement(model, values).left


def _told(
    model: PatternModel, values: FloatArray, parameters: int, axis: tuple[int, int, int] | None = None,
    texture: float = 1.0,
) -> Fit:  # fmt: skip
    """What was fitted."""
    size, kind = model.size, model.kind
    if axis is not None:
        model.orient(axis, texture)
    net, calculated = model.target.explained(model.pattern(values))
    agreement = model.target.agreement(net, calculated)
    r, noise = model.target.r_factors(net, calculated)
    zero, constant, tangent, _, _, b_iso = map(float, values[size : size + SHAPE])
    cell = cell_of(model.metric_at(values), model.system)
    shifts = np.zeros(kind.free)
    shifts[: len(values) - size - SHAPE] = values[size + SHAPE :]
    moved = kind.moved(model.reference if cell is None else cell, shifts)
    middle = np.radians((model.two_theta[0] + model.two_theta[-1]) / 4)
    return Fit(
        kind=moved, r=r, noise=noise, agreement=agreement, zero=zero,
        fwhm=float(np.hypot(constant / np.cos(middle), tangent * np.tan(middle))),
        b_iso=b_iso, texture=texture, texture_axis=axis, parameters=parameters,
        two_theta=model.two_theta, net=net, calculated=calculated,
    )  # fmt: skip
