"""Files of a store, on local disk or in object storage: the only way in which the pipeline touches either.

Paths are relative to the store, with ``/`` between their parts. A file appears under its name whole or not at all:
it is written under a temporary name first (object storage does the same by itself). What killed writers leave behind
begins with ``.tmp-``, is never listed, and is removed by `dsfu.pipeline.store.gc`.
"""

import errno
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import google_crc32c

from dsfu.errors import InputError
from dsfu.files import refuse_mistyped_url
from dsfu.pipeline.specs import StoredObject

if TYPE_CHECKING:
    from zarr.abc.store import Store

_OF_THE_SYSTEM: Final = ("/proc", "/sys", "/dev")

TEMPORARY_PREFIX: Final = ".tmp-"

_CAUSES: Final = {
    errno.ENOSPC: "the disk is full; make room, or choose another place for the store",
    errno.EDQUOT: "your quota there is used up; make room, or choose another place for the store",
    errno.EROFS: "the file system is read-only; choose another place for the store",
    errno.EACCES: "permission is denied; ask its owner, or choose another place for the store",
    errno.EPERM: "the operation is not permitted; ask its owner, or choose another place for the store",
    errno.EIO: "the device reports an error; look into the system's log",
    errno.ESTALE: "the network file system has lost it; try again",
    errno.ENOTDIR: "a part of the path is a file, not a folder",
    errno.EISDIR: "it is a folder, not a file",
    errno.ENAMETOOLONG: "the path is too long; choose a shorter one for the store",
}

_NO_MORE_FILES: Final = "the disk has no room for more files (df -i); remove some, or choose another place"
_FEW_FILES: Final = 10


class StorageError(OSError):
    """The storage refuses. Its text is complete: which file, why, and what to do. ``errno`` is the system's."""

    def __str__(self) -> str:
        return f"{self.filename}: {self.strerror}"


@dataclass(frozen=True, kw_only=True)
class FileInfo:
    """Size of a file, and when it was last written, by the clock of the storage."""

    bytes: int
    modified_ns: int | None = None


class Files(ABC):
    """The files of one store. Can be sent to other processes.

    Attributes
    ----------
    url
        Where the store is: an absolute path, or a URL.
    is_local
        Whether it is on a file system, where looking at a file costs microseconds.
    """

    url: str
    is_local: bool

    @abstractmethod
    def read(self, path: str, *, at_most: int | None = None) -> bytes:
        """Contents of a file. Raises FileNotFoundError if there is none.

        With ``at_most`` the rest of a longer file is left out: whoever knows how long it should be is not made to take
        a terabyte into memory. Object storage may give all.
        """

    @abstractmethod
    def write(self, path: str, data: bytes) -> StoredObject:
        """Write a file, or replace it, at once and for good: it survives a loss of power that follows."""

    @abstractmethod
    def write_new(self, path: str, data: bytes) -> bool:
        """Write a file only if there is none. Of several writers at once, one gets True.

        Object storage keeps this promise if it knows conditional writes (``If-None-Match``), as Amazon's and MinIO do.
        """

    @abstractmethod
    def check_room(self, data: int) -> None:
        """Raise StorageError if so many bytes more have no room, as far as that is known."""

    @abstractmethod
    def stat(self, path: str) -> FileInfo | None:
        """Size and time of a file; None if there is none."""

    @abstractmethod
    def scan(self, folder: str = "") -> Iterator[tuple[str, FileInfo]]:
        """Every file below a folder, sorted by path; temporary ones are left out."""

    @abstractmethod
    def list(self, folder: str = "") -> Iterator[str]:
        """Paths of every file below a folder, sorted; temporary ones are left out."""

    @abstractmethod
    def leftovers(self, folder: str = "") -> Iterator[tuple[str, FileInfo]]:
        """Temporary files: those of writers at work, and those that killed writers left behind."""

    @abstractmethod
    def links(self, folder: str = "") -> Iterator[str]:
        """Links below the top level that lead to folders, or nowhere: what is behind them is no part of the store.

        Those on another disk, to which the folder at the top level is a link itself, are not among them.
        """

    @abstractmethod
    def remove(self, path: str) -> None:
        """Remove a file, or a link and not what it leads to; nothing happens if there is none."""

    @abstractmethod
    def remove_empty_folders(self, folder: str, is_ours: Callable[[str], bool]) -> None:
        """Remove every folder below a folder that is empty and ours."""

    @abstractmethod
    def touch(self, path: str) -> None:
        """Make a file's time now. Raises FileNotFoundError if there is none."""

    @abstractmethod
    def checksum(self, path: str) -> int:
        """CRC-32C of a file, which is read piece by piece."""

    @abstractmethod
    def zarr_store(self, *, read_only: bool = False) -> "Store":
        """The same files as zarr-python sees them."""

    @abstractmethod
    def move(self, source: str, target: str) -> None:
        """Rename a file, replacing the target; in object storage it is a copy followed by a removal.

        Killed in between, it leaves both. It survives a loss of power after `synchronise`; before, it may be undone.
        """

    @abstractmethod
    def synchronise(self, paths: Iterable[str]) -> None:
        """Have the names of files, which were moved from or to these paths, survive a loss of power that follows."""

    @abstractmethod
    def check_reachable(self) -> None:
        """Raise InputError if a part of the store is on another disk that is not there now: it would seem lost."""

    def exists(self, path: str) -> bool:
        return self.stat(path) is not None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"


