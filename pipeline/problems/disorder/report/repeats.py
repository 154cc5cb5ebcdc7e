"""How planes that repeat others were found, and how many, beside the paper."""

from typing import Final

from dsfu.pages.frame import Table
from dsfu.pipeline.problems.disorder.report.store_summary import StoreSummary
from dsfu.words import grouped, number_words, share_words

_PAPER: Final = {"train": (209_800, 198_421), "validation": (14_112, 12_607)}
"""Planes made and kept by Fuller & Rudden (2024)."""

_MEASURES: Final = {
    "appearance": "the distance √(1 − r), with r the correlation of √I",
    "sliced_wasserstein": "the sliced Wasserstein distance of intensity, in widths of a plane",
}


def repeats_table(summary: StoreSummary) -> Table:
    """What was removed in each split."""
    rows = [
        [
            split.name,
            grouped(split.samples),
            grouped(split.removed),
            share_words(split.share_removed),
            share_words(1 - _PAPER[split.name][1] / _PAPER[split.name][0]) if split.name in _PAPER else "",
        ]
        for split in summary.splits
    ]
    note = "The paper’s shares are of 209\u202f800 and 14\u202f112 planes, which were compared by another distance."
    heads = ["split", ">planes", ">removed", ">share", ">Fuller & Rudden (2024)"]
    return Table(title="", heads=heads, rows=rows, note=note)


def rule_words(summary: StoreSummary) -> str:
    """When a plane was removed."""
    if not summary.splits:
        return ""
    split = summary.splits[0]
    if split.scope == "none":
        return "Planes were not compared with one another."
    among = "of the same pair" if split.scope == "pair" else "of the same split"
    measure = _MEASURES.get(split.metric, split.metric)
    return (
        f"A plane is removed if another one {among} that is kept lies nearer than {number_words(split.threshold)}, by "
        f"{measure}. Removed planes stay in the store and are marked."
    )
