"""The fit of a whole pattern: cell, zero, widths, displacement, and positions that symmetry leaves free."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from dsfu.model.problems.densities.bounded_steps import bounded_least_squares
from dsfu.model.problems.densities.metrics import cell_of
from dsfu.model.problems.densities.pattern_model import SHAPE, Agreement, PatternModel, Source
from dsfu.model.problems.densities.powder import Signal
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.densities.structure_types import StructureType

MOST_FREE: Final = 45
"""Free positions that are fitted; of types with more only the cell is, since a powder pattern does not hold so many."""

STEPS: Final = ((2.2, 8), (1.0, 14))
"""Times the typical width, and how many steps with peaks so wide."""

B_LIMITS: Final = (-1.0, 8.0)
"""Å²: the displacement parameter stays between. Where it ends at one of them something else is wrong."""

MOST_ASYMMETRY: Final = 0.1
"""Degrees, times cot 2θ: how far the left half of a peak is drawn out. Chosen: wide slits do so."""

TEXTURED: Final = 0.8
"""Share of the squares beyond the noise that may be left for texture to be believed. Chosen."""

TEXTURE_SEEN: Final = 25.0
"""By how much the weighted squares must fall, too: five standard deviations of noise."""

DOUBLETS: Final = {
    1.54056: 1.544398, 0.70930: 0.713590, 1.78897: 1.792850, 1.93604: 1.939980, 2.28970: 2.293606, 0.55941: 0.563798
}  # fmt: skip
"""Å: K-alpha-2 by K-alpha-1, of Cu, Mo, Co, Fe, Cr and Ag (International Tables C, table 4.2.2.4)."""

ROUNDED: Final = 5e-4
"""Relative difference up to which a wavelength is a tube's: people write 1.54 and 0.71."""


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


def fit(
    kind: StructureType, cell: FloatArray, signal: Signal, source: Source, *, positions: bool,
    texture_axes: tuple[tuple[int, int, int], ...] = (),
) -> Fit:  # fmt: skip
    """Fit one decorated type, from a cell that is nearly right: first the cell, then positions, then texture."""
    model = PatternModel(kind, cell, signal, source)
    size, width = model.size, signal.fwhm
    start = np.concatenate([np.ones(size), [0.0, width, 0.3 * width, 0.5, 0.0, 1.0]])
    low = np.concatenate([np.full(size, 0.95), [-0.4, 0.15 * width, 0.0, 0.0, 0.0, B_LIMITS[0]]])
    high = np.concatenate([np.full(size, 1.05), [0.4, 3 * width, 4 * width, 1.0, MOST_ASYMMETRY, B_LIMITS[1]]])
    # Broad peaks first: they reach over to a cell that is a little wrong.
    for wide, steps in STEPS:
        floor, roof = low.copy(), high.copy()
        if wide > 1:
            floor[size + 1], roof[size + 4] = 0.7 * wide * width, 0.0
        start[size + 1] = wide * width
        start = bounded_least_squares(model.residual, model.jacobian, start, floor, roof, steps)
    parameters = size + 6
    if positions and 0 < kind.free <= MOST_FREE:
        room = np.full(kind.free, 0.09)
        start = bounded_least_squares(
            model.residual, model.jacobian, np.concatenate([start, np.zeros(kind.free)]),
            np.concatenate([low, -room]), np.concatenate([high, room]), 20,
        )  # fmt: skip
        parameters += kind.free
    else:
        start = np.concatenate([start, np.zeros(kind.free)])
    return _told(model, start, parameters, texture_axes)


def _told(
    model: PatternModel, values: FloatArray, parameters: int, texture_axes: tuple[tuple[int, int, int], ...]
) -> Fit:
    """What was fitted, with the texture that helps most."""
    size, kind = model.size, model.kind
    net, calculated = model.explained(model.pattern(values))
    agreement, texture, axis = model.agreement(net, calculated), 1.0, None
    for trial in texture_axes:
        for amount in (0.55, 0.7, 0.85, 1.2, 1.5):
            other = model.explained(model.pattern(values, amount, trial))
            again = model.agreement(*other)
            beyond = max(agreement.left - agreement.noise, 0.0)
            if agreement.left - again.left > max((1 - TEXTURED) * beyond, TEXTURE_SEEN):
                agreement, texture, axis = again, amount, trial
                net, calculated = other
    r, noise = model.r_factors(net, calculated)
    zero, constant, tangent, _, _, b_iso = map(float, values[size : size + SHAPE])
    cell = cell_of(model.metric_at(values), model.system)
    moved = kind.moved(model.reference if cell is None else cell, values[size + SHAPE :])
    middle = np.radians((model.two_theta[0] + model.two_theta[-1]) / 4)
    return Fit(
        kind=moved, r=r, noise=noise, agreement=agreement, zero=zero,
        fwhm=float(np.hypot(constant / np.cos(middle), tangent * np.tan(middle))),
        b_iso=b_iso, texture=texture, texture_axis=axis, parameters=parameters + (axis is not None),
        two_theta=model.two_theta, net=net, calculated=calculated,
    )  # fmt: skip
