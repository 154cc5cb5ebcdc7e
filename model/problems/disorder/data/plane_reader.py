"""Planes of one array of a store, one at a time or a whole Zarr shard at once.

On a local disk the shard is taken apart here: it is a file with an index of its inner chunks at the end, each of them
one plane compressed by Blosc. That is several times as fast as zarr-python, which reads everything else: other codecs,
and stores that are not on a local disk.
"""

import os
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import google_crc32c
import numpy as np
import numpy.typing as npt
import zarr
from numcodecs import blosc
from zarr.storage import LocalStore

CodeArray = npt.NDArray[np.uint16]

Places = npt.NDArray[np.uint64]
"""Offset and size of each plane of a shard: (planes, 2)."""

_CHECKSUM_BYTES: Final = 4
_INDEX_CODECS: Final = [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}]


class PlaneReader:
    """Reads an array (sample, y, x) of uint16, whose inner chunks are planes."""

    def __init__(self, array: "zarr.Array[Any]") -> None:
        self._array = array
        self._planes_per_shard, *rest = array.shards or array.chunks
        self._shape = (rest[0], rest[1])
        self._index_bytes = 16 * self._planes_per_shard + _CHECKSUM_BYTES
        self._known: dict[int, tuple[tuple[int, int, int], Places]] = {}
        """By shard: which file it was (its inode, size and time of change), and the index that was read from it."""

    def plane(self, index: int) -> CodeArray:
        """Plane number ``index``, (y, x)."""
        if self._folder is None:
            return np.asarray(self._array[index], np.uint16)
        shard, within = divmod(index, self._planes_per_shard)
        file = self._open(shard)
        try:
            start, size = self._places(shard, file)[within].tolist()
            data = os.pread(file, size, start)
        finally:
            os.close(file)
        out = np.empty(self._shape, np.uint16)
        blosc.decompress(data, out)
        return out

    def shard(self, number: int) -> CodeArray:
        """All planes of Zarr shard ``number``, (planes, y, x)."""
        if self._folder is None:
            first = number * self._planes_per_shard
            return np.asarray(self._array[first : first + self._planes_per_shard], np.uint16)
        with open(self._open(number), "rb", buffering=0) as file:  # noqa: PTH123  (a descriptor is no Path)
            places = self._places(number, file.fileno())
            data = memoryview(file.read())
        out = np.empty((self._planes_per_shard, *self._shape), np.uint16)
        for plane, (start, size) in zip(out, places.tolist(), strict=True):
            blosc.decompress(data[start : start + size], plane)
        return out

    @cached_property
    def _folder(self) -> Path | None:
        """Where the shards are, if they are files that can be taken apart here."""
        store = self._array.store
        if not isinstance(store, LocalStore) or not self._is_of_known_make():
            return None
        return Path(store.root) / self._array.path / "c"

    def _is_of_known_make(self) -> bool:
        document = dict(self._array.metadata.to_dict())
        codecs: Any = document["codecs"]
        if document["data_type"] != "uint16" or [codec["name"] for codec in codecs] != ["sharding_indexed"]:
            return False
        sharding = codecs[0]["configuration"]
        return bool(
            tuple(sharding["chunk_shape"]) == (1, *self._shape)
            and [codec["name"] for codec in sharding["codecs"]] == ["bytes", "blosc"]
            and sharding["codecs"][0]["configuration"] == {"endian": "little"}
            and list(sharding["index_codecs"]) == _INDEX_CODECS
            and sharding["index_location"] == "end"
        )

    def _path(self, shard: int) -> str:
        return f"{self._folder}/{shard}/0/0"

    def _open(self, shard: int) -> int:
        """A descriptor: samples alone are read by calls of the system, in a fifth of the time of a file object's."""
        try:
            return os.open(self._path(shard), os.O_RDONLY)
        except FileNotFoundError as error:
            raise FileNotFoundError(f"{self._path(shard)} is missing; `dsfu-pipeline run` makes it again") from error

    def _places(self, shard: int, file: int) -> Places:
        """The index of a shard; read again if its file is another one than before."""
        status = os.fstat(file)
        identity = (status.st_ino, status.st_size, status.st_mtime_ns)
        known = self._known.get(shard)
        if known is not None and known[0] == identity:
            return known[1]
        data = os.pread(file, self._index_bytes, max(status.st_size - self._index_bytes, 0))
        index, checksum = data[:-_CHECKSUM_BYTES], data[-_CHECKSUM_BYTES:]
        if google_crc32c.value(index) != int.from_bytes(checksum, "little"):
            raise ValueError(
                f"{self._path(shard)} is damaged; `dsfu-pipeline verify --mark`, then `run`, make it again"
            )
        places = np.frombuffer(index, "<u8").reshape(-1, 2)
        self._known[shard] = identity, places
        return places
