"""The report of any closed store: counts, samples, distributions, and how it was made."""

from collections.abc import Sequence
from typing import Any

from dsfu.pages.frame import Table, render
from dsfu.pages.panel_pictures import Sample, figure_of
from dsfu.pages.pictures import figure_address
from dsfu.pipeline.report.charts import histogram
from dsfu.pipeline.report.histograms import Distribution
from dsfu.pipeline.report.making import day, making_of, provenance
from dsfu.pipeline.report.plain import PlainSummary
from dsfu.words import count, grouped, number_words, size


def plain_page(summary: PlainSummary, samples: Sequence[Sample]) -> str:
    """The report as one HTML document."""
    finished = f"finished {day(summary.making.last)} · " if summary.making.last else ""
    failed = len(summary.making.failures)
    splits = [[split.name, grouped(split.samples), grouped(split.kept)] for split in summary.splits]
    tables = [[name, grouped(number)] for name, number in summary.tables.items()]
    varying = [each for each in summary.distributions if not is_constant(each)]
    return render(
        "dsfu.pipeline.report/plain.html",
        title=f"{summary.name}: data set report",
        name=summary.name,
        where=f"{finished}{summary.url}",
        tiles=_tiles(summary),
        warning=f"{count(failed, 'shard')} could not be made." if failed else "",
        contents=Table(title="", heads=["split", ">samples", ">to use"], rows=splits),
        tables=Table(title="", heads=["table", ">rows"], rows=tables),
        samples=[_picture(name, panels) for name, panels in samples if panels],
        histograms=[{"chart": histogram(each, _described(each)), "caption": _caption(each)} for each in varying],
        constants=[constant_words(each) for each in summary.distributions if is_constant(each)],
        splits=list(dict.fromkeys(split for each in varying for split in each.counts)),
        quantiles=quantiles_table(summary.distributions),
        making=making_of(summary.making, slowest="Shards that took longest", noun="sample"),
        failures=summary.making.failures,
        provenance=provenance(summary.url, summary.format_version, summary.making, summary.closed_with),
        manifest=summary.manifest,
    )


def quantiles_table(shown: Sequence[Distribution]) -> Table:
    """What histograms show, in numbers."""
    heads = ["quantity", "split", ">least", ">5 %", ">median", ">95 %", ">greatest"]
    rows = [
        [each.label, split, *map(number_words, values)] for each in shown for split, values in each.quantiles.items()
    ]
    return Table(title="", heads=heads, rows=rows)


def is_constant(shown: Distribution) -> bool:
    """Whether all samples have one value, of which a histogram would say nothing."""
    return len({value for values in shown.quantiles.values() for value in values}) == 1


def _tiles(summary: PlainSummary) -> list[tuple[str, str]]:
    samples, kept = (sum(getattr(split, name) for split in summary.splits) for name in ("samples", "kept"))
    return [
        (grouped(kept), f"samples to use, of {grouped(samples)}"),
        (summary.problem, "what it is of"),
        (size(summary.bytes), f"{size(summary.bytes / max(samples, 1))} a sample"),
    ]


def _picture(name: str, panels: Sequence[Any]) -> dict[str, str]:
    words = f"{name}: {', '.join(panel.title for panel in panels)}"
    return {"words": words, "address": figure_address(figure_of([(name, panels)]))}


def _described(shown: Distribution) -> str:
    return f"Histogram of {shown.label}"


def constant_words(shown: Distribution) -> str:
    """What is the same in all samples."""
    value = next(iter(shown.quantiles.values()))[0]
    return f"{shown.label} {number_words(value)}{f' {shown.unit}' if shown.unit else ''}"


def _caption(shown: Distribution) -> str:
    return f"{shown.label} ({shown.unit})" if shown.unit else shown.label
