"""Files of a store on a local or network file system."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from stat import S_ISREG
from typing import TYPE_CHECKING, Any, Final

from dsfu.pipeline.specs import StoredObject
from dsfu.pipeline.store.files import TEMPORARY_PREFIX, FileInfo, Files, checked_path, crc32c, explained

if TYPE_CHECKING:
    from zarr.storage import LocalStore

_PIECE_BYTES: Final = 2**20

_ATTEMPTS: Final = 10
"""How often a folder is made again which another process removes before there is a file in it."""

_NO_HARD_LINKS: Final = {errno.EPERM, errno.EACCES, errno.EMLINK, errno.ENOSYS, errno.EOPNOTSUPP}
_NO_SYNCHRONISING: Final = {errno.EINVAL, errno.EACCES, errno.EBADF, errno.EOPNOTSUPP}
"""Errors by which some network file systems say that they do not do this at all, or not for folders."""


class LocalFiles(Files):
    """Files below a folder, which is made by the first that is written."""

    is_local = True

    def __init__(self, root: Path) -> None:
        self.url = str(root)
        self._root = root

    def __reduce__(self) -> tuple[Any, ...]:
        return LocalFiles, (self._root,)

    def read(self, path: str) -> bytes:
        full = self._full(path)
        with explained(full):
            return full.read_bytes()

    def write(self, path: str, data: bytes) -> StoredObject:
        full = self._full(path)
        with explained(full), _temporary(full, data) as (temporary, modified_ns):
            temporary.replace(full)
            _synchronise(full.parent)
        return StoredObject(bytes=len(data), crc32c=crc32c(data), modified_ns=modified_ns)

    def write_new(self, path: str, data: bytes) -> bool:
        full = self._full(path)
        with explained(full), _temporary(full, data) as (temporary, _):
            try:
                _link(temporary, full, data)
            except FileExistsError:
                return False
            _synchronise(full.parent)
            return True

    def stat(self, path: str) -> FileInfo | None:
        full = self._full(path)
        with explained(full), suppress(FileNotFoundError, NotADirectoryError):
            status = full.stat()
            return _info(status) if S_ISREG(status.st_mode) else None
        return None

    def scan(self, folder: str = "") -> Iterator[tuple[str, FileInfo]]:
        return _with_info(self._walk(folder, temporary=False))

    def list(self, folder: str = "") -> Iterator[str]:
        return (path for path, _ in self._walk(folder, temporary=False))

    def leftovers(self, folder: str = "") -> Iterator[tuple[str, FileInfo]]:
        return _with_info(self._walk(folder, temporary=True))

    def remove(self, path: str) -> None:
        full = self._full(path, temporary=True)
        with explained(full):
            full.unlink(missing_ok=True)

    def remove_tree(self, folder: str) -> None:
        full = self._full(folder)
        with explained(full), suppress(FileNotFoundError):
            shutil.rmtree(full)

    def remove_empty_folders(self, folder: str) -> None:
        for path, _, _ in os.walk(self._full(folder), topdown=False):
            with suppress(OSError):  # there is something in it
                Path(path).rmdir()

    def touch(self, path: str) -> None:
        full = self._full(path)
        with explained(full):
            os.utime(full)

    def checksum(self, path: str) -> int:
        full, value = self._full(path), 0
        with explained(full), full.open("rb", buffering=0) as file:
            while piece := file.read(_PIECE_BYTES):
                value = crc32c(piece, value)
        return value

    def move(self, source: str, target: str) -> None:
        # Not synchronised: file systems carry out renames in order, so a loss of power undoes the latest at most.
        full, full_target = self._full(source), self._full(target)
        with explained(full_target):
            try:
                if not full_target.parent.exists():
                    _make_folder(full_target.parent)
                full.replace(full_target)
            except OSError as error:
                if error.errno != errno.EXDEV:  # a folder of the store may be a link to another disk
                    raise
                self.write(target, self.read(source))
                self.remove(source)

    def zarr_store(self, *, read_only: bool = False) -> "LocalStore":
        from zarr.storage import LocalStore

        return LocalStore(self._root, read_only=read_only)

    def _full(self, path: str, *, temporary: bool = False) -> Path:
        return self._root / checked_path(path, temporary=temporary)

    def _walk(self, folder: str, *, temporary: bool) -> Iterator[tuple[str, "os.DirEntry[str]"]]:
        full = self._full(folder) if folder else self._root
        entries: list[tuple[os.DirEntry[str], bool]] = []
        with explained(full), suppress(FileNotFoundError, NotADirectoryError), os.scandir(full) as found:
            entries = [(entry, entry.is_dir()) for entry in found]
        # As in object storage: "a-b" before "a.json" before what is in "a/".
        for entry, is_folder in sorted(entries, key=lambda each: each[0].name + "/" * each[1]):
            path = f"{folder}/{entry.name}" if folder else entry.name
            if is_folder:
                yield from self._walk(path, temporary=temporary)
            elif entry.name.startswith(TEMPORARY_PREFIX) == temporary:
                yield path, entry


def _with_info(found: Iterator[tuple[str, "os.DirEntry[str]"]]) -> Iterator[tuple[str, FileInfo]]:
    for path, entry in found:
        with explained(path), suppress(FileNotFoundError):  # removed since it was listed
            info = _info(entry.stat())
            yield path, info


def _info(status: os.stat_result) -> FileInfo:
    return FileInfo(bytes=status.st_size, modified_ns=status.st_mtime_ns)


@contextmanager
def _temporary(target: Path, data: bytes) -> Iterator[tuple[Path, int]]:
    """A file beside the target with the data safely in it, and its time. Removed in the end if it is still there."""
    path, descriptor = _open_temporary(target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
            modified_ns = os.fstat(descriptor).st_mtime_ns
        yield path, modified_ns
    finally:
        path.unlink(missing_ok=True)


def _open_temporary(folder: Path) -> tuple[Path, int]:
    path = folder / f"{TEMPORARY_PREFIX}{token_hex(8)}"
    for attempt in range(_ATTEMPTS):
        with suppress(FileNotFoundError):
            if attempt:
                _make_folder(folder)
            # 0o666, and not what `tempfile` does, so that the user's mask decides whether colleagues may read.
            return path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    raise FileNotFoundError(errno.ENOENT, "the folder is removed again and again", str(folder))


def _make_folder(folder: Path) -> None:
    if not folder.parent.exists():
        _make_folder(folder.parent)
    with suppress(FileExistsError):  # another writer's; whether it stays shows when a file is made in it
        folder.mkdir()
    _synchronise(folder.parent)


def _link(temporary: Path, target: Path, data: bytes) -> None:
    """Give a file its name if nobody has it, else raise FileExistsError."""
    try:
        target.hardlink_to(temporary)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        with target.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


def _synchronise(folder: Path) -> None:
    """Have the names in a folder survive a loss of power. One that is gone by now had nothing left in it to lose."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno not in _NO_SYNCHRONISING:
            raise
