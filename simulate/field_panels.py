"""Panels of a sample as its fields describe it, where its problem has none of its own."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dsfu.panels import Curve, Image, Panel, Points, VolumePanel
from dsfu.simulate.fields import Field


def panels_of_fields(sample: Mapping[str, Any], fields: Sequence[Field]) -> list[Panel]:
    """A curve, a picture, points or a volume for each array of a sample, by its dimensions."""
    panels: list[Panel] = []
    for field in fields:
        if field.name not in sample or field.kept_as == "column":
            continue
        values = np.asarray(sample[field.name])
        if values.dtype.kind not in "biuf" or not values.size:
            continue
        values = values.astype(np.float64)
        title = f"{field.name} ({field.units})" if field.units not in ("", "1") else field.name
        if values.ndim == 1:
            x = np.arange(len(values), dtype=np.float64)
            panels.append(Curve(title=title, x=x, lines={field.name: values}, x_label=field.dims[-1]))
        elif field.dims[-1] == "xyz" and values.ndim == 2:
            panels.append(Points(title=title, points={field.name: values}, unit=field.units))
        elif values.ndim == 2:
            panels.append(Image(title=title, values=values))
        elif values.ndim == 3:
            panels.append(VolumePanel(title=title, values=values))
    return panels
