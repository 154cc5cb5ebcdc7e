"""One writer at a time, whatever became of the one before."""

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from dsfu.errors import InputError
from dsfu.pipeline.store import locks
from dsfu.pipeline.store.files import Files, StorageError, open_files
from dsfu.pipeline.store.locks import StoreLocked, live_writers, writer_lock
from dsfu.pipeline.store.processes import ProcessIdentity
from dsfu.pipeline.store.sealed import seal, unseal
from tests.pipeline.disks import fill, read_only, small_disk

LOCK = "locks/run.json"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return open_files(tmp_path / "store")


@pytest.fixture
def dead() -> ProcessIdentity:
    """A process of this machine that has ended."""
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from dsfu.pipeline.store.processes import *; print(ProcessIdentity.of_this().to_dict())",
        ],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        told = process.communicate()[0]
    identity = ProcessIdentity.from_dict(eval(told))
    assert identity.is_running() is False
    return identity


def leave_lock(
    files: Files, process: ProcessIdentity, *, seconds_ago: float = 0.0, path: str = LOCK, token: str = "t"
) -> None:
    """A lock as some process has left it, that long ago."""
    files.write(path, seal({"token": token, "since": "2026-01-01T00:00:00+00:00", "process": process.to_dict()}))
    age(files, seconds_ago, path)


def age(files: Files, seconds: float, path: str = LOCK) -> None:
    then = time.time() - seconds
    os.utime(Path(files.url) / path, (then, then))


def elsewhere(process: ProcessIdentity) -> ProcessIdentity:
    return replace(process, machine="another", host="node17")


@pytest.mark.parametrize(
    ("held", "wanted", "refused"),
    [
        ("run", "run", True),
        ("run", "part-1-of-8", True),
        ("part-1-of-8", "run", True),
        ("part-1-of-8", "part-1-of-8", True),
        ("part-1-of-8", "part-2-of-8", False),
        ("gc", "part-2-of-8", False),
    ],
)
def test_which_locks_exclude_which(files: Files, held: str, wanted: str, refused: bool) -> None:
    with writer_lock(files, held):
        if refused:
            with pytest.raises(StoreLocked), writer_lock(files, wanted):
                pytest.fail("two writers")
        else:
            with writer_lock(files, wanted) as lock:
                assert lock.name == wanted
        assert [holder.name for holder in live_writers(files)] == [held]
    assert list(files.list()) == []
    with writer_lock(files, wanted):
        pass


def test_who_is_refused_is_told_by_whom(files: Files) -> None:
    with writer_lock(files), pytest.raises(InputError) as caught, writer_lock(files):
        pass
    me = ProcessIdentity.of_this()
    for word in (files.url, f"process {os.getpid()} of {me.user} on {me.host} ({me.command})", "since 20", "wait"):
        assert word in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_lock_is_released_whatever_happens(files: Files) -> None:
    with pytest.raises(KeyboardInterrupt), writer_lock(files):
        raise KeyboardInterrupt
    assert list(files.list()) == []


@pytest.mark.parametrize("name", ["", "Run", "a/b", "a.b", "../x"])
def test_names(files: Files, name: str) -> None:
    with pytest.raises(ValueError, match="name"), writer_lock(files, name):
        pass


def test_the_lock_of_a_dead_process_is_taken_over(files: Files, dead: ProcessIdentity) -> None:
    leave_lock(files, dead)
    assert live_writers(files) == []
    with writer_lock(files) as lock:
        assert [holder.token for holder in live_writers(files)] == [lock.token]
        assert list(files.list()) == [LOCK]


def test_a_killed_process_is_dead_before_its_parent_notices(files: Files) -> None:
    with _holder_of(files) as process:
        with pytest.raises(StoreLocked), writer_lock(files):
            pass
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with writer_lock(files):
            pass


