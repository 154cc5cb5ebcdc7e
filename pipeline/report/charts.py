"""Histograms of a report: all splits over one axis, each in per cent of its own total."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import ceil, floor, log10
from typing import Final

from dsfu.pages.charts import Bars, Chart, Mark, Marker, Steps
from dsfu.pages.scales import Linear, Logarithmic, Scale
from dsfu.pipeline.report.histograms import Distribution
from dsfu.words import number_words, share_words

_DECADES: Final = 5
"""A logarithmic axis reaches no deeper than this."""


def histogram(shown: Distribution, description: str, marker: float | None = None) -> Chart:
    """The first split as bars, the others as lines; ``marker`` is a value to be marked by a vertical line."""
    shares = {split: _shares(counts) for split, counts in shown.counts.items()}
    marks: list[Mark] = []
    for number, (split, of_split) in enumerate(shares.items()):
        if number == 0:
            tips = [_tip(split, *edges, share) for edges, share in zip(pairwise(shown.edges), of_split, strict=True)]
            marks.append(Bars(shown.edges, of_split, tips))
        else:
            marks.append(Steps(shown.edges, of_split, split))
    if marker is not None:
        marks.append(Marker(marker))
    return Chart(
        x=Linear(shown.edges[0], shown.edges[-1]),
        y=_logarithmic(shares) if shown.logarithmic else _linear(shares),
        marks=marks,
        description=description,
        y_label="%, logarithmic" if shown.logarithmic else "%",
    )


def _shares(counts: Sequence[float]) -> list[float]:
    total = sum(counts) or 1.0
    return [100 * count / total for count in counts]


def _linear(shares: Mapping[str, Sequence[float]]) -> Scale:
    return Linear(0.0, 1.05 * max(max(of_split) for of_split in shares.values()) or 1.0)


def _logarithmic(shares: Mapping[str, Sequence[float]]) -> Scale:
    seen = [share for of_split in shares.values() for share in of_split if share > 0]
    high = ceil(log10(max(seen)) - 1e-9)
    low = max(floor(log10(min(seen)) - 1e-9), high - _DECADES)
    return Logarithmic(low - (low == high), high, powers=False)


def _tip(split: str, low: float, high: float, share: float) -> str:
    return f"{split}, {number_words(low)} to {number_words(high)}: {share_words(share / 100)}"
