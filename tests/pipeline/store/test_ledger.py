"""The ledger: what it takes down it gives back, and what is damaged counts as not there."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsfu.pipeline.specs import LedgerEntry, ShardFailure, digest
from dsfu.pipeline.store.closing import close_store
from dsfu.pipeline.store.files import Files, open_files
from dsfu.pipeline.store.ledger import DamagedEntry, Ledger, entry_path, key_of_entry, key_of_object
from dsfu.pipeline.store.placement import PLACEMENT, home_of, read_placement
from dsfu.pipeline.store.sealed import Damaged, seal, unseal
from tests.pipeline.fake_store import FakeStore, fake_store, fault_of

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
documents = st.dictionaries(st.text(max_size=5), values, max_size=4)


@given(documents)
def test_sealed_documents_are_read_as_they_were_written(document: dict[str, object]) -> None:
    assert unseal(seal(document)) == document


@given(documents, st.data())
def test_any_flipped_bit_of_a_sealed_document_is_noticed(document: dict[str, object], data: st.DataObject) -> None:
    text = bytearray(seal(document))
    place = data.draw(st.integers(0, 8 * len(text) - 1))
    text[place // 8] ^= 1 << place % 8
    with pytest.raises(Damaged):
        unseal(bytes(text))


@given(documents, st.data())
def test_truncated_sealed_documents_are_noticed(document: dict[str, object], data: st.DataObject) -> None:
    text = seal(document)
    with pytest.raises(Damaged, match="truncated|empty"):
        unseal(text[: data.draw(st.integers(0, len(text) - 1))])


@given(st.binary(max_size=60) | st.just(b"[" * 100_000) | st.just(b'{"checksum": 0, "sealed": 1}\n'))
def test_rubbish_is_no_sealed_document(data: bytes) -> None:
    with pytest.raises(Damaged):
        unseal(data)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return open_files(tmp_path / "store")


@pytest.fixture
def ledger(files: Files) -> Ledger:
    return Ledger(files)


def entry(files: Files, number: int = 0) -> LedgerEntry:
    """A shard with two objects, which are written."""
    key = digest(number)[:32]
    objects = {name: files.write(home_of(key, name), f"{name} {number}".encode()) for name in ("sro", "record.npz")}
    return LedgerEntry(
        key=key,
        kind="planes",
        identity=f"planes/A+B{number}",
        inputs={"seed": "abc"},
        items=3,
        objects=objects,
        made={"seconds": 1e-7, "versions": {"numpy": "2"}, "place": "Å"},
    )


def failure(number: int) -> ShardFailure:
    return ShardFailure(
        key=digest(number)[:32],
        kind="planes",
        identity=f"planes/{number}",
        error="ValueError: no",
        traceback="Traceback…",
        attempts=3,
        host="h",
        when="2026",
    )


def test_entries_are_read_as_they_were_written(ledger: Ledger) -> None:
    assert ledger.entries() == set()
    entries = [entry(ledger.files, number) for number in range(5)]
    for each in entries:
        ledger.write(each)
    assert ledger.entries() == {each.key for each in entries}
    assert [ledger.read(each.key) for each in entries] == entries
    assert list(ledger.intact_entries()) == sorted(entries, key=lambda each: each.key)
    ledger.remove(entries[0].key)
    assert ledger.entries() == {each.key for each in entries[1:]}
    with pytest.raises(FileNotFoundError):
        ledger.read(entries[0].key)


def test_other_files_are_no_entries(ledger: Ledger) -> None:
    each = entry(ledger.files)
    ledger.write(each)
    key = each.key
    for path in (
        f"ledger/{key}.json",
        f"ledger/{key[:2]}/{key}",
        f"ledger/{key[:2]}/{key[:-1]}.json",
        f"ledger/{key[:2]}/{key[:-1]}G.json",
        "ledger/zz/readme",
    ):
        ledger.files.write(path, b"")
        assert key_of_entry(path) is None
    other = digest("other")[:32]
    ledger.files.write(f"ledger/00/{other}.json", b"")
    assert ledger.entries() == {key}


def test_paths_and_keys() -> None:
    key = digest(1)[:32]
    assert key_of_entry(entry_path(key)) == key
    assert key_of_object(home_of(key, "sro")) == key
    for path in ("objects/ab/sro", f"objects/{key}/sro", f"objects/zz/{key}/sro", home_of(key, "sro") + "/more"):
        assert key_of_object(path) is None


def test_a_damaged_entry_is_there_but_cannot_be_read(ledger: Ledger) -> None:
    one, other = entry(ledger.files, 1), entry(ledger.files, 2)
    for each in (one, other):
        ledger.write(each)
    whole = ledger.files.read(entry_path(one.key))
    stored = {"bytes": 1, "crc32c": 1, "modified_ns": None}
    for damaged, why in {
        whole[:-30]: "truncated",
        b"": "empty",
        whole.replace(b"seed", b"sEed"): "checksum",
        b"\x00" * len(whole): "truncated",
        ledger.files.read(entry_path(other.key)): f"that of {other.key}",
        seal({"key": one.key}): "kind",
        seal({**one.to_dict(), "surprise": 1}): "surprise",
        seal({**one.to_dict(), "objects": 3}): "objects is '3', expected dict",
        seal({**one.to_dict(), "items": "many"}): "items is 'many', expected int",
        seal({**one.to_dict(), "objects": {"../../../etc/passwd": stored}}): "called '../../../etc/passwd'",
        seal({**one.to_dict(), "objects": {"sro": {**stored, "bytes": -1}}}): "of -1 bytes",
        seal({**one.to_dict(), "objects": {"sro": {**stored, "bytes": 1e3}}}): "bytes is '1000.0', expected int",
        seal({**one.to_dict(), "made": {"seconds": "long"}}): "seconds is 'long', expected float",
        seal({**one.to_dict(), "made": {"steps": {"write": []}}}): "expected float",
        seal(["a", "list"]): "something else than names and values",  # type: ignore[arg-type]
        b'{"checksum":0,"sealed":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n": "garbled",
    }.items():
        ledger.files.write(entry_path(one.key), damaged)
        with pytest.raises(DamagedEntry, match=why) as caught:
            ledger.read(one.key)
        assert caught.value.key == one.key
        assert "its ledger entry is damaged" in str(caught.value)
        assert one.key in ledger.entries()
        assert list(ledger.intact_entries()) == [other]


def test_set_aside(ledger: Ledger) -> None:
    one, other = entry(ledger.files, 1), entry(ledger.files, 2)
    for each in (one, other):
        ledger.write(each)
    ledger.files.write(entry_path(other.key), b"garbled")
    ledger.set_aside(one.key, "sro has 3 bytes instead of 4")
    ledger.set_aside(other.key, "its ledger entry is damaged")
    assert ledger.entries() == set()
    aside = {each.key: (each.identity, each.reason) for each in ledger.set_aside_shards()}
    assert aside == {
        one.key: ("planes/A+B1", "sro has 3 bytes instead of 4"),
        other.key: ("", "its ledger entry is damaged"),
    }
    ledger.write(one)
    assert [each.key for each in ledger.set_aside_shards()] == [other.key]


def test_failures(ledger: Ledger) -> None:
    for number in range(3):
        ledger.write_failure(failure(number))
    assert {each.key: each for each in ledger.failures()} == {failure(n).key: failure(n) for n in range(3)}
    assert ledger.entries() == set()
    ledger.write(entry(ledger.files, 1))  # made after all
    ledger.files.write(f"ledger/failed/{failure(9).key}.json", b"garbled")
    assert {each.key for each in ledger.failures()} == {failure(n).key for n in (0, 2)}


@pytest.mark.parametrize("check", [Ledger.check_quickly, fault_of])
def test_faults_of_objects(ledger: Ledger, check) -> None:
    each = entry(ledger.files)
    path = home_of(each.key, "sro")
    assert check(ledger, each) is None
    ledger.files.write(path, b"sro 1")
    assert check(ledger, each) == f"{path} has another checksum than when it was written"
    ledger.files.write(path, b"sr")
    assert check(ledger, each) == f"{path} has 2 bytes instead of 5"
    ledger.files.remove(path)
    assert check(ledger, each) == f"{path} is missing"


def test_a_quick_check_reads_what_has_another_time_only(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    each = entry(ledger.files)
    path = tmp_path / "store" / home_of(each.key, "sro")
    read: list[str] = []
    checksum = type(ledger.files).checksum

    def note_and_read(files: Files, name: str) -> int:
        read.append(name)
        return checksum(files, name)

    monkeypatch.setattr(type(ledger.files), "checksum", note_and_read)
    assert ledger.check_quickly(each) is None
    assert read == []
    os.utime(path, ns=(1, 1))
    assert ledger.check_quickly(each) is None
    assert read == [home_of(each.key, "sro")]
    assert ledger.check_quickly(replace(each, objects={"sro": replace(each.objects["sro"], modified_ns=1)})) is None
    assert len(read) == 1
    path.write_bytes(b"SRO 0")
    os.utime(path, ns=(each.objects["sro"].modified_ns or 0,) * 2)
    assert ledger.check_quickly(each) is None
    assert fault_of(ledger, each) == f"{home_of(each.key, 'sro')} has another checksum than when it was written"


class TestWhereabouts:
    """Where the objects of a closed store are."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> FakeStore:
        store = fake_store(tmp_path / "store")
        close_store(store.files, store.ledger, store.spec())
        return store

    def test_at_home_or_in_their_place(self, store: FakeStore) -> None:
        placement = read_placement(store.files)
        ledger = store.ledger
        for each in ledger.intact_entries():
            assert fault_of(ledger, each) is None
            for name in each.objects:
                expected = placement.path_of(each.key, name) or home_of(each.key, name)
                assert ledger.locate(each.key, name) == expected
                assert store.files.exists(expected)

    @pytest.mark.parametrize("damage", ["missing", "truncated", "too old"])
    def test_where_the_placement_does_not_say(self, store: FakeStore, damage: str) -> None:
        told = store.files.read(PLACEMENT)
        if damage == "missing":
            store.files.remove(PLACEMENT)
        else:
            older = fake_store(Path(store.files.url).parent / "older")
            close_store(older.files, older.ledger, older.spec(train=[(0, 1)]))
            store.files.write(PLACEMENT, told[:-9] if damage == "truncated" else older.files.read(PLACEMENT))
        ledger = store.ledger
        entries = list(ledger.intact_entries())
        assert [fault_of(ledger, each) for each in entries] == [None] * 8
        store.files.write(PLACEMENT, told)
        placement = read_placement(store.files)
        assert all(
            ledger.locate(each.key, name) == (placement.path_of(each.key, name) or home_of(each.key, name))
            for each in entries
            for name in each.objects
        )

    def test_a_ledger_notices_that_the_store_was_closed(self, tmp_path: Path) -> None:
        store = fake_store(tmp_path / "other")
        spec, ledger = store.spec(), store.ledger
        key = spec.splits[0].pairs[1].key
        assert ledger.locate(key, "sro") == home_of(key, "sro")
        close_store(store.files, ledger, spec)
        assert ledger.locate(key, "sro") == "train/sro/c/1/0/0"

    def test_home_wins(self, store: FakeStore) -> None:
        key = store.spec().splits[0].pairs[1].key
        store.files.write(home_of(key, "sro"), b"made again")
        assert store.ledger.locate(key, "sro") == home_of(key, "sro")

    def test_what_is_nowhere(self, store: FakeStore) -> None:
        key = store.spec().splits[0].pairs[1].key
        store.files.remove("train/sro/c/1/0/0")
        assert store.ledger.check_quickly(store.ledger.read(key)) == "train/sro/c/1/0/0 is missing"
        store.files.remove(home_of(key, "record.npz"))
        assert store.ledger.locate(key, "record.npz") == home_of(key, "record.npz")

    def test_a_copied_store_is_good(self, store: FakeStore, tmp_path: Path) -> None:
        shutil.copytree(tmp_path / "store", tmp_path / "copy", copy_function=shutil.copy)
        copy = Ledger(open_files(tmp_path / "copy"))
        assert [copy.check_quickly(each) for each in copy.intact_entries()] == [None] * 8
