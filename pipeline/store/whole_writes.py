"""Files that appear whole or not at all, and survive a loss of power, on disks that are local or of a network."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import Final

from dsfu.pipeline.store.files import TEMPORARY_PREFIX, StorageError

_ATTEMPTS: Final = 10
"""How often a folder is made again which another process removes before there is a file in it."""

_NO_HARD_LINKS: Final = {errno.EPERM, errno.EACCES, errno.EMLINK, errno.ENOSYS, errno.EOPNOTSUPP}

_NO_SYNCHRONISING: Final = {errno.EINVAL, errno.EACCES, errno.EBADF, errno.EOPNOTSUPP}
"""Errors by which some network file systems say that they do not do this at all, or not for folders."""


@contextmanager
def temporary_file(target: Path, data: bytes) -> Iterator[tuple[Path, int]]:
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
                make_folder(folder)
            # 0o666, and not what `tempfile` does, so that the user's umask decides whether colleagues may read.
            return path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    raise StorageError(errno.ENOENT, "the folder is removed again and again", str(folder))


def make_folder(folder: Path) -> None:
    if not folder.parent.exists():
        make_folder(folder.parent)
    with suppress(FileExistsError):  # another writer's; whether it stays shows when a file is made in it
        folder.mkdir()
    synchronise(folder.parent)


def give_name(temporary: Path, target: Path, data: bytes) -> None:
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


def synchronise(folder: Path) -> None:
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
