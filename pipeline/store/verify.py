"""Is everything in a store as it was written? Every file is read and compared with what was recorded of it."""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Final

from dsfu.files import STORE_METADATA
from dsfu.pipeline.kinds import every_group
from dsfu.pipeline.specs import StoredObject
from dsfu.pipeline.store import ledger as ledgers
from dsfu.pipeline.store import locks
from dsfu.pipeline.store.files import Files
from dsfu.pipeline.store.findings import Finding, VerifyReport
from dsfu.pipeline.store.ledger import Ledger, key_of_object
from dsfu.pipeline.store.own_names import could_be_of_group, is_own, is_own_temporary
from dsfu.pipeline.store.placement import PLACEMENT, DamagedPlacement, Placement, home_of, is_place, read_placement
from dsfu.pipeline.store.sealed import Damaged, read_sealed
from dsfu.pipeline.store.shard_checks import CheckedShard, Recompute, check_shard, mark_shards
from dsfu.pipeline.store.state import STATE, State, damaged_files, own_arrays, read_state

_MOST_THREADS: Final = 8
_REMOTE_THREADS: Final = 16

Progress = Callable[[int, int], None]


def verify_store(
    files: Files,
    *,
    mark: bool = False,
    threads: int | None = None,
    recompute: Recompute | None = None,
    progress: Progress | None = None,
) -> VerifyReport:
    """Read every file of a store, and say what is missing, damaged, or left over.

    While somebody writes to the store, what is being written is taken for left over. With ``mark`` the caller holds
    the store's lock.

    Parameters
    ----------
    mark
        Set shards with damaged objects or entries aside, so that the next run makes them again. Objects that are intact
        but have another time than recorded (a copied store) get it recorded, so that quick checks are quick again.
    threads
        How many shards are checked at once.
    recompute
        Makes the objects of a shard again, in memory, to be compared; None for a shard that it knows nothing of.
    progress
        Told how many shards of how many have been checked.
    """
    start = perf_counter()
    ledger = Ledger(files)
    keys = sorted(ledger.entries())
    threads = threads or (min(os.cpu_count() or 1, _MOST_THREADS) if files.is_local else _REMOTE_THREADS)
    with ThreadPoolExecutor(threads) as pool:
        shards = list(_counted(pool.map(lambda key: check_shard(ledger, key, recompute), keys), len(keys), progress))
    state, damaged = _check_closed(ledger)
    closed = state.files if state else {}
    placement, misplaced = _check_placement(files, shards)
    unread = _check_places(ledger, shards, placement, state) if state else []
    findings = [*(finding for shard in shards for finding in shard.findings), *damaged, *misplaced, *unread]
    findings += _check_clutter(files, shards, None if damaged and state is None else closed, placement)
    return VerifyReport(
        findings=tuple(sorted(findings, key=lambda each: (not each.is_damage, each.path))),
        shards=len(keys),
        bytes=sum(shard.bytes for shard in shards) + sum(each.bytes for each in closed.values()),
        seconds=perf_counter() - start,
        set_aside=mark_shards(ledger, shards) if mark else (),
    )


def _counted(shards: Iterator[CheckedShard], total: int, progress: Progress | None) -> Iterator[CheckedShard]:
    for number, shard in enumerate(shards, 1):
        yield shard
        if progress is not None:
            progress(number, total)


def _check_closed(ledger: Ledger) -> tuple[State | None, list[Finding]]:
    """What closing recorded, None if it never came to its end, and what is wrong with the files that it wrote."""
    files, damaged = ledger.files, damaged_files(ledger.files)
    if STATE in damaged:
        if not any(files.exists(path) for path in (STATE, STORE_METADATA, PLACEMENT)):
            return None, []  # it never was closed
        what = "is damaged" if files.exists(STATE) else "is missing: it is lost, or closing was interrupted"
        return None, [Finding(kind="array", path=STATE, what=what)]
    state = read_state(files)
    faults = [(path, ledger.fault_of_object(path, state.files[path]) or "was damaged") for path in damaged]
    return state, [Finding(kind="array", path=path, what=what) for path, what in faults]


