"""Pictures and arrays that several answers of the front door have."""

from typing import TYPE_CHECKING, Any

import numpy as np

from dsfu.model.front_door.answer import Drawing
from dsfu.paper import draw_fit

if TYPE_CHECKING:
    import xarray


def curves(x: Any, observed: Any, fitted: Any, labels: tuple[str, str]) -> Drawing:
    """A curve that was measured, the best candidate's, and what it leaves."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axes = figure.add_subplot()
    draw_fit(axes, x, observed, fitted)
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    return Drawing.of(figure)


def density_dataset(values: Any, cell: Any, verdict: str) -> "xarray.Dataset":
    """A density over x, y, z in fractions of the cell."""
    import xarray

    axes = {
        name: (name, np.arange(count) / count, {"units": "cells"})
        for name, count in zip("xyz", values.shape, strict=True)
    }
    return xarray.Dataset(
        {"density": (("x", "y", "z"), np.asarray(values))},
        axes,
        {"cell": [float(each) for each in cell], "verdict": verdict},
    )
