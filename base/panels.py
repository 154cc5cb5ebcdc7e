"""What is shown of a sample, whatever it is of: pictures, curves, points, volumes. Reports decide how to draw them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Image:
    """Values on a grid of two dimensions (y, x), y growing upwards; NaN where there is none.

    Attributes
    ----------
    low, high
        Ends of the colours; those of the values if not given.
    signed
        Whether zero is in the middle of the colours: a difference.
    """

    title: str
    values: FloatArray
    low: float | None = None
    high: float | None = None
    signed: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """Lines over one axis, by what they are called."""

    title: str
    x: FloatArray
    lines: Mapping[str, FloatArray]
    x_label: str = ""
    y_label: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Points:
    """Points in space (points, 3), by what they are called: atoms found beside true ones, kinds of atoms.

    Attributes
    ----------
    box
        (3, 3): edges of a box to be drawn around them, as rows.
    """

    title: str
    points: Mapping[str, FloatArray]
    unit: str = ""
    box: FloatArray | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class VolumePanel:
    """Values on a grid of three dimensions (x, y, z); shown as its sections, or its maxima along an axis."""

    title: str
    values: FloatArray
    signed: bool = False
    notes: Mapping[str, str] = field(default_factory=dict)


Panel = Image | Curve | Points | VolumePanel
