"""How a store was made, from its ledger: the time that it took and where that went, who made it, what failed."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from dsfu.pipeline.kinds import every_kind, is_sample
from dsfu.pipeline.specs import LedgerEntry, ShardFailure
from dsfu.pipeline.store.files import Files
from dsfu.pipeline.store.ledger import DamagedEntry, Ledger
from dsfu.pipeline.store.parallel import for_each

_SLOWEST: Final = 5


@dataclass(frozen=True, kw_only=True)
class KindSummary:
    """All shards of one kind.

    Attributes
    ----------
    items
        Samples, or whatever the kind holds.
    seconds
        Time of workers, added up.
    active_seconds
        Time during which at least one shard of the kind was being made; pauses between runs do not count.
    steps
        Seconds of workers by step. What no step accounts for is "other".
    bytes
        Size by name of object.
    """

    kind: str
    shards: int
    items: int
    seconds: float
    active_seconds: float
    steps: Mapping[str, float]
    bytes: Mapping[str, int]

    @property
    def items_per_second(self) -> float:
        """As the clock on the wall has it, all workers together; 0 if nobody took the time."""
        return self.items / self.active_seconds if self.active_seconds > 0 else 0.0

    @property
    def workers(self) -> float:
        """How many worked at once, on average."""
        return self.seconds / self.active_seconds if self.active_seconds > 0 else 0.0


@dataclass(frozen=True, kw_only=True)
class SlowShard:
    """One of the shards of samples that took longest."""

    identity: str
    items: int
    seconds: float
    host: str


@dataclass(frozen=True, kw_only=True)
class LedgerSummary:
    """Attributes
    ----------
    hosts
        How many shards each host made.
    versions
        Versions that shards were made with, by package; more than one where it changed in between.
    first, last
        When the first and the last shard were finished, in ISO 8601; empty if nothing is known.
    damaged
        Ledger entries that cannot be read.
    """

    kinds: tuple[KindSummary, ...]
    slowest: tuple[SlowShard, ...]
    hosts: Mapping[str, int]
    versions: Mapping[str, tuple[str, ...]]
    first: str
    last: str
    failures: tuple[ShardFailure, ...]
    damaged: int

    def kind(self, name: str) -> KindSummary | None:
        return next((each for each in self.kinds if each.kind == name), None)


def ledger_summary(files: Files, held: Collection[str] | None = None) -> LedgerSummary:
    """Sum up the ledger of a store.

    Shards of samples whose identity is not among those that are ``held`` are left out, if that is given. Of several
    shards of one identity (older ones stay until `gc`) the one made last counts.
    """
    ledger = Ledger(files)
    found = _read_all(files, ledger)
    newest: dict[str, LedgerEntry] = {}
    for entry in sorted((each for each in found if each is not None), key=lambda each: (_when(each), each.key)):
        if held is None or not is_sample(entry.kind) or entry.identity in held:
            newest[entry.identity] = entry
    entries = list(newest.values())
    times = sorted(filter(None, map(_when, entries)))
    return LedgerSummary(
        kinds=_kinds(entries),
        slowest=_slowest(entries),
        hosts=dict(Counter(str(entry.made["host"]) for entry in entries if "host" in entry.made).most_common()),
        versions=_versions(entries),
        first=times[0] if times else "",
        last=times[-1] if times else "",
        failures=tuple(sorted(ledger.failures(), key=lambda each: each.identity)),
        damaged=found.count(None),
    )


def _read_all(files: Files, ledger: Ledger) -> list[LedgerEntry | None]:
    """Every entry, None for those that are damaged."""

    def read(key: str) -> LedgerEntry | None:
        try:
            return ledger.read(key)
        except (DamagedEntry, FileNotFoundError):
            return None

    return for_each(files, read, ledger.entries())


def _kinds(entries: Sequence[LedgerEntry]) -> tuple[KindSummary, ...]:
    by_kind: dict[str, list[LedgerEntry]] = {kind: [] for kind in every_kind()}
    for entry in entries:
        by_kind.setdefault(entry.kind, []).append(entry)
    return tuple(_kind(kind, of_kind) for kind, of_kind in by_kind.items() if of_kind)


def _kind(kind: str, entries: Sequence[LedgerEntry]) -> KindSummary:
    seconds = sum(map(_seconds, entries))
    steps: dict[str, float] = defaultdict(float)
    sizes: dict[str, int] = defaultdict(int)
    for entry in entries:
        for name, of_step in _mapping(entry.made.get("steps")).items():
            steps[name] += float(of_step)
        for name, stored in entry.objects.items():
            sizes[name] += stored.bytes
    steps["other"] = max(0.0, seconds - sum(steps.values()))
    return KindSummary(
        kind=kind,
        shards=len(entries),
        items=sum(entry.items for entry in entries),
        seconds=seconds,
        active_seconds=_active_seconds(entries),
        steps=dict(steps),
        bytes=dict(sizes),
    )


def _active_seconds(entries: Iterable[LedgerEntry]) -> float:
    """Length of the union of the times at which the shards were being made."""
    ends = [(entry, end) for entry in entries if (end := _end(entry)) is not None]
    total, until = 0.0, float("-inf")
    for start, end in sorted((end - _seconds(entry), end) for entry, end in ends):
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total


def _slowest(entries: Iterable[LedgerEntry]) -> tuple[SlowShard, ...]:
    timed = [entry for entry in entries if is_sample(entry.kind) and _seconds(entry) > 0]
    timed.sort(key=_seconds, reverse=True)
    return tuple(
        SlowShard(
            identity=entry.identity,
            items=entry.items,
            seconds=_seconds(entry),
            host=str(entry.made.get("host", "")),
        )
        for entry in timed[:_SLOWEST]
    )


def _versions(entries: Iterable[LedgerEntry]) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        for package, version in _mapping(entry.made.get("versions")).items():
            found[package].add(str(version))
    return {package: tuple(sorted(versions)) for package, versions in sorted(found.items())}


def _when(entry: LedgerEntry) -> str:
    return str(entry.made.get("when", ""))


def _end(entry: LedgerEntry) -> float | None:
    """When a shard was finished, in seconds; the times of its files are finer than the one that its maker tells."""
    times = [stored.modified_ns for stored in entry.objects.values() if stored.modified_ns is not None]
    if times:
        return max(times) / 1e9
    return datetime.fromisoformat(_when(entry)).timestamp() if _when(entry) else None


def _seconds(entry: LedgerEntry) -> float:
    return float(entry.made.get("seconds", 0.0))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
