"""Charts of the report as SVG in the page's own colours, so that they follow a dark page and print on a white one."""

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil, floor, log10
from typing import Final

from dsfu.pipeline.report.histograms import Distribution, round_up
from dsfu.words import grouped

_WIDTH, _HEIGHT = 340.0, 190.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 8.0, 8.0, 22.0

_DECADES: Final = 5
"""A logarithmic axis reaches no deeper than this."""


def histogram_svg(shown: Distribution, description: str, marker: float | None = None) -> str:
    """Histograms of all splits, each in per cent of its own total: the first as bars, the others as lines.

    ``marker`` is a value to be marked by a vertical line.
    """
    shares = {split: _shares(counts) for split, counts in shown.counts.items()}
    across = _Axis(shown.edges[0], shown.edges[-1], _LEFT, _WIDTH - _RIGHT)
    up = _logarithmic(shares) if shown.logarithmic else _linear(shares)
    parts = [_frame(across, up, shown.logarithmic)]
    for number, (split, of_split) in enumerate(shares.items()):
        draw = _bars if number == 0 else _steps
        parts.append(draw(split, shown.edges, of_split, across, up))
    if marker is not None and shown.edges[0] <= marker <= shown.edges[-1]:
        x = across(marker)
        parts.append(f'<path class="marker" d="M{x:.1f} {_TOP:.0f}V{_HEIGHT - _BOTTOM:.0f}"/>')
    return (
        f'<svg class="chart" viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" role="img" aria-label="{escape(description)}">'
        f"{''.join(parts)}</svg>"
    )


def stacked_bar_svg(parts: Mapping[str, tuple[float, str]], description: str) -> str:
    """One bar of parts of a whole: by name, how much and the class of the page's style that colours it."""
    total = sum(value for value, _ in parts.values()) or 1.0
    pieces, x = [], 0.0
    for name, (value, style) in parts.items():
        width = 100 * value / total
        place = f'x="{x:.2f}" y="0" width="{width:.2f}" height="10"'
        tip = f"<title>{escape(name)}: {share_words(value / total)}</title>"
        pieces.append(f'<rect class="{style}" {place}>{tip}</rect>')
        x += width
    return (
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(description)}">{"".join(pieces)}</svg>'
    )


def share_words(share: float) -> str:
    """A share in per cent, with a decimal where it is small."""
    percent = 100 * share
    if 0 < percent < 0.05:
        return "under 0.1 %"
    return f"{percent:.1f} %" if 0 < percent < 99.95 else f"{percent:.0f} %"


def number_words(value: float, digits: int = 3) -> str:
    """A number with a few digits and a proper minus sign."""
    if abs(value) >= 1000:
        return grouped(round(value))
    return f"{value:.{digits}g}".replace("-", "−")


class _Axis:
    """From values to places on the picture."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self.low, self.high = low, high
        self._start, self._scale = start, (end - start) / (high - low)

    def __call__(self, value: float) -> float:
        return self._start + (value - self.low) * self._scale

    def ticks(self, most: int) -> list[float]:
        step = round_up((self.high - self.low) / most)
        first, last = ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]


class _Upward:
    """From shares in per cent to heights; nothing is below the axis."""

    def __init__(self, low: float, high: float, *, logarithmic: bool) -> None:
        self._logarithmic = logarithmic
        self._axis = _Axis(low, high, _HEIGHT - _BOTTOM, _TOP)
        ticks = [float(power) for power in range(round(low), round(high) + 1)] if logarithmic else self._axis.ticks(4)
        self.ticks = [10**tick for tick in ticks] if logarithmic else ticks

    def __call__(self, share: float) -> float:
        if self._logarithmic:
            share = log10(share) if share > 0 else self._axis.low
        return self._axis(max(share, self._axis.low))


def _shares(counts: Sequence[float]) -> list[float]:
    total = sum(counts) or 1.0
    return [100 * count / total for count in counts]


def _linear(shares: Mapping[str, Sequence[float]]) -> _Upward:
    return _Upward(0.0, 1.05 * max(max(of_split) for of_split in shares.values()) or 1.0, logarithmic=False)


def _logarithmic(shares: Mapping[str, Sequence[float]]) -> _Upward:
    seen = [share for of_split in shares.values() for share in of_split if share > 0]
    high = ceil(log10(max(seen)) - 1e-9)
    low = max(floor(log10(min(seen)) - 1e-9), high - _DECADES)
    return _Upward(low - (low == high), high, logarithmic=True)


def _frame(across: _Axis, up: _Upward, logarithmic: bool) -> str:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    grid = [f'<path class="grid" d="M{_LEFT:.0f} {up(tick):.1f}H{right:.0f}"/>' for tick in up.ticks]
    labels = [
        f'<text x="{_LEFT - 5:.0f}" y="{up(tick) + 3.5:.1f}" text-anchor="end">{number_words(tick)}</text>'
        for tick in up.ticks
    ]
    ticks = across.ticks(6)
    marks = [f'<path class="axis" d="M{across(tick):.1f} {bottom:.0f}v4"/>' for tick in ticks]
    labels += [
        f'<text x="{across(tick):.1f}" y="{bottom + 15:.0f}" text-anchor="middle">{number_words(tick)}</text>'
        for tick in ticks
    ]
    unit = "% (log)" if logarithmic else "%"
    labels.append(f'<text transform="translate(10 {_TOP + 1:.0f}) rotate(-90)" text-anchor="end">{unit}</text>')
    axis = f'<path class="axis" d="M{_LEFT:.0f} {bottom:.0f}H{right:.0f}"/>'
    return "".join([*grid, *labels, *marks, axis])


def _bars(split: str, edges: Sequence[float], shares: Sequence[float], across: _Axis, up: _Upward) -> str:
    bottom = _HEIGHT - _BOTTOM
    bars = []
    for low, high, share in zip(edges, edges[1:], shares, strict=False):
        if share > 0:
            x, width, y = across(low), across(high) - across(low), min(up(share), bottom - 0.7)
            gap = min(0.6, width / 5)
            bars.append(
                f'<rect class="bars" x="{x + gap / 2:.2f}" y="{y:.1f}" width="{width - gap:.2f}" '
                f'height="{bottom - y:.1f}">{_tip(split, low, high, share)}</rect>'
            )
    return "".join(bars)


def _steps(split: str, edges: Sequence[float], shares: Sequence[float], across: _Axis, up: _Upward) -> str:
    path = [f"M{across(edges[0]):.1f} {up(0):.1f}"]
    path += [f"V{up(share):.1f}H{across(edge):.1f}" for edge, share in zip(edges[1:], shares, strict=True)]
    return f'<path class="steps" d="{"".join(path)}V{up(0):.1f}"><title>{escape(split)}</title></path>'


def _tip(split: str, low: float, high: float, share: float) -> str:
    return f"<title>{escape(split)}, {number_words(low)} to {number_words(high)}: {share_words(share / 100)}</title>"
