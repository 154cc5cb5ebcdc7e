"""Statistics of scores: over all samples, and by each way of dividing them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dsfu.model.evaluation.tables import number
from dsfu.model.problem import Labels
from dsfu.pages.frame import Table
from dsfu.simulate.arrays import FloatArray


def statistics(values: FloatArray) -> dict[str, float]:
    """Mean, median and 90th percentile of the values that are finite, and the share of them."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return {"mean": float("nan"), "median": float("nan"), "percentile_90": float("nan"), "finite": 0.0}
    return {
        "mean": float(finite.mean()),
        "median": float(np.median(finite)),
        "percentile_90": float(np.percentile(finite, 90)),
        "finite": len(finite) / len(values),
    }


def kinds_of(labels: Labels) -> list[str]:
    """The kinds that there are, in the order in which they are listed."""
    found = {str(each) for each in labels.values}
    first = [each for each in labels.order if each in found]
    return [*first, *sorted(found.difference(first))]


def tables_of(columns: Mapping[str, FloatArray], labels: Mapping[str, Labels], nouns: str) -> list[Table]:
    """Scores of all samples, then by kind."""
    count = len(next(iter(columns.values())))
    heads = ["", ">mean", ">median", ">90 %"]
    rows = [[name, *_cells(values)] for name, values in columns.items()]
    tables = [Table(title=f"Scores of {count} {nouns}", heads=heads, rows=rows)]
    for title, each in labels.items():
        by_kind = [
            [kind, str(int((each.values == kind).sum())), *_cells(columns["score"][each.values == kind])]
            for kind in kinds_of(each)
        ]
        tables.append(Table(title=f"Score by {title}", heads=[title, f">{nouns}", *heads[1:]], rows=by_kind))
    return tables


def summary_of(columns: Mapping[str, FloatArray], labels: Mapping[str, Labels]) -> dict[str, Any]:
    """The same for programs."""
    return {
        "scores": {name: statistics(values) for name, values in columns.items()},
        "parts": {
            title: {
                kind: {name: statistics(values[each.values == kind]) for name, values in columns.items()}
                for kind in kinds_of(each)
            }
            for title, each in labels.items()
        },
    }


def _cells(values: FloatArray) -> Sequence[str]:
    found = statistics(values)
    return [number(found[name]) for name in ("mean", "median", "percentile_90")]
