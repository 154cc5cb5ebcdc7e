"""What has to be made, and why: the shards that a manifest asks for against those that the ledger has."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from dsfu.pipeline.compiling import compiled_before
from dsfu.pipeline.kinds import every_kind
from dsfu.pipeline.problem import Shards
from dsfu.pipeline.specs import LedgerEntry, ShardSpec
from dsfu.pipeline.store.ledger import DamagedEntry, Ledger

START_SECONDS: Final = 3.0
"""From a command to the first shard, and from the last to a closed store of some thousand samples; two cores, idle."""


@dataclass(frozen=True, kw_only=True)
class Rate:
    """What an item of a kind costs: seconds of one core, and bytes of the store.

    ``once`` are the seconds that the first shard in a process takes more than others, as it loads compiled code. Where
    a ledger's shards were averaged these are in ``seconds``.
    """

    seconds: float
    bytes: float
    once: float = 0.0


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
    seconds_once
        What each worker takes before it makes shards at that speed.
    seconds_to_compile
        What each worker takes before that, if their kernels were never compiled here.
    guessed
        Kinds among them of which nothing was ever measured here, so that those are guesses.
    by_earlier
        Kinds of which the store has only shards that the manifest does not ask for: seconds are what those took.
    """

    missing: Sequence[Missing]
    present: Mapping[str, LedgerEntry]
    orphans: Sequence[str]
    seconds_expected: float = field(default=0.0)
    bytes_expected: int = field(default=0)
    seconds_once: float = field(default=0.0)
    seconds_to_compile: float = field(default=0.0)
    guessed: Sequence[str] = ()
    by_earlier: Sequence[str] = ()
    others: Mapping[str, Rate] = field(default_factory=dict)

    def at_rates(self, rates: Mapping[str, Rate]) -> Self:
        """The same, its cost by these rates of kinds, and else by what shards that are there took."""
        return replace(self, **_estimate(self.missing, _rates(self.present.values()) | dict(rates), self.others))

    def with_compiling(self) -> Self:
        """The same with what it takes to compile kernels that were never compiled here."""
        kinds = [every_kind()[name] for name in {each.spec.kind for each in self.missing}]
        first = [kind.seconds_to_compile for kind in kinds if kind.kernels and not compiled_before(kind.kernels)]
        return replace(self, seconds_to_compile=sum(first))

    def seconds_on(self, cores: int) -> float:
        """How long a run should take by the clock, start and closing included."""
        return self.seconds_to_start + self.seconds_expected / cores

    @property
    def seconds_to_start(self) -> float:
        """What does not get less with more cores."""
        return START_SECONDS + self.seconds_once + self.seconds_to_compile

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
    others = _rates(explain.earlier)
    return Plan(missing=missing, present=present, orphans=orphans, others=others).at_rates({})


class _Explainer:
    """Says why a shard is missing, from what the ledger knows of it and of earlier shards of its identity."""

    def __init__(self, ledger: Ledger, orphans: Iterable[str], damaged: Mapping[str, str]) -> None:
        self._damaged = {**{each.key: each.reason for each in ledger.set_aside_shards()}, **damaged}
        self._failed = {failure.key: failure.error for failure in ledger.failures()}
        self._earlier: dict[str, LedgerEntry] = {}
        self.earlier: list[LedgerEntry] = []
        for key in orphans:
            try:
                entry = ledger.read(key)
            except (DamagedEntry, FileNotFoundError):
                continue
            self._earlier[entry.identity] = entry
            self.earlier.append(entry)

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


def _rates(entries: Iterable[LedgerEntry]) -> dict[str, Rate]:
    """What an item of each kind took so far."""
    items, seconds, sizes = (defaultdict[str, float](float) for _ in range(3))
    for entry in entries:
        items[entry.kind] += entry.items
        seconds[entry.kind] += float(entry.made.get("seconds", 0.0))
        sizes[entry.kind] += sum(each.bytes for each in entry.objects.values())
    return {kind: Rate(seconds=seconds[kind] / items[kind], bytes=sizes[kind] / items[kind]) for kind in items}


def _estimate(missing: Iterable[Missing], rates: Mapping[str, Rate], others: Mapping[str, Rate]) -> dict[str, Any]:
    """Seconds of one core, and bytes, and which kinds are guesses.

    ``others`` are rates of shards of another manifest. How many bytes a shard has follows from the manifest more than
    from what was there before, so that of these only seconds are taken.
    """
    items, declared = defaultdict[str, int](int), defaultdict[str, int](int)
    for each in missing:
        items[each.spec.kind] += each.spec.items
        declared[each.spec.kind] += each.spec.bytes_expected
    kinds = every_kind()
    guesses = {
        kind: Rate(
            seconds=others[kind].seconds if kind in others else kinds[kind].seconds_per_item,
            bytes=declared[kind] / count or kinds[kind].bytes_per_item,
        )
        for kind, count in items.items()
        if kind not in rates
    }
    costs = {**rates, **guesses}
    return {
        "seconds_expected": sum(count * costs[kind].seconds for kind, count in items.items()),
        "bytes_expected": int(sum(count * costs[kind].bytes for kind, count in items.items())),
        "seconds_once": sum(costs[kind].once for kind in items),
        "guessed": sorted(guesses.keys() - others.keys()),
        "by_earlier": sorted(guesses.keys() & others.keys()),
    }
