"""What differs between two manifests, and what that costs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from dsfu.pipeline.specs import ShardSpec
from dsfu.pipeline.wanted import Wanted

NOTHING: Final = "(nothing)"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One key of a manifest with its old and its new value."""

    key: str
    old: Any
    new: Any


@dataclass(frozen=True, kw_only=True)
class Differences:
    """Attributes
    ----------
    changes
        Keys whose values differ.
    same
        Shards that both have.
    remade
        Shards of one identity whose contents differ, by the names of the inputs that changed.
    new, dropped
        Identities of shards that only the new or only the old manifest has.
    """

    changes: tuple[Change, ...]
    same: int
    remade: Mapping[str, tuple[str, ...]]
    new: tuple[str, ...]
    dropped: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            "changes": [{"key": each.key, "old": each.old, "new": each.new} for each in self.changes],
            "same": self.same,
            "remade": {why: list(identities) for why, identities in self.remade.items()},
            "new": list(self.new),
            "dropped": list(self.dropped),
        }


def differences(old: Wanted, new: Wanted) -> Differences:
    """Compare two manifests: what they say, and the shards that follow from it."""
    before = {spec.identity: spec for spec in old.specs}
    after = {spec.identity: spec for spec in new.specs}
    remade: dict[str, list[str]] = {}
    for identity in after.keys() & before.keys():
        if before[identity].key != after[identity].key:
            remade.setdefault(_why(before[identity], after[identity]), []).append(identity)
    return Differences(
        changes=tuple(_changes(_plain(old), _plain(new))),
        same=sum(before[identity].key == after[identity].key for identity in after.keys() & before.keys()),
        remade={why: tuple(sorted(identities)) for why, identities in sorted(remade.items())},
        new=tuple(identity for identity in after if identity not in before),
        dropped=tuple(identity for identity in before if identity not in after),
    )


def _why(before: ShardSpec, after: ShardSpec) -> str:
    names = [name for name, value in after.inputs.items() if before.inputs.get(name) != value]
    names += [name for name in before.inputs if name not in after.inputs]
    return ", ".join(names)


def _plain(wanted: Wanted) -> dict[str, Any]:
    plain: dict[str, Any] = wanted.loaded.manifest.model_dump(mode="json")
    return plain


def _changes(old: Any, new: Any, path: str = "") -> Iterator[Change]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from _changes(old.get(key, NOTHING), new.get(key, NOTHING), f"{path}.{key}" if path else key)
    elif old != new:
        yield Change(key=path, old=old, new=new)
