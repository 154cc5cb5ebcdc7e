import multiprocessing
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from dsfu.pipeline.problems.disorder.closing import ClosingSpec, SplitShards, UniquenessSettings
from dsfu.pipeline.specs import StoredObject
from dsfu.pipeline.store.closing import MissingObjects, close_store
from dsfu.pipeline.store.files import StorageError, open_files
from dsfu.pipeline.store.gc import collect_garbage
from dsfu.pipeline.store.ledger import Ledger
from dsfu.pipeline.store.placement import PLACEMENT, home_of
from dsfu.pipeline.store.records import DamagedRecord
from dsfu.pipeline.store.state import STATE, damaged_files, is_closed, read_state
from dsfu.pipeline.store.verify import verify_store
from tests.pipeline.fake_store import (
    FakeStore,
    contents,
    fake_store,
    is_plane,
    times,
    with_train,
)
from tests.pipeline.mortal_files import DEAD, Killed, MortalFiles, close_and_die

PLANES = 6

pytestmark = pytest.mark.usefixtures("fast_disk")


def test_closing_again_writes_nothing(closed: tuple[FakeStore, ClosingSpec]):
    store, spec = closed
    before = times(store)
    summary = store.close(spec)
    assert (summary.moved, summary.written, summary.removed) == (0, 0, 0)
    assert summary.samples == {"train": 3 * PLANES, "validation": 4}
    assert times(store) == before


def test_a_disk_that_is_nearly_full_leaves_the_store_as_it_was(
    closed: tuple[FakeStore, ClosingSpec], monkeypatch: pytest.MonkeyPatch
):
    store, spec = closed
    state = read_state(store.files)
    usage = shutil.disk_usage(store.files.url)
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "disk_usage", lambda _: usage._replace(free=2**19))
        with pytest.raises(StorageError, match="the disk is full"):
            store.close(changed(store, spec, "shrunk"))
    assert read_state(store.files) == state
    assert is_closed(store.files)
    assert store.close(changed(store, spec, "shrunk")).samples["train"] == 2 * PLANES


def test_equal_shards_make_equal_stores(tmp_path: Path):
    stores = [fake_store(tmp_path / name) for name in ("one", "two")]
    for store in stores:
        store.close(store.spec(threshold=0.02))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def changed(store: FakeStore, spec: ClosingSpec, how: str) -> ClosingSpec:
    """Another spec, with the shards that it needs."""
    one, two, three = spec.splits[0].pairs
    pairs = {
        "shrunk": [one, two],
        "shrunk in front": [three],
        "grown": [one, two, three, store.pair(2, 3, PLANES)],
        "grown in front": [store.pair(2, 3, PLANES), one, two, three],
        "reordered": [three, one, two],
        "one replaced": [one, store.pair(0, 2, PLANES, version=2), three],
        "everything": [store.pair(2, 3, PLANES), three, store.pair(0, 2, PLANES, version=2)],
        "nothing": [],
    }
    return with_train(spec, pairs[how])


HOW = ["shrunk", "shrunk in front", "grown", "grown in front", "reordered", "one replaced", "everything", "nothing"]


@pytest.mark.parametrize("how", HOW)
def test_a_store_does_not_remember_what_it_was(tmp_path: Path, how: str):
    """Closed first as something else, it is the same, file by file; and so is the way back."""
    detour, direct = fake_store(tmp_path / "detour"), fake_store(tmp_path / "direct")
    detour.close(detour.spec())
    before = contents(tmp_path / "detour")
    spec = changed(detour, detour.spec(), how)
    detour.close(spec)
    changed(direct, direct.spec(), how)
    direct.close(spec)
    assert contents(tmp_path / "detour") == contents(tmp_path / "direct")
    detour.close(detour.spec())
    after = contents(tmp_path / "detour")
    assert {name: after[name] for name in before} == before


def test_a_pair_may_change_its_split(closed: tuple[FakeStore, ClosingSpec], tmp_path: Path):
    store, spec = closed
    train, _ = spec.splits
    moved = replace(
        spec,
        splits=(
            replace(train, pairs=train.pairs[1:]),
            SplitShards(name="validation", planes_per_pair=PLANES, pairs=train.pairs[:1]),
        ),
    )
    store.close(moved)
    other = fake_store(tmp_path / "other")
    other.spec()
    other.close(moved)
    assert contents(Path(store.files.url)) == contents(tmp_path / "other")


# Killed anywhere.


@pytest.mark.parametrize("torn_moves", [False, True])
def test_killed_at_any_operation_and_closed_again(tmp_path: Path, torn_moves: bool):
    """Every write, move and removal of a closing that changes everything; the result is that of an undisturbed one."""
    _, final = _two_specs(tmp_path / "before", tmp_path / "after")
    assert _kill_everywhere(tmp_path, final, torn_moves) > 35


