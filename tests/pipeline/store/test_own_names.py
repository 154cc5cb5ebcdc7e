"""Nothing of anyone's is lost: folders that are no stores, files beside ours, and links that lead out of the store."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dsfu.errors import InputError
from dsfu.files import STORE_METADATA
from dsfu.pipeline.problems.disorder.closing import ClosingSpec
from dsfu.pipeline.running.engines import InThisProcess
from dsfu.pipeline.running.parts import Part, run_part
from dsfu.pipeline.running.reporter import SilentReporter
from dsfu.pipeline.running.run import RunResult, run_store
from dsfu.pipeline.store.files import open_files
from dsfu.pipeline.store.gc import collect_garbage
from dsfu.pipeline.store.ledger import entry_path
from dsfu.pipeline.store.manifest_copy import KEPT, keep_manifest
from dsfu.pipeline.store.own_names import is_own, is_own_temporary, refuse_foreign
from dsfu.pipeline.store.placement import home_of
from dsfu.pipeline.store.verify import verify_store
from tests.pipeline.fake_store import FakeStore, contents, with_train
from tests.pipeline.tiny import tiny

KEY = "ee" + 30 * "0"

pytestmark = pytest.mark.usefixtures("fast_disk")


def run(store: Path) -> RunResult:
    return run_store(tiny(1), open_files(store), engine=InThisProcess, reporter=SilentReporter())


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(
    "theirs",
    [
        "train/photos/a.jpg",
        "zarr.json",
        "objects/mine/a.dat",
        "ledger/2025.csv",
        "ledger/ab/readme",
        "locks/of the house",
        "notes.txt",
        ".git/config",
    ],
)
def test_a_folder_that_holds_something_else_is_refused_before_anything_is_written(tmp_path: Path, theirs: str):
    path = tmp_path / theirs
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b'{"attributes": {"format": "of somebody else"}}')
    before = snapshot(tmp_path)
    for attempt in (
        lambda: run(tmp_path),
        lambda: run_part(tiny(1), open_files(tmp_path), Part(1, 2), engine=InThisProcess, reporter=SilentReporter()),
    ):
        with pytest.raises(InputError, match="it is not empty, and what it holds is no data set of ours"):
            attempt()
    assert snapshot(tmp_path) == before


def test_what_a_run_leaves_that_is_killed_as_it_starts_is_not_refused(tmp_path: Path):
    for path in ("locks/run.json", "locks/run.after-0123456789abcdef.json", "locks/clock-0123456789abcdef"):
        (tmp_path / "locks").mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(b"")
    (tmp_path / "ledger").mkdir()
    (tmp_path / "ledger/.tmp-0123456789abcdef").write_bytes(b"half")
    (tmp_path / "lost+found").mkdir()
    refuse_foreign(open_files(tmp_path))


def test_a_store_that_another_part_begins_while_we_look_is_not_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    files = open_files(tmp_path)
    look = files.list

    def begun_meanwhile(*folder: str) -> Iterator[str]:
        if not folder:
            keep_manifest(open_files(tmp_path), tiny(1).loaded)
        return look(*folder)

    monkeypatch.setattr(files, "list", begun_meanwhile)
    refuse_foreign(files)
    assert (tmp_path / KEPT).exists()


@pytest.mark.parametrize("lost", [[], [KEPT], [KEPT, "ledger"], [STORE_METADATA, KEPT], [STORE_METADATA, "entries"]])
def test_a_store_that_has_lost_something_is_still_a_store(closed: tuple[FakeStore, ClosingSpec], lost: list[str]):
    store, _ = closed
    keep_manifest(store.files, tiny(1).loaded)
    for path in list(store.files.list()):
        is_entry = path.startswith("ledger/") and path != KEPT
        if path in lost or ("ledger" in lost and path.startswith("ledger/")) or ("entries" in lost and is_entry):
            store.files.remove(path)
    store.files.write("notes.txt", b"mine")
    refuse_foreign(store.files)


@pytest.mark.parametrize(
    ("path", "own"),
    [
        (home_of(KEY, "sro"), True),
        (home_of(KEY, "notes.txt"), False),
        (f"objects/zz/{KEY}/sro", False),
        (f"objects/ee/{KEY}/deep/sro", False),
        (entry_path(KEY), True),
        (f"ledger/{KEY}.json", False),
        (f"ledger/failed/{KEY}.json", True),
        ("ledger/failed/mine.json", False),
        ("train/form_factor/c/12/0/0", True),
        ("train/form_factor/c/012/0/0", False),
        ("train/form_factor/c/12/0/1", True),  # a chunk of ours by its name, in another division
        ("train/cell/zarr.json", True),
        ("train/predictions/zarr.json", False),
        ("train/photos/a.jpg", False),
        ("locks/part-3-of-8.json", True),
        ("locks/Mine.json", False),
    ],
)
def test_what_is_ours_by_its_name(path: str, own: bool):
    assert is_own(path) is own


def test_temporary_files_are_ours_only_where_we_write():
    name = ".tmp-0123456789abcdef"
    ours = ("", f"objects/ee/{KEY}/", "ledger/ab/", "ledger/", "ledger/failed/", "locks/", "train/", "train/sro/c/7/0/")
    for folder in ours:
        assert is_own_temporary(folder + name)
    for path in (f"objects/other/objects/ee/{KEY}/{name}", f"figures/{name}", "train/.tmp-mine", f"objects/{name}"):
        assert not is_own_temporary(path)


# Links.


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """What somebody has elsewhere, some of it in names of ours."""
    folder = tmp_path / "home"
    for path in ("letter.txt", f"{KEY}/sro", "c/0/0/0", "c/9/0/0", "zarr.json", "0/zarr.json", "run.json", "deep/x/y"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(path.encode())
        old = time.time() - 86400
        os.utime(folder / path, (old, old))
    (folder / "empty").mkdir()
    return folder


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.parametrize(
    "place", ["objects/zz", "objects/ee", f"objects/ee/{KEY}", "ledger/ee", "ledger/failed", "train/photos"]
)
def test_links_to_folders_lead_nowhere_and_are_unlinked_as_clutter(
    closed: tuple[FakeStore, ClosingSpec], home: Path, place: str
):
    store, spec = closed
    link = Path(store.files.url) / place
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(home, target_is_directory=True)
    before, names = snapshot(home), everything(home)
    assert not [path for path in store.files.list() if path.startswith(f"{place}/")]
    assert ("clutter", place) in [(each.kind, each.path) for each in verify_store(store.files).findings]
    store.close(with_train(spec, spec.splits[0].pairs[1:]))
    assert (snapshot(home), everything(home)) == (before, names)
    garbage = collect_garbage(store.files, store.ledger.entries())
    assert place in {file.path for file in garbage.files} or not link.is_symlink()
    assert not link.is_symlink()
    assert (snapshot(home), everything(home)) == (before, names)


@pytest.mark.parametrize("place", ["train/form_factor", "train/cell", "train/form_factor/c/0", "sro_sets/alpha"])
def test_links_in_the_way_are_replaced_and_what_they_lead_to_stays(
    closed: tuple[FakeStore, ClosingSpec], home: Path, place: str
):
    store, _ = closed
    root = Path(store.files.url)
    whole = contents(root)
    (root / place).rename(root.parent / "moved away")
    (root / place).symlink_to(home, target_is_directory=True)
    before, names = snapshot(home), everything(home)
    damage = verify_store(store.files, mark=True).damage
    assert damage
    store.close(store.spec())
    assert (snapshot(home), everything(home)) == (before, names)
    assert contents(root) == whole
    assert verify_store(store.files).damage == ()


@pytest.mark.parametrize("top", ["objects", "ledger", "locks", "train"])
def test_through_a_link_at_the_top_only_names_of_ours_are_touched(
    closed: tuple[FakeStore, ClosingSpec], home: Path, top: str
):
    store, spec = closed
    root = Path(store.files.url)
    for path in list((root / top).iterdir()) if (root / top).exists() else []:
        path.rename(home / path.name)
    if (root / top).exists():
        (root / top).rmdir()
    (root / top).symlink_to(home, target_is_directory=True)
    (home / "to the letter").symlink_to(home / "letter.txt")
    (home / "to the deep").symlink_to(home / "deep", target_is_directory=True)
    theirs = {"letter.txt", "deep/x/y", "empty", "to the letter", "to the deep"}
    store.close(with_train(spec, spec.splits[0].pairs[1:]))
    store.close(spec)
    collect_garbage(store.files, store.ledger.entries())
    assert theirs <= everything(home)
    assert (home / "letter.txt").read_bytes() == b"letter.txt"
    assert verify_store(store.files).damage == ()


def test_a_link_at_the_top_that_leads_nowhere_is_told(closed: tuple[FakeStore, ClosingSpec], tmp_path: Path):
    store, spec = closed
    root = Path(store.files.url)
    (root / "train").rename(tmp_path / "another disk")
    (root / "train").symlink_to(tmp_path / "unmounted")
    with pytest.raises(InputError, match="train: it is a link to .*unmounted, and there is nothing"):
        refuse_foreign(store.files)
    (root / "train").unlink()
    (root / "train").symlink_to(tmp_path / "another disk")
    store.close(spec)
    assert verify_store(store.files).damage == ()


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["folder", "pipe"])
@pytest.mark.parametrize(
    "place", ["train/zarr.json", "train/cell/c/0/0", "state.json", "placement.json", "train/sro/c/1/0/0", "zarr.json"]
)
def test_what_stands_in_place_of_a_file_gives_way(
    closed: tuple[FakeStore, ClosingSpec], place: str, make: Callable[[Path], None]
):
    store, _ = closed
    root = Path(store.files.url)
    whole = contents(root)
    (root / place).unlink()
    make(root / place)
    if (root / place).is_dir():
        (root / place / "somebody's").write_bytes(b"letter")
    assert place in {each.path for each in verify_store(store.files, mark=True).damage}
    store.close(store.spec())
    healed = contents(root)
    assert {path: healed.get(path) for path in whole} == whole
    kept = [data for path, data in healed.items() if path not in whole]
    assert kept in ([], [b"letter"])
    assert verify_store(store.files).damage == ()


def test_a_file_in_place_of_a_folder_gives_way(closed: tuple[FakeStore, ClosingSpec]):
    store, spec = closed
    root = Path(store.files.url)
    whole = contents(root)
    for place in ("train/cell", "masks"):
        (root / place).rename(root.parent / place.replace("/", "-"))
        (root / place).write_bytes(b"letter")
    assert verify_store(store.files).damage
    store.close(spec)
    healed = contents(root)
    assert {path: healed.get(path) for path in whole} == whole
    assert [data for path, data in healed.items() if path not in whole] == [b"letter", b"letter"]
