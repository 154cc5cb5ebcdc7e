"""Masks from a user's own file, from the manifest into the store."""

from pathlib import Path

import numpy as np
import pytest
import zarr

from dsfu.errors import InputError
from dsfu.pipeline.manifest.loading import parse_manifest
from dsfu.pipeline.running.engines import InThisProcess
from dsfu.pipeline.running.reporter import SilentReporter
from dsfu.pipeline.running.run import run_store
from dsfu.pipeline.store.files import open_files
from dsfu.pipeline.wanted import Wanted, what_is_wanted
from tests.pipeline.tiny import manifest_text


def wanted(folder: Path, zones: str) -> Wanted:
    text = manifest_text().replace("dead_zones: {bank_size: 70}", f"dead_zones: {zones}")
    return what_is_wanted(parse_manifest(text, folder=folder))


def write(path: Path, seed: int = 0, masks: int = 3, pixels: int = 16) -> None:
    planes = np.random.default_rng(seed).uniform(1, 2, (masks, pixels, pixels))
    planes[:, :4] = np.nan
    planes[:, -2:] = 0
    np.save(path, planes)


def test_they_are_in_the_store_as_the_file_has_them(tmp_path: Path) -> None:
    write(tmp_path / "mine.npy")
    run_store(
        wanted(tmp_path, "{file: mine.npy}"),
        open_files(tmp_path / "store"),
        engine=InThisProcess,
        reporter=SilentReporter(),
    )
    bits = zarr.open_array(tmp_path / "store" / "masks" / "bits", mode="r")[...]
    live = np.unpackbits(np.asarray(bits), axis=-1, count=16).astype(bool)
    assert live.shape == (3, 16, 16)
    assert live[:, 4:-2].all()
    assert not live[:, :4].any()
    assert not live[:, -2:].any()


def test_the_key_follows_the_contents_and_not_the_place(tmp_path: Path) -> None:
    for name, seed in (("one.npy", 0), ("two.npy", 0), ("three.npy", 1)):
        write(tmp_path / name, seed)
    one, two, three = (
        [spec.key for spec in wanted(tmp_path, f"{{file: {name}.npy}}").expected.masks]
        for name in ("one", "two", "three")
    )
    assert one == two != three


@pytest.mark.parametrize(
    ("zones", "told"),
    [
        ("{file: nothing.npy}", "a file that exists"),
        ("{file: small.npy}", "(masks, 16, 16)"),
        ("{file: text.npy}", "neither .npy nor .npz nor readable as HDF5"),
        ("{dataset: data}", "there is no file"),
    ],
)
def test_what_cannot_be_used_is_refused(tmp_path: Path, zones: str, told: str) -> None:
    write(tmp_path / "small.npy", pixels=8)
    (tmp_path / "text.npy").write_text("1 0 1")
    with pytest.raises(InputError) as error:
        wanted(tmp_path, zones)
    assert told in str(error.value)
    assert "dead_zones" in str(error.value)


def test_a_file_that_has_changed_makes_no_shard(tmp_path: Path) -> None:
    write(tmp_path / "mine.npy")
    before = wanted(tmp_path, "{file: mine.npy}")
    write(tmp_path / "mine.npy", seed=1)
    result = run_store(before, open_files(tmp_path / "store"), engine=InThisProcess, reporter=SilentReporter())
    assert [failure.identity for failure in result.failures] == ["masks/0000"]
    assert "it has changed" in result.failures[0].error
