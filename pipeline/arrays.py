"""Zarr groups and arrays as files in memory, paths and bytes, so that whoever writes them decides when and whether.

Made by zarr-python itself, except for consolidated metadata, which it cannot write without a warning. xarray looks for
them in the root group of a store, other readers in the group that they open, so both have them.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import zarr
from zarr.codecs import BloscCodec, ZstdCodec
from zarr.core.buffer import Buffer
from zarr.storage import MemoryStore

METADATA: Final = "zarr.json"

_CHUNK_BYTES: Final = 4 * 2**20
"""Most bytes of a chunk before compression: a coordinate of a few hundred thousand samples is one file."""


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
        if len(self.dims) != self.values.ndim:
            raise ValueError(f"array {self.name}: shape {self.values.shape} for dims {self.dims}")


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
    """Every file of a root group and its groups, by path: chunks first, then metadata, each group after its arrays,
    the root at the very end."""
    chunks: dict[str, bytes] = {}
    metadata: dict[str, bytes] = {}
    groups_metadata: dict[str, bytes] = {}
    everything: dict[str, Any] = {}
    for path, group in groups.items():
        arrays = {name: dict(document) for name, document in group.foreign.items()}
        for array in group.arrays:
            files = array_files(array)
            arrays[array.name] = json.loads(files.pop(METADATA))
            chunks |= {f"{path}/{array.name}/{name}": data for name, data in files.items()}
        metadata |= {f"{path}/{name}/{METADATA}": _json(document) for name, document in arrays.items()}
        own = dict(group.attributes)
        if group.coordinates:
            own["coordinates"] = " ".join(group.coordinates)
        groups_metadata[f"{path}/{METADATA}"] = _json(_group_document(own, arrays))
        everything[path] = _group_document(own, {})
        everything |= {f"{path}/{name}": document for name, document in arrays.items()}
    root = {METADATA: _json(_group_document(attributes, everything))}
    return chunks | metadata | groups_metadata | root


def array_files(array: NamedArray) -> dict[str, bytes]:
    """Files of one array, by the path within it."""
    values, is_text = array.values, array.values.dtype.kind in "SU"
    kept: dict[str, Buffer] = {}
    created = zarr.create_array(
        MemoryStore(kept),
        shape=values.shape,
        dtype=str if is_text else values.dtype,
        chunks=_chunks(values),
        compressors=_compressor(values.dtype),
        dimension_names=array.dims,
        attributes={"units": array.units, "long_name": array.long_name, **array.attributes},
        zarr_format=3,
    )
    if values.size:
        created[...] = _texts(values) if is_text else values
    return {name: buffer.to_bytes() for name, buffer in sorted(kept.items())}


def _texts(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Texts of any length: zarr has no stable type for those of a fixed one."""
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8")
    return values.astype(object)


def _chunks(values: npt.NDArray[Any]) -> tuple[int, ...]:
    rest = values.shape[1:]
    bytes_of_row = values.itemsize * int(np.prod(rest))
    rows = max(1, min(len(values), _CHUNK_BYTES // max(bytes_of_row, 1)))
    return (rows, *(max(1, length) for length in rest))


def _compressor(dtype: np.dtype[Any]) -> BloscCodec | ZstdCodec:
    if dtype.kind in "iuf" and dtype.itemsize > 1:
        return BloscCodec(cname="zstd", clevel=5, shuffle="shuffle", typesize=dtype.itemsize)
    return ZstdCodec(level=5)


def _group_document(attributes: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
    consolidated = {"kind": "inline", "must_understand": False, "metadata": dict(sorted(metadata.items()))}
    return {
        "attributes": dict(attributes),
        "zarr_format": 3,
        "consolidated_metadata": consolidated,
        "node_type": "group",
    }


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, indent=2).encode()
