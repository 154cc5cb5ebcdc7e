"""The ledger of a store: which shards exist, which failed, which were set aside, and whether their objects are intact.

A shard exists if and only if it has an entry; the entry is written after all objects. Every document carries a checksum
of itself, so that one which is truncated or garbled counts as not there, and says so.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Final, TypeVar, cast

from dsfu.pipeline.specs import LedgerEntry, ShardFailure, StoredObject, check_types, is_key
from dsfu.pipeline.store.files import Files
from dsfu.pipeline.store.placement import home_of
from dsfu.pipeline.store.sealed import Damaged, read_sealed, seal
from dsfu.pipeline.store.whereabouts import Whereabouts

FOLDER: Final = "ledger"
FAILED: Final = f"{FOLDER}/failed"
DAMAGED: Final = f"{FOLDER}/damaged"

_Case = TypeVar("_Case", ShardFailure, "SetAside")


class DamagedEntry(ValueError):
    """An entry of the ledger cannot be trusted; its shard counts as not there."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(key, why)
        self.key, self.why = key, why

    def __str__(self) -> str:
        return f"its ledger entry is damaged ({self.why})"


@dataclass(frozen=True, kw_only=True)
class SetAside:
    """A shard that was found damaged, and what was wrong with it."""

    key: str
    identity: str
    reason: str
    when: str


def entry_path(key: str) -> str:
    return f"{FOLDER}/{key[:2]}/{key}.json"


def key_of_entry(path: str) -> str | None:
    """Key of the shard whose entry a file is; None if it is no entry."""
    key = path.rpartition("/")[2].removesuffix(".json")
    return key if is_key(key) and path == entry_path(key) else None


def key_of_object(path: str) -> str | None:
    """Key of the shard at whose home a file is; None if it is nobody's home."""
    parts = path.split("/")
    return parts[2] if len(parts) == 4 and is_key(parts[2]) and path == home_of(parts[2], parts[3]) else None


class Ledger:
    """The ledger of the store that the files belong to."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self._whereabouts = Whereabouts(files, self.intact_entries)

    def entries(self) -> set[str]:
        """Keys of all shards that have an entry, intact or not: only names are read."""
        return {key for path in self.files.list(FOLDER) if (key := key_of_entry(path))}

    def read(self, key: str) -> LedgerEntry:
        """Entry of a shard. Raises DamagedEntry, or FileNotFoundError if there is none."""
        try:
            entry = LedgerEntry.from_dict(read_sealed(self.files, entry_path(key)))
        except Damaged as error:
            raise DamagedEntry(key, str(error)) from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DamagedEntry(key, f"it holds what no worker writes: {error}") from error
        if entry.key != key:
            raise DamagedEntry(key, f"it is that of {entry.key}")
        return entry

    def intact_entries(self) -> Iterator[LedgerEntry]:
        """Every entry that can be read, in the order of the keys."""
        for key in sorted(self.entries()):
            with suppress(DamagedEntry, FileNotFoundError):
                yield self.read(key)

    def write(self, entry: LedgerEntry) -> None:
        """Make a shard exist. All its objects must have been written."""
        self.files.write(entry_path(entry.key), seal(entry.to_dict()))

    def remove(self, key: str) -> None:
        """Make a shard not exist."""
        self.files.remove(entry_path(key))

    def failures(self) -> list[ShardFailure]:
        """Shards that could not be made, and were not made since."""
        return list(self._open_cases(FAILED, ShardFailure))

    def write_failure(self, failure: ShardFailure) -> None:
        self.files.write(f"{FAILED}/{failure.key}.json", seal(asdict(failure)))

    def set_aside(self, key: str, why: str) -> None:
        """Make a damaged shard not exist, and remember why; it will be made again."""
        try:
            identity = self.read(key).identity
        except (DamagedEntry, FileNotFoundError):
            identity = ""
        when = datetime.now(UTC).isoformat(timespec="seconds")
        case = SetAside(key=key, identity=identity, reason=why, when=when)
        self.files.write(f"{DAMAGED}/{key}.json", seal(asdict(case)))
        self.remove(key)

    def set_aside_shards(self) -> list[SetAside]:
        """Shards that were found damaged, and were not made since."""
        return list(self._open_cases(DAMAGED, SetAside))

    def locate(self, key: str, name: str) -> str:
        """Path of an object of a shard: at home, or in an array. If it is nowhere: where it should be."""
        return self._whereabouts.locate(key, name)

    def check_quickly(self, entry: LedgerEntry) -> str | None:
        """What is wrong with a shard's objects, as far as sizes and times tell; None if nothing.

        An object whose time is not the recorded one, such as a copy, is read and compared by its checksum.
        """
        return self._check(entry, self._quick_fault)

    def fault_of_object(self, path: str, stored: StoredObject) -> str | None:
        """What is wrong with the file of an object, which is read; None if nothing."""
        return self._fault_of_size(path, stored) or self._fault_of_contents(path, stored)

    def _quick_fault(self, path: str, stored: StoredObject) -> str | None:
        info = self.files.stat(path)
        if info is None or info.bytes != stored.bytes:
            return self._fault_of_size(path, stored)
        if stored.modified_ns in (None, info.modified_ns):
            return None
        return self._fault_of_contents(path, stored)

    def _fault_of_size(self, path: str, stored: StoredObject) -> str | None:
        info = self.files.stat(path)
        if info is None:
            return "is missing"
        if info.bytes != stored.bytes:
            return f"has {info.bytes} bytes instead of {stored.bytes}"
        return None

    def _fault_of_contents(self, path: str, stored: StoredObject) -> str | None:
        try:
            intact = self.files.checksum(path) == stored.crc32c
        except FileNotFoundError:
            return "is missing"
        return None if intact else "has another checksum than when it was written"

    def _check(self, entry: LedgerEntry, fault_of: Callable[[str, StoredObject], str | None]) -> str | None:
        for name, stored in entry.objects.items():
            path = self.locate(entry.key, name)
            fault = fault_of(path, stored)
            if fault is not None:
                return f"{path} {fault}"
        return None

    def _open_cases(self, folder: str, kind: type[_Case]) -> Iterator[_Case]:
        """Documents of a folder about shards that have no entry; those that are damaged are left out."""
        for path in self.files.list(folder):
            with suppress(Damaged, KeyError, TypeError, FileNotFoundError):
                values = read_sealed(self.files, path)
                case = kind(**values)
                check_types(values, {each.name: cast(type, each.type) for each in fields(kind)})
                if path != f"{folder}/{case.key}.json" or not is_key(case.key):
                    continue
                if not self.files.exists(entry_path(case.key)):
                    yield case
