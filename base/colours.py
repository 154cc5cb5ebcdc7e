"""One colour map for one quantity, in pictures, pages and figures alike, and where the colours of a difference end."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

INTENSITY: Final = "inferno"
"""Intensities and what is measured like them: evenly perceived, also in grey and by the colour-blind."""

DIFFERENCE: Final = "RdBu_r"
"""What can have either sign; white is zero."""

UNCERTAINTY: Final = "viridis"
DENSITY: Final = "magma"
"""Electrons or their Patterson function, never negative."""

MISSING: Final = "#b9c0c7"
"""Where nothing was measured; the page's own colour for it on a light screen."""

_INSIDE: Final = 0.998
"""Share of what is drawn that lies within its colours, so that single pixels do not fade the others. Chosen."""


def intensity_end(values: npt.ArrayLike, where: npt.ArrayLike) -> float:
    """The value at which the colours of an intensity end: 99.8 % of what lies where it was measured is below."""
    measured = np.asarray(values, float)[np.asarray(where, np.bool_)]
    end = float(np.quantile(measured, _INSIDE)) if measured.size else 0.0
    return end if end > 0 else max(float(measured.max(initial=0.0)), 1e-12)


def difference_end(*values: npt.ArrayLike) -> float:
    """The value at which the colours of differences end, the same in both directions.

    99.8 % of all values lie within; those that are not finite are left out.
    """
    every: npt.NDArray[np.floating[Any]] = np.concatenate([np.abs(np.asarray(each, float)).ravel() for each in values])
    every = every[np.isfinite(every)]
    end = float(np.quantile(every, _INSIDE)) if every.size else 0.0
    return end or float(every.max(initial=0.0)) or 1.0
