from pathlib import Path
from typing import Any

import pytest

from dsfu.pipeline.report.ledger_summary import ledger_summary
from dsfu.pipeline.specs import LedgerEntry, ShardFailure, ShardSpec, StoredObject
from dsfu.pipeline.store.files import open_files
from dsfu.pipeline.store.ledger import Ledger, entry_path

PAIRS = ["planes/a+b", "planes/a+c"]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(open_files(tmp_path))


def write(ledger: Ledger, identity: str, second: float, seconds: float, version: int = 1, **made: Any) -> str:
    """A shard of 100 items that was finished some seconds after noon."""
    kind = identity.partition("/")[0]
    spec = ShardSpec(
        kind=kind, identity=identity, inputs={"what": identity, "version": str(version)}, parameters={}, items=100
    )
    when = f"2026-01-01T12:00:{second:06.3f}+00:00"
    entry = LedgerEntry(
        key=spec.key,
        kind=kind,
        identity=identity,
        inputs=spec.inputs,
        items=100,
        objects={"record.npz": StoredObject(bytes=1000 * version, crc32c=0)},
        made={"when": when, "seconds": seconds, "host": "one", **made},
    )
    ledger.write(entry)
    return spec.key


def test_pauses_do_not_count_and_neither_does_time_twice(ledger: Ledger):
    write(ledger, "planes/a+b", 10.0, 4.0)
    write(ledger, "planes/a+c", 12.0, 4.0, host="two")
    write(ledger, "planes/b+c", 30.5, 2.5)
    summary = ledger_summary(ledger.files, [*PAIRS, "planes/b+c"])
    planes = summary.kind("planes")
    assert planes is not None
    assert (planes.shards, planes.items) == (3, 300)
    assert planes.seconds == pytest.approx(10.5)
    assert planes.active_seconds == pytest.approx(6 + 2.5)  # from 6 to 12, from 28 to 30.5
    assert planes.items_per_second == pytest.approx(300 / 8.5)
    assert planes.workers == pytest.approx(10.5 / 8.5)
    assert summary.hosts == {"one": 2, "two": 1}
    assert (summary.first, summary.last) == ("2026-01-01T12:00:10.000+00:00", "2026-01-01T12:00:30.500+00:00")


def test_times_of_files_are_finer_than_seconds(ledger: Ledger):
    for identity, modified in (("planes/a+b", 5.2), ("planes/a+c", 5.9)):
        entry = ledger.read(write(ledger, identity, 5.0, 0.5))
        objects = {"record.npz": StoredObject(bytes=1, crc32c=0, modified_ns=int(modified * 1e9))}
        ledger.write(LedgerEntry(**{**vars(entry), "objects": objects}))
    planes = ledger_summary(ledger.files, PAIRS).kind("planes")
    assert planes is not None
    assert planes.active_seconds == pytest.approx(1.0)


def test_what_no_step_accounts_for_is_other(ledger: Ledger):
    write(ledger, "planes/a+b", 10.0, 4.0, steps={"kernels": 2.0, "write": 0.5})
    write(ledger, "planes/a+c", 14.0, 2.0, steps={"kernels": 1.0})
    planes = ledger_summary(ledger.files, PAIRS).kind("planes")
    assert planes is not None
    assert planes.steps == pytest.approx({"kernels": 3.0, "write": 0.5, "other": 2.5})


def test_kinds_come_in_the_order_of_making(ledger: Ledger):
    for identity in ("planes/a+b", "masks/0", "sro_sets/0"):
        write(ledger, identity, 1.0, 1.0)
    assert [each.kind for each in ledger_summary(ledger.files, PAIRS).kinds] == ["sro_sets", "masks", "planes"]


def test_the_newest_of_an_identity_counts_and_strangers_do_not(ledger: Ledger):
    write(ledger, "planes/a+b", 20.0, 1.0, version=3)
    write(ledger, "planes/a+b", 10.0, 7.0, version=2)
    write(ledger, "planes/x+y", 15.0, 9.0)
    summary = ledger_summary(ledger.files, PAIRS)
    planes = summary.kind("planes")
    assert planes is not None
    assert (planes.shards, planes.seconds, planes.bytes) == (1, 1.0, {"record.npz": 3000})
    assert [each.identity for each in summary.slowest] == ["planes/a+b"]


def test_the_slowest_pairs_come_first(ledger: Ledger):
    pairs = [("a", str(number)) for number in range(8)]
    for number, (a, b) in enumerate(pairs):
        write(ledger, f"planes/{a}+{b}", 10.0 + number, 1.0 + (3 * number) % 8)
    write(ledger, "masks/0", 1.0, 50.0)
    slowest = ledger_summary(ledger.files, [f"planes/{a}+{b}" for a, b in pairs]).slowest
    assert [each.seconds for each in slowest] == [8.0, 7.0, 6.0, 5.0, 4.0]
    assert (slowest[0].identity, slowest[0].items, slowest[0].host) == ("planes/a+5", 100, "one")


def test_versions_that_changed_in_between(ledger: Ledger):
    write(ledger, "planes/a+b", 10.0, 1.0, versions={"numpy": "2.0", "dsfu": "0.1"})
    write(ledger, "planes/a+c", 11.0, 1.0, versions={"numpy": "2.1", "dsfu": "0.1"})
    assert ledger_summary(ledger.files, PAIRS).versions == {"dsfu": ("0.1",), "numpy": ("2.0", "2.1")}


def test_failures_and_damaged_entries(ledger: Ledger):
    key = write(ledger, "planes/a+b", 10.0, 1.0)
    ledger.files.write(entry_path(key), b"half an ent")
    failure = ShardFailure(
        key="0" * 32,
        kind="planes",
        identity="planes/a+c",
        error="ValueError: no",
        traceback="…",
        attempts=3,
        host="one",
        when="2026-01-01T12:00:00+00:00",
    )
    ledger.write_failure(failure)
    summary = ledger_summary(ledger.files, PAIRS)
    assert summary.failures == (failure,)
    assert summary.damaged == 1
    assert summary.kinds == ()


def test_entries_that_say_nothing_of_their_making(ledger: Ledger):
    key = write(ledger, "planes/a+b", 10.0, 1.0)
    entry = ledger.read(key)
    ledger.write(LedgerEntry(**{**vars(entry), "made": {}}))
    summary = ledger_summary(ledger.files, PAIRS)
    planes = summary.kind("planes")
    assert planes is not None
    assert (planes.seconds, planes.active_seconds, planes.items_per_second, planes.workers) == (0, 0, 0, 0)
    assert (summary.first, summary.last, summary.slowest) == ("", "", ())
