"""Distributions of errors as SVG, in the colours of the page."""

from collections.abc import Mapping
from html import escape
from math import ceil, floor, log10
from typing import Final

import numpy as np

from dsfu.simulate.arrays import FloatArray

_WIDTH, _HEIGHT = 480.0, 250.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 12.0, 12.0, 40.0

_LEAST: Final = 1e-7
"""Errors below this are drawn there."""

_BINS_PER_DECADE: Final = 8
_POINTS: Final = 400


class _Frame:
    """A logarithmic axis of errors, and one of shares from 0 to ``most``."""

    def __init__(self, low: float, high: float, most: float) -> None:
        self.low, self.high, self.most = floor(log10(low)), ceil(log10(high)), most

    def x(self, error: float) -> float:
        share = (log10(max(error, 10.0**self.low)) - self.low) / (self.high - self.low)
        return _LEFT + min(share, 1.0) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, share: float) -> float:
        return _HEIGHT - _BOTTOM - share / self.most * (_HEIGHT - _BOTTOM - _TOP)

    def drawn(self, step: float, label: str) -> str:
        """Grid, ticks and labels."""
        bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
        parts = []
        for share in np.arange(0, self.most * 1.0001, step):
            y = self.y(share)
            parts.append(f'<path class="grid" d="M{_LEFT:.0f} {y:.1f}H{right:.0f}"/>')
            parts.append(f'<text x="{_LEFT - 6:.0f}" y="{y + 4:.1f}" text-anchor="end">{100 * share:.0f} %</text>')
        for power in range(self.low, self.high + 1):
            x = self.x(10.0**power)
            parts.append(f'<path class="grid" d="M{x:.1f} {_TOP:.0f}V{bottom + 4:.0f}"/>')
            exponent = f"−{-power}" if power < 0 else str(power)
            words = f'10<tspan dy="-4" font-size="8">{exponent}</tspan>' if power else "1"
            parts.append(f'<text x="{x:.1f}" y="{bottom + 19:.0f}" text-anchor="middle">{words}</text>')
        middle = (_LEFT + right) / 2
        parts.append(f'<path class="axis" d="M{_LEFT:.0f} {bottom:.0f}H{right:.0f}"/>')
        parts.append(f'<text x="{middle:.0f}" y="{_HEIGHT - 5:.0f}" text-anchor="middle">{escape(label)}</text>')
        return "".join(parts)


def cumulative_svg(errors: Mapping[str, FloatArray], paper: tuple[float, float], label: str) -> str:
    """Share of the planes below each error; the first of the series is the one to compare with the paper.

    ``paper`` is the mean that it reports, marked by a line, and what 90 % of its planes stay below, marked by a point.
    """
    mean, percentile = paper
    low, high = _ends([*errors.values(), np.array(paper)])
    frame = _Frame(low, high, 1.0)
    parts = [frame.drawn(0.2, label)]
    for number, values in enumerate(errors.values()):
        ordered = np.sort(np.maximum(values, _LEAST))
        shares = np.linspace(0, 1, min(_POINTS, len(ordered) + 1))
        places = np.quantile(ordered, shares, method="inverted_cdf")
        points = " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in zip(places, shares, strict=True))
        parts.append(f'<polyline class="line{number}" points="{points}"/>')
    parts.append(_marker(frame, mean))
    parts.append(
        f'<circle class="paper" cx="{frame.x(percentile):.1f}" cy="{frame.y(0.9):.1f}" r="4.5">'
        f"<title>the paper: 90 % of the planes below {percentile}</title></circle>"
    )
    return _svg(parts, f"Share of the planes below each error: {label}")


def histogram_svg(errors: FloatArray, paper_mean: float, label: str) -> str:
    """How the errors of planes are distributed; the mean that the paper reports is marked."""
    values = np.maximum(errors, _LEAST)
    low, high = _ends([values, np.array([paper_mean])])
    edges = np.logspace(
        floor(log10(low)), ceil(log10(high)), (ceil(log10(high)) - floor(log10(low))) * _BINS_PER_DECADE + 1
    )
    shares = np.histogram(values, edges)[0] / len(values)
    step = next(each for each in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if shares.max() <= 5.5 * each)
    frame = _Frame(low, high, step * ceil(shares.max() / step))
    parts = [frame.drawn(step, label)]
    for first, last, share in zip(edges, edges[1:], shares, strict=False):
        if share:
            x, width, y = frame.x(first), frame.x(last) - frame.x(first), frame.y(share)
            parts.append(
                f'<rect class="bars" x="{x + 0.4:.1f}" y="{y:.1f}" width="{width - 0.8:.1f}" '
                f'height="{frame.y(0) - y:.1f}"/>'
            )
    parts.append(_marker(frame, paper_mean))
    return _svg(parts, f"Distribution of errors: {label}")


def _ends(series: list[FloatArray]) -> tuple[float, float]:
    """Smallest and largest error of all, at least a decade apart."""
    values = np.maximum(np.concatenate(series), _LEAST)
    low, high = float(values.min()), float(values.max())
    return low, high if ceil(log10(high)) > floor(log10(low)) else 10 * high


def _marker(frame: _Frame, mean: float) -> str:
    x = frame.x(mean)
    return (
        f'<path class="marker" d="M{x:.1f} {_TOP:.0f}V{_HEIGHT - _BOTTOM:.0f}">'
        f"<title>the paper's mean: {mean}</title></path>"
    )


def _svg(parts: list[str], description: str) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" role="img" aria-label="{escape(description)}">'
        f"{''.join(parts)}</svg>"
    )
