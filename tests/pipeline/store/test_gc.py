"""Garbage goes, and nothing else does."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsfu.errors import InputError
from dsfu.pipeline.store.closing import close_store
from dsfu.pipeline.store.files import Files
from dsfu.pipeline.store.gc import collect_garbage, find_garbage
from dsfu.pipeline.store.ledger import entry_path
from dsfu.pipeline.store.locks import StoreLocked, live_writers, writer_lock
from dsfu.pipeline.store.placement import PLACEMENT, home_of
from dsfu.pipeline.store.verify import verify_store
from tests.pipeline.disks import no_waiting_for_disks
from tests.pipeline.fake_store import FakeStore, contents, fake_store, fault_of, with_train
from tests.pipeline.store.test_ledger import failure

NAMES = ("form_factor", "sro", "record.npz")
DAY = 86400


@pytest.fixture(autouse=True, scope="module")
def quick() -> Iterator[None]:
    with no_waiting_for_disks():
        yield


@pytest.fixture
def store(tmp_path: Path) -> FakeStore:
    return fake_store(tmp_path / "store")


def paths_of(key: str) -> set[str]:
    """Every file of a planes shard that stands in no array."""
    return {entry_path(key), *(home_of(key, name) for name in NAMES)}


def age(files: Files, path: str, seconds: float = DAY) -> None:
    then = time.time() - seconds
    os.utime(Path(files.url) / path, (then, then))


def everything(files: Files) -> set[str]:
    return {*files.list(), *(path for path, _ in files.leftovers())}


def test_a_store_without_garbage(store: FakeStore) -> None:
    assert find_garbage(store.files, set()).files == ()
    close_store(store.files, store.ledger, store.spec())
    before = everything(store.files)
    garbage = collect_garbage(store.files, store.ledger.entries())
    assert (garbage.files, garbage.kept, garbage.spared, garbage.bytes) == ((), (), 0, 0)
    assert everything(store.files) == before


def test_shards_that_nobody_wants(store: FakeStore) -> None:
    spec = store.spec()
    close_store(store.files, store.ledger, spec)
    _, gone, stays = spec.splits[0].pairs
    wanted = store.ledger.entries() - {gone.key}

    still_in_the_arrays = find_garbage(store.files, wanted)
    assert still_in_the_arrays.files == ()
    assert still_in_the_arrays.kept == (gone.key,)

    close_store(store.files, store.ledger, with_train(spec, [stays]))
    before = everything(store.files)
    sizes = {path: info.bytes for path, info in store.files.scan()}
    found = find_garbage(store.files, wanted)
    assert everything(store.files) == before
    assert {file.path for file in found.files} == paths_of(gone.key)
    assert found.files[0].path == entry_path(gone.key)
    assert found.by_reason() == {
        "entry of a shard that the manifest does not ask for": (1, sizes[entry_path(gone.key)]),
        "object of a shard that the manifest does not ask for": (3, sum(sizes[home_of(gone.key, n)] for n in NAMES)),
    }
    assert found.bytes == sum(sizes[path] for path in paths_of(gone.key))

    assert collect_garbage(store.files, wanted) == found
    assert everything(store.files) == before - paths_of(gone.key)
    assert not (Path(store.files.url) / home_of(gone.key, "sro")).parent.exists()
    assert verify_store(store.files).findings == ()


def test_what_has_no_entry(store: FakeStore) -> None:
    spec = store.spec()
    close_store(store.files, store.ledger, spec)
    key = spec.splits[0].pairs[0].key
    damaged = spec.splits[0].pairs[1].key
    unfinished = home_of("ab" + 30 * "0", "sro")
    theirs = {home_of(key, "surplus"), "objects/misplaced"}
    for path in (unfinished, home_of(key, "masks.npz"), home_of(damaged, "masks.npz"), *theirs):
        store.files.write(path, b"xyz")
    store.files.write(entry_path(damaged), b"garbled")
    leftover = "train/sro/c/0/.tmp-0123456789abcdef"
    (Path(store.files.url) / leftover).write_bytes(b"half")
    store.files.write("locks/clock-0123456789abcdef", b"")
    garbage = collect_garbage(store.files, store.ledger.entries())
    assert {file.path: file.why for file in garbage.files} == {
        unfinished: "object without an entry in the ledger",
        home_of(key, "masks.npz"): "object that its shard's entry does not name",
        leftover: "left behind by a writer that was killed",
        "locks/clock-0123456789abcdef": "left behind by a look at the clock",
    }
    assert garbage.bytes == 10
    assert {file.path for file in garbage.files}.isdisjoint(everything(store.files))
    assert store.files.exists(home_of(damaged, "masks.npz"))
    assert theirs <= everything(store.files)


def test_damaged_entries_that_nobody_wants_go(store: FakeStore) -> None:
    key = store.spec().splits[0].pairs[0].key
    wanted = store.ledger.entries() - {key}
    store.files.write(entry_path(key), b"garbled")
    assert {file.path for file in collect_garbage(store.files, wanted).files} == paths_of(key)


def test_records_that_no_longer_matter(store: FakeStore) -> None:
    first, second, third = (pair.key for pair in store.spec().splits[0].pairs)
    wanted = store.ledger.entries() | {failure(1).key}
    for number in (1, 2):
        store.ledger.write_failure(failure(number))
    for key in (first, second):
        store.ledger.set_aside(key, "a bit was flipped")
    store.spec()  # both are made again
    store.ledger.set_aside(third, "a bit was flipped")
    garbage = collect_garbage(store.files, wanted - {second})
    assert {file.path: file.why for file in garbage.files if "/damaged/" in file.path or "/failed/" in file.path} == {
        f"ledger/failed/{failure(2).key}.json": "failure of a shard that the manifest does not ask for",
        f"ledger/damaged/{first}.json": "damage of a shard that was made since",
        f"ledger/damaged/{second}.json": "damage of a shard that was made since",
    }
    assert [each.key for each in store.ledger.failures()] == [failure(1).key]
    assert [each.key for each in store.ledger.set_aside_shards()] == [third]


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_what_is_wanted_stays(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("gc") / "store"
    store = fake_store(folder)
    spec = store.spec()
    keys = sorted(store.ledger.entries())
    if data.draw(st.booleans(), label="closed"):
        close_store(store.files, store.ledger, spec)
    wanted = set(data.draw(st.lists(st.sampled_from(keys), unique=True), label="wanted"))
    before = contents(folder) if store.files.exists("state.json") else {}
    garbage = collect_garbage(store.files, wanted)
    entries = {entry.key: entry for entry in store.ledger.intact_entries()}
    assert set(entries) == wanted | set(garbage.kept)
    assert [fault_of(store.ledger, entry) for entry in entries.values()] == [None] * len(entries)
    assert {path for path in before if not path.startswith("objects/")} <= set(contents(folder))
    assert verify_store(store.files).damage == ()
    assert find_garbage(store.files, wanted).files == ()


def test_while_a_run_writes_nothing_is_removed(store: FakeStore) -> None:
    store.spec()
    before = everything(store.files)
    with writer_lock(store.files):
        with pytest.raises(StoreLocked):
            collect_garbage(store.files, set())
        assert everything(store.files) == before | {"locks/run.json"}
        assert find_garbage(store.files, set()).spared > 0


def test_while_a_part_writes_only_what_cannot_be_its_own_is_removed(store: FakeStore) -> None:
    first, second, third = (pair.key for pair in store.spec().splits[0].pairs)
    wanted = store.ledger.entries() - {first, second}
    unfinished, forgotten = home_of("ab" + 30 * "0", "sro"), home_of("cd" + 30 * "0", "sro")
    store.files.write(unfinished, b"just written")
    store.files.write(forgotten, b"long ago")
    store.ledger.remove(third)  # wanted, and about to be made again over what is left of it
    leftovers = ["ledger/.tmp-0123456789abcdef", "ledger/.tmp-fedcba9876543210"]
    for path in leftovers:
        (Path(store.files.url) / path).write_bytes(b"half")
    for path in (*paths_of(first), *paths_of(third) - {entry_path(third)}, forgotten, leftovers[0]):
        age(store.files, path)
    with writer_lock(store.files, "part-3-of-8"):
        garbage = collect_garbage(store.files, wanted)
        assert {holder.name for holder in live_writers(store.files)} == {"part-3-of-8"}
    assert {file.path for file in garbage.files} == {*paths_of(first), forgotten, leftovers[0]}
    assert garbage.spared == len(paths_of(second)) + 3 + 2
    rest = collect_garbage(store.files, wanted)
    assert rest.spared == 0
    assert {file.path for file in rest.files} == {
        *paths_of(second),
        *paths_of(third) - {entry_path(third)},
        unfinished,
        leftovers[1],
    }


def test_the_grace_can_be_chosen(store: FakeStore) -> None:
    old = home_of("ab" + 30 * "0", "sro")
    store.files.write(old, b"x")
    age(store.files, old, 100)
    with writer_lock(store.files, "part-1-of-2"):
        assert find_garbage(store.files, set()).files == ()
        assert [file.path for file in find_garbage(store.files, set(), grace_seconds=50).files] == [old]


def test_collecting_that_is_killed_can_be_done_again(store: FakeStore) -> None:
    spec = store.spec()
    close_store(store.files, store.ledger, spec)
    key = spec.splits[0].pairs[0].key
    close_store(store.files, store.ledger, with_train(spec, spec.splits[0].pairs[1:]))
    wanted = store.ledger.entries() - {key}
    program = f"""
import os, signal
from dsfu.pipeline.store.files import open_files
from dsfu.pipeline.store.gc import collect_garbage
from dsfu.pipeline.store.local_files import LocalFiles
remove, removed = LocalFiles.remove, []
def remove_two(self, path):
    if len(removed) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    removed.append(path)
    remove(self, path)
LocalFiles.remove = remove_two
collect_garbage(open_files({store.files.url!r}), {wanted!r})
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -signal.SIGKILL
    assert not store.files.exists(entry_path(key))
    assert verify_store(store.files).damage == ()
    assert len(collect_garbage(store.files, wanted).files) == 2
    assert verify_store(store.files).findings == ()


def test_a_damaged_placement_has_to_be_mended_first(store: FakeStore) -> None:
    spec = store.spec()
    close_store(store.files, store.ledger, spec)
    store.files.write(PLACEMENT, b"garbled")
    before = everything(store.files)
    with pytest.raises(InputError, match=r"placement.json: it is damaged(.|\n)*dsfu-pipeline run"):
        collect_garbage(store.files, set())
    assert everything(store.files) == before
