"""One writer at a time: who writes to a store, and how a lock that a dead process left behind is recognised.

A lock is a file ``locks/NAME.json`` that its holder creates exclusively and touches every few seconds. Its holder is
dead if it ran on this machine and no longer does, or, for other machines, if it has not touched the lock for a minute
by the clock of the storage.

A dead holder is succeeded, by one process and not by two: each lock has a token of its own, and its successor is who
creates ``NAME.after-TOKEN.json``. The successor then puts its own lock in place and removes what led to it.

What is not promised: object storage without conditional writes may give a lock to two processes that ask within the
same tenths of a second (the first finds out at its next heartbeat, see `WriterLock.check`); and a process on another
machine that is suspended for more than a minute loses its lock, which it finds out in the same way.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_hex
from threading import Event, Thread
from time import time_ns
from typing import Final

from dsfu.errors import InputError
from dsfu.pipeline.store.files import FileInfo, Files, StorageError, crc32c
from dsfu.pipeline.store.processes import ProcessIdentity
from dsfu.pipeline.store.sealed import MOST_BYTES, Damaged, seal, unseal

FOLDER: Final = "locks"
EVERYTHING: Final = "run"
"""The lock that excludes all others. Other names exclude this one and themselves."""

HEARTBEAT_SECONDS: Final = 10.0
DEAD_AFTER_SECONDS: Final = 60.0

_NAME: Final = re.compile(r"[a-z0-9-]+")
_PROBE: Final = f"{FOLDER}/clock-"
_PROBE_PATH: Final = re.compile(f"{_PROBE}[0-9a-f]{{16}}")
_LOCK_PATH: Final = re.compile(rf"{FOLDER}/{_NAME.pattern}(\.after-[0-9a-z-]+)?\.json")
_TOKEN: Final = re.compile("[0-9a-z-]{1,64}")
_ATTEMPTS: Final = 20


class StoreLocked(InputError):
    """Somebody else writes to the store."""


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Who holds a lock, or held it.

    Attributes
    ----------
    process
        None if the lock cannot be read.
    alive
        Whether it still counts.
    """

    name: str
    token: str
    since: str
    process: ProcessIdentity | None
    alive: bool

    def __str__(self) -> str:
        return f"{self.process}, since {self.since}" if self.process else "somebody whose lock cannot be read"


class WriterLock:
    """A lock that is held until it is released, and touched in the meantime by a thread of its own."""

    def __init__(self, files: Files, name: str, heartbeat_seconds: float) -> None:
        self.name, self.token, self.lost = name, token_hex(8), False
        self._files, self._heartbeat_seconds = files, heartbeat_seconds
        self._data = seal(
            {
                "token": self.token,
                "since": datetime.now(UTC).isoformat(timespec="seconds"),
                "process": ProcessIdentity.of_this().to_dict(),
            }
        )
        _take(files, name, self.token, self._data)
        self._stop = Event()
        self._thread = Thread(target=self._beat, name=f"lock {name}", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raise StoreLocked if somebody has taken the lock away."""
        if self.lost:
            raise StoreLocked(
                f"the lock '{self.name}' was taken over by somebody else",
                where=self._files.url,
                expected="one writer at a time",
                remedy="see who writes there now (`dsfu-pipeline status`), and start again when that one has finished",
            )

    def release(self) -> None:
        self._stop.set()
        self._thread.join()
        with suppress(StorageError):  # the lock of a dead process does no harm
            if self._is_mine():
                self._files.remove(_path(self.name))

    def _beat(self) -> None:
        while not self.lost and not self._stop.wait(self._heartbeat_seconds):
            with suppress(StorageError):  # it may be back in time
                if self._is_mine():
                    self._files.touch(_path(self.name))
                else:
                    self.lost = True

    def _is_mine(self) -> bool:
        try:
            return self._files.read(_path(self.name)) == self._data
        except FileNotFoundError:
            return False


@contextmanager
def writer_lock(
    files: Files, name: str = EVERYTHING, *, heartbeat_seconds: float = HEARTBEAT_SECONDS
) -> Iterator[WriterLock]:
    """Hold a lock of a store. "run" excludes every other lock; any other name excludes "run" and itself.

    Raises
    ------
    StoreLocked
        If another writer is alive. Of "run" and another that ask in the same instant, both may be refused.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"name = {name!r}: expected lower-case letters, digits and hyphens")
    lock = WriterLock(files, name, heartbeat_seconds)
    try:
        for other in live_writers(files):
            if other.token != lock.token and (other.name == name or EVERYTHING in (other.name, name)):
                raise _refusal(files, other)
        yield lock
    finally:
        lock.release()


