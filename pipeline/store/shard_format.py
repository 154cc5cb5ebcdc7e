"""Planes as one Zarr shard in memory: made here rather than by zarr-python, which takes several times as long.

A shard is what the codec ``sharding_indexed`` of Zarr v3 says: the inner chunks, here one plane each, in order; then
for each its offset and size as little-endian uint64; then CRC-32C of that index. Any Zarr reader reads it.
``tests/benchmarks/shard_format.py`` compares compressors.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numcodecs import Blosc, blosc

from dsfu.pipeline.store.files import crc32c

_CNAME: Final = "lz4"
_LEVEL: Final = 9
_SHUFFLE: Final = "shuffle"
"""Of bytes, not of bits: planes have rows and columns that mirror others, and their bytes are found again."""

CODEC_NAME: Final = f"{_CNAME} {_LEVEL} {_SHUFFLE}"
"""How planes are compressed. Part of the keys of shards: changing it means to write all planes again."""

# Blosc's own threads lay a chunk's blocks down in the order in which they finish, and are not safe to use from several
# threads of Python. Without them the same plane always gives the same bytes. zarr-python switches them off, too.
blosc.use_threads = False

_compressor = Blosc(cname=_CNAME, clevel=_LEVEL, shuffle=Blosc.SHUFFLE)


def encode_shard(planes: npt.NDArray[np.uint16]) -> bytes:
    """Compress planes (n, y, x) into a shard. The same planes always give the same bytes; any thread may call it."""
    if planes.dtype != np.uint16 or planes.ndim != 3 or planes.size == 0:
        raise ValueError(f"planes: {planes.dtype} of shape {planes.shape}; expected uint16 (n, y, x), none of them 0")
    chunks = [_compressor.encode(plane) for plane in np.ascontiguousarray(planes, "<u2")]
    sizes = np.array([len(chunk) for chunk in chunks], "<u8")
    index = np.stack([np.cumsum(sizes) - sizes, sizes], axis=1).astype("<u8").tobytes()
    return b"".join([*chunks, index, crc32c(index).to_bytes(4, "little")])


def array_metadata(planes: int, planes_per_shard: int, pixels: int, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Document ``zarr.json`` of an array (planes, pixels, pixels) of shards with ``planes_per_shard`` planes each."""
    inner = [
        {"name": "bytes", "configuration": {"endian": "little"}},
        {
            "name": "blosc",
            "configuration": {
                "typesize": 2,
                "cname": _CNAME,
                "clevel": _LEVEL,
                "shuffle": _SHUFFLE,
                "blocksize": 0,
            },
        },
    ]
    sharding = {
        "chunk_shape": [1, pixels, pixels],
        "codecs": inner,
        "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}],
        "index_location": "end",
    }
    return {
        "shape": [planes, pixels, pixels],
        "data_type": "uint16",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [planes_per_shard, pixels, pixels]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0,
        "codecs": [{"name": "sharding_indexed", "configuration": sharding}],
        "attributes": dict(attributes),
        "dimension_names": ["sample", "y", "x"],
        "zarr_format": 3,
        "node_type": "array",
        "storage_transformers": [],
    }
