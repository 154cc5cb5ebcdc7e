"""How a store was made, for a report: rates, where the time went, the slowest shards, and with what."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from dsfu.pages.charts import stacked_bar
from dsfu.pages.frame import Table
from dsfu.pages.svg import Svg
from dsfu.pipeline.kinds import noun_of, words_of
from dsfu.pipeline.report.ledger_summary import KindSummary, LedgerSummary
from dsfu.words import count, duration, grouped, rate, share_words

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


@dataclass(frozen=True)
class TimeOfKind:
    """Where the time of workers went with one kind of shards: a bar, and for each step the class that colours it."""

    words: str
    bar: Svg
    steps: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class MakingSection:
    """What ``sections.html`` shows of it."""

    rates: Table
    steps: tuple[TimeOfKind, ...]
    slowest: Table


def making_of(making: LedgerSummary, *, slowest: str, noun: str, note: str = "") -> MakingSection:
    """Rates and times. ``slowest`` is the heading of the slowest shards, whose items are called ``noun``s."""
    steps = tuple(_time_of(each) for each in making.kinds if each.seconds > 0)
    return MakingSection(_rates(making.kinds), steps, _slowest(making, slowest, noun, note))


def _rates(kinds: Iterable[KindSummary]) -> Table:
    heads = ["", ">shards", ">made", ">time of workers", ">on the clock", ">workers", ">rate", ">rate of one"]
    rows = [
        [
            words_of(each.kind),
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
    return Table(title="", heads=heads, rows=rows)


def _time_of(kind: KindSummary) -> TimeOfKind:
    names = sorted(kind.steps, key=lambda name: (_rank(name), name))
    parts = {name: (kind.steps[name], _STEPS.get(name, "other")) for name in names if kind.steps[name] > 0}
    said = [f"{name} {share_words(seconds / kind.seconds)}" for name, (seconds, _) in parts.items()]
    bar = stacked_bar(parts, f"Time of workers: {', '.join(said)}")
    styles = [style for _, style in parts.values()]
    return TimeOfKind(words_of(kind.kind), bar, tuple(zip(styles, said, strict=True)))


def _rank(step: str) -> int:
    """Place of a step; those that are not known come before "other"."""
    known = list(_STEPS)
    return known.index(step) if step in _STEPS else known.index("other")


def _slowest(making: LedgerSummary, heading: str, noun: str, note: str) -> Table:
    rows = [[each.identity, grouped(each.items), duration(each.seconds), each.host] for each in making.slowest]
    return Table(title=heading, heads=["shard", f">{noun}s", ">time", "host"], rows=rows, note=note)


def provenance(url: str, format_version: int, making: LedgerSummary, closed_with: Mapping[str, str]) -> Table:
    """Where a store is, and with what it was made."""
    versions = {package: ", ".join(found) for package, found in making.versions.items()}
    facts = [
        ("store", url),
        ("format", str(format_version)),
        ("shards made", f"{day(making.first)} to {day(making.last)}" if making.first else ""),
        ("on", ", ".join(f"{host} ({count(shards, 'shard')})" for host, shards in making.hosts.items())),
        ("with", _versions(versions)),
        ("closed with", _versions(closed_with)),
    ]
    return Table(title="", heads=["", ""], rows=[[name, value] for name, value in facts if value])


def _versions(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{package} {version}" for package, version in versions.items())


def day(when: str) -> str:
    """A time, for people: to the second."""
    return re.sub(r"\.\d+", "", when).replace("T", " ").replace("+00:00", " UTC")
