"""Whether a cell can be that of the reflections: their reach in d and along the axes, and the room of an atom."""

from typing import Final

import gemmi
import numpy as np

from dsfu.errors import InputError
from dsfu.model.problems.phases.crystal_data import ReflectionList
from dsfu.simulate.phases.atoms import inverse_d_squared

_SMALLEST_D: Final = 0.2
"""Å: half the shortest wavelength in use (In Kα has .51; synchrotrons rarely go below .4)."""

_UNEVEN: Final = 1.9
"""Ratio of the reach along two axes above which the axes are said to be in doubt; chosen, measured crystals have 1.0 to
1.3, one missing cone of a plate in a diamond cell may have more."""

_LEAST_ATOM: Final = 5.0
"""Å³ for an atom that is not hydrogen: diamond has 5.7."""


def doubts_of_cell(data: ReflectionList) -> tuple[str, ...]:
    """Sentences on what speaks against the cell; an impossible one raises InputError."""
    d_min = float(1 / np.sqrt(inverse_d_squared(data.cell, data.hkl).max()))
    if d_min < _SMALLEST_D:
        raise InputError(
            f"with the cell {_text(data)} the indices reach d = {d_min:.3f} Å",
            where=data.source,
            expected=f"d of {_SMALLEST_D} Å or more, which is what the shortest wavelengths reach",
            remedy="check the cell (--cell), and that the columns are h k l |F|² σ",
        )
    return (*_uneven(data), *_crowded(data))


def _uneven(data: ReflectionList) -> tuple[str, ...]:
    """A cell whose axes are exchanged makes the sphere of reflections an egg."""
    reciprocal = data.unit_cell.reciprocal()
    reach = np.abs(data.hkl).max(axis=0) * np.array([reciprocal.a, reciprocal.b, reciprocal.c])
    if len(data.hkl) < 200 or reach.min() <= 0 or reach.max() < _UNEVEN * reach.min():
        return ()
    along = ", ".join(f"{name} {1 / r:.2f}" for name, r in zip("abc", reach, strict=True))
    return (f"the reflections reach d = {along} Å along the axes: is the cell {_text(data)} in their order?",)


def _crowded(data: ReflectionList) -> tuple[str, ...]:
    heavy = sum(n for symbol, n in data.formula.items() if gemmi.Element(symbol).atomic_number > 1)
    volume = data.unit_cell.volume
    if heavy <= 0 or volume / heavy >= _LEAST_ATOM:
        return ()
    return (
        f"{heavy:g} atoms that are not hydrogen in {volume:.0f} Å³ leave {volume / heavy:.1f} Å³ each, too little: "
        "cell or formula is wrong",
    )


def _text(data: ReflectionList) -> str:
    return ", ".join(f"{x:g}" for x in data.cell)
