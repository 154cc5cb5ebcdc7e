"""Distributions of errors as charts."""

from collections.abc import Mapping
from math import ceil
from typing import Final

import numpy as np

from dsfu.pages.charts import Bars, Chart, Dots, Line, Mark, Marker
from dsfu.pages.scales import Linear, Logarithmic
from dsfu.simulate.arrays import FloatArray

_SIZE: Final = (480.0, 250.0)

_LEAST: Final = 1e-7
"""Errors below this are drawn there."""

_BINS_PER_DECADE: Final = 8
_POINTS: Final = 400


def cumulative(errors: Mapping[str, FloatArray], paper: tuple[float, float], label: str) -> Chart:
    """Per cent of the planes below each error; the first of the series is the one to compare with the paper.

    ``paper`` is the mean that it reports, marked by a line, and what 90 % of its planes stay below, marked by a ring.
    """
    mean, percentile = paper
    marks: list[Mark] = []
    for number, values in enumerate(errors.values()):
        ordered = np.sort(np.maximum(values, _LEAST))
        shares = np.linspace(0, 1, min(_POINTS, len(ordered) + 1))
        places = np.quantile(ordered, shares, method="inverted_cdf")
        marks.append(Line(places, 100 * shares, f"line{number}"))
    marks.append(Marker(mean, f"the paper's mean: {mean}"))
    tip = f"the paper: 90 % of the planes below {percentile}"
    marks.append(Dots([percentile], [90.0], style="ring", radius=4.5, tips=[tip]))
    return Chart(
        x=_errors_axis(*errors.values(), np.array(paper)),
        y=Linear(0.0, 100.0, " %"),
        marks=marks,
        description=f"Share of the planes below each error: {label}",
        x_label=label,
        size=_SIZE,
        ticks=(8, 5),
    )


def distribution(errors: FloatArray, paper_mean: float, label: str) -> Chart:
    """How the errors of planes are distributed; the mean that the paper reports is marked."""
    values = np.maximum(errors, _LEAST)
    axis = _errors_axis(values, np.array([paper_mean]))
    edges = np.logspace(axis.low, axis.high, (axis.high - axis.low) * _BINS_PER_DECADE + 1)
    shares = 100 * np.histogram(values, edges)[0] / len(values)
    step = next(each for each in (1, 2, 5, 10, 20, 50) if shares.max() <= 5.5 * each)
    tip = f"the paper's mean: {paper_mean}"
    return Chart(
        x=axis,
        y=Linear(0.0, step * ceil(shares.max() / step), " %"),
        marks=[Bars(edges.tolist(), shares.tolist()), Marker(paper_mean, tip)],
        description=f"Distribution of errors: {label}",
        x_label=label,
        size=_SIZE,
        ticks=(8, 6),
    )


def _errors_axis(*series: FloatArray) -> Logarithmic:
    """From the smallest to the largest error of all, in decades."""
    values = np.maximum(np.concatenate(series), _LEAST)
    return Logarithmic.around(float(values.min()), float(values.max()))
