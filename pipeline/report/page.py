"""The report of a store: one HTML file that needs nothing else, to be read, printed, and put beside a paper."""

from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Final

from dsfu.pages.frame import grid, headed, tiles
from dsfu.pipeline.report.charts import share_words, stacked_bar_svg
from dsfu.pipeline.report.figures import distributions_section, duplicates_section, samples_section
from dsfu.pipeline.report.ledger_summary import KindSummary, LedgerSummary
from dsfu.pipeline.report.sample_sheet import set_words
from dsfu.pipeline.report.store_summary import Summary, summary_of
from dsfu.pipeline.report.store_view import StoreView
from dsfu.pipeline.report.style import REPORT_STYLE
from dsfu.words import count, duration, grouped, rate, size

_NOUNS: Final = {"sro_sets": "sets", "masks": "masks", "planes": "planes"}
_KIND_WORDS: Final = {"sro_sets": "short-range order", "masks": "dead zones", "planes": "planes"}

_STEPS: Final = {
    "read sets": "read",
    "simulate": "key",
    "kernels": "key",
    "uniqueness": "uniqueness",
    "quantise": "quantise",
    "compress": "compress",
    "write": "write",
    "other": "other",
}
"""Steps of making a shard in their order, and the classes that colour them. No kind has both simulate and kernels."""


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


def report_html(store: StoreView, summary: Summary) -> str:
    """The report as one HTML document."""
    sections = [
        ("What is in it", _contents(summary)),
        ("Samples", samples_section(store)),
        ("Distributions", distributions_section(summary)),
        ("Planes that repeat others", duplicates_section(store, summary)),
        ("Making", _making(summary)),
        ("Shards that failed", _failures(summary.making)),
        ("Provenance", _provenance(summary)),
    ]
    return headed(f"{summary.name}: data set report", _header(summary), sections, REPORT_STYLE)


def _header(summary: Summary) -> str:
    planes = summary.making.kind("planes")
    values = [
        (grouped(summary.kept), f"planes to use, of {grouped(summary.samples)}"),
        (grouped(summary.pairs), "pairs of species"),
        (share_words(1 - summary.kept / max(summary.samples, 1)), "removed, for they repeat others"),
        (size(summary.sizes.total), f"{size(summary.bytes_per_sample)} a plane"),
    ]
    if planes is not None and planes.items_per_second:
        values.append((rate(planes.items_per_second, "planes"), f"with {planes.workers:.1f} workers on average"))
    when = f"finished {_day(summary.making.last)} · " if summary.making.last else ""
    return (
        f'<h1>{escape(summary.name)}</h1><div class="where">{when}{escape(summary.url)}</div>'
        f"{tiles(values)}{_warnings(summary)}"
    )


def _warnings(summary: Summary) -> str:
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


def _contents(summary: Summary) -> str:
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


def _making(summary: Summary) -> str:
    kinds = summary.making.kinds
    return "".join([_rates(kinds), _steps(kinds), _slowest(summary.making), _sizes(summary)])


def _rates(kinds: Iterable[KindSummary]) -> str:
    heads = ["", ">shards", ">made", ">time of workers", ">on the clock", ">workers", ">rate", ">rate of one"]
    rows = [
        [
            _KIND_WORDS.get(each.kind, escape(each.kind)),
            grouped(each.shards),
            f"{grouped(each.items)} {_NOUNS.get(each.kind, 'items')}",
            duration(each.seconds),
            duration(each.active_seconds),
            f"{each.workers:.1f}",
            rate(each.items_per_second, _NOUNS.get(each.kind, "items")),
            rate(each.items / each.seconds, _NOUNS.get(each.kind, "items")),
        ]
        for each in kinds
        if each.seconds > 0 and each.active_seconds > 0
    ]
    return grid(heads, rows) if rows else ""


def _steps(kinds: Iterable[KindSummary]) -> str:
    """Where the time of workers went."""
    rows = []
    for each in kinds:
        if each.seconds > 0:
            names = sorted(each.steps, key=lambda name: (_rank(name), name))
            parts = {name: (each.steps[name], _STEPS.get(name, "other")) for name in names if each.steps[name] > 0}
            words = [f"{name} {share_words(of / each.seconds)}" for name, (of, _) in parts.items()]
            bar = stacked_bar_svg(parts, f"Time of workers: {', '.join(words)}")
            keys = "".join(
                f'<span><i class="{style}"></i>{escape(said)}</span>'
                for said, (_, style) in zip(words, parts.values(), strict=True)
            )
            kind = _KIND_WORDS.get(each.kind, escape(each.kind))
            rows.append(f'<tr><td>{kind}</td><td class="wide">{bar}<div class="legend">{keys}</div></td></tr>')
    if not rows:
        return ""
    return (
        "<h3>Where the time of workers went</h3>"
        f'<div class="scroll"><table class="full"><tbody>{"".join(rows)}</tbody></table></div>'
    )


def _rank(step: str) -> int:
    """Place of a step; those that are not known come before "other"."""
    known = list(_STEPS)
    return known.index(step) if step in _STEPS else known.index("other")


def _slowest(making: LedgerSummary) -> str:
    if not making.slowest:
        return ""
    rows = [
        [escape(each.identity), grouped(each.items), duration(each.seconds), escape(each.host)]
        for each in making.slowest
    ]
    note = "<p class=soft>The first pair of a worker also waits for compiled code to be loaded or made.</p>"
    return f"<h3>Pairs that took longest</h3>{grid(['shard', '>planes', '>time', 'host'], rows)}{note}"


def _sizes(summary: Summary) -> str:
    sizes, samples = summary.sizes, max(summary.samples, 1)
    parts = [
        ("planes", sizes.planes),
        ("parameters of planes, sets and masks, as they were made", sizes.records),
        ("coordinates, embeddings, species, sets, masks, as they are read", sizes.tables),
        ("all", sizes.total),
    ]
    rows = [[words, size(of), size(of / samples)] for words, of in parts]
    return f"<h3>Size</h3>{grid(['', '>in all', '>a plane'], rows, total=True)}"


def _failures(making: LedgerSummary) -> str:
    if not making.failures:
        return ""
    rows = []
    for each in making.failures:
        trace = f"<details><summary>traceback</summary><pre>{escape(each.traceback)}</pre></details>"
        rows.append(
            [
                escape(each.identity),
                escape(each.error) + trace,
                str(each.attempts),
                escape(each.host),
                escape(each.when),
            ]
        )
    return grid(["shard", "cause", ">attempts", "host", "when"], rows)


def _provenance(summary: Summary) -> str:
    making = summary.making
    versions = {package: ", ".join(found) for package, found in making.versions.items()}
    hosts = ", ".join(f"{host} ({count(shards, 'shard')})" for host, shards in making.hosts.items())
    facts = [
        ("store", summary.url),
        ("format", str(summary.format_version)),
        ("shards made", f"{_day(making.first)} to {_day(making.last)}" if making.first else ""),
        ("on", hosts),
        ("with", _versions(versions)),
        ("closed with", _versions(summary.closed_with)),
    ]
    rows = [[name, f'<span class="about">{escape(value)}</span>'] for name, value in facts if value]
    manifest = f"<h3>Manifest</h3><pre>{escape(summary.manifest)}</pre>" if summary.manifest else ""
    return grid(["", ""], rows) + manifest


def _versions(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{package} {version}" for package, version in versions.items())


def _day(when: str) -> str:
    return when.replace("T", " ").replace("+00:00", " UTC")
