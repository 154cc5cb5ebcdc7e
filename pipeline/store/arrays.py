"""Zarr groups and arrays as files in memory, paths and bytes, so that whoever writes them decides when and whether.

Written down as the specification of Zarr v3 says, and not through zarr-python: the bytes then depend on the values
only, a few hundred small arrays take milliseconds, and no event loop is started in the driver of a run. Groups carry
consolidated metadata; xarray looks for them in the root group of a store, other readers in the group that they open, so
both have them.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numcodecs import Blosc, VLenUTF8, Zstd, blosc

from dsfu.files import STORE_METADATA

_CHUNK_BYTES: Final = 4 * 2**20
"""Most bytes of a chunk before compression: a coordinate of a few hundred thousand samples is one file."""

_LEVEL: Final = 5

blosc.use_threads = False  # with threads, the same numbers do not always give the same bytes


@dataclass(frozen=True, kw_only=True, eq=False)
class NamedArray:
    """An array with what a reader wants to know of it. Texts are of dtype U, or of dtype S in UTF-8."""

    name: str
    values: npt.NDArray[Any]
    dims: tuple[str, ...]
    units: str
    long_name: str
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.dims) != self.values.ndim or not self.dims:
            raise ValueError(f"array {self.name}: shape {self.values.shape} for dims {self.dims}; expected as many")
        if self.values.dtype.kind not in "biufSU":
            raise ValueError(f"array {self.name}: {self.values.dtype}; expected numbers, truth values or texts")


@dataclass(frozen=True, kw_only=True, eq=False)
class ZarrGroup:
    """A group that is yet to be written.

    Attributes
    ----------
    arrays
        What is written with it.
    coordinates
        Names of those arrays that xarray shall take for coordinates.
    foreign
        Metadata of arrays whose chunks are written elsewhere, by name.
    """

    arrays: Iterable[NamedArray]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    coordinates: tuple[str, ...] = ()
    foreign: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def root_files(groups: Mapping[str, ZarrGroup], attributes: Mapping[str, Any]) -> dict[str, bytes]:
    """Every file of a root group and its groups, by path.

    In the order in which they may be written: chunks and metadata of all arrays, then groups, the root at the very end.
    """
    files: dict[str, bytes] = {}
    group_files: dict[str, bytes] = {}
    everything: dict[str, Any] = {}
    for path, group in groups.items():
        documents = {name: dict(document) for name, document in group.foreign.items()}
        for array in group.arrays:
            documents[array.name] = array_document(array)
            files |= {f"{path}/{array.name}/{name}": data for name, data in array_chunks(array).items()}
        files |= {f"{path}/{name}/{STORE_METADATA}": _json(document) for name, document in documents.items()}
        own = dict(group.attributes)
        if group.coordinates:
            own["coordinates"] = " ".join(group.coordinates)
        group_files[f"{path}/{STORE_METADATA}"] = _json(_group_document(own, documents))
        everything[path] = _group_document(own, {})
        everything |= {f"{path}/{name}": document for name, document in documents.items()}
    return files | group_files | {STORE_METADATA: _json(_group_document(attributes, everything))}


def array_document(array: NamedArray) -> dict[str, Any]:
    """``zarr.json`` of an array."""
    values = array.values
    if _is_text(values):
        data_type, fill_value = "string", ""
        codecs: list[dict[str, Any]] = [{"name": "vlen-utf8", "configuration": {}}, _ZSTD]
    else:
        data_type, fill_value = values.dtype.name, values.dtype.type(0).item()
        single = {"name": "bytes"}
        codecs = (
            [single, _ZSTD]
            if values.itemsize == 1
            else [single | {"configuration": {"endian": "little"}}, _blosc_document(values.itemsize)]
        )
    return {
        "shape": list(values.shape),
        "data_type": data_type,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(_chunk_shape(values))}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": fill_value,
        "codecs": codecs,
        "attributes": {"units": array.units, "long_name": array.long_name, **array.attributes},
        "dimension_names": list(array.dims),
        "zarr_format": 3,
        "node_type": "array",
        "storage_transformers": [],
    }


def array_chunks(array: NamedArray) -> dict[str, bytes]:
    """Chunks of an array, by the path within it. Arrays are divided along the first dimension only."""
    values = array.values
    rows, *rest = _chunk_shape(values)
    chunks = {}
    for number, first in enumerate(range(0, len(values) if values.size else 0, rows)):
        block = values[first : first + rows]
        if len(block) < rows:
            block = np.concatenate([block, np.zeros((rows - len(block), *rest), values.dtype)])
        chunks[f"c/{number}" + "/0" * len(rest)] = _encoded(block)
    return chunks


_ZSTD: Final[dict[str, Any]] = {"name": "zstd", "configuration": {"level": _LEVEL, "checksum": False}}


def _blosc_document(item_bytes: int) -> dict[str, Any]:
    configuration = {"typesize": item_bytes, "cname": "zstd", "clevel": _LEVEL, "shuffle": "shuffle", "blocksize": 0}
    return {"name": "blosc", "configuration": configuration}


def _encoded(block: npt.NDArray[Any]) -> bytes:
    if _is_text(block):
        texts = np.char.decode(block, "utf-8") if block.dtype.kind == "S" else block
        return bytes(Zstd(_LEVEL).encode(VLenUTF8().encode(texts.astype(object))))
    little = np.ascontiguousarray(block, block.dtype.newbyteorder("<"))
    compressor = Zstd(_LEVEL) if block.itemsize == 1 else Blosc("zstd", _LEVEL, Blosc.SHUFFLE)
    return bytes(compressor.encode(little))


def _is_text(values: npt.NDArray[Any]) -> bool:
    return values.dtype.kind in "SU"


def _chunk_shape(values: npt.NDArray[Any]) -> tuple[int, ...]:
    rest = values.shape[1:]
    bytes_of_row = values.itemsize * int(np.prod(rest))
    rows = max(1, min(len(values), _CHUNK_BYTES // max(bytes_of_row, 1)))
    return (rows, *(max(1, length) for length in rest))


def _group_document(attributes: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
    consolidated = {"kind": "inline", "must_understand": False, "metadata": dict(sorted(metadata.items()))}
    return {
        "attributes": dict(attributes),
        "zarr_format": 3,
        "consolidated_metadata": consolidated,
        "node_type": "group",
    }


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document).encode()
