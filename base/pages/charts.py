"""The one kind of chart of all pages: marks over two axes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from dsfu.pages.scales import Linear, Scale
from dsfu.pages.svg import Svg, SvgShape, label, path
from dsfu.words import share_words

Values = Sequence[float] | npt.NDArray[np.floating[Any]]

_MOST_POINTS: Final = 900
_RIGHT, _TOP = 12.0, 10.0
_LEFT: Final = {False: 46.0, True: 70.0}
_BOTTOM: Final = {False: 22.0, True: 40.0}
"""Margins, without and with the name of an axis."""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Marks over two axes.

    Attributes
    ----------
    description
        For those who cannot see it.
    marks
        Drawn in their order.
    size
        Width and height, in units of the picture; its text is 11 high.
    """

    x: Scale
    y: Scale
    marks: Sequence["Mark"]
    description: str
    x_label: str = ""
    y_label: str = ""
    size: tuple[float, float] = (340.0, 190.0)
    ticks: tuple[int, int] = (6, 4)
    ends: Mapping[str, float] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        width, height = self.size
        left, bottom = _LEFT[bool(self.y_label)], height - _BOTTOM[bool(self.x_label)]
        object.__setattr__(self, "ends", {"left": left, "right": width - _RIGHT, "top": _TOP, "bottom": bottom})

    def across(self, value: float) -> float:
        """The place of a value along x."""
        return self.ends["left"] + self.x.share(value) * (self.ends["right"] - self.ends["left"])

    def up(self, value: float) -> float:
        """The place of a value along y, which grows downwards in pictures."""
        return self.ends["bottom"] - self.y.share(value) * (self.ends["bottom"] - self.ends["top"])

    def drawn(self) -> Svg:
        shapes = self._frame()
        for mark in self.marks:
            shapes += mark.shapes(self)
        width, height = self.size
        return Svg(
            width=width, height=height, description=self.description, shapes=shapes, attributes={"class": "chart"}
        )

    def __html__(self) -> str:
        return self.drawn().__html__()

    __str__ = __html__

    def _frame(self) -> list[SvgShape]:
        left, right, bottom = self.ends["left"], self.ends["right"], self.ends["bottom"]
        shapes = []
        for value, words in self.y.ticks(self.ticks[1]):
            y = self.up(value)
            shapes += [path("grid", f"M{left:.0f} {y:.1f}H{right:.0f}"), label(left - 5, y + 3.5, words, "end")]
        for value, words in self.x.ticks(self.ticks[0]):
            x = self.across(value)
            shapes += [path("axis", f"M{x:.1f} {bottom:.0f}v4"), label(x, bottom + 15, words)]
        shapes.append(path("axis", f"M{left:.0f} {bottom:.0f}H{right:.0f}"))
        if self.x_label:
            shapes.append(label((left + right) / 2, bottom + 32, self.x_label))
        if self.y_label:
            turned = {"transform": f"translate(12 {(bottom + _TOP) / 2:.0f}) rotate(-90)", "text-anchor": "middle"}
            shapes.append(SvgShape("text", turned, self.y_label))
        return shapes


class Mark(Protocol):
    """Something that is drawn over the axes."""

    def shapes(self, chart: Chart) -> list[SvgShape]:
        """What it consists of."""


@dataclass(frozen=True)
class Line:
    """Straight from point to point; ``style`` is one of those of page.css: line0, line1, thin, faint."""

    x: Values
    y: Values
    style: str = ""
    tip: str = ""

    def shapes(self, chart: Chart) -> list[SvgShape]:
        points = " ".join(f"{chart.across(x):.1f} {chart.up(y):.1f}" for x, y in zip(self.x, self.y, strict=True))
        return [path(f"line {self.style}".strip(), f"M{points}", self.tip)]


@dataclass(frozen=True)
class Bars:
    """One bar between each two edges; those of height 0 are left out. ``tips`` belong to them."""

    edges: Values
    heights: Values
    tips: Sequence[str] = ()

    def shapes(self, chart: Chart) -> list[SvgShape]:
        shapes, bottom = [], chart.ends["bottom"]
        for number, ((low, high), height) in enumerate(zip(pairwise(self.edges), self.heights, strict=True)):
            if height > 0:
                x, width = chart.across(low), chart.across(high) - chart.across(low)
                y, gap = min(chart.up(height), bottom - 0.7), min(0.6, width / 5)
                place = {"x": f"{x + gap / 2:.2f}", "y": f"{y:.1f}"}
                of_bar = {"width": f"{width - gap:.2f}", "height": f"{bottom - y:.1f}"}
                tip = self.tips[number] if self.tips else ""
                shapes.append(SvgShape("rect", {"class": "bars", **place, **of_bar}, tip=tip))
        return shapes


