"""What a program said of the structures and maps in a folder: its verdict, and which of the files are its answer."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Final

MOST_BYTES: Final = 20_000_000
"""A record of ours is smaller; chosen, not calibrated."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A verdict with its reasons, and names of the files it is about, the best first."""

    verdict: str
    reasons: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """As a paragraph of Markdown."""
        return f"**{escape(self.verdict)}**" + (": " if self.reasons else "") + escape(" ".join(self.reasons))


def judgement_in(folder: Path) -> Judgement | None:
    """That of the newest record in the folder; None where there is none."""
    return next(_judgements(folder), None)


def judgement_on(path: Path) -> Judgement | None:
    """That of the newest record beside a file that is about this file: others may stand in its folder."""
    return next((found for found in _judgements(path.parent) if path.name in found.names), None)


def _judgements(folder: Path) -> Iterator[Judgement]:
    """Of all records in a folder, the newest first."""
    records = sorted(folder.glob("*.json"), key=lambda each: each.stat().st_mtime, reverse=True)
    return (found for each in records if (found := _judgement_of(each)))


def _judgement_of(path: Path) -> Judgement | None:
    try:
        record = json.loads(path.read_text(encoding="utf-8")) if path.stat().st_size < MOST_BYTES else None
    except (OSError, ValueError):
        return None
    if not isinstance(record, dict) or not isinstance(record.get("verdict"), str):
        return None
    reasons = record.get("reasons") or [record.get("reason")]
    told = tuple(each for each in reasons if isinstance(each, str)) if isinstance(reasons, list) else ()
    candidates = record.get("candidates")
    several = [each for each in candidates if isinstance(each, dict)] if isinstance(candidates, list) else []
    names = tuple(dict.fromkeys(name for each in (record, *several) for name in _files_of(each)))
    return Judgement(verdict=record["verdict"], reasons=told, names=names)


def _files_of(record: dict[str, Any]) -> list[str]:
    """Names of the structures and maps that a record speaks of; a particle has both formats, and names one."""
    named = [Path(value).name for name in ("file", "cif", "map") if isinstance(value := record.get(name), str)]
    beside = [str(Path(each).with_suffix(".cif")) for each in named if each.endswith(".xyz")]
    return [*named, *beside]
