import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from dsfu.errors import InputError
from dsfu.model.store import ClosedStore, opened_store, problem_of


def made(folder: Path, **attributes: Any) -> Path:
    """A closed store of six samples in two shards."""
    root = zarr.open_group(folder, mode="w")
    root.attrs.update({"format_version": 1, "splits": ["train"], "manifest": "seed: 5\n", **attributes})
    train = root.create_group("train")
    train.attrs.update({"samples_per_shard": 3})
    train.create_array("kept", data=np.array([True, False, True, True, True, True]))
    train.create_array("signal", data=np.arange(24.0).reshape(6, 4), chunks=(3, 4))
    return folder


def test_a_split_is_read(tmp_path: Path):
    split = ClosedStore(made(tmp_path / "store")).split("train")
    assert len(split) == 6
    assert split.samples_per_shard == 3
    assert split.kept_indices.tolist() == [0, 2, 3, 4, 5]
    assert "signal" in split
    assert "noise" not in split
    np.testing.assert_array_equal(split.rows("signal", [5, 0]), [[20, 21, 22, 23], [0, 1, 2, 3]])


@pytest.mark.parametrize(("version", "remedy"), [(99, "later one"), (0, "make it again"), ("x", "make it again")])
def test_other_versions_of_the_format_are_refused(tmp_path: Path, version: Any, remedy: str):
    store = made(tmp_path / "store", format_version=version)
    with pytest.raises(InputError, match=f"version {version}(.|\n)*version 1(.|\n)*{remedy}"):
        opened_store(str(store))


def test_a_store_names_its_problem(tmp_path: Path):
    assert problem_of(str(made(tmp_path / "old"))) == "disorder"
    assert problem_of(str(made(tmp_path / "new", problem="particles"))) == "particles"
    assert problem_of(str(tmp_path / "nothing")) == "disorder"


def test_settings_are_the_resolved_ones_or_those_of_the_manifest(tmp_path: Path):
    store = made(tmp_path / "store")
    assert ClosedStore(store).settings == {"seed": 5}
    (store / "settings.json").write_text(json.dumps({"settings": {"seed": 5, "planes": {"q_max": [6, 8]}}}))
    assert ClosedStore(store).settings == {"seed": 5, "planes": {"q_max": [6, 8]}}


@pytest.mark.parametrize("damaged", [b"{", b"\xff\xfe", b"[" * 100_000])
def test_settings_that_are_damaged_are_told(tmp_path: Path, damaged: bytes):
    store = made(tmp_path / "store")
    (store / "settings.json").write_bytes(damaged)
    with pytest.raises(InputError, match=r"settings\.json(.|\n)*verify"):
        _ = ClosedStore(store).settings


def test_what_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(InputError, match=r"no closed store(.|\n)*no such folder"):
        opened_store(str(tmp_path / "nothing"))
    with pytest.raises(InputError, match=r"no closed store(.|\n)*dsfu-pipeline status"):
        opened_store(str(tmp_path))
    (tmp_path / "config.yaml").write_text("")
    with pytest.raises(InputError, match=r"a run of dsfu-model train(.|\n)*RUN STORE"):
        opened_store(str(tmp_path))
    with pytest.raises(InputError, match=r"--split train"):
        opened_store(str(made(tmp_path / "store")), "trian")
