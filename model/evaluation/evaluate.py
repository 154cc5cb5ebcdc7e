"""Evaluate weights on a split of a store: scores of every sample, their statistics by kind, and a page with samples."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dsfu.errors import InputError
from dsfu.model.evaluation.machine import device_named, machine_of
from dsfu.model.evaluation.options import Evaluated, EvaluationOptions, Watch
from dsfu.model.evaluation.reports import write_reports
from dsfu.model.evaluation.tables import as_text, shown_ranks
from dsfu.model.evaluation.tabulating import tables_of
from dsfu.model.problem import Labels, Learner, Samples
from dsfu.model.training.config_file import config_of
from dsfu.model.training.recipes import asked
from dsfu.model.weights.files import load_weights, weights_file
from dsfu.panels import Panel
from dsfu.simulate.arrays import FloatArray, IntArray


@dataclass(frozen=True, kw_only=True, eq=False)
class SampleScores:
    """Scores of every sample: their indices in the split, (samples,) by name, and what kinds they are of."""

    indices: IntArray
    columns: Mapping[str, FloatArray]
    labels: Mapping[str, Labels]


@dataclass(frozen=True, kw_only=True, eq=False)
class ShownSample:
    """A sample of the page, and why it is shown: best, median, …"""

    place: str
    title: str
    score: float
    panels: tuple[Panel, ...]


def evaluate(
    learner: Learner[Any], run: Path, store: str, out: Path, options: EvaluationOptions, watch: Watch
) -> Evaluated:
    """Evaluate the weights of a run, or a file of weights, and write the reports into a folder."""
    from dsfu.model.store import opened_store

    opened_store(store, options.split)
    file = weights_file(run)
    network, card = load_weights(file)
    if card.problem != learner.name:
        raise InputError(
            f"it has learnt the problem {card.problem}", where=str(file), expected=f"weights for {learner.name}"
        )
    device = device_named(options.device)
    network = network.to(device).eval()
    settings = config_of({"recipe": card.recipe, "data": card.data.get("settings", {})}, learner).data
    samples = learner.samples(store, options.split, settings, options.limit, options.seed)
    if not len(samples.indices):
        raise InputError(f"there are no {learner.nouns} to use in it", where=f"split {options.split}")
    answer = learner.entry(card.recipe).load_recipe().answer
    scores = _scored(learner, answer, network, samples, options, device, watch)
    about = {
        "name": run.resolve().name if run.is_dir() else run.stem,
        "problem": learner.name,
        "store": store,
        "split": options.split,
        "weights": str(file),
        **machine_of(device),
        "card": card.to_dict(),
    }
    tables = tables_of(scores.columns, scores.labels, learner.nouns)
    shown = _shown(learner, answer, network, samples, scores, device)
    summary, files = write_reports(out, about, scores.indices, scores.columns, scores.labels, tables, shown)
    return Evaluated(summary=summary, text="\n\n".join(map(as_text, tables)), files=files)


def _scored(
    learner: Learner[Any],
    answer: Any,
    network: torch.nn.Module,
    samples: Samples[Any],
    options: EvaluationOptions,
    device: torch.device,
    watch: Watch,
) -> SampleScores:
    indices, parts = samples.indices, dict[str, list[FloatArray]]()
    for first in range(0, len(indices), options.batch_size):
        some = indices[first : first + options.batch_size].tolist()
        batch = samples.batch(some, device)
        for name, values in learner.scores(asked(answer, network, batch), batch).items():
            parts.setdefault(name, []).append(np.asarray(values.double().cpu().numpy()))
        watch(first + len(some), len(indices))
    columns = {name: np.concatenate(values) for name, values in parts.items()}
    return SampleScores(indices=indices, columns=columns, labels=learner.labels(samples.split, indices))


def _shown(
    learner: Learner[Any],
    answer: Any,
    network: torch.nn.Module,
    samples: Samples[Any],
    scores: SampleScores,
    device: torch.device,
) -> list[ShownSample]:
    """The best sample, the median, that at 90 %, and the worst, by the score."""
    values = scores.columns["score"]
    order, places = np.argsort(values, kind="stable"), shown_ranks(len(values))
    shown = []
    for place, rank in places.items():
        number = int(order[rank])
        index = int(scores.indices[number])
        batch = samples.batch([index], device)
        panels = learner.panels(asked(answer, network, batch), batch)[0]
        title = learner.title(samples.split, index)
        shown.append(ShownSample(place=place, title=title, score=float(values[number]), panels=tuple(panels)))
    return shown
