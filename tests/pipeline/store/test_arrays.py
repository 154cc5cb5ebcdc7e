import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import zarr
from hypothesis import given
from hypothesis import strategies as st
from zarr.codecs import BloscCodec, ZstdCodec
from zarr.core.buffer import default_buffer_prototype
from zarr.storage import MemoryStore

from dsfu.pipeline.store import arrays
from dsfu.pipeline.store.arrays import NamedArray, ZarrGroup, root_files

NUMBERS = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint64", "float16", "float32", "float64"]


def named(name: str, values: np.ndarray, *dims: str) -> NamedArray:
    return NamedArray(name=name, values=values, dims=dims, units="1/angstrom", long_name=f"the {name}")


def read_back(folder: Path, array: NamedArray) -> "zarr.Array[Any]":
    found = zarr.open_group(written(folder, {"g": ZarrGroup(arrays=[array])}), mode="r")[f"g/{array.name}"]
    assert isinstance(found, zarr.Array)
    return found


def written(folder: Path, groups: dict[str, ZarrGroup]) -> Path:
    for path, data in root_files(groups, {"about": "test"}).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


@pytest.mark.parametrize("dtype", NUMBERS)
def test_numbers_come_back(dtype: str, tmp_path: Path):
    values = np.random.default_rng(1).integers(0, 100, (7, 3)).astype(dtype)
    array = read_back(tmp_path, named("n", values, "row", "column"))
    np.testing.assert_array_equal(array[...], values)
    assert array.dtype == values.dtype


@pytest.mark.parametrize("dtype", [np.dtype(">f8"), np.dtype(">i2")])
def test_numbers_of_the_other_byte_order_come_back(dtype: np.dtype, tmp_path: Path):
    values = np.arange(5).astype(dtype)
    array = read_back(tmp_path, named("n", values, "row"))
    np.testing.assert_array_equal(array[...], values)


@pytest.mark.parametrize("texts", [["", "Å", "benzene + toluene"], ["a"] * 5, [b"\xc3\x85", b"b"]])
def test_texts_come_back(texts: list[Any], tmp_path: Path):
    array = read_back(tmp_path, named("n", np.array(texts), "row"))
    assert np.asarray(array[...]).tolist() == [text.decode() if isinstance(text, bytes) else text for text in texts]


@given(st.integers(0, 40), st.integers(1, 200))
def test_arrays_of_several_chunks_come_back(rows: int, chunk_bytes: int):
    values = np.arange(rows * 3, dtype=np.int32).reshape(rows, 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrays, "_CHUNK_BYTES", chunk_bytes)
        files = root_files({"g": ZarrGroup(arrays=[named("n", values, "row", "column")])}, {})
    store = MemoryStore({path: default_buffer_prototype().buffer.from_bytes(data) for path, data in files.items()})
    found = zarr.open_array(store, path="g/n", mode="r")
    np.testing.assert_array_equal(np.asarray(found[...]), values)


def test_xarray_reads_groups_without_a_warning(tmp_path: Path):
    group = ZarrGroup(
        arrays=[named("n", np.arange(4.0), "row"), named("name", np.array(list("abcd")), "row")],
        attributes={"colour": "blue"},
        coordinates=("name",),
    )
    written(tmp_path, {"g": group, "empty": ZarrGroup(arrays=[named("none", np.empty((0, 2)), "row", "column")])})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dataset = xr.open_zarr(tmp_path, group="g").load()
        alone = xr.open_zarr(tmp_path / "g").load()
        empty = xr.open_zarr(tmp_path, group="empty").load()
        tree = xr.open_datatree(tmp_path, engine="zarr")
    assert list(dataset.coords) == ["name"]
    assert dataset.attrs == {"colour": "blue"}
    assert dataset.n.attrs == {"units": "1/angstrom", "long_name": "the n"}
    assert dataset.name.values.tolist() == list("abcd")
    assert alone.identical(dataset)
    assert empty.none.shape == (0, 2)
    assert set(tree.children) == {"g", "empty"}


def test_metadata_are_what_zarr_itself_writes(tmp_path: Path):
    """Apart from what it leaves out by default."""
    for array in (named("n", np.arange(4.0), "row"), named("m", np.ones((3, 2), bool), "row", "column")):
        document = arrays.array_document(array)
        created = zarr.create_array(
            tmp_path / array.name,
            shape=array.values.shape,
            chunks=array.values.shape,
            dtype=array.values.dtype,
            dimension_names=array.dims,
            attributes={"units": array.units, "long_name": array.long_name},
            compressors=BloscCodec(typesize=8, cname="zstd", clevel=5, shuffle="shuffle")
            if array.name == "n"
            else ZstdCodec(level=5),
        )
        created[...] = array.values
        assert json.loads((tmp_path / array.name / "zarr.json").read_bytes()) == document
        chunk = next(iter(arrays.array_chunks(array)))
        assert (tmp_path / array.name / chunk).read_bytes() == arrays.array_chunks(array)[chunk]


def test_metadata_come_after_chunks_and_groups_last():
    array = named("n", np.arange(4.0), "row")
    paths = list(root_files({"g": ZarrGroup(arrays=[array]), "h": ZarrGroup(arrays=[array])}, {}))
    assert paths[-3:] == ["g/zarr.json", "h/zarr.json", "zarr.json"]
    assert paths.index("g/n/c/0") < paths.index("g/n/zarr.json")


def test_unfit_arrays_are_refused():
    with pytest.raises(ValueError, match="dims"):
        named("n", np.zeros((2, 2)), "row")
    with pytest.raises(ValueError, match="object"):
        named("n", np.array([None]), "row")
