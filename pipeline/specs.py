"""What is passed between planner, workers and ledger: specifications of shards and entries for finished ones.

Plain data that survive JSON, so that they can be sent, stored and compared anywhere. Nothing here knows what a shard
is made of.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self

KEY_DIGITS = 32

_KEY: Final = re.compile(f"[0-9a-f]{{{KEY_DIGITS}}}")


def digest(value: Any) -> str:
    """SHA-256, in 64 hex digits, of anything that JSON can hold: independent of the order of keys, exact in floats."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


_OBJECT: Final = re.compile(r"[a-z][a-z0-9_]*(\.npz)?")

_TYPES_OF_ENTRY: Final[Mapping[str, type]] = {
    "key": str,
    "kind": str,
    "identity": str,
    "inputs": dict,
    "items": int,
    "objects": dict,
    "made": dict,
}
_TYPES_OF_MAKING: Final[Mapping[str, type]] = {
    "when": str,
    "host": str,
    "user": str,
    "seconds": float,
    "steps": dict,
    "versions": dict,
}
"""What is read of how a shard was made."""


def check_types(values: Mapping[str, Any], kinds: Mapping[str, type]) -> None:
    """Raise TypeError unless values that were read from JSON are of these types. Whole numbers will do for float."""
    for name, kind in kinds.items():
        value = values[name]
        if type(value) is not kind and not (kind is float and type(value) is int):
            raise TypeError(f"{name} is {str(value)[:80]!r}, expected {kind.__name__}")


def is_key(text: str) -> bool:
    """Whether a text could be the key of a shard."""
    return _KEY.fullmatch(text) is not None


@dataclass(frozen=True, kw_only=True)
class ShardSpec:
    """One shard that has to exist.

    Attributes
    ----------
    kind
        What it holds: the name of a `dsfu.pipeline.kinds.Kind`.
    identity
        What a person calls it, unique within a plan: ``images/0017``.
    inputs
        A digest for each thing that determines the contents, by a name that a person understands.
    parameters
        All that a worker needs to make it, as plain JSON.
    items
        How many samples, or whatever else its kind holds.
    needs
        Keys of the shards that have to be there before this one can be made.
    split
        Which split of the data set its samples belong to, if it holds samples.
    bytes_expected, seconds_expected
        What the planner expects of it, for its estimates and for batching; the key does not depend on them.
    """

    kind: str
    identity: str
    inputs: Mapping[str, str]
    parameters: Mapping[str, Any]
    items: int
    needs: tuple[str, ...] = ()
    split: str | None = None
    bytes_expected: int = 0
    seconds_expected: float = 0.0
    key: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", digest([self.kind, dict(self.inputs)])[:KEY_DIGITS])


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """One file of a shard, as it was written."""

    bytes: int
    crc32c: int
    modified_ns: int | None = None

    @classmethod
    def from_dict(cls, name: str, values: Mapping[str, Any]) -> Self:
        """Read it. Raises TypeError, ValueError or KeyError if its name or its numbers are not to be believed."""
        stored = cls(**values)
        check_types(values, {"bytes": int, "crc32c": int})
        if stored.modified_ns is not None:
            check_types(values, {"modified_ns": int})
        if not _OBJECT.fullmatch(name) or stored.bytes < 0:
            raise ValueError(f"an object is called {name[:80]!r}, of {stored.bytes} bytes")
        return stored


@dataclass(frozen=True, kw_only=True)
class LedgerEntry:
    """One shard that exists. Written after all its objects; it is what makes them count."""

    key: str
    kind: str
    identity: str
    inputs: Mapping[str, str]
    items: int
    objects: Mapping[str, StoredObject]
    made: Mapping[str, Any] = field(default_factory=dict)
    """When, where, with which versions, and the seconds that each step took. Not part of the contents."""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read it. Raises TypeError, ValueError or KeyError if it holds anything that no worker would write."""
        check_types(values, _TYPES_OF_ENTRY)
        check_types(values["inputs"], dict.fromkeys(values["inputs"], str))
        made = values["made"]
        check_types(made, {name: kind for name, kind in _TYPES_OF_MAKING.items() if name in made})
        check_types(made.get("steps", {}), dict.fromkeys(made.get("steps", {}), float))
        objects = {name: StoredObject.from_dict(name, each) for name, each in values["objects"].items()}
        return cls(**{**values, "objects": objects})


@dataclass(frozen=True, kw_only=True)
class ShardFailure:
    """One shard that could not be made, with the traceback of the last attempt."""

    key: str
    kind: str
    identity: str
    error: str
    traceback: str
    attempts: int
    host: str
    when: str
