"""Files on local disk: nothing half written, whatever happens; errors that say what to do."""

import errno
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsfu.errors import InputError
from dsfu.pipeline.store.files import Files, StorageError, crc32c, open_files
from dsfu.pipeline.store.local_files import LocalFiles
from tests.pipeline.disks import read_only, small_disk, without_permission
from tests.pipeline.files_contract import FilesContract


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return open_files(tmp_path / "store")


class TestLocalFiles(FilesContract):
    """On a local disk."""


class TestMemory(FilesContract):
    """In fsspec's storage in memory, which stands for those that are neither local nor S3."""

    @pytest.fixture
    def files(self) -> Iterator[Files]:
        files = open_files("memory://bucket/store")
        yield files
        for path in list(files.list()):
            files.remove(path)


def test_crc32c_of_the_standard() -> None:
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(b"6789", crc32c(b"12345")) == 0xE3069283


def test_checksum_is_that_of_the_whole_file(files: Files) -> None:
    data = os.urandom(3 * 2**20 + 17)
    assert files.write("big", data).crc32c == files.checksum("big") == crc32c(data)


names = st.text("ab-.0é ", min_size=1, max_size=4).filter(lambda name: name not in (".", ".."))


@settings(max_examples=40)
@given(st.lists(st.lists(names, min_size=1, max_size=3).map("/".join), max_size=12, unique=True))
def test_lists_are_sorted_like_those_of_object_storage(
    tmp_path_factory: pytest.TempPathFactory, paths: list[str]
) -> None:
    wanted = [path for path in paths if not any(other.startswith(f"{path}/") for other in paths)]
    files = open_files(tmp_path_factory.mktemp("store"))
    for path in wanted:
        files.write(path, b"")
    assert list(files.list()) == sorted(wanted)


@pytest.mark.parametrize("form", [str, Path, "file://{}".format, "local://{}".format])
def test_addresses_of_local_stores(tmp_path: Path, form: Callable[[Path], str | Path]) -> None:
    files = open_files(form(tmp_path / "store"))
    assert files.is_local
    assert files.url == str(tmp_path / "store")


def test_addresses_are_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    files = open_files("store")
    monkeypatch.chdir("/")
    files.write("a", b"x")
    assert (tmp_path / "store" / "a").read_bytes() == b"x"


