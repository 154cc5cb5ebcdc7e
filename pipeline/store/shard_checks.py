"""Is a shard as it was written? Its entry and objects against what was recorded, and against a second computation."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from dsfu.pipeline.specs import LedgerEntry, StoredObject
from dsfu.pipeline.store import ledger as ledgers
from dsfu.pipeline.store.files import StorageError, crc32c
from dsfu.pipeline.store.findings import Finding, Kind
from dsfu.pipeline.store.ledger import DamagedEntry, Ledger
from dsfu.pipeline.store.placement import home_of

Recompute = Callable[[LedgerEntry], Mapping[str, bytes] | None]


@dataclass
class CheckedShard:
    """What the check of one shard found: where its objects are, by name, and what is wrong with them."""

    key: str
    entry: LedgerEntry | None = None
    paths: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    bytes: int = 0

    def add(self, kind: Kind, path: str, what: str) -> None:
        identity = self.entry.identity if self.entry else ""
        self.findings.append(Finding(kind=kind, path=path, what=what, key=self.key, identity=identity))

    @property
    def faults(self) -> list[Finding]:
        """What is wrong with the shard as it is stored."""
        return [finding for finding in self.findings if finding.kind in ("object", "entry")]


def check_shard(ledger: Ledger, key: str, recompute: Recompute | None) -> CheckedShard:
    shard = CheckedShard(key)
    try:
        shard.entry = ledger.read(key)
    except DamagedEntry as error:
        shard.add("entry", ledgers.entry_path(key), f"is damaged: {error.why}")
    except FileNotFoundError:
        shard.add("entry", ledgers.entry_path(key), "was removed in the meantime")
    except StorageError as error:
        shard.add("unreadable", ledgers.entry_path(key), f"cannot be read: {error.strerror}")
    if shard.entry is not None:
        for name, stored in shard.entry.objects.items():
            _check_object(ledger, shard, name, stored)
        if recompute is not None and not shard.findings:
            _compare(shard, shard.entry, recompute(shard.entry))
    return shard


def _check_object(ledger: Ledger, shard: CheckedShard, name: str, stored: StoredObject) -> None:
    shard.paths[name] = path = ledger.locate(shard.key, name)
    shard.bytes += stored.bytes
    try:
        fault = ledger.fault_of_object(path, stored)
    except StorageError as error:
        shard.add("unreadable", path, f"cannot be read: {error.strerror}")
    else:
        if fault:
            shard.add("object", path, fault)


def _compare(shard: CheckedShard, entry: LedgerEntry, made: Mapping[str, bytes] | None) -> None:
    """Compare what is stored with what is computed now."""
    if made is None:
        return
    for name in sorted({*made, *entry.objects}):
        path = shard.paths.get(name, home_of(entry.key, name))
        if name not in made:
            shard.add("difference", path, "would not be made now")
        elif name not in entry.objects:
            shard.add("difference", path, "would be made now, and was not")
        elif crc32c(made[name]) != entry.objects[name].crc32c:
            shard.add("difference", path, "is not what is computed now")


def mark_shards(ledger: Ledger, shards: Iterable[CheckedShard]) -> tuple[str, ...]:
    """Set damaged shards aside, and record the times of intact ones."""
    aside = []
    for shard in shards:
        if shard.faults:
            ledger.set_aside(shard.key, "; ".join(f"{each.path} {each.what}" for each in shard.faults))
            aside.append(shard.key)
        elif shard.entry is not None and not shard.findings:
            _record_times(ledger, shard.entry, shard.paths)
    return tuple(aside)


def _record_times(ledger: Ledger, entry: LedgerEntry, paths: Mapping[str, str]) -> None:
    times = {name: getattr(ledger.files.stat(path), "modified_ns", None) for name, path in paths.items()}
    objects = {
        name: stored if stored.modified_ns is None else replace(stored, modified_ns=times[name])
        for name, stored in entry.objects.items()
    }
    if objects != dict(entry.objects):
        ledger.write(replace(entry, objects=objects))
