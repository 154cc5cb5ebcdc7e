"""How far a store has come, from its ledger and its locks alone."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from dsfu.pipeline.specs import ShardFailure
from dsfu.pipeline.store.files import Files
from dsfu.pipeline.store.ledger import Ledger, SetAside
from dsfu.pipeline.store.locks import live_writers
from dsfu.pipeline.store.state import DamagedState, read_state
from dsfu.pipeline.wanted import Wanted


@dataclass(frozen=True, kw_only=True)
class StoreStatus:
    """Attributes
    ----------
    wanted, present
        Shards by kind: what the manifest asks for, and how many of these have an entry in the ledger.
    orphans
        Shards that are there and that the manifest does not ask for.
    closed
        Samples and kept samples by split, and of what it is made, as the store was last closed; None if it is not.
    writers
        Who writes to it at the moment.
    """

    store: str
    name: str
    wanted: Mapping[str, int]
    present: Mapping[str, int]
    orphans: int
    closed: Mapping[str, Mapping[str, int]] | None
    writers: tuple[str, ...]
    failures: tuple[ShardFailure, ...]
    set_aside: tuple[SetAside, ...]

    @property
    def complete(self) -> bool:
        """Whether every shard is there."""
        return self.present == self.wanted

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "complete": self.complete}


def status_of(files: Files, wanted: Wanted) -> StoreStatus:
    """Count what is there. Nothing is read but the names of ledger entries, failures, locks, and the state."""
    ledger = Ledger(files)
    specs = wanted.specs
    keys = ledger.entries()
    counted = Counter(spec.kind for spec in specs)
    present = Counter(spec.kind for spec in specs if spec.key in keys)
    return StoreStatus(
        store=files.url,
        name=wanted.loaded.manifest.name,
        wanted=dict(counted),
        present={kind: present[kind] for kind in counted},
        orphans=len(keys - {spec.key for spec in specs}),
        closed=_closed(files),
        writers=tuple(map(str, live_writers(files))),
        failures=tuple(ledger.failures()),
        set_aside=tuple(ledger.set_aside_shards()),
    )


def _closed(files: Files) -> Mapping[str, Mapping[str, int]] | None:
    try:
        return read_state(files).splits
    except (FileNotFoundError, DamagedState):
        return None
