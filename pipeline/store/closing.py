"""Make the arrays of a store from the shards that are complete: the end of every run.

Everything that a closed store holds beside its planes is worked out first, in memory, and compared with what is there.
If nothing differs, nothing is written. Otherwise the groups are hidden, objects move, what differs is written, and the
groups appear again; see ``docs/store.md`` for why being killed anywhere in between does no harm.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from dsfu.pipeline.specs import LedgerEntry, StoredObject
from dsfu.pipeline.store.arrays import METADATA, ZarrGroup, root_files
from dsfu.pipeline.store.closing_spec import ClosingSpec
from dsfu.pipeline.store.files import Files, crc32c
from dsfu.pipeline.store.groups import (
    masks_group,
    own_set_count,
    set_tables,
    sets_group,
    species_group,
    split_group,
    take_embeddings,
)
from dsfu.pipeline.store.ledger import DamagedEntry, Ledger
from dsfu.pipeline.store.own_names import ARRAYS, FORMAT, GROUPS, is_own_array_file
from dsfu.pipeline.store.parallel import for_each
from dsfu.pipeline.store.placement import Moves, ObjectName, Placement, apply_moves, moves_to
from dsfu.pipeline.store.records import PairRecord, read_masks, read_pair_records, read_sets
from dsfu.pipeline.store.sealed import seal
from dsfu.pipeline.store.state import FORMAT_VERSION, STATE, State, own_arrays
from dsfu.pipeline.store.uniqueness import find_duplicates


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
        How many samples there are, and how many of them are unique, by split.
    moved, written, removed
        Objects that were moved to or from their place, other files that were written, files that were removed. All
        are 0 if the store was as it should be.
    """

    samples: Mapping[str, int]
    kept: Mapping[str, int]
    moved: int
    written: int
    removed: int


def close_store(files: Files, ledger: Ledger, spec: ClosingSpec) -> ClosingSummary:
    """Bring the arrays of a store to what the spec says. The caller holds the store's lock.

    Raises
    ------
    DamagedRecord, MissingObjects
        Before anything is changed, if shards are not what the ledger says; they have to be made again.
    """
    groups, samples = _groups(files, spec)
    wanted = root_files(groups, _root_attributes(spec))
    state = State(spec=spec.digest(), splits=samples, files={path: _stored(data) for path, data in wanted.items()})
    wanted[STATE] = state.to_bytes()
    new = _placement_of(spec)
    moves, placement = moves_to(files, new, lambda: _every_entry(ledger))
    if moves.missing:
        raise MissingObjects(moves.missing)
    arrays = own_arrays(files) | state.arrays
    surplus = _surplus(files, moves, new, wanted, arrays)
    held = for_each(files, lambda path: _holds(files, path, wanted[path]), wanted)
    differing = [path for path, is_held in zip(wanted, held, strict=True) if not is_held]
    if any((moves.back, moves.forth, moves.leftovers, placement, surplus, differing)):
        files.write(ARRAYS, seal({"arrays": sorted(arrays)}))
        hidden = _hide(files)
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
        samples={name: count["samples"] for name, count in samples.items()},
        kept={name: count["kept"] for name, count in samples.items()},
        moved=len(moves.back) + len(moves.forth),
        written=len(differing),
        removed=len(moves.leftovers) + len(surplus),
    )


def _groups(files: Files, spec: ClosingSpec) -> tuple[dict[str, ZarrGroup], dict[str, dict[str, int]]]:
    """Every group, and how many samples each split has and keeps."""
    groups: dict[str, ZarrGroup] = {}
    samples: dict[str, dict[str, int]] = {}
    masks = read_masks(files, spec.masks, spec.pixels)
    mask_count = sum(len(each["bits"]) for each in masks)
    every_record: list[PairRecord] = []
    first_own_set = sum(shard.items for shard in spec.sro_sets)
    for split in spec.filled_splits:
        records = read_pair_records(files, [pair.key for pair in split.pairs], split.planes_per_pair)
        embedding, records = take_embeddings(records)
        duplicates = find_duplicates(embedding, spec.uniqueness, split.planes_per_pair)
        groups[split.name] = split_group(spec, split, records, embedding, duplicates, mask_count, first_own_set)
        first_own_set += own_set_count(records)
        every_record += records
        kept = int(duplicates.kept.sum())
        samples[split.name] = {"pairs": len(split.pairs), "samples": split.samples, "kept": kept}
    bank_keys = [shard.key for shard in spec.sro_sets if shard.complete]
    bank = dict(zip(bank_keys, read_sets(files, bank_keys), strict=True))
    groups["species"] = species_group(spec.species)
    groups["sro_sets"] = sets_group(set_tables(spec, bank, every_record))
    groups["masks"] = masks_group(masks, spec.pixels)
    return groups, samples


def _root_attributes(spec: ClosingSpec) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "splits": [split.name for split in spec.filled_splits],
        "materialised": spec.materialise,
        "versions": dict(spec.versions),
        "manifest": spec.manifest_text,
    }


def _stored(data: bytes) -> StoredObject:
    return StoredObject(bytes=len(data), crc32c=crc32c(data))


def _placement_of(spec: ClosingSpec) -> Placement:
    if not spec.materialise:
        return Placement()
    return Placement.of_splits({split.name: [pair.key for pair in split.pairs] for split in spec.filled_splits})


def _every_entry(ledger: Ledger) -> Iterator[LedgerEntry]:
    for key in ledger.entries():
        with suppress(DamagedEntry):
            yield ledger.read(key)


def _surplus(
    files: Files, moves: Moves, new: Placement, wanted: Mapping[str, bytes], arrays: Collection[str]
) -> list[str]:
    """Files of arrays of ours that belong to nothing: of arrays, splits and chunks that there used to be."""
    known = {*wanted, *(path for _, path in new.items()), *(source for source, _ in moves.back), *moves.leftovers}
    found = (path for group in GROUPS for path in files.list(group))
    return [path for path in found if path not in known and is_own_array_file(path, arrays)]


def _hide(files: Files) -> set[str]:
    """Remove what makes the store readable: the state first, then the root, then the groups."""
    hidden = [STATE, METADATA, *(f"{group}/{METADATA}" for group in GROUPS)]
    for path in hidden:
        files.remove(path)
    files.synchronise(hidden)
    return set(hidden)


def _holds(files: Files, path: str, data: bytes) -> bool:
    try:
        return files.read(path) == data
    except FileNotFoundError:
        return False
