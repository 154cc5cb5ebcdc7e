"""What a run says: rates and times from a clock that is turned by hand."""

import io
import json
import re

import pytest

from dsfu.pipeline.running.engines import InThisProcess, failure_of
from dsfu.pipeline.running.meter import WINDOW_SECONDS, Meter
from dsfu.pipeline.running.reporter import JsonReporter, LiveReporter, PlainReporter
from dsfu.pipeline.specs import ShardSpec
from dsfu.words import count, duration, grouped, rate, size
from tests.pipeline.fakes import entry_of, spec


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def planes(number: int) -> ShardSpec:
    return ShardSpec(kind="planes", identity=f"planes/{number}", inputs={"n": str(number)}, parameters={}, items=200)


PLANES = [planes(number) for number in range(10)]


def test_a_meter_knows_rate_and_remaining_time():
    meter = Meter(10, 2000, now=0.0)
    assert meter.per_second(5.0) is None
    assert meter.seconds_left(5.0) is None
    for number in range(4):
        meter.finished(entry_of(PLANES[number]), now=number + 1.0)
    assert meter.per_second(4.0) == 200.0
    assert meter.seconds_left(4.0) == 6.0
    meter.failed(200)
    assert meter.seconds_left(4.0) == 5.0
    assert (meter.left, meter.shards_done, meter.shards_failed) == (1000, 4, 1)


def test_a_meter_goes_by_what_happened_of_late():
    meter = Meter(10, 2000, now=0.0)
    meter.finished(entry_of(PLANES[0]), now=1000.0)
    meter.finished(entry_of(PLANES[1]), now=1001.0)
    meter.finished(entry_of(PLANES[2]), now=1001.0 + WINDOW_SECONDS)
    meter.finished(entry_of(PLANES[3]), now=1002.0 + WINDOW_SECONDS)
    rate_now = meter.per_second(1002.0 + WINDOW_SECONDS)
    assert rate_now is not None
    assert rate_now == pytest.approx(400 / (1 + WINDOW_SECONDS), rel=0.01)


def test_plain_lines_come_every_few_seconds():
    clock, stream = Clock(), io.StringIO()
    reporter, engine = PlainReporter(stream, clock), InThisProcess()
    reporter.stage(PLANES)
    for number in range(5):
        clock.now += 2.0
        reporter.finished(entry_of(PLANES[number]))
        reporter.tick(engine)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 1
    assert lines[0] == "planes: 3 of 10 shards, 600 of 2000 planes, 100 planes/s, 14 s left"


def test_a_kind_that_waits_for_its_turn_is_not_called_slow():
    clock, stream = Clock(), io.StringIO()
    reporter, engine = PlainReporter(stream, clock), InThisProcess()
    reporter.stage([spec(0, kind="sro_sets"), *PLANES])
    clock.now += 100.0
    reporter.finished(entry_of(spec(0, kind="sro_sets")))
    clock.now += 2.0
    reporter.finished(entry_of(PLANES[0]))
    reporter.tick(engine)
    assert "100 planes/s, 18 s left" in stream.getvalue()


def test_failures_and_retries_are_told_at_once():
    stream = io.StringIO()
    reporter = PlainReporter(stream, Clock())
    reporter.stage(PLANES)
    reporter.retried(PLANES[0], "its worker died")
    reporter.failed(failure_of(PLANES[0], "ValueError: no", "…", attempts=3))
    assert stream.getvalue().splitlines() == [
        "trying again: planes/0: its worker died",
        "failed: planes/0: ValueError: no (3 attempts)",
    ]


def test_events_are_lines_of_json():
    clock, stream = Clock(), io.StringIO()
    reporter = JsonReporter(stream, clock)
    reporter.note("Begun.")
    reporter.stage(PLANES)
    clock.now += 4.0
    reporter.finished(entry_of(PLANES[0]))
    reporter.retried(PLANES[1], "it raised")
    reporter.failed(failure_of(PLANES[1], "ValueError: no", "…", attempts=3))
    reporter.tick(InThisProcess())
    reporter.tick(InThisProcess())
    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [event["event"] for event in events] == ["note", "retried", "failed", "progress"]
    assert events[-1] == {
        "event": "progress",
        "kind": "planes",
        "shards": 1,
        "shards_wanted": 10,
        "items": 200,
        "items_wanted": 2000,
        "failed": 1,
        "items_per_second": 50.0,
        "seconds_left": 32.0,
        "threads": 1,
    }


@pytest.mark.parametrize("columns", [50, 80, 100, 160])
def test_the_live_display_fits_its_terminal(monkeypatch, capsys, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    clock = Clock()
    reporter = LiveReporter(clock)
    with reporter:
        reporter.note("A line that is [not] markup.")
        reporter.stage(PLANES)
        for number in range(4):
            clock.now += 7.0
            reporter.finished(entry_of(PLANES[number]))
        reporter.failed(failure_of(PLANES[9], "ValueError: no", "…", attempts=3))
        reporter.tick(InThisProcess())
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", capsys.readouterr().err)
    assert "[not] markup" in shown
    assert "failed: planes/9: ValueError: no (3 attempts)" in shown
    last = [line for line in re.split(r"[\r\n]+", shown) if line.startswith("planes")][-1]
    assert len(last.rstrip()) <= columns
    assert "50 %" in last
    assert "28.6 planes/s" in last
    assert ("━" in last) == (columns >= 100)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (duration(0.04), "0.0 s"),
        (duration(9.96), "10 s"),
        (duration(59.6), "1 min 00 s"),
        (duration(3599.6), "1 h 00 min"),
        (duration(7500), "2 h 05 min"),
        (duration(200_000), "2 d 7 h"),
        (size(0), "0 B"),
        (size(999), "999 B"),
        (size(999.6), "1.00 kB"),
        (size(99_950), "100 kB"),
        (size(38e9), "38.0 GB"),
        (size(3.2e18), "3200 PB"),
        (rate(0.0312, "planes"), "0.03 planes/s"),
        (rate(412.3, "planes"), "412 planes/s"),
        (count(1, "shard"), "1 shard"),
        (count(0, "shard"), "0 shards"),
        (count(2, "entry", "entries"), "2 entries"),
        (grouped(9876), "9876"),
        (grouped(1234567), "1\u202f234\u202f567"),
    ],
)
def test_numbers_as_people_read_them(told, expected):
    assert told == expected