def _check_placement(files: Files, shards: Iterable[CheckedShard]) -> tuple[Placement, list[Finding]]:
    try:
        placement = read_placement(files)
    except DamagedPlacement:
        return Placement(), [Finding(kind="placement", path=PLACEMENT, what="is damaged")]
    unplaced = [
        path
        for shard in shards
        for name, path in shard.paths.items()
        if path not in (home_of(shard.key, name), placement.path_of(shard.key, name))
    ]
    if not unplaced:
        return placement, []
    what = f"is missing, or does not know of {unplaced[0]} and {len(unplaced) - 1} other objects"
    return placement, [Finding(kind="placement", path=PLACEMENT, what=what)]


def _check_places(
    ledger: Ledger, shards: Sequence[CheckedShard], placement: Placement, state: State
) -> Iterator[Finding]:
    """What readers of a closed store find that nothing else tells: every place has to hold the object it is said to."""
    if not shards and state.samples:
        what = f"has no entry at all, though the store was closed with {state.samples} samples"
        yield Finding(kind="entry", path=ledgers.FOLDER, what=what)
        return
    by_key = {shard.key: shard for shard in shards}
    lost = set(state.shards).difference(by_key, (item.key for item, _ in placement.items()))
    if lost:  # what gc removed has left nothing at home
        lost &= {key_of_object(path) for path in ledger.files.list("objects")}
    for key in sorted(lost):
        what = "is missing, though the store was closed with its shard, and its objects are there"
        yield Finding(kind="entry", path=ledgers.entry_path(key), what=what, key=key)
    unknown = set()
    for item, place in placement.items():
        shard = by_key.get(item.key)
        if shard is None:
            if item.key not in unknown:
                unknown.add(item.key)
                what = f"is missing, though {place} is said to be of its shard"
                yield Finding(kind="entry", path=ledgers.entry_path(item.key), what=what, key=item.key)
            continue
        found_at = shard.paths.get(item.name)
        if shard.entry is None or found_at is None or found_at == place:
            continue  # it is told already, or checked
        fault = ledger.fault_of_object(place, shard.entry.objects[item.name])
        if fault:
            what = f"{fault}: readers do not find what {found_at} holds"
            yield Finding(kind="array", path=place, what=what, key=item.key, identity=shard.entry.identity)


def _check_clutter(
    files: Files, shards: Iterable[CheckedShard], closed: Mapping[str, StoredObject] | None, placement: Placement
) -> Iterator[Finding]:
    """Files that belong to nothing. Where what closing wrote is not known (None), its files may belong to it."""
    unreadable = {shard.key for shard in shards if shard.entry is None}
    known = {path for shard in shards for path in shard.paths.values()} | {*(closed or ()), STATE, PLACEMENT}
    known |= {path for item, path in placement.items() if item.key in unreadable}
    arrays = own_arrays(files)
    for path in files.list():
        if path in known or (path.partition("/")[0] not in _folders()):
            continue
        if closed is None and could_be_of_group(path) and not is_place(path):
            continue
        if not is_own(path, arrays):
            yield Finding(kind="foreign", path=path, what="is none of ours")
        elif what := _why_clutter(files, path, unreadable):
            yield Finding(kind="clutter", path=path, what=what)
    for path, _ in files.leftovers():
        if is_own_temporary(path):
            yield Finding(kind="clutter", path=path, what="was left behind by a writer that was killed")
        else:
            yield Finding(kind="foreign", path=path, what="is none of ours")
    for path in files.links():
        yield Finding(kind="clutter", path=path, what="is a link to a folder, or to nowhere; nobody follows it")


def _folders() -> tuple[str, ...]:
    """Folders of a store. What else lies beside them is none of our business."""
    return ("objects", ledgers.FOLDER, locks.FOLDER, *every_group())


def _why_clutter(files: Files, path: str, unreadable: Collection[str]) -> str | None:
    """Why a file of ours that belongs to no shard and to no array is there. None if it has its reasons."""
    top, _, rest = path.partition("/")
    if top == "objects":
        return None if key_of_object(path) in unreadable else "belongs to no shard in the ledger"
    if top == ledgers.FOLDER:
        return None if ledgers.key_of_entry(path) else _fault_of_document(files, path)
    if top == locks.FOLDER:
        return _fault_of_document(files, path)
    return "stands in an array where no shard has a place" if "/c/" in rest else "belongs to no array"


def _fault_of_document(files: Files, path: str) -> str | None:
    try:
        read_sealed(files, path)
    except Damaged as error:
        return f"cannot be read: {error}"
    except FileNotFoundError:
        return None
    return None
