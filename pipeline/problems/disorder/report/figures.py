"""Sections of the report that are mostly pictures: samples, distributions, and planes that repeat one another."""

from collections.abc import Sequence
from html import escape
from typing import Final

from dsfu.pages.frame import grid
from dsfu.pipeline.problems.disorder.report.pictures import mask_svg, plane_svg, ramp_svg
from dsfu.pipeline.problems.disorder.report.sample_choice import ChosenDuplicate, choose_duplicates, choose_samples
from dsfu.pipeline.problems.disorder.report.sample_sheet import (
    LIVE_COLOUR,
    layer_words,
    offset_words,
    root_scaled,
    set_words,
)
from dsfu.pipeline.problems.disorder.report.store_summary import SplitCount, StoreSummary
from dsfu.pipeline.problems.disorder.report.store_view import SampleView, StoreView
from dsfu.pipeline.report.charts import histogram_svg, number_words, share_words
from dsfu.pipeline.report.histograms import Distribution
from dsfu.words import grouped

REPORT_SAMPLES: Final = 10
COUPLES_PER_SPLIT: Final = 3

_PAPER: Final = {"train": (209_800, 198_421), "validation": (14_112, 12_607)}
"""Planes made and kept by Fuller & Rudden (2024)."""

_CAPTIONS: Final = {
    "alpha_100": "<i>α</i><sub>100</sub>",
    "alpha_010": "<i>α</i><sub>010</sub>",
    "alpha_001": "<i>α</i><sub>001</sub>",
    "alpha_all": "<i>α</i> of all 665 vectors of each plane’s set",
    "fraction_a": "mole fraction <i>m</i><sub>A</sub>",
    "q_max": "<i>Q</i><sub>max</sub> (1/Å)",
    "coverage": "live share of the mask (%)",
    "clipped": "pixels at which <i>I</i><sub>SRO</sub> was set to 0 (%)",
    "offset_h": "<i>h</i> of planes normal to <i>a</i>",
    "offset_k": "<i>k</i> of planes normal to <i>b</i>",
    "offset_l": "<i>l</i> of planes normal to <i>c</i>",
    "duplicate_distance": "distance of removed planes",
}

_MEASURES: Final = {
    "appearance": "the distance √(1 − <i>r</i>), with <i>r</i> the correlation of √<i>I</i>",
    "sliced_wasserstein": "the sliced Wasserstein distance of intensity, in widths of a plane",
}

_RAMP: Final = (
    '<div class="ramp"><span>0</span>{ramp}<span>1, which is √(<i>I</i> / <i>I</i><sub>max</sub>)</span>'
    '<span><b class="dead"></b>dead <b style="background:{live}"></b>live</span></div>'
)


def samples_section(store: StoreView) -> str:
    """Some samples as a network gets them, and what it has to find."""
    chosen = choose_samples(store, REPORT_SAMPLES)
    if not chosen:
        return ""
    intro = (
        "<p>In this order: scattering with dead zones, form factor, short-range order, mask; axes are "
        "<i>Q</i><sub>x</sub> and <i>Q</i><sub>y</sub> in 1/Å. Chosen by a rule that goes through groups and splits, "
        "not by looks.</p>"
    )
    ramp = _RAMP.format(ramp=ramp_svg(), live=LIVE_COLOUR)
    return intro + ramp + "".join(_sample(store.splits[each.split].sample(each.index)) for each in chosen)


def _sample(sample: SampleView) -> str:
    where = f"{sample.pair}, {layer_words(sample)}"
    panels = (
        plane_svg(root_scaled(sample.scattering), sample.live, sample.q_max, f"Scattering with dead zones: {where}"),
        plane_svg(root_scaled(sample.form_factor), None, sample.q_max, f"Form factor: {where}"),
        plane_svg(root_scaled(sample.sro), None, sample.q_max, f"Short-range order: {where}"),
        mask_svg(sample.live, sample.q_max, f"Mask, {share_words(float(sample.live.mean()))} of the pixels are live"),
    )
    about = (
        f"<b>{escape(sample.pair)}</b>{_layer_html(sample)}<br><i>m</i><sub>A</sub> = {sample.fraction_a:.2f}<br>"
        f'{escape(set_words(sample.set_kind))}<br><span class="soft">{escape(sample.split)} {sample.index}</span>'
    )
    return f'<div class="sample"><div class="about">{about}</div><div class="planes">{"".join(panels)}</div></div>'


def _layer_html(sample: SampleView) -> str:
    constant = f"<i>{sample.constant}</i>\u00a0=\u00a0{offset_words(sample.offset)}"
    return f"<i>{sample.along_x}{sample.along_y}</i> plane, {constant}"


