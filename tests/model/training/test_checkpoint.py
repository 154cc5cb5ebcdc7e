import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from dsfu.errors import InputError
from dsfu.model.training.checkpoint import Checkpoints, load_checkpoint


def content(step: int) -> dict[str, Any]:
    recipe = {"weight": torch.full((100,), float(step))}
    return {"progress": {"step": step}, "config": {}, "recipe": recipe, "source": {}, "random": []}


def step_of(path: Path | None) -> int:
    assert path is not None
    step: int = load_checkpoint(path)["progress"]["step"]
    return step


def test_last_previous_and_best(tmp_path):
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    assert checkpoints.newest() is None
    for step, is_best in ((1, False), (2, True), (3, False), (4, False)):
        checkpoints.save(content(step), is_best=is_best)
    assert [step_of(path) for path in (checkpoints.last, checkpoints.previous, checkpoints.best)] == [4, 3, 2]
    assert sorted(each.name for each in checkpoints.folder.iterdir()) == ["best.pt", "last.pt", "previous.pt"]
    assert step_of(checkpoints.newest()) == 4


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_torn_one_is_told_and_the_one_before_is_taken(tmp_path, capsys, share):
    checkpoints = Checkpoints(tmp_path)
    for step in (1, 2):
        checkpoints.save(content(step))
    whole = checkpoints.last.read_bytes()
    checkpoints.last.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(InputError, match=r"last\.pt: it is damaged"):
        load_checkpoint(checkpoints.last)
    assert step_of(checkpoints.newest()) == 1
    assert "damaged" in capsys.readouterr().err


def test_if_none_is_whole_nothing_begins_anew(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(content(1))
    checkpoints.last.write_bytes(b"torn")
    with pytest.raises(InputError, match="damaged"):
        checkpoints.newest()


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("at", range(6))
def test_killed_at_any_moment_there_is_a_whole_one(tmp_path, monkeypatch, at):
    """Every call that changes the folder or waits for the disk may be the last."""
    checkpoints = Checkpoints(tmp_path)
    for step in (1, 2):
        checkpoints.save(content(step))
    calls = 0

    def maybe_killed(original: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls > at:
                raise Killed
            return original(*arguments, **options)

        return call

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", maybe_killed(Path.replace))
        patched.setattr(os, "fsync", maybe_killed(os.fsync))
        try:
            checkpoints.save(content(3))
        except Killed:
            assert at < 6
    assert step_of(Checkpoints(tmp_path).newest()) in (2, 3)
    checkpoints.save(content(4))
    assert step_of(checkpoints.newest()) == 4


class Evil:
    ran = False

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return setattr, (Evil, "ran", True)


def test_nothing_in_a_file_can_run(tmp_path):
    path = tmp_path / "evil.pt"
    for write in (lambda: path.write_bytes(pickle.dumps(Evil())), lambda: torch.save(Evil(), path)):
        write()
        with pytest.raises(InputError, match="damaged, or no checkpoint"):
            load_checkpoint(path)
    assert not Evil.ran


def test_files_of_others(tmp_path):
    path = tmp_path / "other.pt"
    torch.save({"weight": torch.zeros(3)}, path)
    with pytest.raises(InputError, match="no checkpoint of dsfu-model train"):
        load_checkpoint(path)
    torch.save({"format": "dsfu checkpoint", "version": 99, **content(1)}, path)
    with pytest.raises(InputError, match="version 99"):
        load_checkpoint(path)
    with pytest.raises(InputError, match="no such file"):
        load_checkpoint(tmp_path / "nothing.pt")