def test_a_store_cannot_be_where_a_file_is(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("")
    with pytest.raises(InputError, match="it is a file"):
        open_files(tmp_path / "store")


def test_storages_that_do_not_exist() -> None:
    with pytest.raises(InputError, match="no storage called s4"):
        open_files("s4://bucket/store")


def test_a_local_store_takes_no_options(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="storage_options"):
        open_files(tmp_path, {"key": "secret"})


def test_colleagues_may_read_what_the_mask_allows(files: Files, tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        files.write("folder/a", b"")
        files.write_new("folder/b", b"")
    finally:
        os.umask(before)
    assert {(tmp_path / "store" / "folder" / name).stat().st_mode & 0o777 for name in "ab"} == {0o640}


def test_a_writer_that_is_killed_leaves_the_old_file_and_a_leftover(files: Files, tmp_path: Path) -> None:
    files.write("folder/a", b"old")
    _die_in(tmp_path / "store", "os.fsync", "folder/a")
    assert files.read("folder/a") == b"old"
    assert list(files.list()) == ["folder/a"]
    ((path, info),) = files.leftovers()
    assert path.startswith("folder/.tmp-")
    assert info.bytes == 3
    files.remove(path)
    assert list(files.leftovers()) == []


def test_a_writer_that_is_killed_after_the_renaming_has_written(files: Files, tmp_path: Path) -> None:
    files.write("folder/a", b"old")
    _die_in(tmp_path / "store", "dsfu.pipeline.store.local_files.synchronise", "folder/a")
    assert files.read("folder/a") == b"new"
    assert list(files.leftovers()) == []


def _die_in(store: Path, where: str, path: str) -> None:
    """Write to a file in a process that is killed as it gets to some function."""
    program = f"""
import os, signal
import dsfu.pipeline.store.local_files
from dsfu.pipeline.store.files import open_files
{where} = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
open_files({str(store)!r}).write({path!r}, b"new")
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -signal.SIGKILL


def test_a_reader_never_sees_half_a_file(files: Files, tmp_path: Path) -> None:
    program = f"""
from dsfu.pipeline.store.files import open_files
files = open_files({str(tmp_path / "store")!r})
print(flush=True)
while True:
    for letter in (b"a", b"b"):
        files.write("file", letter * 1_000_000)
"""
    files.write("file", b"a" * 1_000_000)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        try:
            seen = [files.read("file") for _ in range(150)]
        finally:
            writer.kill()
    assert set(seen) == {b"a" * 1_000_000, b"b" * 1_000_000}


@pytest.mark.parametrize("step", ["pathlib.Path.replace", "os.fsync", "os.fstat"])
def test_a_failure_in_between_leaves_nothing(files: Files, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    files.write("a", b"old")

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "sector not found")

    with monkeypatch.context() as patched:
        patched.setattr(step, fail)
        with pytest.raises(StorageError, match="device reports an error") as caught:
            files.write("a", b"new")
    assert caught.value.errno == errno.EIO
    assert files.read("a") == b"old"
    assert list(files.leftovers()) == []


def test_an_interrupted_write_leaves_nothing(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", interrupt)
        with pytest.raises(KeyboardInterrupt):
            files.write("a", b"new")
    assert [*files.list(), *files.leftovers()] == []


def test_a_full_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1024) as disk:
        files = open_files(disk / "store")
        files.write("a", b"old" * 100_000)
        for write in (files.write, files.write_new):
            with pytest.raises(StorageError, match=r"store/b+: the disk is full; make room") as caught:
                write("b", bytes(900_000))
            assert caught.value.errno == errno.ENOSPC
        with pytest.raises(StorageError, match="the disk is full"):
            files.write("a", bytes(900_000))
        assert list(files.leftovers()) == []
        assert list(files.list()) == ["a"]
        assert files.read("a") == b"old" * 100_000
        files.write("b", bytes(500_000))


def test_a_disk_with_room_for_no_more_files(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1024, files=12) as disk:
        files = open_files(disk / "store")
        for number in range(5):
            files.write(f"{number}", b"x")
        while os.statvfs(disk).f_favail:
            (disk / f"other-{os.statvfs(disk).f_favail}").touch()
        with pytest.raises(StorageError, match=r"room for more files \(df -i\); remove some") as caught:
            files.write("one more", b"x")
        assert caught.value.errno == errno.ENOSPC
        assert len(list(files.list())) == 5
        assert list(files.leftovers()) == []
        files.remove("0")
        files.write("again", b"x")


def _changes(files: Files) -> list[Callable[[], object]]:
    return [
        lambda: files.write("a", b"new"),
        lambda: files.write("new", b"new"),
        lambda: files.write("new/new", b"new"),
        lambda: files.write_new("new", b"new"),
        lambda: files.remove("a"),
        lambda: files.move("a", "b"),
    ]


def test_a_read_only_disk(files: Files, tmp_path: Path) -> None:
    files.write("a", b"old")
    files.write("folder/b", b"old")
    with read_only(tmp_path / "store"):
        for change in [*_changes(files), lambda: files.touch("a")]:
            with pytest.raises(StorageError, match="read-only") as caught:
                change()
            assert caught.value.errno == errno.EROFS
        assert files.read("a") == b"old"
        assert list(files.list()) == ["a", "folder/b"]


def test_a_folder_that_belongs_to_somebody_else() -> None:
    with TemporaryDirectory() as folder, without_permission(Path(folder) / "store") as store:
        files = open_files(store)
        for change in _changes(files):
            with pytest.raises(StorageError, match="permission") as caught:
                change()
            assert caught.value.errno in (errno.EACCES, errno.EPERM)
        assert files.read("a") == b"old"


def test_a_part_of_the_store_may_be_on_another_disk(files: Files, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1024) as disk:
        files.write("objects/a", b"x" * 1000)
        (tmp_path / "store" / "train").symlink_to(disk)
        files.move("objects/a", "train/c/0")
        assert list(files.list()) == ["train/c/0"]
        assert (disk / "c" / "0").read_bytes() == b"x" * 1000


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP])
def test_a_disk_without_hard_links(files: Files, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, "no links here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    assert files.write_new("locks/run", b"first")
    assert not files.write_new("locks/run", b"second")
    assert files.read("locks/run") == b"first"
    assert list(files.leftovers()) == []


def test_folders_may_be_removed_while_others_write_there(files: Files) -> None:
    def remove(_: int) -> None:
        files.remove_empty_folders("objects", lambda _: True)

    def write(number: int) -> None:
        files.write(f"objects/ab/{number}/x", b"x")
        files.remove(f"objects/ab/{number}/x")

    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(action, number % 3) for number in range(60) for action in (write, remove)]
    for each in done:
        each.result()


def test_what_vanishes_while_it_is_listed_is_left_out(files: Files, tmp_path: Path) -> None:
    for name in "abc":
        files.write(name, b"")
    found = files.scan()
    assert next(found)[0] == "a"
    files.remove("b")
    assert [path for path, _ in found] == ["c"]
    (tmp_path / "store" / "d").symlink_to("nowhere")
    assert [path for path, _ in files.scan()] == ["a", "c"]


def test_errors_survive_being_sent_to_another_process(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        LocalFiles(tmp_path).write("a" * 300, b"")
    error = pickle.loads(pickle.dumps(caught.value))
    assert (
        str(error)
        == str(caught.value)
        == f"{tmp_path}/{'a' * 300}: the path is too long; choose a shorter one for the store"
    )
    assert error.errno == errno.ENAMETOOLONG
