"""Runs on a real, tiny data set, in this process."""

import json
import os
import shutil
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dsfu.pipeline.running.engines import Engine, EngineError, InThisProcess, Make
from dsfu.pipeline.running.feeding import FeedRules
from dsfu.pipeline.running.reporter import SilentReporter
from dsfu.pipeline.running.run import RunResult, run_store
from dsfu.pipeline.running.summary import summary_dict, summary_text
from dsfu.pipeline.specs import LedgerEntry, ShardSpec
from dsfu.pipeline.store.files import StorageError, open_files
from dsfu.pipeline.store.ledger import Ledger
from dsfu.pipeline.store.locks import StoreLocked, writer_lock
from dsfu.pipeline.store.manifest_copy import kept_manifest
from dsfu.pipeline.store.placement import home_of
from dsfu.pipeline.store.verify import verify_store
from dsfu.pipeline.tasks import make_shard
from tests.pipeline.tiny import checksums, manifest_text, tiny

WANTED = tiny()
SHARDS = len(WANTED.expected.specs)


def run(store: Path, *, engine: Callable[[], AbstractContextManager[Engine]] = InThisProcess, **more: Any) -> RunResult:
    rules = FeedRules(retries=1)
    return run_store(WANTED, open_files(store), engine=engine, reporter=SilentReporter(), rules=rules, **more)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store made without any disturbance."""
    store = tmp_path_factory.mktemp("whole") / "store"
    result = run(store)
    assert (result.exit_status, result.made, result.present, result.untried) == (0, SHARDS, 0, 0)
    return store


def never() -> AbstractContextManager[Engine]:
    raise AssertionError("there was nothing to make")


def spoilt(store: Path, spoil: Callable[[ShardSpec], None]) -> Make:
    """Makes shards, but calls something that may raise first."""

    def make(spec: ShardSpec) -> LedgerEntry:
        spoil(spec)
        return make_shard(str(store), spec)

    return make


def test_a_second_run_finds_nothing_to_do_and_changes_nothing(whole):
    before = checksums(whole)
    result = run(whole, engine=never)
    assert (result.exit_status, result.made, result.present) == (0, 0, SHARDS)
    assert result.closing is not None
    assert (result.closing.moved, result.closing.written, result.closing.removed) == (0, 0, 0)
    assert checksums(whole) == before
    assert "Nothing was missing" in summary_text(result, "")


def test_the_next_command_runs_as_it_stands(whole, tmp_path):
    store = tmp_path / "a store"
    shutil.copytree(whole, store)
    assert f"next          dsfu-pipeline report '{store}'" in summary_text(run(store, engine=never), "")


def test_a_store_is_whole_and_knows_its_manifest(whole):
    assert verify_store(open_files(whole)).findings == ()
    assert kept_manifest(open_files(whole)).text == manifest_text()


@pytest.mark.parametrize("after", [0, 1, 3, 7])
def test_a_run_that_is_stopped_closes_what_is_complete_and_the_next_goes_on(whole, tmp_path, after):
    store = tmp_path / "store"
    made: list[ShardSpec] = []
    make = spoilt(store, made.append)
    result = run(store, make=make, stop=lambda: len(made) >= after)
    assert result.exit_status == 130
    assert (result.made, result.untried) == (after, SHARDS - after)
    assert result.closing is not None
    assert verify_store(open_files(store)).damage == ()
    assert "dsfu-pipeline run m.yaml" in summary_text(result, "dsfu-pipeline run m.yaml")
    rest = run(store)
    assert (rest.exit_status, rest.made, rest.present) == (0, SHARDS - after, after)
    assert checksums(store) == checksums(whole)


def test_a_second_signal_ends_at_once_without_closing(tmp_path):
    def insist(spec: ShardSpec) -> None:
        if spec.kind == "planes":
            raise KeyboardInterrupt

    result = run(tmp_path, make=spoilt(tmp_path, insist))
    assert result.exit_status == 130
    assert result.closing is None
    assert "not closed" in summary_text(result, "")


def test_a_shard_that_raises_is_set_aside_and_the_others_go_on(whole, tmp_path):
    bad = WANTED.expected.planes["train"][2].spec

    def spoil(spec: ShardSpec) -> None:
        if spec.key == bad.key:
            raise ValueError("the lattice has no volume")

    store = tmp_path / "store"
    result = run(store, make=spoilt(store, spoil))
    assert (result.exit_status, result.made, result.untried) == (3, SHARDS - 1, 0)
    (failure,) = Ledger(open_files(store)).failures()
    assert (failure.identity, failure.attempts) == (bad.identity, 2)
    assert "the lattice has no volume" in failure.traceback
    assert f"{bad.identity}: ValueError: the lattice has no volume (2 attempts)" in summary_text(result, "")
    assert result.closing is not None
    assert result.closing.samples["train"] == WANTED.loaded.manifest.planes_per_pair("train") * 5
    assert run(store).exit_status == 0
    assert Ledger(open_files(store)).failures() == []
    assert checksums(store) == checksums(whole)


def test_what_draws_on_a_shard_that_failed_is_told_so_and_not_tried(tmp_path):
    tried = []

    def spoil(spec: ShardSpec) -> None:
        tried.append(spec.kind)
        if spec.kind == "sro_sets":
            raise ValueError("no equilibrium")

    result = run(tmp_path, make=spoilt(tmp_path, spoil))
    assert "planes" not in tried
    of_planes = [failure for failure in result.failures if failure.kind == "planes"]
    assert len(of_planes) == 7
    assert all("it needs sro_sets/" in each.error and "no equilibrium" in each.error for each in of_planes)


@pytest.mark.parametrize("harm", ["truncate", "flip", "delete", "half an entry", "no entry"])
def test_damage_is_healed(whole, tmp_path, harm):
    store = tmp_path / "store"
    run(store)
    entry = next(entry for entry in Ledger(open_files(store)).intact_entries() if entry.kind == "planes")
    path = store / Ledger(open_files(store)).locate(entry.key, "form_factor")
    document = store / "ledger" / entry.key[:2] / f"{entry.key}.json"
    match harm:
        case "truncate":
            path.write_bytes(path.read_bytes()[:-7])
        case "flip":
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 4
            path.write_bytes(data)
        case "delete":
            path.unlink()
        case "half an entry":
            document.write_bytes(document.read_bytes()[:99])
        case "no entry":
            document.unlink()
    result = run(store)
    assert (result.exit_status, result.made) == (0, 1)
    assert checksums(store) == checksums(whole)


def test_damage_that_only_closing_sees_is_healed_too(whole, tmp_path, monkeypatch):
    """A record whose checksum is right and whose contents are not."""
    store = tmp_path / "store"
    run(store)
    files, ledger = open_files(store), Ledger(open_files(store))
    entry = next(entry for entry in ledger.intact_entries() if entry.kind == "planes")
    stored = files.write(home_of(entry.key, "record.npz"), b"not an archive")
    ledger.write(LedgerEntry(**{**entry.__dict__, "objects": {**entry.objects, "record.npz": stored}}))
    result = run(store)
    assert (result.exit_status, result.made) == (0, 1)
    assert checksums(store) == checksums(whole)


def flip(path: Path, place: float) -> None:
    """Flip a bit, without a trace in the file's size or time."""
    before = path.stat()
    data = bytearray(path.read_bytes())
    data[int(place * (len(data) - 1))] ^= 8
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("name", ["record.npz", "sets.npz", "masks.npz"])
@pytest.mark.parametrize("place", [0.0, 0.001, 0.3, 0.9, 0.999, 1.0])
def test_a_flipped_bit_in_records_is_healed_wherever_it_is(whole, tmp_path, name, place):
    store = tmp_path / "store"
    shutil.copytree(whole, store)
    for path in sorted(store.glob(f"objects/*/*/{name}"))[:2]:
        flip(path, place)
    result = run(store)
    assert result.exit_status == 0
    assert checksums(store) == checksums(whole)