def _holder_of(files: Files) -> "subprocess.Popen[bytes]":
    """A process that holds the lock of a store until it is ended."""
    program = f"""
import sys
from dsfu.pipeline.store.files import open_files
from dsfu.pipeline.store.locks import writer_lock
with writer_lock(open_files({files.url!r})):
    print(flush=True)
    sys.stdin.read()
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_a_process_that_ends_by_itself_releases_its_lock(files: Files) -> None:
    with _holder_of(files) as process:
        process.communicate(b"")
        assert list(files.list()) == []


def test_numbers_of_processes_are_used_again(files: Files) -> None:
    leave_lock(files, replace(ProcessIdentity.of_this(), started="12345"))
    with writer_lock(files):
        pass


def test_a_process_on_another_machine_lives_by_its_heartbeat(files: Files, dead: ProcessIdentity) -> None:
    leave_lock(files, elsewhere(dead), seconds_ago=50)
    with pytest.raises(StoreLocked, match=f"process {dead.pid} of {dead.user} on node17"), writer_lock(files):
        pass
    assert files.exists(LOCK)
    age(files, 70)
    with writer_lock(files):
        pass


def test_a_lock_from_the_future_expires_too(files: Files, dead: ProcessIdentity) -> None:
    """As it seems to be after a clock was set back: it would count for as long as the clock was ahead."""
    leave_lock(files, elsewhere(dead), seconds_ago=-50)
    with pytest.raises(StoreLocked), writer_lock(files):
        pass
    age(files, -10_000)
    with writer_lock(files):
        pass


def test_a_live_process_of_this_machine_needs_no_heartbeat(files: Files) -> None:
    with writer_lock(files):
        age(files, 10_000)
        with pytest.raises(StoreLocked), writer_lock(files):
            pass


def test_clocks_of_machines_do_not_matter(files: Files, dead: ProcessIdentity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "time_ns", lambda: time.time_ns() + 10**13)
    leave_lock(files, elsewhere(dead), seconds_ago=5)
    with pytest.raises(StoreLocked), writer_lock(files):
        pass


@pytest.mark.parametrize("data", [b"", b"garbled", seal({}), seal({"token": "t", "since": "", "process": {"pid": 1}})])
def test_an_unreadable_lock_counts_for_a_minute(files: Files, data: bytes) -> None:
    files.write(LOCK, data)
    with pytest.raises(StoreLocked, match="cannot be read"), writer_lock(files):
        pass
    age(files, 70)
    with writer_lock(files):
        pass
    assert list(files.list()) == []


def test_the_heartbeat_touches_the_lock(files: Files) -> None:
    with writer_lock(files, heartbeat_seconds=0.01):
        age(files, 1000)
        _wait(lambda: (files.stat(LOCK).modified_ns or 0) > time.time_ns() - 10**11)  # type: ignore[union-attr]


def test_a_heartbeat_that_fails_is_tried_again(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise StorageError(5, "not now", "lock")

    with writer_lock(files, heartbeat_seconds=0.01) as lock:
        with monkeypatch.context() as patched:
            patched.setattr(type(files), "touch", fail)
            time.sleep(0.05)
        age(files, 1000)
        _wait(lambda: (files.stat(LOCK).modified_ns or 0) > time.time_ns() - 10**11)  # type: ignore[union-attr]
        lock.check()


def test_who_loses_the_lock_finds_out_and_leaves_it_alone(files: Files, dead: ProcessIdentity) -> None:
    with writer_lock(files, heartbeat_seconds=0.01) as lock:
        lock.check()
        leave_lock(files, elsewhere(dead))
        _wait(lambda: lock.lost)
        with pytest.raises(StoreLocked, match="taken over"):
            lock.check()
    assert unseal(files.read(LOCK))["token"] == "t"


def _wait(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


class TestSuccession:
    """Takeovers that were themselves interrupted."""

    def test_by_a_live_process(self, files: Files, dead: ProcessIdentity) -> None:
        leave_lock(files, dead, token="first")
        leave_lock(files, ProcessIdentity.of_this(), path="locks/run.after-first.json", token="second")
        assert [holder.token for holder in live_writers(files)] == ["second"]
        with pytest.raises(StoreLocked), writer_lock(files):
            pass

    def test_by_a_process_that_died_over_it(self, files: Files, dead: ProcessIdentity) -> None:
        leave_lock(files, dead, token="first")
        leave_lock(files, dead, path="locks/run.after-first.json", token="second")
        leave_lock(files, dead, path="locks/run.after-second.json", token="third")
        assert live_writers(files) == []
        with writer_lock(files):
            assert list(files.list()) == [LOCK]

    def test_a_claim_on_what_is_settled_is_withdrawn(
        self, files: Files, dead: ProcessIdentity, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Another process succeeds, and clears up, between our look at the dead lock and our claim to it."""
        leave_lock(files, dead, token="first")
        write_new = type(files).write_new
        overtaken: list[str] = []

        def overtake(self: Files, path: str, data: bytes) -> bool:
            if "after" in path and not overtaken:
                overtaken.append(path)
                leave_lock(files, ProcessIdentity.of_this(), token="quicker")
            return write_new(self, path, data)

        monkeypatch.setattr(type(files), "write_new", overtake)
        with pytest.raises(StoreLocked), writer_lock(files):
            pass
        assert overtaken
        assert list(files.list()) == [LOCK]
        assert unseal(files.read(LOCK))["token"] == "quicker"


