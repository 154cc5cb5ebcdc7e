"""What shards of disorder keep beside their planes, read back and checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from dsfu.pipeline.kinds import RECORD
from dsfu.pipeline.making import Arrays
from dsfu.pipeline.store.files import Files
from dsfu.pipeline.store.records import DamagedRecord, check_length, check_shape, read_records
from dsfu.simulate.disorder.fields import ALPHA_SHAPE, SAMPLE_FIELDS

SETS: Final = "sets.npz"
MASKS: Final = "masks.npz"

FROM_PAIR: Final = 1
"""Value of ``set_source`` where Warren–Cowley parameters are of the plane's own pair; 0 where of the bank for all."""

_OWN: Final = "own_"


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
    return [_pair_record(key, arrays, planes) for key, arrays in zip(keys, read_records(files, keys), strict=True)]


def read_sets(files: Files, keys: Sequence[str]) -> list[Arrays]:
    """Columns of shards of the bank, first axis sets."""
    found = read_records(files, keys, SETS)
    for key, arrays in zip(keys, found, strict=True):
        _check_sets(key, SETS, arrays)
    return found


def read_masks(files: Files, keys: Sequence[str], pixels: int) -> list[Arrays]:
    """Bits, live fraction and description of masks, first axis masks."""
    found = read_records(files, keys, MASKS)
    for key, arrays in zip(keys, found, strict=True):
        count = check_length(key, MASKS, arrays, "bits")
        check_shape(key, MASKS, arrays, "bits", (count, pixels, -(-pixels // 8)))
        check_shape(key, MASKS, arrays, "live_fraction", (count,))
        check_shape(key, MASKS, arrays, "description", (count,), kinds="SU")
    return found


def _pair_record(key: str, arrays: Arrays, planes: int) -> PairRecord:
    for field in SAMPLE_FIELDS:
        check_shape(key, RECORD, arrays, field.name, (planes, *field.shape))
    for name in ("set_source", "set_index"):
        check_shape(key, RECORD, arrays, name, (planes,))
    check_shape(key, RECORD, arrays, "embedding", (planes, None))
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


def _check_sets(key: str, name: str, arrays: Arrays) -> None:
    count = check_length(key, name, arrays, "alpha")
    check_shape(key, name, arrays, "alpha", (count, *ALPHA_SHAPE))
    for column, values in arrays.items():
        if values.ndim == 0 or len(values) != count:
            raise DamagedRecord(key, name, f"{column} has shape {values.shape}, expected {count} rows")
