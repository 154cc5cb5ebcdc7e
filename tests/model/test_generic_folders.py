"""Generic folders of the model name no physics: what they do is the same for every problem."""

import re
from pathlib import Path
from typing import Final

import dsfu.model

MODEL: Final = Path(dsfu.model.__path__[0])

GENERIC: Final = ("training", "evaluation", "networks", "weights", "commands", "problem.py")

PHYSICS: Final = re.compile(
    r"plane|\bsro|species|form.?factor|pixel|intensit|scattering|crystal|bragg|q_max|lattice|warren|nanopartic|"
    r"\batom|electron|diffraction|short.range|\bhkl\b|unit cell|\bI_(D|FF|SRO)\b",
    re.IGNORECASE,
)


def generic_files() -> list[Path]:
    return [path for name in GENERIC for path in ([MODEL / name] if "." in name else (MODEL / name).rglob("*.py"))]


def test_no_word_of_physics_in_the_generic_folders():
    files = generic_files()
    assert len(files) > 30
    found = [
        f"{path.relative_to(MODEL)}:{number}: {line.strip()}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if PHYSICS.search(line)
    ]
    assert found == []