@pytest.mark.parametrize("stale", [False, True])
def test_processes_that_race_for_the_lock(files: Files, dead: ProcessIdentity, stale: bool) -> None:
    """Each of three takes the lock 20 times, now and then without releasing it; two at once would see each other."""
    if stale:
        leave_lock(files, dead)
    program = f"""
import os, random, sys, time
from pathlib import Path
from dsfu.pipeline.store.files import open_files
from dsfu.pipeline.store.locks import StoreLocked, writer_lock
files, inside = open_files({files.url!r}), Path({files.url!r}) / "inside"
print(flush=True)
sys.stdin.readline()
held = 0
while held < 20:
    try:
        with writer_lock(files):
            descriptor = os.open(inside, os.O_CREAT | os.O_EXCL)
            time.sleep(random.random() * 0.004)
            os.close(descriptor)
            inside.unlink()
            held += 1
    except StoreLocked:
        time.sleep(random.random() * 0.004)
"""
    processes = [
        subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    threads = [Thread(target=process.communicate, args=(b"\n",)) for process in processes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert list(files.list()) == []


def test_successors_of_the_dead_are_one_at_a_time(files: Files) -> None:
    """Processes that die with the lock in their hands, again and again."""
    program = f"""
import os, signal
from pathlib import Path
from dsfu.pipeline.store.files import open_files
from dsfu.pipeline.store.locks import StoreLocked, writer_lock
files = open_files({files.url!r})
while True:
    try:
        with writer_lock(files):
            with Path({files.url!r}, "log").open("a") as log:
                log.write(f"{{os.getpid()}}\\n")
            os.kill(os.getpid(), signal.SIGKILL)
    except StoreLocked:
        pass
"""
    Path(files.url).mkdir()
    processes = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(6)]
    for process in processes:
        assert process.wait(timeout=60) == -signal.SIGKILL
    log = (Path(files.url) / "log").read_text().split()
    assert sorted(log) == sorted(str(process.pid) for process in processes)
    with writer_lock(files):
        assert list(files.list("locks")) == [LOCK]


def test_a_full_disk_says_so(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 64) as disk:
        fill(disk)
        with pytest.raises(StorageError, match="disk is full"), writer_lock(open_files(disk)):
            pass


def test_a_read_only_store_says_so_and_can_be_asked_who_writes(
    files: Files, dead: ProcessIdentity, tmp_path: Path
) -> None:
    leave_lock(files, elsewhere(dead), seconds_ago=5)
    with read_only(tmp_path / "store"):
        assert [holder.name for holder in live_writers(files)] == ["run"]
        with pytest.raises(StorageError, match="read-only"), writer_lock(files, "part-1-of-2"):
            pass


def test_this_process_is_running() -> None:
    me = ProcessIdentity.of_this()
    assert me.is_running()
    assert ProcessIdentity.from_dict(me.to_dict()) == me
    assert elsewhere(me).is_running() is None


def test_where_there_is_no_proc(monkeypatch: pytest.MonkeyPatch, dead: ProcessIdentity) -> None:
    monkeypatch.setattr("dsfu.pipeline.store.processes._PROC", Path("/nonexistent"))
    me = ProcessIdentity.of_this()
    assert me.machine == me.host
    assert me.is_running()
    assert replace(me, started="1.0").is_running() is False
    assert replace(me, pid=dead.pid).is_running() is False
