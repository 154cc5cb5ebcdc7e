"""The report of any closed store: counts, samples, distributions, and how it was made."""

from collections.abc import Sequence
from html import escape

from dsfu.pages.frame import grid, headed, tiles
from dsfu.pipeline.report.charts import histogram_svg, number_words
from dsfu.pipeline.report.histograms import Distribution
from dsfu.pipeline.report.making import day, failures_section, making_section, provenance_rows
from dsfu.pipeline.report.panel_figure import Sample, data_url
from dsfu.pipeline.report.plain import PlainSummary
from dsfu.pipeline.report.style import REPORT_STYLE
from dsfu.words import count, grouped, size


def plain_page(summary: PlainSummary, samples: Sequence[Sample]) -> str:
    """The report as one HTML document."""
    manifest = f"<h3>Manifest</h3><pre>{escape(summary.manifest)}</pre>"
    made_with = provenance_rows(summary.url, summary.format_version, summary.making, summary.closed_with)
    sections = [
        ("What is in it", _contents(summary)),
        ("Samples", _samples(samples)),
        ("Distributions", _distributions(summary.distributions)),
        ("Making", making_section(summary.making, slowest="Shards that took longest", noun="sample")),
        ("Shards that failed", failures_section(summary.making)),
        ("Provenance", made_with + manifest),
    ]
    return headed(f"{summary.name}: data set report", _header(summary), sections, REPORT_STYLE)


def _header(summary: PlainSummary) -> str:
    samples, kept = (sum(getattr(split, name) for split in summary.splits) for name in ("samples", "kept"))
    values = [
        (grouped(kept), f"samples to use, of {grouped(samples)}"),
        (summary.problem, "what it is of"),
        (size(summary.bytes), f"{size(summary.bytes / max(samples, 1))} a sample"),
    ]
    when = f"finished {day(summary.making.last)} · " if summary.making.last else ""
    failed = len(summary.making.failures)
    warning = (
        f'<p class="warning"><b>Not complete.</b> {count(failed, "shard")} could not be made.</p>' if failed else ""
    )
    where = f'<div class="where">{when}{escape(summary.url)}</div>'
    return f"<h1>{escape(summary.name)}</h1>{where}{tiles(values)}{warning}"


def _contents(summary: PlainSummary) -> str:
    rows = [[escape(split.name), grouped(split.samples), grouped(split.kept)] for split in summary.splits]
    table = grid(["split", ">samples", ">to use"], rows)
    rows = [[escape(name), grouped(number)] for name, number in summary.tables.items()]
    return table + (grid(["table", ">rows"], rows) if rows else "")


def _samples(samples: Sequence[Sample]) -> str:
    shown = [(name, panels) for name, panels in samples if panels]
    if not shown:
        return ""
    intro = "<p>Chosen by a rule that goes through the splits, not by looks.</p>"
    pictures = "".join(
        f'<img src="{data_url((name, panels))}" alt="{escape(name)}: {escape(", ".join(p.title for p in panels))}">'
        for name, panels in shown
    )
    return f'{intro}<div class="panels">{pictures}</div>'


def _distributions(shown: Sequence[Distribution]) -> str:
    if not shown:
        return ""
    names = list(dict.fromkeys(split for each in shown for split in each.counts))
    keys = "".join(
        f'<span><i class="{"line" if number else "key"}"></i>{escape(split)}</span>'
        for number, split in enumerate(names)
    )
    charts = "".join(
        f"<figure>{histogram_svg(each, f'Histogram of {each.label}')}<figcaption>{escape(_caption(each))}</figcaption>"
        "</figure>"
        for each in shown
    )
    rows = [
        [escape(each.name), escape(split), *map(number_words, values)]
        for each in shown
        for split, values in each.quantiles.items()
    ]
    heads = ["quantity", "split", ">least", ">5 %", ">median", ">95 %", ">greatest"]
    numbers = f"<details><summary>The same in numbers</summary>{grid(heads, rows)}</details>"
    return f'<div class="legend">{keys}</div><div class="charts">{charts}</div>{numbers}'


def _caption(shown: Distribution) -> str:
    return f"{shown.label} ({shown.unit})" if shown.unit else shown.label
