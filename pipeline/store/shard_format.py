"""Samples as one Zarr shard in memory: made here rather than by zarr-python, which takes several times as long.

A shard is what the codec ``sharding_indexed`` of Zarr v3 says: the inner chunks, here one sample each, in order; then
for each its offset and size as little-endian uint64; then CRC-32C of that index. Any Zarr reader reads it.
``tests/benchmarks/shard_format.py`` compares compressors.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
from numcodecs import Blosc, blosc

from dsfu.pipeline.store.files import crc32c


@dataclass(frozen=True, kw_only=True)
class Compression:
    """A way to compress each sample: what Blosc is told."""

    cname: str
    level: int
    shuffle: Literal["shuffle", "bitshuffle"]

    def __str__(self) -> str:
        return f"{self.cname} {self.level} {self.shuffle}"


COMPRESSIONS: Final[Mapping[str, Compression]] = {
    # Of bytes: pictures have rows and columns that mirror others, and their bytes are found again.
    "pictures": Compression(cname="lz4", level=9, shuffle="shuffle"),
    # Differences of smooth curves are small numbers that never repeat: entropy coding of their bits halves them.
    "curves": Compression(cname="zstd", level=9, shuffle="bitshuffle"),
}
"""By what they are for; a `dsfu.pipeline.kinds.Kind` names one for each of its arrays, "pictures" if it does not."""

CODEC_NAME: Final = str(COMPRESSIONS["pictures"])
"""How samples are compressed. Part of the keys of shards that hold them: changing it means to write all again."""

# Blosc's own threads lay a chunk's blocks down in the order in which they finish, and are not safe to use from several
# threads of Python. Without them the same sample always gives the same bytes. zarr-python switches them off, too.
blosc.use_threads = False

_SHUFFLES: Final = {"shuffle": Blosc.SHUFFLE, "bitshuffle": Blosc.BITSHUFFLE}


@cache
def _compressor(compression: str, is_bytes: bool) -> Blosc:
    chosen = COMPRESSIONS[compression]
    shuffle = Blosc.NOSHUFFLE if is_bytes else _SHUFFLES[chosen.shuffle]
    return Blosc(cname=chosen.cname, clevel=chosen.level, shuffle=shuffle)


def encode_shard(samples: npt.NDArray[Any], compression: str = "pictures") -> bytes:
    """Compress samples (n, …) into a shard. The same samples always give the same bytes; any thread may call it."""
    if samples.dtype.kind not in "biuf" or samples.ndim < 2 or samples.size == 0:
        raise ValueError(
            f"samples: {samples.dtype} of shape {samples.shape}; expected numbers (n, …), no length being 0"
        )
    compressor = _compressor(compression, samples.dtype.itemsize == 1)
    little = np.ascontiguousarray(samples, samples.dtype.newbyteorder("<"))
    chunks = [compressor.encode(sample) for sample in little]
    sizes = np.array([len(chunk) for chunk in chunks], "<u8")
    index = np.stack([np.cumsum(sizes) - sizes, sizes], axis=1).astype("<u8").tobytes()
    return b"".join([*chunks, index, crc32c(index).to_bytes(4, "little")])


def array_metadata(
    shape: Sequence[int],
    samples_per_shard: int,
    attributes: Mapping[str, Any],
    *,
    dtype: str = "uint16",
    dims: Sequence[str] = ("sample", "y", "x"),
    compression: str = "pictures",
) -> dict[str, Any]:
    """Document ``zarr.json`` of an array of shards with ``samples_per_shard`` samples each."""
    data_type, chosen = np.dtype(dtype), COMPRESSIONS[compression]
    inner = list(shape[1:])
    codecs = [
        {"name": "bytes", "configuration": {"endian": "little"}} if data_type.itemsize > 1 else {"name": "bytes"},
        {
            "name": "blosc",
            "configuration": {
                "typesize": data_type.itemsize,
                "cname": chosen.cname,
                "clevel": chosen.level,
                "shuffle": chosen.shuffle if data_type.itemsize > 1 else "noshuffle",
                "blocksize": 0,
            },
        },
    ]
    sharding = {
        "chunk_shape": [1, *inner],
        "codecs": codecs,
        "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}],
        "index_location": "end",
    }
    return {
        "shape": list(shape),
        "data_type": data_type.name,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [samples_per_shard, *inner]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": data_type.type(0).item(),
        "codecs": [{"name": "sharding_indexed", "configuration": sharding}],
        "attributes": dict(attributes),
        "dimension_names": list(dims),
        "zarr_format": 3,
        "node_type": "array",
        "storage_transformers": [],
    }
