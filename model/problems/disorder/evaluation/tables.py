"""The tables of an evaluation as texts, for the terminal, for Markdown and for the page."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from dsfu.model.evaluation.tables import number, percent
from dsfu.model.problems.disorder.data.normalise import Scale
from dsfu.model.problems.disorder.evaluation.paper import PAPER, SCALE_NOTE, SYMBOLS, PaperFigures
from dsfu.model.problems.disorder.evaluation.scores import FACTORS, SCALES
from dsfu.model.problems.disorder.evaluation.summary import EvaluationSummary, FactorOnScale, Statistic, SummaryPart
from dsfu.pages.frame import Table

SCALE_WORDS: Final[dict[Scale, str]] = {"linear": "linear", "sqrt": "square root"}

_REGION_WORDS: Final = {
    "all": "all pixels",
    "live": "live",
    "dead": "dead",
    "gaps": "dead, in circle",
    "corners": "dead, outside",
}


def tables_of(summary: EvaluationSummary) -> list[Table]:
    """Everything, the comparison with the paper first."""
    return [
        comparison(summary),
        _regions(summary),
        _similarity(summary),
        _consistency(summary),
        *(_parts(name, parts) for name, parts in summary.parts.items()),
    ]


def comparison(summary: EvaluationSummary) -> Table:
    """Ours on both scales beside the paper's."""
    heads = [""]
    for factor in FACTORS:
        heads += [f">{SYMBOLS[factor]}, linear", ">paper", ">square root"]
    rows = [
        _beside("mean square error", summary, lambda ours: number(ours.mse["all"].mean), lambda p: number(p.mse)),
        _beside(
            "90 % of the planes below",
            summary,
            lambda ours: number(ours.mse["all"].percentile_90),
            lambda paper: number(paper.percentile_90),
        ),
        _beside(
            "planes below that of the paper", summary, lambda ours: percent(ours.share_below_paper), lambda p: "90 %"
        ),
        _beside("uniform noise instead", summary, lambda ours: number(ours.noise_mse), lambda p: f"{p.noise_mse:.3g}"),
        _features_row("FID", summary),
        _features_row("KID", summary),
    ]
    notes = "; ".join(sorted({each.note for each in summary.features.values()}))
    return Table(title="Beside the paper", heads=heads, rows=rows, note=f"{SCALE_NOTE} FID and KID: {notes}.")


def _beside(
    words: str, summary: EvaluationSummary, ours: Callable[[FactorOnScale], str], paper: Callable[[PaperFigures], str]
) -> list[str]:
    row = [words]
    for factor in FACTORS:
        found = summary.factors[factor]
        row += [ours(found["linear"]), paper(PAPER[factor]), ours(found["sqrt"])]
    return row


def _features_row(name: str, summary: EvaluationSummary) -> list[str]:
    row = [name]
    for factor in FACTORS:
        ours = getattr(summary.features[factor], name.lower())
        row += ["–" if ours is None else number(ours), number(getattr(PAPER[factor], name.lower())), ""]
    return row


def _regions(summary: EvaluationSummary) -> Table:
    heads = ["mean square error", "", *(f">{SCALE_WORDS[scale]}: {which}" for scale in SCALES for which in _STATISTIC)]
    rows = [
        [SYMBOLS[factor] if region == "all" else "", words, *_of_scales(summary.factors[factor], region)]
        for factor in FACTORS
        for region, words in _REGION_WORDS.items()
    ]
    note = f"Mean, median and 90th percentile over the planes. {percent(summary.live_share)} of the pixels are live."
    return Table(title="Where the errors are", heads=heads, rows=rows, note=note)


def _of_scales(found: Mapping[Scale, FactorOnScale], region: str) -> list[str]:
    return [cell for scale in SCALES for cell in _statistic(found[scale].mse[region])]


_STATISTIC: Final = ("mean", "median", "90 %")


def _statistic(found: Statistic) -> list[str]:
    return [number(found.mean), number(found.median), number(found.percentile_90)]


def _similarity(summary: EvaluationSummary) -> Table:
    heads = ["", *(f">{what}, {SCALE_WORDS[scale]}" for what in ("SSIM", "PSNR (dB)") for scale in SCALES)]
    rows = []
    for factor in FACTORS:
        found = summary.factors[factor]
        row = [SYMBOLS[factor]]
        row += [f"{found[scale].ssim.mean:.3f}" for scale in SCALES]
        row += [f"{found[scale].psnr.mean:.1f}" for scale in SCALES]
        rows.append(row)
    return Table(title="Likeness", heads=heads, rows=rows, note="Means over the planes.")


def _consistency(summary: EvaluationSummary) -> Table:
    rows = [
        [f"product against I_D, {SCALE_WORDS[scale]} scale, {_REGION_WORDS[region]}", *_statistic(found)]
        for scale in SCALES
        for region, found in summary.product[scale].items()
    ]
    rows.append(["α / α₀ of the predicted I_SRO, rms over vectors", *_statistic(summary.alpha["all"])])
    rows.append(["the same: larger error of the two nearest vectors", *_statistic(summary.alpha["nearest"])])
    note = "The product is compared as mean square error, with I_D free of noise; α as absolute error."
    return Table(
        title="Do the factors fit the physics", heads=["", *(f">{each}" for each in _STATISTIC)], rows=rows, note=note
    )


def _parts(name: str, parts: Sequence[SummaryPart]) -> Table:
    heads = [name, ">planes"]
    for factor in FACTORS:
        heads += [f">{SYMBOLS[factor]}, linear", ">90 %", ">square root"]
    rows = [[part.label, f"{part.planes:,}".replace(",", " "), *_of_part(part)] for part in parts]
    return Table(title=f"By {name}", heads=heads, rows=rows)


def _of_part(part: SummaryPart) -> list[str]:
    row = []
    for factor in FACTORS:
        linear = part.mse[factor]["linear"]
        row += [number(linear.mean), number(linear.percentile_90), number(part.mse[factor]["sqrt"].mean)]
    return row
