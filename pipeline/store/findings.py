"""What a check of a store found, and what to do about it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

Kind = Literal["object", "entry", "array", "placement", "unreadable", "difference", "clutter", "foreign"]

_REMEDIES: Final[Mapping[Kind, str]] = {
    "object": "`verify --mark` sets the shard aside, and the next `run` makes it again",
    "entry": "the next `run` makes the shard again",
    "array": "the next `run` writes it again",
    "placement": "the next `run` finds the objects by their contents, and writes it again",
    "unreadable": "find out why; if it stays so, remove the file, and the next `run` makes it again",
    "difference": "if that was not intended, look for what changed; to make it again, raise the version of the science",
    "clutter": "it does no harm; the next `run` or `gc` puts it right",
    "foreign": "it is left alone, whatever is run; move it elsewhere if it should not be here",
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is not as it should be.

    Attributes
    ----------
    kind
        "object": of a shard; "entry": of the ledger; "array": a file of the closed store that is no object of a shard;
        "placement": ``placement.json``; "unreadable": the storage refuses to read it; "difference": an object is
        intact, but would be computed differently now; "clutter": a file of ours that belongs to nothing; "foreign": a
        file that is none of ours.
    key, identity
        Of the shard it belongs to, if that is known.
    """

    kind: Kind
    path: str
    what: str
    key: str = ""
    identity: str = ""

    @property
    def is_damage(self) -> bool:
        """Whether something is lost, as opposed to left over."""
        return self.kind not in ("clutter", "foreign")

    @property
    def remedy(self) -> str:
        return _REMEDIES[self.kind]

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "remedy": self.remedy}

    def __str__(self) -> str:
        return f"{self.path} {self.what}" + (f" ({self.identity})" if self.identity else "")


@dataclass(frozen=True, kw_only=True)
class VerifyReport:
    """What was found.

    Attributes
    ----------
    shards, bytes
        How many shards were checked, and how much was read for it.
    set_aside
        Keys of shards that were set aside.
    """

    findings: tuple[Finding, ...]
    shards: int
    bytes: int
    seconds: float
    set_aside: tuple[str, ...] = ()

    @property
    def damage(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.is_damage)

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "findings": [finding.to_dict() for finding in self.findings]}
