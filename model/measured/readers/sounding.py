"""Sound a file before it is opened: the HDF5 library loops for ever or crashes on some damaged files.

A forked child goes through the whole structure, attributes and smaller datasets first. Errors that the library tells
of do not matter here, for they come up again in the parent; what the child finds out is that it died, or that it was
stopped for using too much processor time. Where processes cannot be forked safely, nothing is done.
"""

import contextlib
import faulthandler
import os
import signal
import sys
import time
import warnings
from pathlib import Path
from typing import Any, Final, NoReturn

import h5py

from dsfu.errors import InputError

_CPU_SECONDS: Final = 5
"""Going through a structure takes milliseconds, and reading at most 64 MiB about one second."""
_WALL_SECONDS: Final = 120.0
MOST_NODES: Final = 4096
_LARGEST_READ: Final = 16 << 20
_MOST_READ: Final = 64 << 20


def sound(path: Path) -> None:
    """Raise an InputError if reading an HDF5 file would not come to an end, or crash."""
    if sys.platform != "linux":
        return
    try:
        with warnings.catch_warnings(action="ignore"):  # of other threads: the child needs none of their locks
            child = os.fork()
    except OSError:  # no memory or no more processes: then without
        return
    if child == 0:
        _dive(path)
    status = _outcome(child)
    if status is None or status == 0:
        return
    loops = os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL)
    raise InputError(
        "the HDF5 library does not come to an end with it" if loops else "the HDF5 library crashes on it",
        where=str(path),
        expected="an intact file",
        remedy="it is damaged: get a fresh copy",
    )


def _outcome(child: int) -> int | None:
    """Exit status of the child; None if it took too long, waiting for something, and was stopped."""
    deadline, pause = time.monotonic() + _WALL_SECONDS, 0.001
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        time.sleep(pause)
        pause = min(1.5 * pause, 0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _dive(path: Path) -> NoReturn:
    """What the child does; it never returns."""
    import resource  # which not every system has

    try:
        faulthandler.disable()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        used = int(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))
        resource.setrlimit(resource.RLIMIT_CPU, (used + _CPU_SECONDS, used + _CPU_SECONDS + 1))
        with contextlib.suppress(Exception), h5py.File(path, "r", locking=False) as file:
            _visit(file["/"])
    finally:
        os._exit(0)


def _visit(root: Any) -> None:
    """Touch everything that the file itself holds, within limits."""
    seen, queue, left = set[int](), [root], _MOST_READ
    while queue and len(seen) < MOST_NODES:
        node = queue.pop()
        with contextlib.suppress(Exception):
            address = h5py.h5o.get_info(node.id).addr
            if address in seen:
                continue
            seen.add(address)
            for name in node.attrs:
                with contextlib.suppress(Exception):
                    node.attrs[name]
            if isinstance(node, h5py.Dataset):
                left -= _touch(node, left)
            else:
                queue += [node[name] for name in node if isinstance(node.get(name, getlink=True), h5py.HardLink)]


def _touch(dataset: Any, left: int) -> int:
    """Read a dataset, or of a large one its first and last element; how many bytes that were."""
    size = int(dataset.nbytes)
    if size <= min(_LARGEST_READ, left):
        dataset[()]
        return size
    chunk = dataset.chunks or (1,)
    if len(dataset.shape) and _product(chunk) * dataset.dtype.itemsize <= _LARGEST_READ:
        dataset[(0,) * len(dataset.shape)]
        dataset[tuple(count - 1 for count in dataset.shape)]
    return 0


def _product(numbers: tuple[int, ...]) -> int:
    result = 1
    for number in numbers:
        result *= int(number)
    return result
