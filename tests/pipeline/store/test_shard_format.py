"""Shards made in memory are what Zarr says they are."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import xarray as xr
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numcodecs import blosc
from zarr.codecs import BloscCodec
from zarr.core.buffer import Buffer, default_buffer_prototype
from zarr.storage import MemoryStore

from dsfu.pipeline.store.arrays import ZarrGroup, root_files
from dsfu.pipeline.store.shard_format import array_metadata, encode_shard

Planes = npt.NDArray[np.uint16]

ATTRIBUTES = {"units": "1", "long_name": "√(I / scale)"}


def planes_of(seed: int, count: int, pixels: int = 32) -> Planes:
    """Smooth in one half, noise in the other."""
    rng = np.random.default_rng(seed)
    x = np.linspace(0, 3, pixels)
    smooth = np.cos(np.add.outer(rng.uniform(1, 3, (count, 1)) * x, x).reshape(count, pixels, pixels) ** 2)
    planes = np.asarray((smooth + 1) * 32767, np.uint16)
    planes[:, pixels // 2 :] = rng.integers(0, 2**16, (count, pixels - pixels // 2, pixels))
    return planes


def store_of(*shards: Planes) -> MemoryStore:
    """A store with one array ``sro`` made of shards, all but the last with as many planes as the first."""
    count, pixels = sum(map(len, shards)), shards[0].shape[1]
    document = array_metadata((count, pixels, pixels), len(shards[0]), ATTRIBUTES)
    files = root_files({"train": ZarrGroup(arrays=[], foreign={"sro": document})}, {})
    files |= {f"train/sro/c/{number}/0/0": encode_shard(planes) for number, planes in enumerate(shards)}
    make = default_buffer_prototype().buffer.from_bytes
    return MemoryStore({path: make(data) for path, data in files.items()})


def read(store: MemoryStore) -> "zarr.Array[Any]":
    return zarr.open_array(store, path="train/sro", mode="r")


square_stacks = st.tuples(st.integers(1, 5), st.integers(1, 24)).flatmap(
    lambda shape: hnp.arrays(np.uint16, (shape[0], shape[1], shape[1]), elements=st.integers(0, 2**16 - 1))
)


@given(square_stacks)
def test_zarr_reads_any_planes(planes: Planes) -> None:
    np.testing.assert_array_equal(read(store_of(planes))[...], planes)


@settings(max_examples=30)
@given(
    st.integers(1, 4).flatmap(
        lambda count: st.tuples(
            st.just(count), st.integers(1, 4), st.slices(12), st.slices(20), st.slices(20), st.integers(0, 99)
        )
    )
)
def test_zarr_reads_any_part(drawn: tuple[int, int, slice, slice, slice, int]) -> None:
    count, shards, *part, seed = drawn
    part = [slice(each.start, each.stop) for each in part]
    planes = planes_of(seed, count * shards, 20)
    array = read(store_of(*np.split(planes, shards)))
    np.testing.assert_array_equal(array[tuple(part)], planes[tuple(part)])


@pytest.mark.parametrize("planes", [np.zeros((3, 8, 8), np.uint16), np.full((2, 8, 8), 65535, np.uint16)])
def test_planes_of_one_value(planes: Planes) -> None:
    np.testing.assert_array_equal(read(store_of(planes))[...], planes)


def test_xarray_reads_them_one_by_one() -> None:
    planes = planes_of(1, 6, 256)
    array = xr.open_zarr(store_of(planes[:3], planes[3:]), group="train").sro
    assert (array.dims, array.dtype, dict(array.attrs)) == (("sample", "y", "x"), np.uint16, ATTRIBUTES)
    np.testing.assert_array_equal(array.isel(sample=4), planes[4])
    np.testing.assert_array_equal(array.isel(sample=[5, 0], y=slice(10, 20)), planes[[5, 0], 10:20])


def test_one_plane_is_read_without_the_others() -> None:
    planes = planes_of(1, 50, 64)
    store = _CountingStore({"c/0/0/0": default_buffer_prototype().buffer.from_bytes(encode_shard(planes))})
    document = array_metadata((50, 64, 64), 50, ATTRIBUTES)
    store._store_dict["zarr.json"] = default_buffer_prototype().buffer.from_bytes(_json(document))
    array = zarr.open_array(store, mode="r")
    store.bytes_read = 0
    np.testing.assert_array_equal(array[17], planes[17])
    assert store.bytes_read < 2 * len(encode_shard(planes[17:18])) + 16 * 50 + 4


class _CountingStore(MemoryStore):
    bytes_read = 0

    async def get(self, *arguments: Any, **options: Any) -> Buffer | None:
        found = await super().get(*arguments, **options)
        self.bytes_read += len(found) if found is not None else 0
        return found


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document).encode()


def test_the_document_is_that_of_zarr() -> None:
    metadata = array_metadata((600, 256, 256), 200, ATTRIBUTES)
    inner = metadata["codecs"][0]["configuration"]["codecs"][1]["configuration"]
    theirs = zarr.create_array(
        MemoryStore(),
        shape=(600, 256, 256),
        shards=(200, 256, 256),
        chunks=(1, 256, 256),
        dtype="uint16",
        compressors=BloscCodec(**inner),
        dimension_names=["sample", "y", "x"],
        attributes={**ATTRIBUTES},
        fill_value=0,
    )
    assert metadata == json.loads(json.dumps(theirs.metadata.to_dict()))


def test_a_flipped_bit_of_the_index_is_noticed() -> None:
    shard = bytearray(encode_shard(planes_of(1, 3)))
    shard[-30] ^= 1
    document = array_metadata((3, 32, 32), 3, {})
    make = default_buffer_prototype().buffer.from_bytes
    store = MemoryStore({"zarr.json": make(_json(document)), "c/0/0/0": make(bytes(shard))})
    with pytest.raises(ValueError, match="[Cc]hecksum"):
        zarr.open_array(store, mode="r")[...]


def test_the_same_planes_give_the_same_bytes_in_any_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    stacks = [planes_of(seed, 4, 256) for seed in range(8)]
    alone = [encode_shard(planes) for planes in stacks]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(encode_shard, stacks * 4)) == alone * 4
    for variable, value in {"BLOSC_CLEVEL": "1", "BLOSC_SHUFFLE": "NOSHUFFLE", "BLOSC_NTHREADS": "4"}.items():
        monkeypatch.setenv(variable, value)
    assert [encode_shard(planes) for planes in stacks] == alone
    assert blosc.use_threads is False


def test_where_the_planes_lie_in_memory_does_not_matter() -> None:
    planes = planes_of(1, 6)
    expected = encode_shard(planes[1::2].copy())
    assert encode_shard(planes[1::2]) == expected
    assert encode_shard(np.asfortranarray(planes[1::2])) == expected


@pytest.mark.parametrize(
    "planes",
    [np.full((2, 4, 4), "a"), np.zeros((2, 4, 4), complex), np.zeros(4, np.uint16), np.zeros((0, 4, 4), np.uint16)],
)
def test_other_arrays_are_refused(planes: npt.NDArray[Any]) -> None:
    with pytest.raises(ValueError, match="expected numbers"):
        encode_shard(planes)
