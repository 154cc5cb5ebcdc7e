"""The evaluation as one page of HTML; nothing is loaded from elsewhere."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from dsfu.model.evaluation.tables import number, percent
from dsfu.model.problems.disorder.evaluation.charts import cumulative_svg, histogram_svg
from dsfu.model.problems.disorder.evaluation.page_style import EVALUATION_STYLE
from dsfu.model.problems.disorder.evaluation.paper import PAPER, SYMBOLS
from dsfu.model.problems.disorder.evaluation.pictures import (
    DIFFERENCE_COLOURS,
    LARGEST_DIFFERENCE,
    PLANE_COLOURS,
    PlanePictures,
    difference_image,
    plane_image,
    ramp_image,
)
from dsfu.model.problems.disorder.evaluation.planes import EvaluationPlanes
from dsfu.model.problems.disorder.evaluation.scores import FACTORS, SCALES, Scores
from dsfu.model.problems.disorder.evaluation.summary import EvaluationSummary
from dsfu.model.problems.disorder.evaluation.tables import SCALE_WORDS, tables_of
from dsfu.pages.frame import Table, document, section, symbols


def page_of(
    summary: EvaluationSummary, scores: Scores, planes: EvaluationPlanes, pictures: Sequence[PlanePictures]
) -> str:
    """The whole document."""
    first, *others = tables_of(summary)
    title = f"Evaluation of {summary.about['name']}"
    parts = [
        _header(title, summary),
        section(first),
        _distributions(scores),
        _planes(pictures, scores, planes),
        *map(section, others),
        _about(summary.about),
    ]
    return document(title, parts, EVALUATION_STYLE)


def _header(title: str, summary: EvaluationSummary) -> str:
    tiles = []
    for factor in FACTORS:
        found, paper = summary.factors[factor]["linear"], PAPER[factor]
        tiles.append((number(found.mse["all"].mean), f"mean square error of {SYMBOLS[factor]}; paper {paper.mse:g}"))
        tiles.append(
            (
                percent(found.share_below_paper),
                f"of the planes of {SYMBOLS[factor]} below {paper.percentile_90:g}; paper 90 %",
            )
        )
    tiles.append((f"{summary.planes:,}".replace(",", " "), f"planes of {summary.about['split']}"))
    drawn = "".join(
        f'<div class="tile"><b>{escape(value)}</b><span>{symbols(words)}</span></div>' for value, words in tiles
    )
    return (
        f'<header><h1>{escape(title)}</h1><div class="where">{escape(str(summary.about["store"]))}</div>'
        f'<div class="tiles">{drawn}</div></header>'
    )


def _distributions(scores: Scores) -> str:
    figures = []
    for factor in FACTORS:
        errors = {SCALE_WORDS[scale]: scores[f"{factor}.{scale}.mse.all"] for scale in SCALES}
        paper, label = PAPER[factor], f"mean square error of {factor_words(factor)}"
        figures.append(
            f"<figure>{cumulative_svg(errors, (paper.mse, paper.percentile_90), label)}"
            f"<figcaption>{symbols(SYMBOLS[factor])}: share of the planes below each error</figcaption></figure>"
        )
        figures.append(
            f"<figure>{histogram_svg(errors['linear'], paper.mse, label)}"
            f"<figcaption>{symbols(SYMBOLS[factor])}: distribution on the linear scale</figcaption></figure>"
        )
    legend = (
        '<div class="legend"><span><i class="line line0"></i>linear scale</span>'
        '<span><i class="line line1"></i>square-root scale</span>'
        '<span><i class="line marker"></i>the paper\'s mean</span>'
        '<span><i class="dot"></i>the paper: 90 % of the planes below</span></div>'
    )
    return f'<section><h2>Distribution of errors</h2>{legend}<div class="charts">{"".join(figures)}</div></section>'


def factor_words(factor: str) -> str:
    return {"sro": "short-range order", "form_factor": "form factor"}[factor]


def _planes(pictures: Sequence[PlanePictures], scores: Scores, planes: EvaluationPlanes) -> str:
    order = {int(index): place for place, index in enumerate(scores.indices)}
    blocks = "".join(_plane(each, scores, order[each.index], planes) for each in pictures)
    ramps = (
        f'<div class="legend"><span><img class="ramp" alt="" src="{ramp_image(PLANE_COLOURS)}"> −1 to +1, '
        f'square-root scale</span><span><img class="ramp" alt="" src="{ramp_image(DIFFERENCE_COLOURS)}"> difference, '
        f"−{LARGEST_DIFFERENCE:g} to +{LARGEST_DIFFERENCE:g} and beyond</span>"
        '<span><i class="dead"></i>dead zone</span></div>'
    )
    note = "<p class=soft>In the order of both factors' mean square errors on the linear scale, added.</p>"
    return f"<section><h2>Planes from best to worst</h2>{note}{ramps}{blocks}</section>"


def _plane(shown: PlanePictures, scores: Scores, place: int, planes: EvaluationPlanes) -> str:
    a, b = planes.crystals.species_names(planes.split.name, shown.index)
    measured = _image(plane_image(shown.scattering, shown.live), "as measured")
    rows = []
    for factor in FACTORS:
        ours, its = shown.predicted[factor], shown.truth[factor]
        images = (
            (plane_image(ours), f"{SYMBOLS[factor]} predicted"),
            (plane_image(its), "true"),
            (difference_image(ours, its), "difference"),
        )
        rows.append("".join(_image(*each) for each in images))
    errors = "; ".join(
        f"{SYMBOLS[factor]} {number(float(scores[f'{factor}.linear.mse.all'][place]))} linear, "
        f"{number(float(scores[f'{factor}.sqrt.mse.all'][place]))} square root"
        for factor in FACTORS
    )
    return (
        f'<div class="plane"><div class="about"><b>{escape(shown.place)}</b>{escape(a)} / {escape(b)}, sample '
        f'{shown.index}<br>{symbols(errors)}</div><div class="planes"><div class="measured">{measured}</div>'
        f'<div class="factors">{"".join(rows)}</div></div></div>'
    )


def _image(address: str, words: str) -> str:
    caption = symbols(words)
    return f'<figure><img alt="{escape(words)}" src="{address}"><figcaption>{caption}</figcaption></figure>'


def _about(about: Mapping[str, Any]) -> str:
    rows = [[str(name).replace("_", " "), _value(value)] for name, value in about.items()]
    return section(Table(title="What was evaluated", heads=["", ""], rows=rows))


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_value(each)}" for name, each in value.items())
    return str(value)
