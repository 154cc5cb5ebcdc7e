"""Writes an evaluation down: JSON for programs, CSV of every sample, Markdown, and a page with some samples."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any, Protocol

from dsfu.files import write_whole
from dsfu.model.evaluation.tables import as_markdown, number
from dsfu.model.evaluation.tabulating import summary_of
from dsfu.model.problem import Labels
from dsfu.pages.frame import Table, render
from dsfu.pages.panel_pictures import figure_of
from dsfu.pages.pictures import figure_address
from dsfu.panels import Panel
from dsfu.simulate.arrays import FloatArray, IntArray


class _Shown(Protocol):
    @property
    def place(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def score(self) -> float: ...
    @property
    def panels(self) -> tuple[Panel, ...]: ...


def write_reports(
    folder: Path,
    about: Mapping[str, Any],
    indices: IntArray,
    columns: Mapping[str, FloatArray],
    labels: Mapping[str, Labels],
    tables: Sequence[Table],
    shown: Sequence[_Shown],
) -> tuple[dict[str, Any], dict[str, Path]]:
    """Write all of them into a folder: the summary, and where they are."""
    summary = _finite({"about": dict(about), "samples": len(indices), **summary_of(columns, labels)})
    texts = {
        "evaluation.json": json.dumps(summary, indent=2, ensure_ascii=False) + "\n",
        "samples.csv": _every_sample(indices, columns, labels),
        "evaluation.md": "\n".join([f"# Evaluation of {about['name']}", "", *map(as_markdown, tables)]),
        "evaluation.html": _page(about, tables, shown),
    }
    files = {name: folder / name for name in texts}
    for name, text in texts.items():
        data = text.encode()
        write_whole(files[name], lambda file, data=data: file.write(data))  # type: ignore[misc]
    return summary, files


def _page(about: Mapping[str, Any], tables: Sequence[Table], shown: Sequence[_Shown]) -> str:
    pictures = [
        {
            "place": each.place,
            "title": each.title,
            "score": number(each.score),
            "address": figure_address(figure_of([("", each.panels)])),
        }
        for each in shown
        if each.panels
    ]
    return render(
        "dsfu.model.evaluation/evaluation.html",
        title=f"Evaluation of {about['name']}",
        where=f"{about['split']} of {about['store']}",
        tables=tables,
        shown=pictures,
        about=about_table(about),
    )


def about_table(about: Mapping[str, Any]) -> Table:
    """What was evaluated, as it was told."""
    rows = [[str(name).replace("_", " "), _words(value)] for name, value in about.items()]
    return Table(title="What was evaluated", heads=["", ""], rows=rows)


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_words(each)}" for name, each in value.items())
    return str(value)


def _every_sample(indices: IntArray, columns: Mapping[str, FloatArray], labels: Mapping[str, Labels]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["sample", *columns, *labels])
    for row, index in enumerate(indices.tolist()):
        numbers = (f"{values[row]:.6g}" for values in columns.values())
        writer.writerow([index, *numbers, *(str(each.values[row]) for each in labels.values())])
    return stream.getvalue()


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value
