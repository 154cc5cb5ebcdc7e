"""The report of a store: one HTML file that needs nothing else, to be read, printed, and put beside a paper."""

from html import escape
from pathlib import Path

from dsfu.pages.frame import grid, headed, tiles
from dsfu.pipeline.problems.disorder.report.figures import distributions_section, duplicates_section, samples_section
from dsfu.pipeline.problems.disorder.report.sample_sheet import set_words
from dsfu.pipeline.problems.disorder.report.store_summary import StoreSummary, summary_of
from dsfu.pipeline.problems.disorder.report.store_view import StoreView
from dsfu.pipeline.problems.disorder.report.style import PLANES_STYLE
from dsfu.pipeline.report.charts import share_words
from dsfu.pipeline.report.making import day, failures_section, making_section, provenance_rows
from dsfu.words import count, grouped, rate, size


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
    out.write_text(text, encoding="utf-8")
    return out


def report_html(store: StoreView, summary: StoreSummary) -> str:
    """The report as one HTML document."""
    sections = [
        ("What is in it", _contents(summary)),
        ("Samples", samples_section(store)),
        ("Distributions", distributions_section(summary)),
        ("Planes that repeat others", duplicates_section(store, summary)),
        ("Making", _making(summary)),
        ("Shards that failed", failures_section(summary.making)),
        ("Provenance", _provenance(summary)),
    ]
    return headed(f"{summary.name}: data set report", _header(summary), sections, PLANES_STYLE)


def _header(summary: StoreSummary) -> str:
    planes = summary.making.kind("planes")
    values = [
        (grouped(summary.kept), f"planes to use, of {grouped(summary.samples)}"),
        (grouped(summary.pairs), "pairs of species"),
        (share_words(1 - summary.kept / max(summary.samples, 1)), "removed, for they repeat others"),
        (size(summary.sizes.total), f"{size(summary.bytes_per_sample)} a plane"),
    ]
    if planes is not None and planes.items_per_second:
        values.append((rate(planes.items_per_second, "planes"), f"with {planes.workers:.1f} workers on average"))
    when = f"finished {day(summary.making.last)} · " if summary.making.last else ""
    return (
        f'<h1>{escape(summary.name)}</h1><div class="where">{when}{escape(summary.url)}</div>'
        f"{tiles(values)}{_warnings(summary)}"
    )


def _warnings(summary: StoreSummary) -> str:
    failures = [each for each in summary.making.failures if each.kind == "planes"]
    said = []
    if summary.making.failures:
        text = f"{count(len(summary.making.failures), 'shard')} could not be made"
        said.append(f"{text}, {len(failures)} of them pairs that are missing here." if failures else f"{text}.")
    if not summary.splits:
        said.append("No pair is complete.")
    if summary.making.damaged:
        said.append(f"{count(summary.making.damaged, 'ledger entry', 'ledger entries')} cannot be read.")
    return f'<p class="warning"><b>Not complete.</b> {escape(" ".join(said))}</p>' if said else ""


def _contents(summary: StoreSummary) -> str:
    heads = ["split", "group", ">species", ">pairs", ">planes", ">to use", ">removed"]
    rows = [
        [
            escape(split.name),
            f"{group.group} {escape(group.shape)}",
            *map(grouped, (group.species, group.pairs, group.samples, group.kept)),
            share_words(1 - group.kept / group.samples),
        ]
        for split in summary.splits
        for group in split.groups
    ]
    total = [grouped(number) for number in (summary.pairs, summary.samples, summary.kept)]
    rows.append(["all", "", "", *total, share_words(1 - summary.kept / max(summary.samples, 1))])
    sets = ", ".join(f"{grouped(number)} {escape(set_words(kind))}" for kind, number in summary.sets.items())
    kind = "planes are stored" if summary.materialised else "parameters only, planes are computed when read"
    text = (
        f"<p>{summary.pixels} × {summary.pixels} pixels a plane; sets of short-range order: {sets or 'none'}; "
        f"{count(summary.masks, 'mask')}; {kind}.</p>"
    )
    return grid(heads, rows, total=True) + text


def _making(summary: StoreSummary) -> str:
    note = "The first pair of a worker also waits for compiled code to be loaded or made."
    made = making_section(summary.making, slowest="Pairs that took longest", noun="plane", note=note)
    return made + _sizes(summary)


def _sizes(summary: StoreSummary) -> str:
    sizes, samples = summary.sizes, max(summary.samples, 1)
    parts = [
        ("planes", sizes.planes),
        ("parameters of planes, sets and masks, as they were made", sizes.records),
        ("coordinates, embeddings, species, sets, masks, as they are read", sizes.tables),
        ("all", sizes.total),
    ]
    rows = [[words, size(of), size(of / samples)] for words, of in parts]
    return f"<h3>Size</h3>{grid(['', '>in all', '>a plane'], rows, total=True)}"


def _provenance(summary: StoreSummary) -> str:
    rows = provenance_rows(summary.url, summary.format_version, summary.making, summary.closed_with)
    return rows + (f"<h3>Manifest</h3><pre>{escape(summary.manifest)}</pre>" if summary.manifest else "")
