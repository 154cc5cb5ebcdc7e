from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsfu.pipeline.making import Arrays, ReadNeeded, Stopwatch
from dsfu.pipeline.specs import ShardSpec
from dsfu.pipeline.tasks import arrays_of
from dsfu.pipeline.trial import measured_rates, spread
from tests.pipeline.tiny import tiny


def test_rates_are_of_shards_like_those_of_the_run() -> None:
    wanted = tiny()
    rates = measured_rates(wanted.specs, {"sro_sets", "planes"}, seconds_of_a_kind=0.3)
    assert list(rates) == ["sro_sets", "planes"]
    assert all(0 < rate.seconds < 1 for rate in rates.values())
    assert 10_000 < rates["sro_sets"].bytes < 20_000
    assert 1_500 < rates["planes"].bytes < 10_000


def test_what_is_needed_is_made_once_and_not_told() -> None:
    assert list(measured_rates(tiny().specs, {"planes"}, seconds_of_a_kind=0.01)) == ["planes"]


def test_nothing_is_made_that_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def noted(spec: ShardSpec, read: ReadNeeded, watch: Stopwatch) -> Arrays:
        made.append(spec.kind)
        return arrays_of(spec, read, watch)

    monkeypatch.setattr("dsfu.pipeline.trial.arrays_of", noted)
    measured_rates(tiny().specs, {"masks"}, seconds_of_a_kind=0.01)
    assert made == ["masks"]


def test_what_compiles_is_not_in_the_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shard takes a second of this clock; every other one compiles first, which takes a hundred."""
    clock, turns = 0.0, 0

    @contextmanager
    def compilations() -> Iterator[list[float]]:
        nonlocal clock, turns
        turns += 1
        compiles = turns % 2 == 1
        clock += 101.0 if compiles else 1.0
        yield [100.0] if compiles else []

    monkeypatch.setattr("dsfu.pipeline.trial.compilations", compilations)
    monkeypatch.setattr("dsfu.pipeline.trial.process_time", lambda: clock)
    wanted = tiny()
    rate = measured_rates(wanted.specs, {"masks"}, seconds_of_a_kind=100.0)["masks"]
    masks = [spec for spec in wanted.specs if spec.kind == "masks"]
    assert rate.once == 0.0
    assert rate.seconds == pytest.approx(len(masks) / sum(spec.items for spec in masks))


@given(st.integers(1, 300), st.integers(1, 60))
def test_a_few_shards_are_spread_over_all(number: int, most: int) -> None:
    chosen = spread(number, most)
    assert len(chosen) == min(number, most) == len(set(chosen))
    gaps = np.diff([-1, *sorted(chosen), number])
    assert gaps.max() <= max(2, 4 * number / len(chosen))


def test_the_first_few_are_not_of_the_first_half_alone() -> None:
    assert [i >= 50 for i in spread(100, 4)] == [False, True, False, True]