@pytest.mark.slow
def test_killed_at_any_operation_of_the_first_closing(tmp_path: Path):
    store, expected = fake_store(tmp_path / "before"), fake_store(tmp_path / "after")
    spec = store.spec(validation=())
    expected.close(expected.spec(validation=()))
    assert _kill_everywhere(tmp_path, spec, torn_moves=False) > 80


def _kill_everywhere(folder: Path, spec: ClosingSpec, torn_moves: bool) -> int:
    """Take the store ``before`` to ``after``, killed after any number of operations; how many there are."""
    before, after = _readable(folder / "before"), _readable(folder / "after")
    expected = contents(folder / "after")
    root = folder / "killed"
    for operations in range(10_000):
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(folder / "before", root, copy_function=os.link)  # files are replaced, never changed
        files = MortalFiles(root, operations, torn_moves=torn_moves)
        try:
            close_store(files, Ledger(files), spec)
        except Killed:
            assert not (is_closed(files) or files.exists("zarr.json")) or _readable(root) in (before, after)
            close_again(root, spec)
            assert contents(root) == expected
        else:
            assert contents(root) == expected
            return operations
    raise AssertionError("it never ends")


@pytest.mark.parametrize("torn_moves", [False, True])
def test_killed_again_and_again_with_changing_plans(tmp_path: Path, torn_moves: bool):
    """No closing in between comes to its end, and each wants something else."""
    first, final = _two_specs(tmp_path / "before", tmp_path / "after")
    files = MortalFiles(tmp_path / "before", 0, torn_moves=torn_moves)
    for operations in range(3, 30, 2):
        files.operations_left = operations
        with pytest.raises(Killed):
            close_store(files, Ledger(files), final if operations % 4 == 3 else first)
    close_again(tmp_path / "before", final)
    assert contents(tmp_path / "before") == contents(tmp_path / "after")


def test_processes_killed_while_they_close(tmp_path: Path):
    _, final = _two_specs(tmp_path / "before", tmp_path / "after")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.pipeline.mortal_files"])
    for operations in range(2, 10_000, 5):
        root = tmp_path / f"killed_{operations}"
        shutil.copytree(tmp_path / "before", root)
        process = context.Process(target=close_and_die, args=(root, final, operations))
        process.start()
        process.join()
        if process.exitcode != DEAD:
            assert process.exitcode == 0
            break
        close_again(root, final)
        assert contents(root) == contents(tmp_path / "after")
    assert operations > 35


def close_again(root: Path, spec: ClosingSpec) -> None:
    files = open_files(root)
    close_store(files, Ledger(files), spec)


def _two_specs(before: Path, after: Path) -> tuple[ClosingSpec, ClosingSpec]:
    """A store that is closed, with shards for another closing; and one closed as it should be after that."""
    store, expected = fake_store(before), fake_store(after)
    first = store.spec(validation=())  # fewer files, less to copy
    store.close(first)
    final = replace(changed(store, first, "everything"), uniqueness=UniquenessSettings(threshold=0.02))
    changed(expected, expected.spec(validation=()), "everything")
    expected.close(final)
    return first, final


def _readable(root: Path) -> dict[str, bytes]:
    """What readers see: arrays and groups."""
    names = ("train/", "validation/", "species/", "sro_sets/", "masks/", "zarr.json")
    return {name: data for name, data in contents(root).items() if name.startswith(names)}


# Damage.


@pytest.mark.parametrize("name", ["sro", "form_factor"])
def test_a_lost_object_stops_the_closing_before_it_begins(closed: tuple[FakeStore, ClosingSpec], name: str):
    store, spec = closed
    lost = spec.splits[0].pairs[1].key
    place = store.ledger.locate(lost, name)
    store.files.remove(place)
    before = times(store)
    spec = with_train(spec, spec.splits[0].pairs[::-1])
    with pytest.raises(MissingObjects, match=lost) as caught:
        store.close(spec)
    assert caught.value.keys == (lost,)
    assert times(store) == before


def test_a_lost_object_that_is_made_again_is_put_in_its_place(closed: tuple[FakeStore, ClosingSpec]):
    store, spec = closed
    before = contents(Path(store.files.url))
    lost = spec.splits[0].pairs[1]
    store.files.remove(store.ledger.locate(lost.key, "sro"))
    store.ledger.remove(lost.key)
    assert store.pair(0, 2, PLANES) == lost
    store.close(spec)
    assert contents(Path(store.files.url)) == before


