"""What every kind of `Files` promises, to be tested on each."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import zarr

from dsfu.pipeline.store.files import Files, crc32c


class FilesContract:
    """Tests that take a fixture ``files``: the files of an empty store."""

    def test_what_is_written_can_be_read(self, files: Files) -> None:
        data = bytes(range(256)) * 10
        stored = files.write("a/b/c", data)
        assert (stored.bytes, stored.crc32c) == (2560, crc32c(data))
        assert files.read("a/b/c") == data
        assert files.checksum("a/b/c") == stored.crc32c
        info = files.stat("a/b/c")
        assert info is not None
        assert info.bytes == 2560
        if files.is_local:
            assert info.modified_ns == stored.modified_ns is not None
        else:
            assert stored.modified_ns is None

    def test_empty_files(self, files: Files) -> None:
        assert files.write("empty", b"").bytes == 0
        assert files.read("empty") == b""
        assert files.checksum("empty") == 0
        assert list(files.list()) == ["empty"]

    def test_writing_again_replaces(self, files: Files) -> None:
        files.write("a", b"long before")
        files.write("a", b"after")
        assert files.read("a") == b"after"
        assert list(files.list()) == ["a"]

    def test_what_is_not_there(self, files: Files) -> None:
        files.write("folder/file", b"")
        for path in ("no", "folder", "folder/no", "folder/file/no"):
            assert files.stat(path) is None
            assert not files.exists(path)
            files.remove("folder/no")
        with pytest.raises(FileNotFoundError):
            files.read("folder/no")
        with pytest.raises(FileNotFoundError):
            files.checksum("folder/no")
        with pytest.raises(FileNotFoundError):
            files.touch("folder/no")
        with pytest.raises(FileNotFoundError):
            files.move("folder/no", "folder/yes")
        files.remove_empty_folders("no", lambda _: True)
        assert [*files.list("no"), *files.scan("no"), *files.leftovers()] == []

    def test_lists_are_sorted_and_complete(self, files: Files) -> None:
        paths = ["a-b/x", "a.json", "a/x", "a/y/z", "a0", "ab/x", "b"]
        for path in reversed(paths):
            files.write(path, path.encode())
        assert list(files.list()) == sorted(paths) == paths
        assert list(files.list("a")) == ["a/x", "a/y/z"]
        assert [(path, info.bytes) for path, info in files.scan("a")] == [("a/x", 3), ("a/y/z", 5)]
        assert list(files.list("b")) == []

    def test_remove(self, files: Files) -> None:
        for path in ("a/b/c", "a/b/d", "a/bb", "e"):
            files.write(path, b"x")
        files.remove("a/b/c")
        assert list(files.list()) == ["a/b/d", "a/bb", "e"]
        files.remove("a/b/d")
        files.remove("a/b")
        assert list(files.list()) == ["a/bb", "e"]
        files.remove("a/bb")
        files.remove_empty_folders("a", lambda _: True)
        assert list(files.list()) == ["e"]

    def test_move(self, files: Files) -> None:
        files.write("objects/k/form_factor", b"good")
        files.write("train/form_factor/c/0/0/0", b"bad")
        files.move("objects/k/form_factor", "train/form_factor/c/0/0/0")
        files.move("train/form_factor/c/0/0/0", "new/folder/x")
        assert list(files.list()) == ["new/folder/x"]
        assert files.read("new/folder/x") == b"good"

    def test_of_many_that_write_new_one_wins(self, files: Files) -> None:
        with ThreadPoolExecutor(8) as pool:
            wins = list(pool.map(lambda number: files.write_new("locks/run", b"%d" % number), range(8)))
        assert sum(wins) == 1
        assert files.read("locks/run") == b"%d" % wins.index(True)
        assert list(files.list()) == ["locks/run"]
        files.remove("locks/run")
        assert files.write_new("locks/run", b"again")

    def test_touch_changes_the_time_only(self, files: Files) -> None:
        files.write("a", b"x")
        before = files.stat("a")
        files.touch("a")
        after = files.stat("a")
        assert before is not None
        assert after is not None
        assert files.read("a") == b"x"
        assert (after.modified_ns or 0) >= (before.modified_ns or 0)

    def test_can_be_sent_to_other_processes(self, files: Files) -> None:
        files.write("a", b"x")
        sent = pickle.loads(pickle.dumps(files))
        assert (sent.url, sent.is_local, sent.read("a")) == (files.url, files.is_local, b"x")

    @pytest.mark.parametrize("path", ["", "/a", "a/", "a//b", "../a", "a/../b", ".", "a/.tmp-1"])
    def test_paths_stay_inside(self, files: Files, path: str) -> None:
        with pytest.raises(ValueError, match="path"):
            files.write(path, b"")

    def test_zarr_sees_the_same_files(self, files: Files) -> None:
        zarr.create_array(files.zarr_store(), name="numbers", data=np.arange(5))
        assert "numbers/zarr.json" in list(files.list())
        group = zarr.open_array(files.zarr_store(read_only=True), path="numbers", mode="r")
        np.testing.assert_array_equal(group[...], np.arange(5))
