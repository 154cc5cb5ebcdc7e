"""Sections of a report that tell how a store was made: rates, where the time went, the slowest shards, what failed."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Final

from dsfu.pages.frame import grid
from dsfu.pipeline.kinds import noun_of, words_of
from dsfu.pipeline.report.charts import share_words, stacked_bar_svg
from dsfu.pipeline.report.ledger_summary import KindSummary, LedgerSummary
from dsfu.words import count, duration, grouped, rate

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


def making_section(making: LedgerSummary, *, slowest: str, noun: str, note: str = "") -> str:
    """Rates and times. ``slowest`` is the heading of the slowest shards, whose items are called ``noun``s."""
    return "".join([_rates(making.kinds), _steps(making.kinds), _slowest(making, slowest, noun, note)])


def _rates(kinds: Iterable[KindSummary]) -> str:
    heads = ["", ">shards", ">made", ">time of workers", ">on the clock", ">workers", ">rate", ">rate of one"]
    rows = [
        [
            escape(words_of(each.kind)),
            grouped(each.shards),
            f"{grouped(each.items)} {noun_of(each.kind)}s",
            duration(each.seconds),
            duration(each.active_seconds),
            f"{each.workers:.1f}",
            rate(each.items_per_second, noun_of(each.kind) + "s"),
            rate(each.items / each.seconds, noun_of(each.kind) + "s"),
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
            kind = escape(words_of(each.kind))
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


def _slowest(making: LedgerSummary, heading: str, noun: str, note: str) -> str:
    if not making.slowest:
        return ""
    rows = [
        [escape(each.identity), grouped(each.items), duration(each.seconds), escape(each.host)]
        for each in making.slowest
    ]
    note = f"<p class=soft>{escape(note)}</p>" if note else ""
    return f"<h3>{escape(heading)}</h3>{grid(['shard', f'>{noun}s', '>time', 'host'], rows)}{note}"


def failures_section(making: LedgerSummary) -> str:
    """Shards that could not be made, with their tracebacks."""
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


def provenance_rows(url: str, format_version: int, making: LedgerSummary, closed_with: Mapping[str, str]) -> str:
    """Where a store is, and with what it was made."""
    versions = {package: ", ".join(found) for package, found in making.versions.items()}
    hosts = ", ".join(f"{host} ({count(shards, 'shard')})" for host, shards in making.hosts.items())
    facts = [
        ("store", url),
        ("format", str(format_version)),
        ("shards made", f"{day(making.first)} to {day(making.last)}" if making.first else ""),
        ("on", hosts),
        ("with", _versions(versions)),
        ("closed with", _versions(closed_with)),
    ]
    rows = [[name, f'<span class="about">{escape(value)}</span>'] for name, value in facts if value]
    return grid(["", ""], rows)


def _versions(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{package} {version}" for package, version in versions.items())


def day(when: str) -> str:
    """A time, for people."""
    return when.replace("T", " ").replace("+00:00", " UTC")