@pytest.mark.parametrize("kind", ["planes", "sro_sets", "masks"])
@pytest.mark.parametrize("damage", ["lost", "truncated", "emptied"])
def test_a_damaged_record_stops_the_closing_before_it_begins(
    closed: tuple[FakeStore, ClosingSpec], kind: str, damage: str
):
    store, spec = closed
    key, name = {
        "planes": (spec.splits[0].pairs[1].key, "record.npz"),
        "sro_sets": (spec.sro_sets[1].key, "sets.npz"),
        "masks": (spec.masks[0], "masks.npz"),
    }[kind]
    path = home_of(key, name)
    data = store.files.read(path)
    store.files.remove(path)
    if damage != "lost":
        store.files.write(path, data[:-100] if damage == "truncated" else b"")
    before = times(store)
    with pytest.raises(DamagedRecord, match=key) as caught:
        store.close(spec)
    assert caught.value.key == key
    assert times(store) == before


def test_shards_with_another_number_of_planes_are_refused(store: FakeStore):
    spec = store.spec()
    with pytest.raises(DamagedRecord, match=r"expected \(6"):
        store.close(with_train(spec, [*spec.splits[0].pairs, store.pair(2, 3, PLANES + 1)]))


def test_a_bank_of_another_size_is_refused(store: FakeStore):
    spec = store.spec()
    first, second = spec.sro_sets
    with pytest.raises(DamagedRecord, match="3 sets, expected 4"):
        store.close(replace(spec, sro_sets=(replace(first, items=4), second)))


def test_a_lost_placement_is_found_again(closed: tuple[FakeStore, ClosingSpec]):
    store, spec = closed
    before = contents(Path(store.files.url))
    for data in (None, b"", b'{"arrays": {}}'):
        store.files.remove(PLACEMENT)
        if data is not None:
            store.files.write(PLACEMENT, data)
        store.close(spec)
        assert contents(Path(store.files.url)) == before


def test_every_file_that_closing_wrote_is_watched_and_mended(closed: tuple[FakeStore, ClosingSpec]):
    store, spec = closed
    before = contents(Path(store.files.url))
    assert damaged_files(store.files) == []
    written = [path for path in before if not path.startswith(("objects/", PLACEMENT)) and not is_plane(path)]
    for number, path in enumerate(written):
        data = bytearray(before[path])
        data[number % len(data)] ^= 1
        store.files.write(path, bytes(data))
        assert damaged_files(store.files) == [path]
        store.close(spec)
        assert damaged_files(store.files) == []
    assert contents(Path(store.files.url)) == before


def test_files_that_belong_to_nothing_are_removed(closed: tuple[FakeStore, ClosingSpec]):
    store, spec = closed
    before = contents(Path(store.files.url))
    for path in ("train/cell/c/7/0", "validation/sro/c/9/0/0", "masks/bits/c/9/0/0"):
        store.files.write(path, b"?")
    assert store.close(spec).removed == 3
    assert contents(Path(store.files.url)) == before


def test_files_of_somebody_else_stay(closed: tuple[FakeStore, ClosingSpec]):
    """Also if they look a little like ours, and whatever is removed around them."""
    store, spec = closed
    theirs = {
        path: path.encode()
        for path in (
            "train/photos/a.jpg",
            "train/predictions/zarr.json",
            "train/predictions/c/0/0",
            "train/cell/notes.txt",
            "train/form_factor/c/notes.txt",
            "train/form_factor/c/x/0/0",
            "objects/mine/a.dat",
            "ledger/2025.csv",
            "validation/README",
            "notes.txt",
        )
    }
    for path, data in theirs.items():
        store.files.write(path, data)
    store.close(with_train(spec, spec.splits[0].pairs[1:]))
    collect_garbage(store.files, {pair.key for pair in spec.splits[0].pairs[1:]})
    assert {path: store.files.read(path) for path in theirs} == theirs
    told = {each.path for each in verify_store(store.files).findings if each.kind == "foreign"}
    assert told == theirs.keys() - {"notes.txt"}


def test_an_array_that_an_interrupted_closing_had_written_goes(closed: tuple[FakeStore, ClosingSpec], tmp_path: Path):
    """Whoever ends it knows the arrays of ours that there were, though the state is gone."""
    store, spec = closed
    whole = contents(Path(store.files.url))
    store.files.write("sro_sets/target_old/c/0", b"x")
    state = read_state(store.files)
    more = {**state.files, "sro_sets/target_old/c/0": StoredObject(bytes=1, crc32c=2)}
    store.files.write(STATE, replace(state, files=more).to_bytes())
    mortal = MortalFiles(Path(store.files.url), 3)
    with pytest.raises(Killed):
        close_store(mortal, Ledger(mortal), spec)
    assert not store.files.exists(STATE)
    store.close(spec)
    assert contents(Path(store.files.url)) == whole
