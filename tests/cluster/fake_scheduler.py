"""Commands of a scheduler that answer what they are told to, in a folder at the front of the path."""

from pathlib import Path

import pytest


def fake(folder: Path, monkeypatch: pytest.MonkeyPatch, **answers: str) -> None:
    """``sbatch="echo 7"``: shell code by name of the command. No other commands of schedulers are found."""
    folder.mkdir(exist_ok=True)
    for name, code in answers.items():
        program = folder / name
        program.write_text(f"#!/bin/sh\n{code}\n")
        program.chmod(0o755)
    for tool in ("sh", "cat", "echo", "sleep"):
        if not (folder / tool).exists():
            (folder / tool).symlink_to(f"/bin/{tool}")
    monkeypatch.setenv("PATH", str(folder))
