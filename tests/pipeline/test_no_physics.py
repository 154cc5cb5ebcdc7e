"""The generic folders of the pipeline know no problem: neither the words of its physics nor its name."""

import re
from pathlib import Path

import pytest

PIPELINE = Path(__file__).resolve().parents[2] / "pipeline"
WORDS = re.compile(
    r"planes?\b|sro\b|species|form_?factor|molecul|warren|dead.zone|\bmasks?\b|\bfractions?_a\b|oscillator|embedding"
    r"|diffuse|nanopartic|electron|hkl\b|disorder|particles?\b|densit|\balpha\b",
    re.IGNORECASE,
)
FILES = sorted(path for path in PIPELINE.rglob("*.py") if "problems" not in path.relative_to(PIPELINE).parts)


@pytest.mark.parametrize("path", FILES, ids=[path.relative_to(PIPELINE).as_posix() for path in FILES])
def test_no_word_of_physics(path: Path) -> None:
    found = [
        f"{path.name}:{number}: {line.strip()}"
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if WORDS.search(line)
    ]
    assert not found, "\n".join(found)


def test_there_is_something_to_look_through() -> None:
    assert len(FILES) > 40
