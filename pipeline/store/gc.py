"""What a store holds without need: found first, removed when asked to.

Only what has a name of our own making is ever removed (`dsfu.pipeline.store.own_names`), and links below the top level,
but not what they lead to. Nothing is touched that stands in an array. While others write to the store, neither is
anything that may be theirs: what is young, and the objects of every shard that the manifest asks for.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from dsfu.errors import InputError
from dsfu.pipeline.kinds import every_group
from dsfu.pipeline.store import ledger as ledgers
from dsfu.pipeline.store import locks
from dsfu.pipeline.store.files import FileInfo, Files
from dsfu.pipeline.store.ledger import DamagedEntry, Ledger, key_of_entry, key_of_object
from dsfu.pipeline.store.own_names import is_own_case, is_own_folder, is_own_object, is_own_temporary
from dsfu.pipeline.store.placement import PLACEMENT, DamagedPlacement, read_placement

LOCK: Final = "gc"
"""Held while garbage is collected beside others; it keeps whole runs away, and other collectors."""

GRACE_SECONDS: Final = 3600.0

_ORPHAN: Final = "of a shard that the manifest does not ask for"


class GarbageFile(NamedTuple):
    """A file that nobody needs, and why."""

    path: str
    info: FileInfo
    why: str


@dataclass(frozen=True, kw_only=True)
class Garbage:
    """Files that nobody needs, in the order in which they may be removed.

    Attributes
    ----------
    kept
        Keys of shards that the manifest does not ask for but which still stand in the arrays; a run takes them out.
    spared
        How many files were left alone because somebody else is writing, and they may be theirs.
    """

    files: tuple[GarbageFile, ...]
    kept: tuple[str, ...] = ()
    spared: int = 0

    @property
    def bytes(self) -> int:
        return sum(file.info.bytes for file in self.files)

    def by_reason(self) -> dict[str, tuple[int, int]]:
        """Number of files and their bytes, by why they are not needed."""
        sums: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
        for file in self.files:
            count, size = sums[file.why]
            sums[file.why] = count + 1, size + file.info.bytes
        return dict(sums)


def find_garbage(files: Files, wanted: Collection[str], *, grace_seconds: float = GRACE_SECONDS) -> Garbage:
    """What `collect_garbage` would remove; nothing is changed.

    Parameters
    ----------
    wanted
        Keys of all shards that the manifest asks for.
    grace_seconds
        How old a file must be to be removed while somebody else writes to the store.
    """
    return _find(files, wanted, grace_seconds if locks.live_writers(files) else None)


def collect_garbage(files: Files, wanted: Collection[str], *, grace_seconds: float = GRACE_SECONDS) -> Garbage:
    """Remove what nobody needs, and return what was removed. Refused while a whole run writes to the store."""
    alone = not locks.live_writers(files)
    with locks.writer_lock(files, locks.EVERYTHING if alone else LOCK) as lock:
        garbage = _find(files, wanted, None if alone else grace_seconds)
        for file in garbage.files:
            lock.check()
            files.remove(file.path)
        for folder in ("objects", ledgers.FOLDER):
            files.remove_empty_folders(folder, is_own_folder)
    return garbage


def _find(files: Files, wanted: Collection[str], grace_seconds: float | None) -> Garbage:
    """All garbage, or, given a time of grace, what cannot be anything that others are writing."""
    entries = Ledger(files).entries()
    orphans = entries.difference(wanted)
    kept = orphans & _placed_keys(files)
    found = [
        *_entries(files, orphans - kept),
        *_objects(files, entries, orphans - kept),
        *_records(files, entries, wanted),
        *_leftovers(files),
        *_links(files),
    ]
    garbage = found
    if grace_seconds is not None:
        before_ns = locks.storage_clock_ns(files) - int(grace_seconds * 1e9)
        garbage = [
            file
            for file in found
            if key_of_object(file.path) not in wanted
            and file.info.modified_ns is not None
            and file.info.modified_ns < before_ns
        ]
    return Garbage(files=tuple(garbage), kept=tuple(sorted(kept)), spared=len(found) - len(garbage))


def _placed_keys(files: Files) -> set[str]:
    """Keys of shards that stand in an array."""
    try:
        return {item.key for item, _ in read_placement(files).items()}
    except DamagedPlacement as error:
        raise InputError(
            "it is damaged, so it cannot be said which shards stand in the arrays",
            where=f"{files.url}/{PLACEMENT}",
            remedy="`dsfu-pipeline run` finds out, and writes it again; then collect the garbage",
        ) from error


def _entries(files: Files, orphans: Collection[str]) -> Iterator[GarbageFile]:
    """Entries come before objects: what is killed in between leaves objects without an entry, and not the reverse."""
    for path, info in files.scan(ledgers.FOLDER):
        if key_of_entry(path) in orphans:
            yield GarbageFile(path, info, f"entry {_ORPHAN}")


def _objects(files: Files, entries: Collection[str], orphans: Collection[str]) -> Iterator[GarbageFile]:
    ledger = Ledger(files)

    @lru_cache(maxsize=1)  # the objects of a shard follow one another
    def names(key: str) -> Collection[str] | None:
        try:
            return ledger.read(key).objects.keys()
        except (DamagedEntry, FileNotFoundError):
            return None  # they are better left alone

    for path, info in files.scan("objects"):
        key = key_of_object(path) if is_own_object(path) else None
        if key is None:
            continue  # it is none of ours
        if key not in entries:
            yield GarbageFile(path, info, "object without an entry in the ledger")
        elif key in orphans:
            yield GarbageFile(path, info, f"object {_ORPHAN}")
        elif (known := names(key)) is not None and path.rpartition("/")[2] not in known:
            yield GarbageFile(path, info, "object that its shard's entry does not name")


def _records(files: Files, entries: Collection[str], wanted: Collection[str]) -> Iterator[GarbageFile]:
    """Records of failures and of damage that no longer matter."""
    for folder, what in ((ledgers.FAILED, "failure"), (ledgers.DAMAGED, "damage")):
        for path, info in files.scan(folder):
            if not is_own_case(path):
                continue
            key = path.rpartition("/")[2].removesuffix(".json")
            if key in entries:
                yield GarbageFile(path, info, f"{what} of a shard that was made since")
            elif key not in wanted:
                yield GarbageFile(path, info, f"{what} {_ORPHAN}")


def _leftovers(files: Files) -> Iterator[GarbageFile]:
    for path, info in files.leftovers():
        if is_own_temporary(path):
            yield GarbageFile(path, info, "left behind by a writer that was killed")
    for path, info in files.scan(locks.FOLDER):
        if locks.is_probe(path):
            yield GarbageFile(path, info, "left behind by a look at the clock")


def _links(files: Files) -> Iterator[GarbageFile]:
    for folder in ("objects", ledgers.FOLDER, locks.FOLDER, *every_group()):
        for path in files.links(folder):
            yield GarbageFile(path, FileInfo(bytes=0), "a link that nobody follows; what it leads to stays")
