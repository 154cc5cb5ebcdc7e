from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import pytest
import zarr
from zarr.codecs import BloscCodec, ZstdCodec
from zarr.storage import LocalStore, MemoryStore

from dsfu.model.problems.disorder.data.plane_reader import PlaneReader
from dsfu.pipeline.store.shard_format import array_metadata, encode_shard

PLANES = np.random.default_rng(0).integers(0, 2**16, (6, 8, 10)).astype(np.uint16)


def made(store: Any, **options: Any) -> "zarr.Array[Any]":
    arguments: dict[str, Any] = {
        "name": "planes",
        "data": PLANES,
        "chunks": (1, 8, 10),
        "shards": (3, 8, 10),
        "compressors": BloscCodec(cname="lz4", shuffle="bitshuffle", typesize=2),
        **options,
    }
    return zarr.create_array(store, **arguments)


def check(reader: PlaneReader) -> None:
    for index, plane in enumerate(PLANES):
        np.testing.assert_array_equal(reader.plane(index), plane)
    for number in range(2):
        np.testing.assert_array_equal(reader.shard(number), PLANES[3 * number : 3 * number + 3])


def test_shards_that_zarr_wrote_are_taken_apart(tmp_path: Path):
    reader = PlaneReader(made(LocalStore(tmp_path)))
    assert reader._folder == tmp_path / "planes" / "c"
    check(reader)


def test_shards_of_the_pipeline_are_taken_apart(tmp_path: Path):
    square = np.ascontiguousarray(PLANES[:, :, :8])
    for number in range(2):
        (tmp_path / f"c/{number}/0").mkdir(parents=True)
        (tmp_path / f"c/{number}/0/0").write_bytes(encode_shard(square[3 * number : 3 * number + 3]))
    import json

    (tmp_path / "zarr.json").write_text(json.dumps(array_metadata((6, 8, 8), 3, {})))
    reader = PlaneReader(zarr.open_array(tmp_path, mode="r"))
    assert reader._folder is not None
    np.testing.assert_array_equal(reader.plane(4), square[4])
    np.testing.assert_array_equal(reader.shard(1), square[3:])


@pytest.mark.parametrize(
    "options",
    [
        {"compressors": ZstdCodec()},
        {"compressors": None},
        {"shards": None, "chunks": (3, 8, 10)},
        {"chunks": (3, 8, 10)},
        {"chunks": (1, 4, 10)},
    ],
)
def test_other_makes_are_left_to_zarr(tmp_path: Path, options: dict[str, Any]):
    reader = PlaneReader(made(LocalStore(tmp_path), **options))
    assert reader._folder is None
    check(reader)


def test_other_storages_are_left_to_zarr():
    reader = PlaneReader(made(MemoryStore()))
    assert reader._folder is None
    check(reader)


def test_a_missing_shard_is_told_of(tmp_path: Path):
    reader = PlaneReader(made(LocalStore(tmp_path)))
    (tmp_path / "planes/c/1/0/0").unlink()
    np.testing.assert_array_equal(reader.plane(2), PLANES[2])
    for read in (lambda: reader.plane(3), lambda: reader.shard(1)):
        with pytest.raises(FileNotFoundError, match="c/1/0/0 is missing"):
            read()


@pytest.mark.parametrize("damage", ["a bit of the index", "the end"])
def test_a_damaged_index_is_told_of(tmp_path: Path, damage: str):
    reader = PlaneReader(made(LocalStore(tmp_path)))
    path = tmp_path / "planes/c/0/0/0"
    data = bytearray(path.read_bytes())
    if damage == "the end":
        data = data[:-7]
    else:
        data[-20] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match="damaged"):
        reader.plane(0)


def test_an_index_is_read_once_and_again_when_the_shard_is_another_file(tmp_path: Path, monkeypatch):
    reader = PlaneReader(made(LocalStore(tmp_path)))
    checked: list[int] = []
    value = google_crc32c.value

    def counted(data: bytes) -> int:
        checked.append(len(data))
        return int(value(data))

    monkeypatch.setattr(google_crc32c, "value", counted)
    for number in (0, 2, 1):
        np.testing.assert_array_equal(reader.plane(number), PLANES[number])
    assert len(checked) == 1
    other = tmp_path / "other"
    array = made(LocalStore(other))
    array[:] = PLANES[::-1]
    checked.clear()
    (other / "planes/c/0/0/0").replace(tmp_path / "planes/c/0/0/0")
    np.testing.assert_array_equal(reader.plane(0), PLANES[-1])
    assert len(checked) == 1