def live_writers(files: Files) -> list[Holder]:
    """Who writes to a store at the moment."""
    names = {path.rpartition("/")[2].partition(".")[0] for path in files.list(FOLDER)}
    chains = [_chain(files, name) for name in sorted(names) if _NAME.fullmatch(name)]
    return [chain[-1] for chain in chains if chain and chain[-1].alive]


def _take(files: Files, name: str, token: str, data: bytes) -> None:
    for _ in range(_ATTEMPTS):
        if files.write_new(_path(name), data):
            return
        chain = _chain(files, name)
        if not chain:
            continue  # it was released in the meantime
        if chain[-1].alive:
            raise _refusal(files, chain[-1])
        if _succeed(files, name, token, data, [holder.token for holder in chain]):
            return
    raise StoreLocked(
        f"the lock '{name}' cannot be had: too many processes are after it", where=files.url, remedy="try again"
    )


def _succeed(files: Files, name: str, token: str, data: bytes, dead: Sequence[str]) -> bool:
    """Take the place of the last of a chain of dead holders. False if somebody else was quicker."""
    claims = [_path(name, after=each) for each in dead]
    if not files.write_new(claims[-1], data):
        return False
    if [holder.token for holder in _chain(files, name)] != [*dead, token]:
        files.remove(claims[-1])  # the chain was already settled by another successor
        return False
    files.write(_path(name), data)
    for claim in claims:
        files.remove(claim)
    return True


def _chain(files: Files, name: str) -> list[Holder]:
    """The holder that a lock names, its successor if there is one, and so on."""
    chain: list[Holder] = []
    path = _path(name)
    while (holder := _holder(files, name, path)) is not None:
        if holder.token in (each.token for each in chain):
            break  # a garbled successor names itself
        chain.append(holder)
        path = _path(name, after=holder.token)
    return chain


def _holder(files: Files, name: str, path: str) -> Holder | None:
    try:
        data, info = files.read(path, at_most=MOST_BYTES), files.stat(path)
    except FileNotFoundError:
        return None
    if info is None:
        return None
    try:
        values = unseal(data)
        process = ProcessIdentity.from_dict(values["process"])
        token, since = str(values["token"]), str(values["since"])
        if not _TOKEN.fullmatch(token):
            raise Damaged("its token is none")
    except (Damaged, KeyError, TypeError):
        process, since = None, ""
        token = f"{crc32c(path.encode() + data):08x}"
    running = process.is_running() if process else None
    alive = _was_touched_lately(files, info) if running is None else running
    return Holder(name=name, token=token, since=since, process=process, alive=alive)


def _was_touched_lately(files: Files, info: FileInfo) -> bool:
    """Also True where the storage tells no times. One from the future, as after a clock was set back, is as dead."""
    return info.modified_ns is None or abs(storage_clock_ns(files) - info.modified_ns) < DEAD_AFTER_SECONDS * 1e9


def storage_clock_ns(files: Files) -> int:
    """What time it is by the clock that files are stamped with: machines' clocks differ."""
    probe = f"{_PROBE}{token_hex(8)}"
    with suppress(StorageError):  # whoever may only read has to trust the clock of this machine
        files.write(probe, b"")
        now = files.stat(probe)
        files.remove(probe)
        if now is not None and now.modified_ns is not None:
            return now.modified_ns
    return time_ns()


def is_probe(path: str) -> bool:
    """Whether a file is what a killed `storage_clock_ns` left behind."""
    return _PROBE_PATH.fullmatch(path) is not None


def is_lock(path: str) -> bool:
    """Whether a file has the name of a lock, or of a successor's."""
    return _LOCK_PATH.fullmatch(path) is not None


def _path(name: str, *, after: str = "") -> str:
    return f"{FOLDER}/{name}.after-{after}.json" if after else f"{FOLDER}/{name}.json"


def _refusal(files: Files, holder: Holder) -> StoreLocked:
    return StoreLocked(
        f"{holder} writes to this store (lock '{holder.name}')",
        where=files.url,
        expected="one writer at a time",
        remedy="wait until it has finished, or stop it. If it is dead already, that is noticed within "
        f"{DEAD_AFTER_SECONDS:.0f} s of its last sign of life",
    )
