"""The folder of a run: one training at a time, and what is told if it cannot be written to."""

import errno
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dsfu.errors import InputError
from dsfu.files import STORE_METADATA, remove_unfinished

CHECKPOINTS: Final = "checkpoints"

_LOCK: Final = ".training"
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


@contextmanager
def claimed(run: Path) -> Iterator[None]:
    """Make the folder, and keep others from training in it. The claim ends with the process, however that ends.

    What earlier ones were killed in the midst of writing is removed. A data set is refused: nothing else belongs in it.
    """
    if (run / STORE_METADATA).exists():
        raise InputError(
            "it is a data set, not the folder of a run",
            where=str(run),
            expected="a new folder, or that of a training to be gone on with",
            remedy="take another --out",
        )
    if run.exists() and not run.is_dir():
        raise InputError("it is a file", where=str(run), expected="a folder, or a name for a new one")
    try:
        run.mkdir(parents=True, exist_ok=True)
        lock = (run / _LOCK).open("ab")
    except OSError as error:
        raise InputError(f"it cannot be written to: {error.strerror}", where=str(run)) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(
                "another process is training in it",
                where=str(run),
                expected="one training in a folder at a time",
                remedy="wait until it ends, or take another --out",
            ) from error
        except OSError:
            pass  # a file system without locks
        for folder in (run, run / CHECKPOINTS):
            remove_unfinished(folder)
        yield


@contextmanager
def telling_of_full_disks(run: Path) -> Iterator[None]:
    """While in the block, say plainly that nothing more can be written to the folder."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise InputError(
            f"it cannot be written to any more: {error.strerror}",
            where=str(run),
            expected="room for three checkpoints, weights, and a log",
            remedy="make room; the same command goes on from the last checkpoint",
        ) from error
