"""Whatever happens to a file of a store, verifying finds it, and the next run heals it without losing what is good."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsfu.pipeline.specs import LedgerEntry, StoredObject
from dsfu.pipeline.store.closing import close_store
from dsfu.pipeline.store.files import Files, StorageError, open_files
from dsfu.pipeline.store.findings import Finding, VerifyReport
from dsfu.pipeline.store.ledger import Ledger, entry_path
from dsfu.pipeline.store.placement import PLACEMENT, home_of
from dsfu.pipeline.store.state import STATE, read_state
from dsfu.pipeline.store.verify import verify_store
from tests.pipeline.disks import no_waiting_for_disks
from tests.pipeline.fake_store import FakeStore, contents, fake_store, with_train
from tests.pipeline.store.test_ledger import failure


@pytest.fixture(autouse=True, scope="module")
def quick() -> Iterator[None]:
    with no_waiting_for_disks():
        yield


class Damageable:
    """A closed store that can be put back as it was."""

    def __init__(self, store: FakeStore, folder: Path) -> None:
        self.store, self.folder = store, folder
        paths = {name: folder / name for name in store.files.list()}
        self.original = {name: (path.read_bytes(), path.stat().st_mtime_ns) for name, path in paths.items()}

    def put_back(self) -> None:
        for path in [path for path in self.folder.rglob("*") if path.is_file()]:
            name = str(path.relative_to(self.folder))
            if name not in self.original:
                path.unlink()
        for name, (data, modified_ns) in self.original.items():
            path = self.folder / name
            if not path.exists() or path.read_bytes() != data or path.stat().st_mtime_ns != modified_ns:
                path.write_bytes(data)
                os.utime(path, ns=(modified_ns, modified_ns))

    def damage(self, name: str, data: bytes) -> None:
        """Change a file without a trace in its time."""
        (self.folder / name).write_bytes(data)
        os.utime(self.folder / name, ns=(self.original[name][1],) * 2)

    def run(self) -> None:
        """What a run does: make what the ledger does not have, and close."""
        close_store(self.store.files, self.store.ledger, self.store.spec())


@pytest.fixture(scope="module")
def damageable(tmp_path_factory: pytest.TempPathFactory) -> Damageable:
    folder = tmp_path_factory.mktemp("verify") / "store"
    store = fake_store(folder)
    close_store(store.files, store.ledger, store.spec())
    store.ledger.write_failure(failure(1))
    key = store.write("planes", "planes/old", {"record.npz": b"x" * 100}, 1)
    store.ledger.set_aside(key, "it was old")
    store.files.remove(home_of(key, "record.npz"))
    return Damageable(store, folder)


@pytest.fixture
def closed(damageable: Damageable) -> Iterator[Damageable]:
    yield damageable
    damageable.put_back()


def of_kind(report: VerifyReport, kind: str) -> list[tuple[str, str]]:
    return [(finding.path, finding.what) for finding in report.findings if finding.kind == kind]


def test_a_good_store(closed: Damageable) -> None:
    told: list[tuple[int, int]] = []
    report = verify_store(closed.store.files, progress=lambda done, of: told.append((done, of)))
    assert report.findings == report.damage == ()
    assert report.shards == 8
    assert told == [(number, 8) for number in range(1, 9)]
    sizes = {name: len(data) for name, (data, _) in closed.original.items()}
    read = sum(size for name, size in sizes.items() if not name.startswith("ledger/"))
    assert report.bytes == read - sizes[STATE] - sizes[PLACEMENT]


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_any_flipped_bit_of_any_file_is_found(damageable: Damageable, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(damageable.original)))
    damaged = bytearray(damageable.original[name][0])
    bit = data.draw(st.integers(0, 8 * len(damaged) - 1))
    damaged[bit // 8] ^= 1 << bit % 8
    damageable.damage(name, bytes(damaged))
    try:
        report = verify_store(damageable.store.files)
        assert [finding.path for finding in report.findings] == [name]
        assert bool(report.damage) is not name.startswith(("ledger/failed", "ledger/damaged"))
    finally:
        damageable.put_back()


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_whatever_happens_to_files_is_found_and_healed(damageable: Damageable, data: st.DataObject) -> None:
    """Several files at once: bits flipped, ends cut off, contents replaced, files deleted."""
    intact = {name: content for name, (content, _) in damageable.original.items()}
    important = sorted(name for name in intact if not name.startswith(("ledger/failed", "ledger/damaged")))
    names = data.draw(st.lists(st.sampled_from(important), min_size=1, max_size=4, unique=True))
    changed = {name: data.draw(damage_to(intact[name]), label=name) for name in names}
    try:
        for name, content in changed.items():
            if content is None:
                (damageable.folder / name).unlink()
            else:
                damageable.damage(name, content)
        report = verify_store(damageable.store.files, mark=True)
        assert report.findings
        damageable.run()
        assert verify_store(damageable.store.files).damage == ()
        healed = contents(damageable.folder)
        assert {name: healed.get(name) for name in intact if not name.startswith("ledger/")} == {
            name: content for name, content in intact.items() if not name.startswith("ledger/")
        }
    finally:
        damageable.put_back()


def damage_to(content: bytes) -> st.SearchStrategy[bytes | None]:
    """What a file may become; None: it is deleted."""
    bits = st.integers(0, 8 * len(content) - 1)
    flipped = bits.map(lambda bit: (int.from_bytes(content, "little") ^ 1 << bit).to_bytes(len(content), "little"))
    truncated = st.integers(0, len(content) - 1).map(lambda length: content[:length])
    return flipped | truncated | st.sampled_from([None, b"nonsense"])


def test_what_is_said_of_objects(closed: Damageable) -> None:
    first, second, third = closed.store.spec().splits[0].pairs
    places = [f"train/{name}/c/{number}/0/0" for number, name in enumerate(("sro", "form_factor", "sro"))]
    whole = closed.original[places[0]][0]
    closed.damage(places[0], whole[:100])
    closed.damage(places[1], bytes(len(closed.original[places[1]][0])))
    (closed.folder / places[2]).unlink()
    report = verify_store(closed.store.files)
    assert of_kind(report, "object") == [
        (places[1], "has another checksum than when it was written"),
        (places[0], f"has 100 bytes instead of {len(whole)}"),
        (places[2], "is missing"),
    ]
    assert {(each.path, each.key, each.identity) for each in report.damage} == {
        (places[0], first.key, "planes/train_0+train_1"),
        (places[1], second.key, "planes/train_0+train_2"),
        (places[2], third.key, "planes/train_1+train_2"),
    }
    assert len(report.findings) == 3
    assert report.set_aside == ()
    assert "verify --mark" in report.findings[0].remedy
    assert str(report.findings[2]) == f"{places[2]} is missing (planes/train_1+train_2)"
    assert report.to_dict()["findings"][2]["remedy"] == report.findings[2].remedy
    assert Ledger(closed.store.files).entries() >= {first.key, second.key, third.key}


def test_what_is_marked(closed: Damageable) -> None:
    first, second, _ = (pair.key for pair in closed.store.spec().splits[0].pairs)
    closed.damage("train/sro/c/0/0/0", b"short")
    closed.damage("train/form_factor/c/0/0/0", b"short")
    closed.damage(entry_path(second), b"garbled")
    report = verify_store(closed.store.files, mark=True)
    assert set(report.set_aside) == {first, second}
    ledger = closed.store.ledger
    assert len(ledger.entries()) == 6
    reasons = {each.key: each.reason for each in ledger.set_aside_shards()}
    assert reasons[second] == f"{entry_path(second)} is damaged: it is truncated"
    assert "train/form_factor/c/0/0/0 has 5 bytes" in reasons[first]
    assert "; train/sro/c/0/0/0 has 5 bytes" in reasons[first]
    assert (closed.folder / "train/form_factor/c/1/0/0").exists()  # it is good: nothing is thrown away


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("train/zarr.json", "has 8 bytes instead of "),
        ("species/position/c/0/0", "has 8 bytes instead of "),
        (STATE, "is damaged"),
    ],
)
def test_what_is_said_of_arrays(closed: Damageable, name: str, what: str) -> None:
    closed.damage(name, b"nonsense")
    ((path, said),) = of_kind(verify_store(closed.store.files), "array")
    assert path == name
    assert said.startswith(what)


def test_a_store_that_lost_its_state(closed: Damageable) -> None:
    (closed.folder / STATE).unlink()
    assert of_kind(verify_store(closed.store.files), "array") == [
        (STATE, "is missing: it is lost, or closing was interrupted")
    ]


def test_what_is_said_of_the_placement(closed: Damageable) -> None:
    closed.damage(PLACEMENT, b"nonsense")
    report = verify_store(closed.store.files)
    assert of_kind(report, "placement") == [(PLACEMENT, "is damaged")]
    assert len(report.findings) == 1
    (closed.folder / PLACEMENT).unlink()
    report = verify_store(closed.store.files)
    ((path, what),) = of_kind(report, "placement")
    assert path == PLACEMENT
    assert what.startswith("is missing, or does not know of")
    assert what.endswith("and 7 other objects")
    assert len(report.findings) == 1


def test_a_store_that_was_never_closed(tmp_path: Path) -> None:
    store = fake_store(tmp_path / "store")
    assert verify_store(store.files).findings == ()
    store.spec()
    report = verify_store(store.files)
    assert (report.findings, report.shards) == ((), 8)


def test_what_belongs_to_nothing(closed: Damageable) -> None:
    files = closed.store.files
    key = closed.store.spec().splits[0].pairs[0].key
    stranger = "0" * 32
    for path in (
        home_of(stranger, "sro"),
        home_of(key, "masks.npz"),
        home_of(key, "surplus"),
        "objects/misplaced",
        "train/sro/c/9/0/0",
        "train/cell/c/9/0",
        "train/forgotten/zarr.json",
        "ledger/ab/readme",
        "locks/gc.json",
        "notes of the user",
        "figures/plot.png",
    ):
        files.write(path, b"x")
    leftover = "train/sro/c/.tmp-0123456789abcdef"
    for path in (leftover, "train/sro/c/.tmp-mine"):
        (closed.folder / path).write_bytes(b"half")
    (closed.folder / "objects/zz").symlink_to(closed.folder.parent)
    report = verify_store(files)
    assert report.damage == ()
    assert dict(of_kind(report, "clutter")) == {
        home_of(stranger, "sro"): "belongs to no shard in the ledger",
        home_of(key, "masks.npz"): "belongs to no shard in the ledger",
        "train/sro/c/9/0/0": "stands in an array where no shard has a place",
        "train/cell/c/9/0": "stands in an array where no shard has a place",
        "locks/gc.json": "cannot be read: it is truncated",
        leftover: "was left behind by a writer that was killed",
        "objects/zz": "is a link to a folder, or to nowhere; nobody follows it",
    }
    assert dict(of_kind(report, "foreign")) == dict.fromkeys(
        (
            home_of(key, "surplus"),
            "objects/misplaced",
            "train/forgotten/zarr.json",
            "ledger/ab/readme",
            "train/sro/c/.tmp-mine",
        ),
        "is none of ours",
    )
    (closed.folder / "objects/zz").unlink()


def test_objects_of_a_damaged_entry_are_not_reported_twice(closed: Damageable) -> None:
    spec = closed.store.spec()
    for key in (spec.sro_sets[0].key, spec.splits[0].pairs[1].key):
        closed.damage(entry_path(key), b"garbled")
        report = verify_store(closed.store.files)
        assert [(each.kind, each.path) for each in report.findings] == [("entry", entry_path(key))]
        closed.put_back()


def test_an_object_at_home_and_in_its_place(closed: Damageable) -> None:
    """As a move in object storage leaves it when it is killed between copy and removal."""
    key = closed.store.spec().splits[0].pairs[0].key
    shutil.copy2(closed.folder / "train/sro/c/0/0/0", closed.folder / home_of(key, "sro"))
    report = verify_store(closed.store.files)
    assert [(each.kind, each.path) for each in report.findings] == [("clutter", "train/sro/c/0/0/0")]
    closed.run()
    assert verify_store(closed.store.files).findings == ()


def test_an_object_at_home_while_its_place_is_empty(closed: Damageable) -> None:
    """Readers of the array would find zeros."""
    key = closed.store.spec().splits[0].pairs[0].key
    (closed.folder / home_of(key, "sro")).parent.mkdir(parents=True, exist_ok=True)
    (closed.folder / "train/sro/c/0/0/0").rename(closed.folder / home_of(key, "sro"))
    report = verify_store(closed.store.files, mark=True)
    what = f"is missing: readers do not find what {home_of(key, 'sro')} holds"
    assert [(each.kind, each.path, each.what) for each in report.damage] == [("array", "train/sro/c/0/0/0", what)]
    assert report.set_aside == ()  # nothing has to be made again
    closed.run()
    assert verify_store(closed.store.files).findings == ()


def test_another_object_in_its_place_while_the_right_one_is_at_home(closed: Damageable) -> None:
    key = closed.store.spec().splits[0].pairs[0].key
    shutil.copy2(closed.folder / "train/sro/c/0/0/0", closed.folder / home_of(key, "sro"))
    closed.damage("train/sro/c/0/0/0", closed.original["train/sro/c/1/0/0"][0])
    (found,) = verify_store(closed.store.files).damage
    assert (found.kind, found.path) == ("array", "train/sro/c/0/0/0")
    closed.run()
    assert verify_store(closed.store.files).findings == ()


def test_a_shard_in_the_arrays_without_an_entry(closed: Damageable) -> None:
    key = closed.store.spec().splits[0].pairs[1].key
    (closed.folder / entry_path(key)).unlink()
    (found,) = verify_store(closed.store.files).damage
    assert (found.kind, found.path, found.key) == ("entry", entry_path(key), key)
    assert found.what == "is missing, though train/form_factor/c/1/0/0 is said to be of its shard"
    closed.run()
    assert verify_store(closed.store.files).findings == ()


@pytest.mark.parametrize("which", ["sets", "masks"])
def test_a_lost_entry_of_a_shard_that_stands_in_no_array(closed: Damageable, which: str) -> None:
    """Its rows were copied into a table; without the entry it looks as if it had never been made."""
    spec = closed.store.spec()
    key = spec.sro_sets[0].key if which == "sets" else spec.masks[0]
    (closed.folder / entry_path(key)).unlink()
    (found,) = verify_store(closed.store.files).damage
    assert (found.kind, found.path, found.key) == ("entry", entry_path(key), key)


def test_a_store_closed_before_its_shards_were_written_down(closed: Damageable) -> None:
    state = read_state(closed.store.files)
    assert set(state.shards) == closed.store.ledger.entries()
    closed.damage(STATE, replace(state, shards=()).to_bytes())
    assert verify_store(closed.store.files).findings == ()


@pytest.mark.parametrize("also", [(), (PLACEMENT,)])
def test_a_ledger_without_an_entry(closed: Damageable, also: tuple[str, ...]) -> None:
    for path in [*closed.store.files.list("ledger"), *also]:
        (closed.folder / path).unlink()
    damage = verify_store(closed.store.files).damage
    assert [(each.kind, each.path) for each in damage] == [("entry", "ledger")]
    assert damage[0].what == "has no entry at all, though the store was closed with 22 samples"


def test_a_state_that_is_sealed_but_wrong(closed: Damageable) -> None:
    state = read_state(closed.store.files)
    for files in (
        {"../../etc/passwd": StoredObject(bytes=1, crc32c=1)},
        {"train/cell/c/0": StoredObject(bytes=-1, crc32c=1)},
        {"train/cell/c/0": StoredObject(bytes="many", crc32c=None)},  # type: ignore[arg-type]
    ):
        closed.damage(STATE, replace(state, files=files).to_bytes())
        assert of_kind(verify_store(closed.store.files), "array") == [(STATE, "is damaged")]
    closed.run()
    assert verify_store(closed.store.files).damage == ()


def test_an_object_that_was_shut_off_is_not_taken_for_lost(closed: Damageable, monkeypatch: pytest.MonkeyPatch) -> None:
    files = closed.store.files
    checksum = type(files).checksum

    def refuse(self: Files, path: str) -> int:
        if path == "train/sro/c/1/0/0":
            raise StorageError(13, "permission is denied", f"{self.url}/{path}")
        return checksum(self, path)

    monkeypatch.setattr(type(files), "checksum", refuse)
    report = verify_store(files, mark=True)
    assert [(each.kind, each.path, each.what) for each in report.findings] == [
        ("unreadable", "train/sro/c/1/0/0", "cannot be read: permission is denied")
    ]
    assert report.set_aside == ()


def test_marking_a_copied_store_makes_quick_checks_quick_again(
    closed: Damageable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(closed.folder, tmp_path / "copy", copy_function=shutil.copy)
    files = open_files(tmp_path / "copy")
    assert verify_store(files).findings == ()
    before = list(Ledger(files).intact_entries())
    assert verify_store(files, mark=True).findings == ()
    monkeypatch.setattr(type(files), "checksum", lambda *_: pytest.fail("it is read"))
    after = list(Ledger(files).intact_entries())
    assert [Ledger(files).check_quickly(each) for each in after] == [None] * 8
    assert [replace(each, objects={}) for each in after] == [replace(each, objects={}) for each in before]


def test_what_would_be_computed_differently(closed: Damageable) -> None:
    files = closed.store.files
    first, second, third = (pair.key for pair in closed.store.spec().splits[0].pairs)

    def recompute(entry: LedgerEntry) -> dict[str, bytes] | None:
        made = {name: files.read(closed.store.ledger.locate(entry.key, name)) for name in entry.objects}
        if entry.key == first:
            made["sro"] += b"\0"
        if entry.key == second:
            made["more"] = made.pop("form_factor")
        return None if entry.kind != "planes" else made

    report = verify_store(files, recompute=recompute, mark=True)
    assert set(of_kind(report, "difference")) == {
        ("train/sro/c/0/0/0", "is not what is computed now"),
        ("train/form_factor/c/1/0/0", "would not be made now"),
        (home_of(second, "more"), "would be made now, and was not"),
    }
    assert len(report.findings) == 3
    assert report.set_aside == ()
    closed.damage("train/sro/c/2/0/0", b"")
    assert third in {each.key for each in verify_store(files, recompute=recompute).damage if each.kind == "object"}


def test_pairs_that_left_and_pairs_that_moved(closed: Damageable) -> None:
    spec = closed.store.spec()
    close_store(closed.store.files, closed.store.ledger, with_train(spec, spec.splits[0].pairs[2:]))
    assert verify_store(closed.store.files).findings == ()


def test_findings_are_sorted_damage_first() -> None:
    assert not Finding(kind="clutter", path="a", what="x").is_damage
    assert Finding(kind="difference", path="a", what="x").is_damage
