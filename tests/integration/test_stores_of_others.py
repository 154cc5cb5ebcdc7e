"""A store that somebody else has made is data: reading it runs nothing."""

import json
import pickle
from contextlib import suppress
from pathlib import Path

import numcodecs.pickles
import pytest
import zarr

from dsfu.model.problems.disorder.data.shards import open_store
from dsfu.pipeline.problems.disorder.recompute import Recomputer


class Evil:
    ran = False

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return setattr, (Evil, "ran", True)


def version_2(folder: Path) -> None:
    """Filters of zarr's version 2 may be numcodecs' pickle; after one for text, zarr does not see it coming."""
    group = zarr.open_group(str(folder), mode="w", zarr_format=2)
    group.attrs["splits"] = ["train"]
    split = group.create_group("train")
    split.attrs.update({"pairs": 1, "planes_per_pair": 1})
    split.create_array("x", shape=(4,), dtype="f8")
    column = folder / "train" / "species_a"
    column.mkdir()
    metadata = {"zarr_format": 2, "shape": [1], "chunks": [1], "dtype": "|O", "compressor": None, "fill_value": None}
    metadata |= {"order": "C", "filters": [{"id": "vlen-utf8"}, {"id": "pickle", "protocol": 4}]}
    (column / ".zarray").write_text(json.dumps(metadata))
    (column / "0").write_bytes(pickle.dumps([Evil()]))


def version_3(folder: Path, codec: str) -> None:
    group = zarr.open_group(str(folder), mode="w", zarr_format=3)
    group.attrs["splits"] = ["train"]
    split = group.create_group("train")
    split.attrs.update({"pairs": 1, "planes_per_pair": 1})
    split.create_array("x", shape=(4,), dtype="f8")
    split.create_array("species_a", shape=(1,), dtype="i4", chunks=(1,))
    document = folder / "train" / "species_a" / "zarr.json"
    values = json.loads(document.read_text())
    values["codecs"].append({"name": codec, "configuration": {"protocol": 4}})
    document.write_text(json.dumps(values))
    (folder / "train" / "species_a" / "c").mkdir()
    (folder / "train" / "species_a" / "c" / "0").write_bytes(pickle.dumps([Evil()]))


@pytest.fixture(autouse=True)
def unguarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with releases of numcodecs that unpickle whatever they are given."""
    monkeypatch.setattr(numcodecs.pickles, "ALLOW_UNSAFE_PICKLE_DECODE", True, raising=False)
    Evil.ran = False


def test_the_attack_works_on_who_reads_any_version(tmp_path):
    """Otherwise the tests below could not fail."""
    version_2(tmp_path)
    with suppress(TypeError):  # it is no text; but by then it has run
        _ = zarr.open_group(str(tmp_path), mode="r")["train/species_a"][...]  # type: ignore[index]
    assert Evil.ran


def test_pickles_in_arrays_of_version_2_do_not_run(tmp_path):
    version_2(tmp_path)
    with pytest.raises(FileNotFoundError, match="no closed store"):
        open_store(tmp_path).split("train").coordinates["species_a"]
    with pytest.raises(FileNotFoundError):
        Recomputer(str(tmp_path))("train", 0)
    assert not Evil.ran


@pytest.mark.parametrize("codec", ["pickle", "numcodecs.pickle", "numcodecs.json2", "nobody.knows"])
def test_codecs_of_version_3_that_zarr_does_not_have_are_refused(tmp_path, codec):
    version_3(tmp_path, codec)
    with pytest.raises((ValueError, KeyError, TypeError, RuntimeError)):
        open_store(tmp_path).split("train").coordinates["species_a"]
    assert not Evil.ran
