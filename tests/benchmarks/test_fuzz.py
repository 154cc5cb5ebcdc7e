"""A program that hangs is told by the processor that it uses, or by a long sleep."""

import time
from pathlib import Path
from typing import Never

import pytest

from dsfu.pipeline import cli
from tests.benchmarks import fuzz
from tests.benchmarks.fuzz_files import Target


def _busy() -> Never:
    while True:
        pass


def _asleep() -> None:
    time.sleep(60)


@pytest.fixture
def target(tmp_path: Path) -> Target:
    (tmp_path / "seed").write_text("text")
    return Target(seed=tmp_path / "seed", command=("pipeline", "FILE"), harm=lambda path, rng: None)


def test_a_busy_child_is_ended_by_its_processor_time(
    target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fuzz, "PATIENCE_SECONDS", 1)
    monkeypatch.setattr(cli, "main", _busy)
    how, _ = fuzz.one(target, _case(tmp_path), None)
    assert how == "hangs: 1 s of the processor"
    assert "_busy" in (tmp_path / "case" / "stderr").read_text()


def test_a_child_that_waits_for_ever_is_ended_by_the_clock(
    target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fuzz, "ASLEEP_SECONDS", 0.5)
    monkeypatch.setattr(cli, "main", _asleep)
    assert fuzz.one(target, _case(tmp_path), None)[0] == "hangs: asleep for 0.5 s"


def _case(parent: Path) -> Path:
    folder = parent / "case"
    folder.mkdir()
    return folder