def open_files(url: str | Path, storage_options: Mapping[str, Any] | None = None) -> Files:
    """The files at a local path or at any URL that fsspec knows, such as ``s3://bucket/folder``.

    Nothing is touched yet. Options of the storage (endpoint, credentials) come from fsspec's own configuration and
    environment, unless they are given here.
    """
    from dsfu.pipeline.store.local_files import LocalFiles

    text = str(url)
    scheme, separator, rest = text.partition("://")
    if separator and scheme not in ("file", "local"):
        from dsfu.pipeline.store.object_files import ObjectFiles

        return ObjectFiles(text, dict(storage_options or {}))
    if storage_options:
        raise ValueError(f"storage_options = {sorted(storage_options)} for {text}: expected none for a local path")
    return LocalFiles(_checked_root(text, rest if separator else text))


def _checked_root(text: str, path: str) -> Path:
    """The folder of a store, if there can be one by that name."""
    expected = "a folder, a name that is free, or a URL such as s3://bucket/name"
    if not path.strip() or "\0" in path:
        raise InputError(f"{path!r} is no place for a store", expected=expected)
    refuse_mistyped_url(text, expected)
    try:
        root = Path(path).expanduser().absolute()
        system = next((each for each in _OF_THE_SYSTEM if root.is_relative_to(each)), None)
        if system is not None and not root.is_relative_to("/dev/shm"):
            raise InputError(f"{system} is the system's, and keeps no files", where=str(root), expected=expected)
        nearest = next((each for each in (root, *root.parents) if each.exists()), root)
        if nearest.exists() and not nearest.is_dir():
            what = "it is a file" if nearest == root else f"{nearest} is a file"
            raise InputError(what, where=str(root), expected=expected)
    except (OSError, RuntimeError) as error:  # too long a name, a loop of links, a user who is not known
        cause = _CAUSES.get(getattr(error, "errno", 0) or 0) or getattr(error, "strerror", None) or str(error)
        raise InputError(f"there can be no store: {cause}", where=path[:200], expected=expected) from error
    return root


def crc32c(data: bytes, before: int = 0) -> int:
    """CRC-32C of some bytes, or of those that gave ``before`` followed by these."""
    return cast(int, google_crc32c.extend(before, data))


def checked_path(path: str, *, temporary: bool = False) -> str:
    """The path, if it stays inside the store and, unless allowed, is no temporary name."""
    parts = path.split("/")
    if not all(parts) or {".", ".."} & set(parts) or (parts[-1].startswith(TEMPORARY_PREFIX) and not temporary):
        raise ValueError(f"path = {path!r}: expected names separated by single slashes, relative to the store")
    return path


@contextmanager
def explained(path: str | Path) -> Iterator[None]:
    """Turn an error of the system about a file into a StorageError that says what to do.

    What callers ask about, FileNotFoundError and FileExistsError, passes.
    """
    try:
        yield
    except (FileNotFoundError, FileExistsError, StorageError):
        raise
    except OSError as error:
        number = error.errno or errno.EIO
        cause = _CAUSES.get(number) or error.strerror or os.strerror(number)
        if number == errno.ENOSPC and _has_room_for_bytes(path):
            cause = _NO_MORE_FILES
        raise StorageError(number, cause, str(path)) from error


def _has_room_for_bytes(path: str | Path) -> bool:
    """Whether a disk that takes no more has none for another file (no inodes), though it has for bytes."""
    there = next((each for each in [Path(path), *Path(path).parents] if each.exists()), Path("/"))
    disk = os.statvfs(there)
    return disk.f_files > 0 and disk.f_favail < _FEW_FILES and disk.f_bavail > 0
