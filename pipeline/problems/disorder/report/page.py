"""The report of a store: one HTML file that needs nothing else, to be read, printed, and put beside a paper."""

from pathlib import Path

from dsfu.files import write_text
from dsfu.pages.frame import Table, render
from dsfu.pages.pictures import ramp_address
from dsfu.pipeline.problems.disorder.report.figures import couples, distances, histograms, samples
from dsfu.pipeline.problems.disorder.report.repeats import repeats_table, rule_words
from dsfu.pipeline.problems.disorder.report.sample_sheet import COLOUR_MAP, LIVE_COLOUR, set_words
from dsfu.pipeline.problems.disorder.report.store_summary import StoreSummary, summary_of
from dsfu.pipeline.problems.disorder.report.store_view import StoreView
from dsfu.pipeline.report.making import day, making_of, provenance
from dsfu.pipeline.report.plain_page import constant_words, is_constant, quantiles_table
from dsfu.words import count, grouped, rate, share_words, size


def write_report(store_url: str | Path, out: Path) -> Path:
    """Write the report of a closed store, and return where it is.

    Raises
    ------
    InputError
        If there is no store, or one that is not closed.
    """
    store = StoreView(store_url)
    text = report_html(store, summary_of(store))
    out.parent.mkdir(parents=True, exist_ok=True)
    write_text(out, text)
    return out


def report_html(store: StoreView, summary: StoreSummary) -> str:
    """The report as one HTML document."""
    finished = f"finished {day(summary.making.last)} · " if summary.making.last else ""
    note = "The first pair of a worker also waits for compiled code to be loaded or made."
    shown = [each for each in summary.distributions if each.name != "duplicate_distance"]
    return render(
        "dsfu.pipeline.problems.disorder.report/store.html",
        title=f"{summary.name}: data set report",
        name=summary.name,
        where=f"{finished}{summary.url}",
        tiles=_tiles(summary),
        warning=_warning(summary),
        contents=_contents(summary),
        planes_words=_planes_words(summary),
        ramp=ramp_address(COLOUR_MAP),
        live_colour=LIVE_COLOUR,
        samples=samples(store),
        histograms=histograms(shown),
        constants=[constant_words(each) for each in shown if is_constant(each)],
        quantiles=quantiles_table(shown),
        splits=[split.name for split in summary.splits],
        rule=rule_words(summary),
        repeats=repeats_table(summary),
        distances=distances(summary),
        couples=couples(store),
        making=making_of(summary.making, slowest="Pairs that took longest", noun="plane", note=note),
        sizes=_sizes(summary),
        failures=summary.making.failures,
        provenance=provenance(summary.url, summary.format_version, summary.making, summary.closed_with),
        manifest=summary.manifest,
    )


def _tiles(summary: StoreSummary) -> list[tuple[str, str]]:
    planes = summary.making.kind("planes")
    values = [
        (grouped(summary.kept), f"planes to use, of {grouped(summary.samples)}"),
        (grouped(summary.pairs), "pairs of species"),
        (share_words(1 - summary.kept / max(summary.samples, 1)), "removed, for they repeat others"),
        (size(summary.sizes.total), f"{size(summary.bytes_per_sample)} a plane"),
    ]
    if planes is not None and planes.items_per_second:
        values.append((rate(planes.items_per_second, "planes"), f"with {planes.workers:.1f} workers on average"))
    return values


def _warning(summary: StoreSummary) -> str:
    failures = [each for each in summary.making.failures if each.kind == "planes"]
    said = []
    if summary.making.failures:
        text = f"{count(len(summary.making.failures), 'shard')} could not be made"
        said.append(f"{text}, {len(failures)} of them pairs that are missing here." if failures else f"{text}.")
    if not summary.splits:
        said.append("No pair is complete.")
    if summary.making.damaged:
        said.append(f"{count(summary.making.damaged, 'ledger entry', 'ledger entries')} cannot be read.")
    return " ".join(said)


def _contents(summary: StoreSummary) -> Table:
    heads = ["split", "group", ">species", ">pairs", ">planes", ">to use", ">removed"]
    rows = [
        [
            split.name,
            f"{group.group} {group.shape}",
            *map(grouped, (group.species, group.pairs, group.samples, group.kept)),
            share_words(1 - group.kept / group.samples),
        ]
        for split in summary.splits
        for group in split.groups
    ]
    total = [grouped(number) for number in (summary.pairs, summary.samples, summary.kept)]
    rows.append(["all", "", "", *total, share_words(1 - summary.kept / max(summary.samples, 1))])
    return Table(title="", heads=heads, rows=rows, total=True)


def _planes_words(summary: StoreSummary) -> str:
    sets = ", ".join(f"{grouped(number)} {set_words(kind)}" for kind, number in summary.sets.items())
    kind = "planes are stored" if summary.materialised else "parameters only, planes are computed when read"
    return (
        f"{summary.pixels} × {summary.pixels} pixels a plane; sets of short-range order: {sets or 'none'}; "
        f"{count(summary.masks, 'mask')}; {kind}."
    )


def _sizes(summary: StoreSummary) -> Table:
    sizes, number = summary.sizes, max(summary.samples, 1)
    parts = [
        ("planes", sizes.planes),
        ("parameters of planes, sets and masks, as they were made", sizes.records),
        ("coordinates, embeddings, species, sets, masks, as they are read", sizes.tables),
        ("all", sizes.total),
    ]
    rows = [[words, size(of), size(of / number)] for words, of in parts]
    return Table(title="", heads=["", ">in all", ">a plane"], rows=rows, total=True)
