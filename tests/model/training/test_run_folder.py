import errno
import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from dsfu.errors import InputError
from dsfu.model.training.run_folder import claimed, telling_of_full_disks


def hold(run: Path, told: Any) -> None:
    with claimed(run):
        told.send("held")
        told.recv()


def test_one_training_at_a_time_even_if_the_other_is_killed(tmp_path):
    run, context = tmp_path / "run", multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    other = context.Process(target=hold, args=(run, there), daemon=True)
    other.start()
    assert here.recv() == "held"
    with pytest.raises(InputError, match="another process is training in it"), claimed(run):
        pass
    other.kill()
    other.join()
    with claimed(run):
        pass


def test_what_was_killed_in_the_midst_of_writing_is_removed(tmp_path):
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    for name in (".next.pt.4711", ".last.json.1"):
        (folder / name).touch()
    kept = {folder / "last.pt", folder / ".hidden", tmp_path / "best.safetensors"}
    for path in kept:
        path.touch()
    with claimed(tmp_path):
        assert {path for path in tmp_path.rglob("*") if path.is_file()} == kept | {tmp_path / ".training"}


def test_a_folder_that_cannot_be_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written to"), claimed(tmp_path / "file" / "run"):
        pass


def test_a_full_disk_is_told_and_other_errors_are_not_taken_for_one(tmp_path):
    with pytest.raises(InputError, match="No space left"), telling_of_full_disks(tmp_path):
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(ConnectionError), telling_of_full_disks(tmp_path):
        raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")


def test_a_data_set_is_no_folder_for_a_run(tmp_path):
    (tmp_path / "zarr.json").write_text("{}")
    with pytest.raises(InputError, match="data set"), claimed(tmp_path):
        pass
    assert [each.name for each in tmp_path.iterdir()] == ["zarr.json"]
