"""Files of a store on a local or network file system.

A folder at the top level may be a link to another disk. Links further down are not followed: what is behind them is
somebody's, and neither listed, read, written nor removed. Whatever stands where a file of ours, or a folder for it, has
to be, gives way: a link is removed, and not what it leads to; a folder or file of somebody else gets another name.
"""

import errno
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from secrets import token_hex
from stat import S_ISDIR, S_ISLNK, S_ISREG
from typing import TYPE_CHECKING, Any, Final, Literal

from dsfu.errors import InputError
from dsfu.pipeline.specs import StoredObject
from dsfu.pipeline.store.files import (
    TEMPORARY_PREFIX,
    FileInfo,
    Files,
    checked_path,
    crc32c,
    explained,
)
from dsfu.pipeline.store.whole_writes import give_name, make_folder, synchronise, temporary_file

if TYPE_CHECKING:
    from zarr.storage import LocalStore

_PIECE_BYTES: Final = 2**20

_OF_THE_FILE_SYSTEM: Final = ("lost+found", ".snapshot")
"""Folders at the top of a file system that are its own, and often nobody may look into."""

_NOT_A_FILE: Final = {errno.EISDIR, errno.ENOTDIR, errno.ENXIO, errno.ENODEV, errno.ELOOP}


class LocalFiles(Files):
    """Files below a folder, which is made by the first that is written."""

    is_local = True

    def __init__(self, root: Path) -> None:
        self.url = str(root)
        self._root = root

    def __reduce__(self) -> tuple[Any, ...]:
        return LocalFiles, (self._root,)

    def read(self, path: str, *, at_most: int | None = None) -> bytes:
        full = self._full(path)
        with explained(full), self._opened(path, full) as file:
            return file.read(-1 if at_most is None else at_most)

    def write(self, path: str, data: bytes) -> StoredObject:
        full = self._full(path)
        with explained(full), self._way_made(path, full), temporary_file(full, data) as (temporary, modified_ns):
            temporary.replace(full)
            synchronise(full.parent)
        return StoredObject(bytes=len(data), crc32c=crc32c(data), modified_ns=modified_ns)

    def write_new(self, path: str, data: bytes) -> bool:
        full = self._full(path)
        with explained(full), self._way_made(path, full), temporary_file(full, data) as (temporary, _):
            try:
                give_name(temporary, full, data)
            except FileExistsError:
                return False
            synchronise(full.parent)
            return True

    def check_room(self, data: int) -> None:
        with explained(self._root):
            if shutil.disk_usage(self._root).free < data:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def stat(self, path: str) -> FileInfo | None:
        full = self._full(path)
        if not self._is_behind_link(path):
            with explained(full), suppress(FileNotFoundError, NotADirectoryError):
                status = full.stat()
                return _info(status) if S_ISREG(status.st_mode) else None
        return None

    def scan(self, folder: str = "") -> Iterator[tuple[str, FileInfo]]:
        return _with_info(self._walk(folder, "file"))

    def list(self, folder: str = "") -> Iterator[str]:
        return (path for path, _ in self._walk(folder, "file"))

    def leftovers(self, folder: str = "") -> Iterator[tuple[str, FileInfo]]:
        return _with_info(self._walk(folder, "temporary"))

    def links(self, folder: str = "") -> Iterator[str]:
        for path, _ in self._walk(folder, "link"):
            top, below, _ = path.partition("/")
            if below and not (self._root / top).is_symlink():
                yield path

    def remove(self, path: str) -> None:
        full = self._full(path, temporary=True)
        if self._is_behind_link(path):
            return
        with explained(full), suppress(FileNotFoundError, NotADirectoryError):
            if not S_ISDIR(full.lstat().st_mode):  # a folder is none of our files
                full.unlink()

    def remove_empty_folders(self, folder: str, is_ours: Callable[[str], bool]) -> None:
        for full, _, _ in os.walk(self._full(folder), topdown=False):
            path = Path(full).relative_to(self._root).as_posix()
            if is_ours(path):
                with suppress(OSError):  # there is something in it
                    Path(full).rmdir()

    def touch(self, path: str) -> None:
        full = self._full(path)
        with explained(full):
            self._check_way(path, full)
            os.utime(full)

    def checksum(self, path: str) -> int:
        full, value = self._full(path), 0
        with explained(full), self._opened(path, full) as file:
            while piece := file.read(_PIECE_BYTES):
                value = crc32c(piece, value)
        return value

    def move(self, source: str, target: str) -> None:
        full, full_target = self._full(source), self._full(target)
        with explained(full_target), self._way_made(target, full_target):
            self._check_way(source, full)
            try:
                if not full_target.parent.exists():
                    make_folder(full_target.parent)
                full.replace(full_target)
            except OSError as error:
                if error.errno != errno.EXDEV:  # a folder of the store may be a link to another disk
                    raise
                self.write(target, self.read(source))
                self.remove(source)

    def synchronise(self, paths: Iterable[str]) -> None:
        # Once for each folder and not for each move: the first of them takes the whole journal to the disk.
        for folder in sorted({self._full(path).parent for path in paths}):
            with explained(folder):
                synchronise(folder)

    def check_reachable(self) -> None:
        with explained(self._root), suppress(FileNotFoundError, NotADirectoryError), os.scandir(self._root) as found:
            for entry in found:
                if entry.is_symlink() and not Path(entry.path).exists():
                    raise InputError(
                        f"it is a link to {Path(entry.path).readlink()}, and there is nothing",
                        where=entry.path,
                        remedy="mount the disk that it leads to, or remove the link",
                    )

    def zarr_store(self, *, read_only: bool = False) -> "LocalStore":
        from zarr.storage import LocalStore

        return LocalStore(self._root, read_only=read_only)

    def _full(self, path: str, *, temporary: bool = False) -> Path:
        return self._root / checked_path(path, temporary=temporary)

    def _walk(self, folder: str, what: "_Sort") -> Iterator[tuple[str, "os.DirEntry[str]"]]:
        full = self._full(folder) if folder else self._root
        entries: list[tuple[os.DirEntry[str], bool]] = []
        if folder and self._is_behind_link(f"{folder}/"):
            return
        with explained(full), suppress(FileNotFoundError, NotADirectoryError), os.scandir(full) as found:
            entries = [(entry, entry.is_dir(follow_symlinks=not folder)) for entry in found]
        # As in object storage: "a-b" before "a.json" before what is in "a/".
        for entry, is_folder in sorted(entries, key=lambda each: each[0].name + "/" * each[1]):
            path = f"{folder}/{entry.name}" if folder else entry.name
            if is_folder:
                if folder or entry.name not in _OF_THE_FILE_SYSTEM:
                    yield from self._walk(path, what)
            elif _sort_of(entry) == what:
                yield path, entry

    def _is_behind_link(self, path: str) -> bool:
        """Whether a folder on the way to a file, below the top level, is a link."""
        top, *folders = path.split("/")[:-1] or [""]
        full = f"{self._root}/{top}"
        for folder in folders:
            full = f"{full}/{folder}"
            if os.path.islink(full):  # noqa: PTH114 -- asked for every file: a Path takes three times as long
                return True
        return False

    def _check_way(self, path: str, full: Path) -> None:
        if self._is_behind_link(path):
            raise FileNotFoundError(errno.ENOENT, "a folder on the way to it is a link", str(full))

    @contextmanager
    def _opened(self, path: str, full: Path) -> Iterator[BufferedReader]:
        """A file to read. What is no regular file is not there: one would wait for ever for a pipe's other end."""
        self._check_way(path, full)
        try:
            descriptor = os.open(full, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            if error.errno in _NOT_A_FILE:
                raise FileNotFoundError(errno.ENOENT, "it is no file", str(full)) from error
            raise
        if not S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise FileNotFoundError(errno.ENOENT, "it is no file", str(full))
        with os.fdopen(descriptor, "rb") as file:
            yield file

    @contextmanager
    def _way_made(self, path: str, full: Path) -> Iterator[None]:
        """Have whatever stands in the way of a file, and is not ours, give way."""
        top, *folders = path.split("/")[:-1] or [""]
        place = self._root / top
        if top and not place.is_symlink():
            _give_way(place, S_ISDIR)
        for folder in folders:
            place = place / folder
            _give_way(place, S_ISDIR)
        _give_way(full, lambda mode: not S_ISDIR(mode) and (not S_ISLNK(mode) or full.is_file()))
        yield


_Sort = Literal["file", "temporary", "link"]


def _sort_of(entry: "os.DirEntry[str]") -> _Sort:
    """What an entry that is no folder is. Links to files are files."""
    if entry.is_symlink() and not entry.is_file():
        return "link"
    return "temporary" if entry.name.startswith(TEMPORARY_PREFIX) else "file"


def _give_way(place: Path, fits: Callable[[int], bool]) -> None:
    """Remove a link, or rename what else does not fit: nothing of anybody's is lost."""
    try:
        mode = place.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    if fits(mode):
        return
    with suppress(FileNotFoundError):  # another writer has seen to it
        if S_ISLNK(mode):
            place.unlink()
        else:
            place.rename(place.with_name(f"{place.name}.in-the-way-{token_hex(4)}"))


def _with_info(found: Iterator[tuple[str, "os.DirEntry[str]"]]) -> Iterator[tuple[str, FileInfo]]:
    for path, entry in found:
        with explained(path), suppress(FileNotFoundError):  # removed since it was listed
            info = _info(entry.stat())
            yield path, info


def _info(status: os.stat_result) -> FileInfo:
    return FileInfo(bytes=status.st_size, modified_ns=status.st_mtime_ns)
