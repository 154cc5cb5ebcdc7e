"""The evaluation as one page of HTML; nothing is loaded from elsewhere."""

from collections.abc import Sequence
from typing import Any

from dsfu.colours import DIFFERENCE, INTENSITY, difference_end
from dsfu.model.evaluation.reports import about_table
from dsfu.model.evaluation.tables import number, percent
from dsfu.model.problems.disorder.evaluation.charts import cumulative, distribution
from dsfu.model.problems.disorder.evaluation.paper import PAPER, SYMBOLS
from dsfu.model.problems.disorder.evaluation.pictures import PlanePictures, difference_image, plane_image
from dsfu.model.problems.disorder.evaluation.planes import EvaluationPlanes
from dsfu.model.problems.disorder.evaluation.scores import FACTORS, SCALES, Scores
from dsfu.model.problems.disorder.evaluation.summary import EvaluationSummary
from dsfu.model.problems.disorder.evaluation.tables import SCALE_WORDS, tables_of
from dsfu.pages.frame import render
from dsfu.pages.pictures import ramp_address
from dsfu.words import grouped


def page_of(
    summary: EvaluationSummary, scores: Scores, planes: EvaluationPlanes, pictures: Sequence[PlanePictures]
) -> str:
    """The whole document."""
    largest = _largest_difference(pictures)
    order = {int(index): place for place, index in enumerate(scores.indices)}
    return render(
        "dsfu.model.problems.disorder.evaluation/evaluation.html",
        title=f"Evaluation of {summary.about['name']}",
        about_store=str(summary.about["store"]),
        tiles=_tiles(summary),
        tables=tables_of(summary),
        charts=_charts(scores),
        plane_ramp=ramp_address(INTENSITY),
        difference_ramp=ramp_address(DIFFERENCE),
        largest=f"{largest:.2g}",
        planes=[_plane(each, scores, order[each.index], planes, largest) for each in pictures],
        about=about_table(summary.about),
    )


def _tiles(summary: EvaluationSummary) -> list[tuple[str, str]]:
    tiles = []
    for factor in FACTORS:
        found, paper, symbol = summary.factors[factor]["linear"], PAPER[factor], SYMBOLS[factor]
        tiles.append((number(found.mse["all"].mean), f"mean square error of {symbol}; paper {paper.mse:g}"))
        words = f"of the planes of {symbol} below {paper.percentile_90:g}; paper 90 %"
        tiles.append((percent(found.share_below_paper), words))
    return [*tiles, (grouped(summary.planes), f"planes of {summary.about['split']}")]


def _charts(scores: Scores) -> list[dict[str, Any]]:
    charts = []
    for factor in FACTORS:
        errors = {SCALE_WORDS[scale]: scores[f"{factor}.{scale}.mse.all"] for scale in SCALES}
        paper, label, symbol = PAPER[factor], f"mean square error of {factor_words(factor)}", SYMBOLS[factor]
        below = cumulative(errors, (paper.mse, paper.percentile_90), label)
        linear = distribution(errors["linear"], paper.mse, label)
        charts.append({"chart": below, "caption": f"{symbol}: share of the planes below each error"})
        charts.append({"chart": linear, "caption": f"{symbol}: distribution on the linear scale"})
    return charts


def factor_words(factor: str) -> str:
    return {"sro": "short-range order", "form_factor": "form factor"}[factor]


def _largest_difference(pictures: Sequence[PlanePictures]) -> float:
    """Where the colours of all differences end."""
    differences = [each.predicted[factor] - each.truth[factor] for each in pictures for factor in FACTORS]
    return difference_end(*differences) if differences else 1.0


def _plane(
    shown: PlanePictures, scores: Scores, place: int, planes: EvaluationPlanes, largest: float
) -> dict[str, Any]:
    a, b = planes.crystals.species_names(planes.split.name, shown.index)
    images = []
    for factor in FACTORS:
        ours, its = shown.predicted[factor], shown.truth[factor]
        images.append((plane_image(ours), f"{SYMBOLS[factor]} predicted"))
        images.append((plane_image(its), "true"))
        images.append((difference_image(ours, its, largest), "difference"))
    errors = "; ".join(
        f"{SYMBOLS[factor]} {number(float(scores[f'{factor}.linear.mse.all'][place]))} linear, "
        f"{number(float(scores[f'{factor}.sqrt.mse.all'][place]))} square root"
        for factor in FACTORS
    )
    return {
        "place": shown.place,
        "words": f"{a} / {b}, sample {shown.index}",
        "errors": errors,
        "measured": plane_image(shown.scattering, shown.live),
        "images": images,
    }
