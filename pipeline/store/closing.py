"""Make the arrays of a store from the shards that are complete: the end of every run.

Everything that a closed store holds beside what workers wrote is worked out first, in memory, and compared with what is
there. If nothing differs, nothing is written. Otherwise the groups are hidden, objects move, what differs is written,
and the groups appear again; see ``docs/store.md`` for why being killed anywhere in between does no harm.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from dsfu.files import STORE_METADATA
from dsfu.pipeline.kinds import arrays_of_splits, groups_of
from dsfu.pipeline.specs import LedgerEntry, StoredObject
from dsfu.pipeline.store.arrays import root_files
from dsfu.pipeline.store.contents import StoreContents, Tables
from dsfu.pipeline.store.files import Files, crc32c
from dsfu.pipeline.store.ledger import DamagedEntry, Ledger
from dsfu.pipeline.store.own_names import ARRAYS, FORMAT, is_own_array_file
from dsfu.pipeline.store.parallel import for_each
from dsfu.pipeline.store.placement import Moves, ObjectName, Placement, apply_moves, moves_to
from dsfu.pipeline.store.sealed import seal
from dsfu.pipeline.store.state import FORMAT_VERSION, STATE, State, own_arrays
from dsfu.simulate.fields import SETTINGS_FILE

_SPARE: Final = 2**20
"""Bytes beside what is written, for folders and for the list of objects. A disk that is full only when the groups are
hidden leaves a store that nobody can read until there is room."""


class MissingObjects(RuntimeError):
    """Shards that count as complete have lost objects; nothing was changed.

    ``keys`` are their keys: set them aside and make them again.
    """

    def __init__(self, missing: Sequence[ObjectName]) -> None:
        super().__init__(missing)
        self.missing = missing

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(item.key for item in self.missing))

    def __str__(self) -> str:
        named = ", ".join(f"{item.name} of {item.key}" for item in self.missing[:4])
        more = f" and {len(self.missing) - 4} more" if len(self.missing) > 4 else ""
        return f"cannot close the store: {named}{more} cannot be found; these shards have to be made again"


@dataclass(frozen=True, kw_only=True)
class ClosingSummary:
    """What closing did.

    Attributes
    ----------
    samples, kept
        How many samples there are, and how many of them are to be used, by split.
    moved, written, removed
        Objects that were moved to or from their place, other files that were written, files that were removed. All
        are 0 if the store was as it should be.
    """

    samples: Mapping[str, int]
    kept: Mapping[str, int]
    moved: int
    written: int
    removed: int


def close_store(files: Files, ledger: Ledger, contents: StoreContents) -> ClosingSummary:
    """Bring the arrays of a store to what its contents are to be. The caller holds the store's lock.

    Raises
    ------
    DamagedRecord, MissingObjects
        Before anything is changed, if shards are not what the ledger says; they have to be made again.
    """
    tables = contents.tables(files)
    problem = contents.origin.problem
    wanted = {SETTINGS_FILE: _settings(contents)} | root_files(tables.groups, _root_attributes(contents))
    stored = {path: _stored(data) for path, data in wanted.items()}
    state = State(
        spec=contents.digest(), splits=tables.samples, files=stored, shards=tuple(sorted(set(contents.keys())))
    )
    wanted[STATE] = state.to_bytes()
    new = _placement_of(contents, tables)
    moves, placement = moves_to(files, new, lambda: _every_entry(ledger), wanted)
    if moves.missing:
        raise MissingObjects(moves.missing)
    arrays = own_arrays(files) | state.arrays
    surplus = _surplus(files, problem, moves, new, wanted, arrays)
    held = for_each(files, lambda path: _holds(files, path, wanted[path]), wanted)
    differing = [path for path, is_held in zip(wanted, held, strict=True) if not is_held]
    if any((moves.back, moves.forth, moves.leftovers, placement, surplus, differing)):
        files.write(ARRAYS, seal({"arrays": sorted(arrays)}))
        files.check_room(_SPARE + sum(map(len, wanted.values())))
        hidden = _hide(files, problem)
        apply_moves(files, moves, placement)
        for_each(files, files.remove, surplus)
        inside = [path for path in differing if path not in hidden]
        for_each(files, lambda path: files.write(path, wanted[path]), inside)
        for path in wanted:  # in their order: the groups, their root, the state
            if path in hidden:
                files.write(path, wanted[path])
    if files.exists(ARRAYS):
        files.remove(ARRAYS)
    return ClosingSummary(
        samples={name: count["samples"] for name, count in tables.samples.items()},
        kept={name: count["kept"] for name, count in tables.samples.items()},
        moved=len(moves.back) + len(moves.forth),
        written=len(differing),
        removed=len(moves.leftovers) + len(surplus),
    )


def _root_attributes(contents: StoreContents) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "problem": contents.origin.problem,
        "splits": list(contents.split_names),
        "materialised": contents.materialised,
        "versions": dict(contents.origin.versions),
        "manifest": contents.origin.manifest_text,
    }


def _stored(data: bytes) -> StoredObject:
    return StoredObject(bytes=len(data), crc32c=crc32c(data))


def _settings(contents: StoreContents) -> bytes:
    """All settings, those that the manifest leaves to their defaults included, so that readers need no copy of them."""
    origin = contents.origin
    document = {"format_version": FORMAT_VERSION, "problem": origin.problem, "settings": dict(origin.settings)}
    return json.dumps(document, indent=1, sort_keys=True).encode()


def _placement_of(contents: StoreContents, tables: Tables) -> Placement:
    arrays = {array: tuple(keys) for array, keys in contents.placed().items()}
    depths = {}
    for array in arrays:
        group, _, name = array.partition("/")
        depths[array] = len(tables.groups[group].foreign[name]["shape"])
    return Placement(arrays, depths)


def _every_entry(ledger: Ledger) -> Iterator[LedgerEntry]:
    for key in ledger.entries():
        with suppress(DamagedEntry, FileNotFoundError):
            yield ledger.read(key)


def _surplus(
    files: Files,
    problem: str,
    moves: Moves,
    new: Placement,
    wanted: Mapping[str, bytes],
    arrays: Collection[str],
) -> list[str]:
    """Files of arrays of ours that belong to nothing: of arrays, splits and chunks that there used to be."""
    known = {*wanted, *(path for _, path in new.items()), *(source for source, _ in moves.back), *moves.leftovers}
    ours = arrays_of_splits(problem).union(arrays)
    found = (path for group in groups_of(problem) for path in files.list(group))
    return [path for path in found if path not in known and is_own_array_file(path, ours)]


def _hide(files: Files, problem: str) -> set[str]:
    """Remove what makes the store readable: the state first, then the root, then the groups."""
    hidden = [STATE, STORE_METADATA, *(f"{group}/{STORE_METADATA}" for group in groups_of(problem))]
    for path in hidden:
        files.remove(path)
    files.synchronise(hidden)
    return set(hidden)


def _holds(files: Files, path: str, data: bytes) -> bool:
    try:
        return files.read(path, at_most=len(data) + 1) == data
    except FileNotFoundError:
        return False