def test_what_failed_over_a_damaged_bank_is_made_with_the_bank_that_was_made_again(whole, tmp_path):
    store = tmp_path / "store"
    shutil.copytree(whole, store)
    for path in store.glob("objects/*/*/sets.npz"):
        flip(path, 0.5)
    for entry in list(Ledger(open_files(store)).intact_entries()):
        if entry.kind == "planes":
            Ledger(open_files(store)).remove(entry.key)
    result = run(store)
    assert (result.exit_status, result.failures) == (0, [])
    assert checksums(store) == checksums(whole)


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir], ids=["pipe", "folder"])
def test_an_entry_that_is_no_file_is_made_again(whole, tmp_path, make):
    store = tmp_path / "store"
    shutil.copytree(whole, store)
    path = next(store.glob("ledger/??/*.json"))
    path.unlink()
    make(path)
    assert run(store).exit_status == 0
    assert checksums(store) == checksums(whole)


def test_a_storage_that_refuses_ends_the_run(tmp_path):
    tried = []

    def spoil(spec: ShardSpec) -> None:
        tried.append(spec.identity)
        if spec.kind == "planes":
            raise StorageError(28, "the disk is full", "objects/x")

    result = run(tmp_path, make=spoilt(tmp_path, spoil))
    assert result.trouble == "objects/x: the disk is full"
    assert result.exit_status == 4
    assert len([each for each in tried if each.startswith("planes")]) == 3
    assert (result.failures, result.untried) == ([], 7)
    assert "the disk is full" in summary_text(result, "")


def test_an_engine_that_goes_away_cuts_the_run_short_and_loses_nothing(whole, tmp_path):
    class Dying(InThisProcess):
        collected = 0

        def collect(self, timeout_seconds: float) -> Any:
            self.collected += 1
            if self.collected > 6:
                raise EngineError("the scheduler at tcp://x has gone away")
            return super().collect(timeout_seconds)

    store = tmp_path / "store"
    result = run(store, engine=Dying)
    assert result.exit_status == 4
    assert result.made == 6
    assert "has gone away" in summary_text(result, "")
    assert result.closing is not None
    assert run(store).made == SHARDS - 6
    assert checksums(store) == checksums(whole)


def test_two_runs_at_once_on_one_store(tmp_path):
    inside, leave = threading.Event(), threading.Event()

    def hold(spec: ShardSpec) -> None:
        inside.set()
        leave.wait(30)

    first = threading.Thread(target=partial(run, tmp_path, make=spoilt(tmp_path, hold)))
    first.start()
    assert inside.wait(30)
    try:
        with pytest.raises(StoreLocked, match="writes to this store"):
            run(tmp_path)
    finally:
        leave.set()
        first.join()
    assert run(tmp_path).present == SHARDS


def test_the_lock_is_free_after_a_run_that_failed(tmp_path):
    def explode() -> AbstractContextManager[Engine]:
        raise RuntimeError("no engine today")

    with pytest.raises(RuntimeError, match="no engine today"):
        run(tmp_path, engine=explode)
    with writer_lock(open_files(tmp_path)):
        pass


def test_the_summary_for_programs_survives_json(whole):
    told = json.loads(json.dumps(summary_dict(run(whole))))
    assert told["exit_status"] == 0
    assert told["present_before"] == SHARDS
    assert told["samples"]["train"] == 192
