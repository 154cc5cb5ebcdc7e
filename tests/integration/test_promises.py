"""SECURITY.md promises nothing without a test."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def promises() -> list[list[str]]:
    """The rows of its tables: a promise, and its tests."""
    lines = (ROOT / "SECURITY.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return [row for row in rows if row != ["Promise", "Test"] and set(row[0]) != {"-"}]


def test_every_promise_names_tests_that_are_there():
    found = promises()
    assert len(found) >= 13
    for promise, tests in found:
        paths = re.findall(r"`([^`]+)`", tests)
        assert paths, promise
        for path in paths:
            assert "def test_" in (ROOT / path).read_text(encoding="utf-8"), promise
