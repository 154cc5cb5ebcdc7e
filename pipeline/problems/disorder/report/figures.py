"""What the report shows in pictures: samples, distributions, and planes that repeat one another."""

from collections.abc import Sequence
from typing import Any, Final

from dsfu.pipeline.problems.disorder.report.pictures import mask_svg, plane_svg
from dsfu.pipeline.problems.disorder.report.sample_choice import ChosenDuplicate, choose_duplicates, choose_samples
from dsfu.pipeline.problems.disorder.report.sample_sheet import layer_words, offset_words, root_scaled, set_words
from dsfu.pipeline.problems.disorder.report.store_summary import StoreSummary
from dsfu.pipeline.problems.disorder.report.store_view import SampleView, StoreView
from dsfu.pipeline.report.charts import histogram
from dsfu.pipeline.report.histograms import Distribution
from dsfu.pipeline.report.plain_page import is_constant
from dsfu.words import number_words, share_words

REPORT_SAMPLES: Final = 10
COUPLES_PER_SPLIT: Final = 3

_CAPTIONS: Final = {
    "alpha_100": "α_100",
    "alpha_010": "α_010",
    "alpha_001": "α_001",
    "alpha_all": "α of all 665 vectors of each plane’s set",
    "fraction_a": "mole fraction m_A",
    "q_max": "Q_max (1/Å)",
    "coverage": "live share of the mask (%)",
    "clipped": "pixels at which I_SRO was set to 0 (%)",
    "offset_h": "h of planes normal to a",
    "offset_k": "k of planes normal to b",
    "offset_l": "l of planes normal to c",
    "duplicate_distance": "distance of removed planes",
}


def samples(store: StoreView) -> list[dict[str, Any]]:
    """Some samples as a network gets them, and what it has to find."""
    chosen = choose_samples(store, REPORT_SAMPLES)
    return [_sample(store.splits[each.split].sample(each.index)) for each in chosen]


def _sample(sample: SampleView) -> dict[str, Any]:
    where = f"{sample.pair}, {layer_words(sample)}"
    live_words = f"Mask, {share_words(float(sample.live.mean()))} of the pixels are live"
    planes = (
        plane_svg(root_scaled(sample.scattering), sample.live, sample.q_max, f"Scattering with dead zones: {where}"),
        plane_svg(root_scaled(sample.form_factor), None, sample.q_max, f"Form factor: {where}"),
        plane_svg(root_scaled(sample.sro), None, sample.q_max, f"Short-range order: {where}"),
        mask_svg(sample.live, sample.q_max, live_words),
    )
    return {
        **_layer(sample),
        "pair": sample.pair,
        "fraction": f"{sample.fraction_a:.2f}",
        "set_words": set_words(sample.set_kind),
        "where": f"{sample.split} {sample.index}",
        "planes": planes,
    }


def _layer(sample: SampleView) -> dict[str, Any]:
    offset = offset_words(sample.offset)
    return {"along_x": sample.along_x, "along_y": sample.along_y, "constant": sample.constant, "offset": offset}


def histograms(shown: Sequence[Distribution]) -> list[dict[str, Any]]:
    """A chart for each quantity that differs from plane to plane, and its caption."""
    return [_chart(each) for each in shown if not is_constant(each)]


def distances(summary: StoreSummary) -> list[dict[str, Any]]:
    """How far removed planes are from what they repeat, with the limit."""
    found = [each for each in summary.distributions if each.name == "duplicate_distance"]
    return [_chart(each, summary.splits[0].threshold) for each in found]


def _chart(shown: Distribution, marker: float | None = None) -> dict[str, Any]:
    description = f"Histogram of {shown.label}" + "".join(
        f"; {split}: median {number_words(middle)}, 90 % between {number_words(low)} and {number_words(high)}"
        for split, (_, low, middle, high, _) in shown.quantiles.items()
    )
    return {"chart": histogram(shown, description, marker), "caption": _CAPTIONS.get(shown.name, shown.label)}


def couples(store: StoreView) -> list[dict[str, Any]]:
    """Of each split the nearest, a middling and the farthest couple of a removed plane and what it repeats."""
    chosen = [each for split in store.splits.values() for each in choose_duplicates(split, COUPLES_PER_SPLIT)]
    return [_couple(store, each) for each in chosen]


def _couple(store: StoreView, couple: ChosenDuplicate) -> dict[str, Any]:
    split = store.splits[couple.split]
    removed, repeated = split.sample(couple.removed), split.sample(couple.repeated)
    return {
        "removed": _couple_plane(removed, "removed"),
        "kept": _couple_plane(repeated, "kept"),
        "pair": removed.pair,
        "distance": number_words(couple.distance),
        "where": f"{couple.split} {couple.removed}, {couple.repeated}",
    }


def _couple_plane(sample: SampleView, words: str) -> dict[str, Any]:
    description = f"Scattering, {words}: {sample.pair}, {layer_words(sample)}"
    drawn = plane_svg(root_scaled(sample.scattering), None, sample.q_max, description)
    return {**_layer(sample), "words": words, "drawn": drawn}
