"""Drawings inside pages, as SVG in the page's own colours, so that they follow a dark page and print on a white one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dsfu.pages.frame import render


@dataclass(frozen=True)
class SvgShape:
    """An element of a drawing.

    Attributes
    ----------
    tag, attributes
        As SVG has them.
    text
        What is written, in a ``text``.
    tip
        Shown under the pointer.
    """

    tag: str
    attributes: Mapping[str, Any]
    text: str = ""
    tip: str = ""


@dataclass(frozen=True, kw_only=True)
class Svg:
    """A drawing, which templates write as it is."""

    width: float
    height: float
    description: str
    shapes: Sequence[SvgShape]
    attributes: Mapping[str, str] = field(default_factory=dict)

    def __html__(self) -> str:
        return render("dsfu.pages/svg.svg", drawn=self)

    __str__ = __html__


def path(style: str, d: str, tip: str = "") -> SvgShape:
    return SvgShape("path", {"class": style, "d": d}, tip=tip)


def label(x: float, y: float, text: str, anchor: str = "middle") -> SvgShape:
    return SvgShape("text", {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor}, text)
