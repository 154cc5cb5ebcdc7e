"""What has to be made, and why: the shards that a manifest asks for against those that the ledger has."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dsfu.pipeline.kinds import every_kind
from dsfu.pipeline.problem import Shards
from dsfu.pipeline.specs import LedgerEntry, ShardSpec
from dsfu.pipeline.store.ledger import DamagedEntry, Ledger


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A shard to be made, and why."""

    spec: ShardSpec
    reason: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run would do.

    Attributes
    ----------
    missing
        Shards to be made, in the order of making.
    present
        Entries of shards that are there, by key.
    orphans
        Keys in the ledger that the manifest does not ask for.
    seconds_expected, bytes_expected
        For one core, and for all of ``missing``.
    """

    missing: Sequence[Missing]
    present: Mapping[str, LedgerEntry]
    orphans: Sequence[str]
    seconds_expected: float = field(default=0.0)
    bytes_expected: int = field(default=0)

    def by_reason(self) -> dict[str, list[ShardSpec]]:
        """Shards to be made, gathered by the words of their reason."""
        gathered: dict[str, list[ShardSpec]] = defaultdict(list)
        for each in self.missing:
            gathered[f"{each.spec.kind}: {each.reason}"].append(each.spec)
        return dict(gathered)


def make_plan(expected: Shards, ledger: Ledger, *, check: bool = True) -> Plan:
    """Compare what is wanted with what is there.

    ``check`` has a look at the objects of every shard that is there (size, and checksum if one was touched since it was
    written); a shard that is not as it should be counts as missing.
    """
    specs = expected.specs
    wanted = {spec.key for spec in specs}
    known = set(ledger.entries())
    orphans = sorted(known - wanted)
    present: dict[str, LedgerEntry] = {}
    damaged: dict[str, str] = {}
    for key in wanted & known:
        try:
            entry = ledger.read(key)
        except DamagedEntry as error:
            damaged[key] = str(error)
            continue
        except FileNotFoundError:  # it is no file, or was removed since
            damaged[key] = "its ledger entry cannot be read"
            continue
        fault = ledger.check_quickly(entry) if check else None
        if fault is None:
            present[key] = entry
        else:
            damaged[key] = fault
    explain = _Explainer(ledger, orphans, damaged)
    missing = [Missing(spec=spec, reason=explain(spec)) for spec in specs if spec.key not in present]
    seconds, size = _estimate(missing, present.values())
    return Plan(missing=missing, present=present, orphans=orphans, seconds_expected=seconds, bytes_expected=size)


class _Explainer:
    """Says why a shard is missing, from what the ledger knows of it and of earlier shards of its identity."""

    def __init__(self, ledger: Ledger, orphans: Iterable[str], damaged: Mapping[str, str]) -> None:
        self._damaged = {**{each.key: each.reason for each in ledger.set_aside_shards()}, **damaged}
        self._failed = {failure.key: failure.error for failure in ledger.failures()}
        self._earlier: dict[str, LedgerEntry] = {}
        for key in orphans:
            try:
                entry = ledger.read(key)
            except (DamagedEntry, FileNotFoundError):
                continue
            self._earlier[entry.identity] = entry

    def __call__(self, spec: ShardSpec) -> str:
        if spec.key in self._damaged:
            return f"damaged: {self._damaged[spec.key]}"
        if spec.key in self._failed:
            return f"failed before: {self._failed[spec.key]}"
        earlier = self._earlier.get(spec.identity)
        if earlier is None:
            return "new"
        changed = [name for name, value in spec.inputs.items() if earlier.inputs.get(name) != value]
        changed += [name for name in earlier.inputs if name not in spec.inputs]
        return f"changed: {', '.join(changed)}"


def _estimate(missing: Iterable[Missing], entries: Iterable[LedgerEntry]) -> tuple[float, int]:
    """Seconds of one core, and bytes, from what shards of each kind took so far."""
    items, seconds, sizes = (defaultdict[str, float](float) for _ in range(3))
    for entry in entries:
        items[entry.kind] += entry.items
        seconds[entry.kind] += float(entry.made.get("seconds", 0.0))
        sizes[entry.kind] += sum(each.bytes for each in entry.objects.values())
    total_seconds = total_bytes = 0.0
    for each in missing:
        kind, count = each.spec.kind, each.spec.items
        guess = every_kind()[kind]
        measured = items[kind] > 0
        total_seconds += count * (seconds[kind] / items[kind] if measured else guess.seconds_per_item)
        total_bytes += count * (sizes[kind] / items[kind] if measured else guess.bytes_per_item)
    return total_seconds, int(total_bytes)
