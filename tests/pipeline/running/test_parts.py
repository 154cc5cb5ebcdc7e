"""Runs in parts: side by side, one after the other, and with parts that fail, never come, or come twice."""

import os
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsfu.pipeline.running import parts
from dsfu.pipeline.running.engines import InThisProcess
from dsfu.pipeline.running.feeding import FeedRules
from dsfu.pipeline.running.parts import Part, parse_part, run_part
from dsfu.pipeline.running.reporter import SilentReporter
from dsfu.pipeline.running.run import RunResult, run_store
from dsfu.pipeline.running.summary import summary_text
from dsfu.pipeline.specs import LedgerEntry, ShardSpec
from dsfu.pipeline.store import locks, processes
from dsfu.pipeline.store.closing import close_store
from dsfu.pipeline.store.files import Files, open_files
from dsfu.pipeline.store.ledger import Ledger
from dsfu.pipeline.store.locks import StoreLocked, WriterLock, live_writers, writer_lock
from dsfu.pipeline.store.placement import home_of
from dsfu.pipeline.tasks import make_shard
from tests.pipeline.tiny import checksums, tiny

WANTED = tiny()
SHARDS = len(WANTED.expected.specs)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "_POLL_SECONDS", 0.02)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    store = tmp_path_factory.mktemp("whole") / "store"
    assert run_store(WANTED, open_files(store), engine=InThisProcess, reporter=SilentReporter()).exit_status == 0
    return contents(store)


def contents(store: Path) -> dict[str, str]:
    return {path: checksum for path, checksum in checksums(store).items() if path != "placement.json"}


def make(store: Path, part: Part, **more: object) -> RunResult:
    files = open_files(store)
    usual = {"engine": InThisProcess, "reporter": SilentReporter(), "rules": FeedRules(retries=0)}
    return run_part(WANTED, files, part, **{**usual, **more})  # type: ignore[arg-type]


def close(store: Path) -> None:
    ledger = Ledger(open_files(store))
    close_store(ledger.files, ledger, WANTED.closing_spec(ledger.entries()))


class Counting:
    """Makes shards, and counts how often each."""

    def __init__(self, store: Path, before: Callable[[ShardSpec], None] = lambda spec: None) -> None:
        self.made: Counter[str] = Counter()
        self._store, self._before = store, before
        self._lock = threading.Lock()

    def __call__(self, spec: ShardSpec) -> LedgerEntry:
        self._before(spec)
        with self._lock:
            self.made[spec.key] += 1
        return make_shard(str(self._store), spec)


@given(st.integers(1, 40), st.integers(0, 100))
def test_shares_are_apart_and_together_everything(number, specs):
    shards: Sequence[int] = range(specs)
    shares = [set(Part(index + 1, number).share(shards)) for index in range(number)]
    assert sum(map(len, shares)) == specs
    assert set().union(*shares) == set(shards)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@given(st.integers(1, 40).flatmap(lambda number: st.tuples(st.integers(1, number), st.just(number))))
def test_the_others_are_all_others(place):
    part = Part(*place)
    assert {part, *part.others()} == {Part(index + 1, part.parts) for index in range(part.parts)}
    assert len(part.others()) == part.parts - 1


@pytest.mark.parametrize("text", ["0/4", "5/4", "4", "a/b", "1/0", "-1/4"])
def test_parts_that_do_not_exist_are_refused(text):
    with pytest.raises(ValueError):
        Part.parse(text)
    with pytest.raises(Exception, match="--part"):
        parse_part(text)


def test_parts_one_after_the_other_make_what_a_run_makes(tmp_path, whole):
    store = tmp_path / "store"
    results = [make(store, Part(index, 3)) for index in (2, 1, 3)]
    assert [result.exit_status for result in results] == [0, 0, 0]
    assert sum(result.made for result in results) == SHARDS
    assert not (store / "train").exists()
    assert "Part 2/3 is done" in summary_text(results[0], "again")
    close(store)
    assert contents(store) == whole


def test_parts_side_by_side_make_every_shard_once(tmp_path, whole):
    store = tmp_path / "store"
    counting = Counting(store)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda index: make(store, Part(index, 4), make=counting), (1, 2, 3, 4)))
    assert [result.exit_status for result in results] == [0] * 4
    assert set(counting.made.values()) == {1}
    assert len(counting.made) == SHARDS
    close(store)
    assert contents(store) == whole


def test_a_part_alone_makes_what_its_planes_need_and_leaves_other_planes(tmp_path):
    result = make(tmp_path / "store", Part(4, 4))
    first, last = WANTED.stages
    assert result.exit_status == 0
    assert result.made == len(first) + len(Part(4, 4).share(last))
    assert result.untried == 0


