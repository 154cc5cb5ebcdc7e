"""The arrays that shards keep beside their planes (.npz objects), read back and checked."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from dsfu.pipeline.store.files import Files
from dsfu.pipeline.store.parallel import for_each
from dsfu.pipeline.store.placement import home_of
from dsfu.simulate.disorder.fields import ALPHA_SHAPE, SAMPLE_FIELDS

Arrays = dict[str, npt.NDArray[Any]]

RECORD: Final = "record.npz"
SETS: Final = "sets.npz"
MASKS: Final = "masks.npz"

FROM_BANK: Final = 0
FROM_PAIR: Final = 1
"""Values of ``set_source``: where a plane's set of Warren–Cowley parameters is from."""

_OWN: Final = "own_"


class DamagedRecord(ValueError):
    """An object of a complete shard does not hold what it should; the shard has to be made again."""

    def __init__(self, key: str, name: str, why: str) -> None:
        super().__init__(key, name, why)
        self.key, self.name, self.why = key, name, why

    def __str__(self) -> str:
        return f"{home_of(self.key, self.name)}: {self.why}; the shard has to be made again"


@dataclass(frozen=True, kw_only=True, eq=False)
class PairRecord:
    """What a planes shard records of its planes.

    Attributes
    ----------
    fields
        One array for each of ``SAMPLE_FIELDS``, first axis planes.
    embedding
        (planes, components).
    set_source, set_index
        (planes,): the set of each plane, in the bank or among the pair's own.
    own_sets
        Columns of the pair's own sets, first axis sets; ``alpha`` is one of them.
    """

    fields: Mapping[str, npt.NDArray[Any]]
    embedding: npt.NDArray[Any]
    set_source: npt.NDArray[np.int8]
    set_index: npt.NDArray[np.int32]
    own_sets: Mapping[str, npt.NDArray[Any]]


def read_pair_records(files: Files, keys: Sequence[str], planes: int) -> list[PairRecord]:
    """Records of planes shards, each of which must have ``planes`` planes."""
    return [_pair_record(key, arrays, planes) for key, arrays in zip(keys, _read_all(files, keys, RECORD), strict=True)]


def read_sets(files: Files, keys: Sequence[str]) -> list[Arrays]:
    """Columns of shards of the bank, first axis sets."""
    found = _read_all(files, keys, SETS)
    for key, arrays in zip(keys, found, strict=True):
        _check_sets(key, SETS, arrays)
    return found


def read_masks(files: Files, keys: Sequence[str], pixels: int) -> list[Arrays]:
    """Bits, live fraction and description of masks, first axis masks."""
    found = _read_all(files, keys, MASKS)
    for key, arrays in zip(keys, found, strict=True):
        count = _length(key, MASKS, arrays, "bits")
        _check(key, MASKS, arrays, "bits", (count, pixels, -(-pixels // 8)))
        _check(key, MASKS, arrays, "live_fraction", (count,))
        _check(key, MASKS, arrays, "description", (count,))
    return found


def _read_all(files: Files, keys: Sequence[str], name: str) -> list[Arrays]:
    return for_each(files, lambda key: _read(files, key, name), keys)


def _read(files: Files, key: str, name: str) -> Arrays:
    try:
        with np.load(io.BytesIO(files.read(home_of(key, name))), allow_pickle=False) as archive:
            return dict(archive.items())
    except FileNotFoundError:
        raise DamagedRecord(key, name, "it is missing") from None
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise DamagedRecord(key, name, f"it cannot be read ({error})") from error


def _pair_record(key: str, arrays: Arrays, planes: int) -> PairRecord:
    for field in SAMPLE_FIELDS:
        _check(key, RECORD, arrays, field.name, (planes, *_INNER_SHAPES.get(field.dims[1:], ())))
    for name in ("set_source", "set_index"):
        _check(key, RECORD, arrays, name, (planes,))
    _check(key, RECORD, arrays, "embedding", (planes, None))
    own_sets = {name.removeprefix(_OWN): values for name, values in arrays.items() if name.startswith(_OWN)}
    if own_sets:
        _check_sets(key, RECORD, own_sets)
    return PairRecord(
        fields={field.name: arrays[field.name] for field in SAMPLE_FIELDS},
        embedding=arrays["embedding"],
        set_source=arrays["set_source"],
        set_index=arrays["set_index"],
        own_sets=own_sets,
    )


_INNER_SHAPES: Final[Mapping[tuple[str, ...], tuple[int, ...]]] = {("cell_constant",): (6,), ("xyz",): (3,)}


def _check_sets(key: str, name: str, arrays: Arrays) -> None:
    count = _length(key, name, arrays, "alpha")
    _check(key, name, arrays, "alpha", (count, *ALPHA_SHAPE))
    for column, values in arrays.items():
        if values.ndim == 0 or len(values) != count:
            raise DamagedRecord(key, name, f"{column} has shape {values.shape}, expected {count} rows")


def _length(key: str, name: str, arrays: Arrays, column: str) -> int:
    if column not in arrays or arrays[column].ndim == 0:
        raise DamagedRecord(key, name, f"it has no array {column}")
    return len(arrays[column])


def _check(key: str, name: str, arrays: Arrays, column: str, shape: tuple[int | None, ...]) -> None:
    if column not in arrays:
        raise DamagedRecord(key, name, f"it has no array {column}")
    found = arrays[column].shape
    if len(found) != len(shape) or any(want not in (None, got) for want, got in zip(shape, found, strict=True)):
        raise DamagedRecord(key, name, f"{column} has shape {found}, expected {shape}")