@dataclass(frozen=True)
class Steps:
    """The outline of bars."""

    edges: Values
    heights: Values
    tip: str = ""

    def shapes(self, chart: Chart) -> list[SvgShape]:
        ground = f"{chart.ends['bottom']:.1f}"
        parts = [f"M{chart.across(self.edges[0]):.1f} {ground}"]
        parts += [
            f"V{chart.up(y):.1f}H{chart.across(x):.1f}" for x, y in zip(self.edges[1:], self.heights, strict=True)
        ]
        return [path("steps", f"{''.join(parts)}V{ground}", self.tip)]


@dataclass(frozen=True)
class Marker:
    """A broken line upright at a value of x, where the axis has it."""

    x: float
    tip: str = ""

    def shapes(self, chart: Chart) -> list[SvgShape]:
        if not -1e-9 <= chart.x.share(self.x) <= 1 + 1e-9:
            return []
        upright = f"M{chart.across(self.x):.1f} {chart.ends['top']:.0f}V{chart.ends['bottom']:.0f}"
        return [path("marker", upright, self.tip)]


@dataclass(frozen=True)
class Dots:
    """Dots, with bars of their uncertainty where there is one."""

    x: Values
    y: Values
    uncertainty: Values | None = None
    style: str = "point"
    radius: float = 2.6
    tips: Sequence[str] = ()

    def shapes(self, chart: Chart) -> list[SvgShape]:
        shapes = []
        for number, (x, y) in enumerate(zip(self.x, self.y, strict=True)):
            at = f"{chart.across(x):.1f}"
            if self.uncertainty is not None:
                low, high = chart.up(y - self.uncertainty[number]), chart.up(y + self.uncertainty[number])
                shapes.append(path("bar", f"M{at} {low:.1f}V{high:.1f}"))
            place = {"cx": at, "cy": f"{chart.up(y):.1f}", "r": f"{self.radius:g}"}
            shapes.append(
                SvgShape("circle", {"class": self.style, **place}, tip=self.tips[number] if self.tips else "")
            )
        return shapes


@dataclass(frozen=True)
class Band:
    """What lies between two curves."""

    x: Values
    low: Values
    high: Values

    def shapes(self, chart: Chart) -> list[SvgShape]:
        there = [f"{chart.across(x):.1f} {chart.up(y):.1f}" for x, y in zip(self.x, self.high, strict=True)]
        back = [f"{chart.across(x):.1f} {chart.up(y):.1f}" for x, y in zip(self.x, self.low, strict=True)]
        return [path("band", f"M{' '.join([*there, *reversed(back)])}Z")]


def fit_chart(
    x: npt.NDArray[np.floating[Any]],
    measured: npt.NDArray[np.floating[Any]],
    calculated: npt.NDArray[np.floating[Any]],
    *,
    x_label: str,
    y_label: str,
) -> Chart:
    """What was measured, a fit, and below both their difference; of very many points some are left out."""
    every = max(1, len(x) // _MOST_POINTS)
    x, measured, calculated = x[::every], measured[::every], calculated[::every]
    top = max(float(measured.max()), float(calculated.max()))
    low = min(float(measured.min()), float(calculated.min()))
    difference = measured - calculated
    room = 0.05 * (top - low) or 1.0
    shift = low - float(difference.max()) - room
    return Chart(
        x=Linear(float(x[0]), float(x[-1])),
        y=Linear(float((difference + shift).min()) - room, top + room),
        marks=[
            Line([x[0], x[-1]], [shift, shift], "thin faint"),
            Line(x, measured, "thin", "measured"),
            Line(x, calculated, "line1", "fit"),
            Line(x, difference + shift, "thin line0", "difference, shifted down"),
        ],
        description=f"{y_label} over {x_label}: measured, fit, and below their difference",
        x_label=x_label,
        y_label=y_label,
        size=(860.0, 360.0),
        ticks=(10, 6),
    )


def stacked_bar(parts: Mapping[str, tuple[float, str]], description: str) -> Svg:
    """One bar of parts of a whole: by name, how much and the class of the page's style that colours it."""
    total = sum(value for value, _ in parts.values()) or 1.0
    shapes, x = [], 0.0
    for name, (value, style) in parts.items():
        width = 100 * value / total
        place = {"class": style, "x": f"{x:.2f}", "y": "0", "width": f"{width:.2f}", "height": "10"}
        shapes.append(SvgShape("rect", place, tip=f"{name}: {share_words(value / total)}"))
        x += width
    attributes = {"class": "bar", "preserveAspectRatio": "none"}
    return Svg(width=100, height=10, description=description, shapes=shapes, attributes=attributes)