def test_a_part_waits_for_the_share_that_another_is_making(tmp_path):
    store = tmp_path / "store"
    begun, go_on = threading.Event(), threading.Event()

    def wait(spec: ShardSpec) -> None:
        if spec.kind == "sro_sets":
            begun.set()
            assert go_on.wait(30)

    slow, quick = Counting(store, wait), Counting(store)
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(partial(make, store, Part(1, 2), make=slow))
        assert begun.wait(30)
        two = pool.submit(partial(make, store, Part(2, 2), make=quick))
        threading.Timer(0.5, go_on.set).start()
        assert (one.result().exit_status, two.result().exit_status) == (0, 0)
    assert set((slow.made + quick.made).values()) == {1}


def test_a_part_that_is_being_made_is_refused_and_so_is_another_division(tmp_path):
    files = open_files(tmp_path / "store")
    with writer_lock(files, Part(1, 2).lock_name):
        with pytest.raises(StoreLocked, match="part-1-of-2"):
            make(tmp_path / "store", Part(1, 2))
        with pytest.raises(StoreLocked, match="in 2 parts"):
            make(tmp_path / "store", Part(3, 4))
        assert make(tmp_path / "store", Part(2, 2)).exit_status == 0


@pytest.mark.parametrize("is_alive", [False, True], ids=["dead", "alive"])
def test_a_part_that_was_begun_on_another_machine_waits_until_it_is_known_whether_that_is_dead(
    tmp_path, monkeypatch, is_alive
):
    files = open_files(tmp_path / "store")
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(processes, "_machine", lambda: "elsewhere")
        lock = WriterLock(files, Part(1, 2).lock_name, heartbeat_seconds=1000.0)
    touched = next((tmp_path / "store" / locks.FOLDER).glob("part-*"))
    now_ns: int = touched.stat().st_mtime_ns

    def later(_: Files) -> int:
        """A clock that goes by looks, as real ones stall on busy machines; the holder touches its lock by the same."""
        nonlocal now_ns
        now_ns += int(0.4 * locks.DEAD_AFTER_SECONDS * 1e9)
        if is_alive:
            os.utime(touched, ns=(now_ns, now_ns))
        return now_ns

    monkeypatch.setattr(locks, "storage_clock_ns", later)
    monkeypatch.setattr(parts, "_DEATH_IS_KNOWN_SECONDS", 2.0 if is_alive else 60.0)
    try:
        if is_alive:
            with pytest.raises(StoreLocked):
                make(tmp_path / "store", Part(1, 2))
        else:
            assert make(tmp_path / "store", Part(1, 2)).exit_status == 0
    finally:
        lock.release()


def test_runs_and_parts_exclude_each_other(tmp_path):
    files = open_files(tmp_path / "store")
    with writer_lock(files), pytest.raises(StoreLocked):
        make(tmp_path / "store", Part(1, 2))
    with writer_lock(files, Part(1, 2).lock_name), pytest.raises(StoreLocked):
        run_store(WANTED, files, engine=InThisProcess, reporter=SilentReporter())
    assert live_writers(files) == []


def test_sets_that_cannot_be_made_cost_the_planes_that_need_them_and_no_part_hangs(tmp_path):
    store = tmp_path / "store"

    def refuse(spec: ShardSpec) -> None:
        if spec.kind == "sro_sets":
            raise RuntimeError("no sets today")

    with ThreadPoolExecutor(3) as pool:
        making = Counting(store, refuse)
        results = list(pool.map(lambda index: make(store, Part(index, 3), make=making), (1, 2, 3)))
    assert [result.exit_status for result in results] == [3, 3, 3]
    made = {spec.kind for spec in WANTED.expected.specs if spec.key in making.made}
    assert made == {"masks"}
    assert all("no sets today" in failure.error for result in results for failure in result.failures)
    assert all(make(store, Part(index, 3)).exit_status == 0 for index in (1, 2, 3))


def test_what_is_damaged_is_made_again_by_the_part_whose_it_is(tmp_path, whole):
    store = tmp_path / "store"
    for index in (1, 2):
        make(store, Part(index, 2))
    spec = WANTED.stages[0][0]
    (entry,) = (each for each in Ledger(open_files(store)).intact_entries() if each.key == spec.key)
    (store / home_of(spec.key, next(iter(entry.objects)))).write_bytes(b"garbled")
    assert make(store, Part(1, 2)).made == 1
    close(store)
    assert contents(store) == whole
