"""Writes an evaluation down: JSON for programs, CSV of every plane, Markdown, and a page."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from dsfu.files import write_text
from dsfu.model.evaluation.tables import as_markdown
from dsfu.model.problems.disorder.evaluation.page import page_of
from dsfu.model.problems.disorder.evaluation.pictures import PlanePictures
from dsfu.model.problems.disorder.evaluation.planes import EvaluationPlanes
from dsfu.model.problems.disorder.evaluation.scores import Scores
from dsfu.model.problems.disorder.evaluation.summary import EvaluationSummary
from dsfu.model.problems.disorder.evaluation.tables import tables_of

JSON_NAME: Final = "evaluation.json"
CSV_NAME: Final = "planes.csv"
MARKDOWN_NAME: Final = "evaluation.md"
PAGE_NAME: Final = "evaluation.html"


def write_reports(
    folder: Path,
    summary: EvaluationSummary,
    scores: Scores,
    planes: EvaluationPlanes,
    pictures: Sequence[PlanePictures],
) -> dict[str, Path]:
    """Write all of them into a folder; where they are, by kind."""
    texts = {
        JSON_NAME: json.dumps(summary.to_dict(), indent=2, ensure_ascii=False) + "\n",
        CSV_NAME: _every_plane(scores),
        MARKDOWN_NAME: _markdown(summary),
        PAGE_NAME: page_of(summary, scores, planes, pictures),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        write_text(folder / name, text)
    return {name: folder / name for name in texts}


def _every_plane(scores: Scores) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["sample", *scores.columns])
    for row, index in enumerate(scores.indices.tolist()):
        writer.writerow([index, *(f"{values[row]:.6g}" for values in scores.columns.values())])
    return stream.getvalue()


def _markdown(summary: EvaluationSummary) -> str:
    about = summary.about
    head = [
        f"# Evaluation of {about['name']}",
        "",
        f"{about['split']} of {about['store']}: {about['conditions']}.",
        "",
    ]
    return "\n".join([*head, *map(as_markdown, tables_of(summary))])
