from dataclasses import replace
from pathlib import Path

import pytest

from dsfu.pipeline.plan import START_SECONDS, Plan, Rate, make_plan
from dsfu.pipeline.problems.disorder.expected import Expected
from dsfu.pipeline.specs import LedgerEntry, ShardFailure, ShardSpec
from dsfu.pipeline.store.files import open_files
from dsfu.pipeline.store.ledger import Ledger, entry_path
from dsfu.pipeline.store.placement import home_of


def spec(number: int, geometry: str = "g", kind: str = "masks") -> ShardSpec:
    return ShardSpec(
        kind=kind,
        identity=f"{kind}/{number:04d}",
        inputs={"geometry": geometry, "number": str(number)},
        parameters={},
        items=10,
    )


def make(ledger: Ledger, *specs: ShardSpec, seconds: float = 2.0) -> None:
    for each in specs:
        stored = {"masks.npz": ledger.files.write(home_of(each.key, "masks.npz"), b"x" * 1000)}
        ledger.write(
            LedgerEntry(
                key=each.key,
                kind=each.kind,
                identity=each.identity,
                inputs=each.inputs,
                items=each.items,
                objects=stored,
                made={"seconds": seconds},
            )
        )


def plan(ledger: Ledger, *specs: ShardSpec) -> Plan:
    return make_plan(Expected(sro_sets=(), masks=specs, planes={}), ledger)


def reasons(found: Plan) -> dict[str, str]:
    return {each.spec.identity: each.reason for each in found.missing}


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(open_files(tmp_path))


def test_everything_is_new_in_an_empty_store(ledger: Ledger) -> None:
    found = plan(ledger, spec(0), spec(1))
    assert reasons(found) == {"masks/0000": "new", "masks/0001": "new"}
    assert not found.present
    assert not found.orphans


def test_what_is_there_is_not_made_again(ledger: Ledger) -> None:
    make(ledger, spec(0))
    found = plan(ledger, spec(0), spec(1))
    assert list(found.present) == [spec(0).key]
    assert list(reasons(found)) == ["masks/0001"]


def test_a_changed_input_is_named_and_what_it_replaces_is_an_orphan(ledger: Ledger) -> None:
    make(ledger, spec(0))
    found = plan(ledger, spec(0, geometry="h"))
    assert reasons(found) == {"masks/0000": "changed: geometry"}
    assert list(found.orphans) == [spec(0).key]


def test_lost_touched_and_shortened_objects_are_noticed(ledger: Ledger) -> None:
    make(ledger, *map(spec, range(3)))
    ledger.files.remove(home_of(spec(0).key, "masks.npz"))
    ledger.files.write(home_of(spec(1).key, "masks.npz"), b"x" * 999 + b"y")
    ledger.files.write(home_of(spec(2).key, "masks.npz"), b"x" * 10)
    found = plan(ledger, *map(spec, range(3)))
    assert not found.present
    assert all(reason.startswith("damaged: ") for reason in reasons(found).values())


def test_a_damaged_entry_counts_for_nothing(ledger: Ledger) -> None:
    make(ledger, spec(0))
    ledger.files.write(entry_path(spec(0).key), b'{"key": "half of an ent')
    assert reasons(plan(ledger, spec(0)))["masks/0000"].startswith("damaged: ")


def test_what_failed_is_tried_again_and_says_so(ledger: Ledger) -> None:
    ledger.write_failure(
        ShardFailure(
            key=spec(0).key,
            kind="masks",
            identity="masks/0000",
            error="ValueError: no",
            traceback="…",
            attempts=3,
            host="here",
            when="2026-01-01T00:00:00+00:00",
        )
    )
    assert reasons(plan(ledger, spec(0))) == {"masks/0000": "failed before: ValueError: no"}


def test_estimates_follow_what_was_measured(ledger: Ledger) -> None:
    guessed = plan(ledger, *map(spec, range(4))).seconds_expected
    make(ledger, spec(0), seconds=50.0)
    measured = plan(ledger, *map(spec, range(4)))
    assert guessed == pytest.approx(40 * 0.005)
    assert measured.seconds_expected == pytest.approx(3 * 50.0)
    assert measured.bytes_expected == 3 * 1000


def test_a_guess_of_bytes_is_what_shards_say_of_themselves(ledger: Ledger) -> None:
    told = [replace(spec(number), bytes_expected=number * 5000) for number in (1, 2)]
    assert plan(ledger, *told).bytes_expected == 15000


def test_seconds_follow_shards_of_an_earlier_manifest_and_bytes_do_not(ledger: Ledger) -> None:
    make(ledger, spec(0, geometry="earlier"), seconds=50.0)
    found = plan(ledger, replace(spec(0), bytes_expected=70), replace(spec(1), bytes_expected=70))
    assert found.seconds_expected == pytest.approx(2 * 50.0)
    assert found.bytes_expected == 140
    assert (found.guessed, found.by_earlier) == ([], ["masks"])
    make(ledger, spec(0), seconds=2.0)
    assert plan(ledger, spec(0), spec(1)).seconds_expected == pytest.approx(2.0)


def test_kernels_are_compiled_once(ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "compiled"))
    first = plan(ledger, spec(0)).with_compiling()
    kernels = tmp_path / "compiled/disorder_0123"
    kernels.mkdir(parents=True)
    (kernels / "metropolis_kernels.run_scans-264.py311.nbi").touch()
    assert plan(ledger, spec(0)).with_compiling().seconds_to_compile == first.seconds_to_compile == 1.0
    (kernels / "dead_zones._shaded-183.py311.nbi").touch()
    again = plan(ledger, spec(0)).with_compiling()
    assert first.seconds_on(4) - again.seconds_on(4) == pytest.approx(1.0)


def test_shards_are_planned_in_the_order_of_making(ledger: Ledger) -> None:
    assert list(reasons(plan(ledger, *map(spec, range(5))))) == [f"masks/{n:04d}" for n in range(5)]


def test_a_plan_says_what_it_guesses(ledger: Ledger) -> None:
    assert plan(ledger, spec(0)).guessed == ["masks"]
    make(ledger, spec(0), seconds=50.0)
    assert plan(ledger, spec(0), spec(1)).guessed == []
    told = plan(ledger, spec(0), spec(1)).at_rates({"masks": Rate(seconds=2.0, bytes=7.0)})
    assert told.seconds_expected == pytest.approx(10 * 2.0)
    assert told.bytes_expected == 70


def test_the_clock_counts_what_more_cores_do_not_shorten(ledger: Ledger) -> None:
    told = plan(ledger, spec(0)).at_rates({"masks": Rate(seconds=2.0, bytes=7.0, once=5.0)})
    assert told.seconds_on(1) - told.seconds_on(4) == pytest.approx(15.0)
    assert told.seconds_on(10**9) == pytest.approx(START_SECONDS + 5.0)
