"""What is shown of work that goes on, on a terminal and elsewhere."""

import io
import sys
import time

import pytest

from dsfu import progress
from dsfu.progress import PlainLines, ProgressBars, counting, waiting


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_lines_that_come_all_the_time_come_once_in_so_many_seconds():
    stream, clock = io.StringIO(), Clock()
    lines = PlainLines(5.0, stream=stream, clock=clock)
    told = []
    for _ in range(30):
        told.append(lines.due())
        clock.now += 1.0
    assert told == [True, False, False, False, False] * 6
    lines.say("as it is")
    assert stream.getvalue() == "as it is\n"


def test_where_nobody_looks_nothing_is_shown(capsys):
    with waiting("long work") as tell, counting("samples") as count:
        tell("half")
        count(1, 2)
    assert capsys.readouterr().err == ""


def test_who_wants_to_be_told_is_told_instead(capsys):
    heard: list[str] = []
    with waiting("long work", heard.append) as tell:
        tell("half")
    assert heard == ["half"]
    assert capsys.readouterr().err == ""


def test_on_a_terminal_a_line_with_a_clock_comes_and_goes(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(progress, "_PATIENCE", 0.05)
    with waiting("long work") as tell:
        tell("half")
        time.sleep(0.2)
    told = capsys.readouterr().err
    assert "long work · 0 s · half" in told
    assert told.endswith("\r")


def test_the_line_is_narrower_than_the_terminal(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(progress, "_PATIENCE", 0.05)
    monkeypatch.setenv("COLUMNS", "60")
    with waiting("long work") as tell:
        tell("what is told " * 9)
        time.sleep(0.2)
    assert max(map(len, capsys.readouterr().err.split("\r"))) == 59


@pytest.mark.parametrize("clocks", [False, True])
def test_bars_say_how_far_things_are(capsys, monkeypatch, clocks):
    monkeypatch.setenv("COLUMNS", "120")
    bars = ProgressBars(clocks=clocks)
    bars.add("planes", 8)
    bars.start()
    bars.update("planes", 2, "[2] of 8", total=8)
    bars.say("a line that is [not] markup")
    bars.stop()
    told = capsys.readouterr().err
    assert "25" in told
    assert "[2] of 8" in told
    assert "[not] markup" in told
