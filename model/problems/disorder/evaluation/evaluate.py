"""Evaluate a method on a split of a store, from opening it to the reports."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dsfu.errors import InputError
from dsfu.model.evaluation.machine import device_named, machine_of
from dsfu.model.problems.disorder.data.computed_planes import ComputedPlanes
from dsfu.model.problems.disorder.data.shards import open_store
from dsfu.model.problems.disorder.evaluation.feature_distances import FeatureMeter, check_weights, not_computed
from dsfu.model.problems.disorder.evaluation.pictures import pictures_of
from dsfu.model.problems.disorder.evaluation.planes import EvaluationPlanes, PlaneSettings
from dsfu.model.problems.disorder.evaluation.predictors import Method, MethodSettings, method_named
from dsfu.model.problems.disorder.evaluation.reports import write_reports
from dsfu.model.problems.disorder.evaluation.scores import score_planes
from dsfu.model.problems.disorder.evaluation.summary import EvaluationSummary, summarise
from dsfu.model.store import opened_store


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings:
    """How to evaluate, beside what and on what.

    Attributes
    ----------
    method
        One of `dsfu.model.problems.disorder.evaluation.predictors.METHODS`.
    device
        "auto", or one that torch knows.
    inception_weights
        File of the weights that FID and KID are defined with; without it they are not computed.
    """

    method: str = "network"
    split: str = "validation"
    batch_size: int = 16
    device: str = "auto"
    inception_weights: Path | None = None
    planes: PlaneSettings = field(default_factory=PlaneSettings)


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What came out, and where it is written."""

    summary: EvaluationSummary
    files: Mapping[str, Path]


def evaluate(
    run: Path,
    store: str,
    out: Path,
    settings: EvaluationSettings,
    watch: Callable[[int, int], None] = lambda done, of: None,
) -> Evaluation:
    """Evaluate a run, or a file of weights, and write the reports into a folder.

    ``watch`` is called after each batch with the numbers of planes done and in all.
    """
    if settings.inception_weights is not None:
        check_weights(settings.inception_weights)
    device = device_named(settings.device)
    planes = open_planes(store, settings.split, settings.planes)
    method = method_named(settings.method, MethodSettings(weights=run, planes=planes, device=device))
    about = _about(run, planes, settings, method)
    return evaluate_method(method, planes, out, settings, about, watch)


def evaluate_method(
    method: Method,
    planes: EvaluationPlanes,
    out: Path,
    settings: EvaluationSettings,
    about: Mapping[str, Any],
    watch: Callable[[int, int], None] = lambda done, of: None,
) -> Evaluation:
    """The same for a method that is at hand."""
    device, count = device_named(settings.device), len(planes.indices)
    if not count:
        raise InputError("there are no planes to use in it", where=f"split {planes.split.name}")
    meter = FeatureMeter(settings.inception_weights, count, device) if settings.inception_weights else None
    scores = score_planes(
        method.predict,
        planes,
        batch_size=settings.batch_size,
        device=device,
        watch=lambda done: watch(done, count),
        also=meter or (lambda predicted, batch: None),
    )
    summary = summarise(scores, planes, meter.distances() if meter else not_computed(), about)
    pictures = pictures_of(method.predict, planes, scores, device)
    return Evaluation(summary=summary, files=write_reports(out, summary, scores, planes, pictures))


def open_planes(store: str, split: str, settings: PlaneSettings) -> EvaluationPlanes:
    """The planes of a split of a store, whether they are stored or have to be computed."""
    opened_store(store, split)
    crystals = ComputedPlanes(store)
    opened = open_store(store, planes_from=crystals)
    return EvaluationPlanes(opened.split(split), crystals, settings)


def _about(run: Path, planes: EvaluationPlanes, settings: EvaluationSettings, method: Method) -> dict[str, Any]:
    return {
        "name": run.resolve().name if run.is_dir() else run.stem,
        "run": str(run),
        "folder": str(Path.cwd()),
        "method": settings.method,
        "store": planes.split.store.url,
        "split": planes.split.name,
        "conditions": _conditions(planes),
        **machine_of(device_named(settings.device)),
        **method.about,
    }


def _conditions(planes: EvaluationPlanes) -> str:
    settings, words = planes.settings, [f"unique planes of {planes.pixels} × {planes.pixels} pixels"]
    if settings.limit:
        words.append(f"{len(planes.indices)} of them, drawn at random (seed {settings.seed})")
    noise = f"counting noise of {100 * settings.poisson:g} % at the mean intensity (seed {settings.seed})"
    words.append(noise if settings.poisson else "without noise")
    return ", ".join(words)
