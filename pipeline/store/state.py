"""``state.json``: what closing wrote, file by file with sizes and checksums. Without it a store is not closed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from dsfu.pipeline.specs import StoredObject, is_key
from dsfu.pipeline.store.files import Files, crc32c
from dsfu.pipeline.store.own_names import ARRAYS, array_of, could_be_of_group
from dsfu.pipeline.store.parallel import for_each
from dsfu.pipeline.store.sealed import MOST_BYTES, Damaged, read_sealed

STATE: Final = "state.json"
FORMAT_VERSION: Final = 1


class DamagedState(ValueError):
    """``state.json`` is not as closing wrote it; the next closing writes it again."""


@dataclass(frozen=True, kw_only=True)
class State:
    """What a store was last closed with.

    Attributes
    ----------
    spec
        Digest of the spec of the closing.
    splits
        Numbers of samples, of kept samples, and of what the problem divides them into, by split.
    files
        Everything that closing wrote, by path, but for itself and the placement.
    shards
        Keys of the shards that it was made of; empty in stores closed before they were written down.
    """

    spec: str
    splits: Mapping[str, Mapping[str, int]]
    files: Mapping[str, StoredObject]
    shards: tuple[str, ...] = ()

    @property
    def arrays(self) -> set[str]:
        """Arrays that it tells of: ``train/cell``."""
        return {array_of(path) for path in self.files if path.count("/") > 1}

    @property
    def samples(self) -> int:
        return sum(split["samples"] for split in self.splits.values())

    def to_bytes(self) -> bytes:
        """As JSON, with a checksum of everything else in it."""
        files = {path: [each.bytes, each.crc32c] for path, each in self.files.items()}
        rest = {"format_version": FORMAT_VERSION, "spec": self.spec, "splits": self.splits, "files": files}
        if self.shards:
            rest["shards"] = list(self.shards)
        return json.dumps(_with_checksum(rest), sort_keys=True).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read it, and make sure that it is as it was written, and could have been written by us."""
        try:
            values = json.loads(data)
            rest = {name: value for name, value in values.items() if name != "checksum"}
            if json.dumps(_with_checksum(rest), sort_keys=True).encode() != data:
                raise DamagedState("it does not match its own checksum")
            files = {path: StoredObject(bytes=size, crc32c=check) for path, (size, check) in rest["files"].items()}
            splits = {
                name: {**counts, **{what: counts[what] for what in _COUNTS}} for name, counts in rest["splits"].items()
            }
            state = cls(spec=rest["spec"], splits=splits, files=files, shards=tuple(rest.get("shards", ())))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise DamagedState(f"it is garbled ({error})") from error
        _check(state)
        return state


_COUNTS: Final = ("samples", "kept")


def _with_checksum(rest: Mapping[str, Any]) -> dict[str, Any]:
    return {**rest, "checksum": crc32c(json.dumps(rest, sort_keys=True).encode())}


def _check(state: State) -> None:
    numbers = [number for split in state.splits.values() for number in split.values()]
    numbers += [number for each in state.files.values() for number in (each.bytes, each.crc32c)]
    if not isinstance(state.spec, str) or not all(type(number) is int and number >= 0 for number in numbers):
        raise DamagedState("it holds something else than closing writes")
    if not all(isinstance(key, str) and is_key(key) for key in state.shards):
        raise DamagedState("it tells of shards by keys that are none")
    strange = next((path for path in state.files if not could_be_of_group(path)), None)
    if strange is not None:
        raise DamagedState(f"it tells of {strange[:200]!r}, which closing does not write")


def read_state(files: Files) -> State:
    """The state of a closed store. Raises FileNotFoundError if it is not closed, or DamagedState."""
    return State.from_bytes(files.read(STATE, at_most=MOST_BYTES))


def is_closed(files: Files) -> bool:
    """Whether a closing has finished, and none has begun since."""
    return files.exists(STATE)


def damaged_files(files: Files) -> list[str]:
    """Files of a closed store, other than objects of shards, that are not as closing wrote them; closing mends them."""
    try:
        told = read_state(files).files
    except (FileNotFoundError, DamagedState):
        return [STATE]
    matches = for_each(files, lambda path: _matches(files, path, told[path]), told)
    return [path for path, is_match in zip(told, matches, strict=True) if not is_match]


def _matches(files: Files, path: str, stored: StoredObject) -> bool:
    info = files.stat(path)
    return info is not None and info.bytes == stored.bytes and files.checksum(path) == stored.crc32c


def own_arrays(files: Files) -> set[str]:
    """Arrays that closing has written, or was about to write when it was interrupted: ``train/cell``."""
    try:
        closed = read_state(files).arrays
    except (FileNotFoundError, DamagedState):
        closed = set()
    return closed | _arrays_begun(files)


def _arrays_begun(files: Files) -> set[str]:
    try:
        return {str(each) for each in read_sealed(files, ARRAYS)["arrays"]}
    except (FileNotFoundError, Damaged, KeyError, TypeError):
        return set()