def distributions_section(summary: StoreSummary) -> str:
    """Histograms of all quantities, and their quantiles."""
    shown = [each for each in summary.distributions if each.name != "duplicate_distance"]
    if not shown:
        return ""
    intro = "<p>Over the planes that are kept, each split in per cent of its own.</p>"
    charts = "".join(_chart(each) for each in shown)
    return f'{intro}{_legend(summary.splits)}<div class="charts">{charts}</div>{_quantiles(shown)}'


def _chart(shown: Distribution, marker: float | None = None) -> str:
    description = f"Histogram of {shown.label}" + "".join(
        f"; {split}: median {number_words(middle)}, 90 % between {number_words(low)} and {number_words(high)}"
        for split, (_, low, middle, high, _) in shown.quantiles.items()
    )
    caption = _CAPTIONS.get(shown.name, escape(shown.label))
    return f"<figure>{histogram_svg(shown, description, marker)}<figcaption>{caption}</figcaption></figure>"


def _legend(splits: Sequence[SplitCount]) -> str:
    keys = [
        f'<span><i class="{"line" if number else "key"}"></i>{escape(split.name)}</span>'
        for number, split in enumerate(splits)
    ]
    return f'<div class="legend">{"".join(keys)}</div>'


def _quantiles(shown: Sequence[Distribution]) -> str:
    rows = [
        [_CAPTIONS.get(each.name, escape(each.label)), escape(split), *map(number_words, values)]
        for each in shown
        for split, values in each.quantiles.items()
    ]
    heads = ["quantity", "split", ">least", ">5 %", ">median", ">95 %", ">greatest"]
    return f"<details><summary>The same in numbers</summary>{grid(heads, rows)}</details>"


def duplicates_section(store: StoreView, summary: StoreSummary) -> str:
    """What was removed for repeating other planes, beside the paper, with examples."""
    if not summary.splits:
        return ""
    rows = [
        [
            escape(split.name),
            grouped(split.samples),
            grouped(split.removed),
            share_words(split.share_removed),
            share_words(1 - _PAPER[split.name][1] / _PAPER[split.name][0]) if split.name in _PAPER else "",
        ]
        for split in summary.splits
    ]
    heads = ["split", ">planes", ">removed", ">share", ">Fuller &amp; Rudden (2024)"]
    paper = (
        "<p class=soft>The paper’s shares are of 209\u202f800 and 14\u202f112 planes, which were compared by another "
        "distance.</p>"
    )
    distances = [each for each in summary.distributions if each.name == "duplicate_distance"]
    charts = "".join(_chart(each, summary.splits[0].threshold) for each in distances)
    charts = f'{_legend(summary.splits)}<div class="charts">{charts}</div>' if charts else ""
    return f"<p>{_rule(summary.splits[0])}</p>{grid(heads, rows)}{paper}{charts}{_couples(store)}"


def _rule(split: SplitCount) -> str:
    if split.scope == "none":
        return "Planes were not compared with one another."
    among = "of the same pair" if split.scope == "pair" else "of the same split"
    measure = _MEASURES.get(split.metric, escape(split.metric))
    return (
        f"A plane is removed if another one {among} that is kept lies nearer than {number_words(split.threshold)}, by "
        f"{measure}. Removed planes stay in the store and are marked."
    )


def _couples(store: StoreView) -> str:
    chosen = [each for split in store.splits.values() for each in choose_duplicates(split, COUPLES_PER_SPLIT)]
    if not chosen:
        return ""
    intro = (
        "<h3>Removed planes and what they repeat</h3><p>Scattering on the square-root scale; removed on the left, kept "
        "on the right. Of each split the nearest, a middling and the farthest couple.</p>"
    )
    return f'{intro}<div class="couples">{"".join(_couple(store, each) for each in chosen)}</div>'


def _couple(store: StoreView, couple: ChosenDuplicate) -> str:
    split = store.splits[couple.split]
    removed, repeated = split.sample(couple.removed), split.sample(couple.repeated)
    pictures = "".join(
        f'<div>{_couple_plane(each, words)}<div class="below">{words}<br>{_layer_html(each)}</div></div>'
        for each, words in ((removed, "removed"), (repeated, "kept"))
    )
    return (
        f'<figure class="couple"><div class="planes">{pictures}</div><figcaption><b>{escape(removed.pair)}</b><br>'
        f"distance {number_words(couple.distance)} ({escape(couple.split)} {couple.removed}, {couple.repeated})"
        "</figcaption></figure>"
    )


def _couple_plane(sample: SampleView, words: str) -> str:
    description = f"Scattering, {words}: {sample.pair}, {layer_words(sample)}"
    return plane_svg(root_scaled(sample.scattering), None, sample.q_max, description)
