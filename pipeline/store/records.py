"""The arrays that shards keep beside what becomes part of the store's arrays (.npz objects), read back and checked."""

import io
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from dsfu.pipeline.kinds import RECORD
from dsfu.pipeline.making import Arrays
from dsfu.pipeline.store.archives import DamagedArchive, read_archive
from dsfu.pipeline.store.files import Files, crc32c
from dsfu.pipeline.store.ledger import DamagedEntry, Ledger
from dsfu.pipeline.store.parallel import for_each
from dsfu.pipeline.store.placement import home_of


class DamagedRecord(ValueError):
    """An object of a complete shard does not hold what it should; the shard has to be made again."""

    def __init__(self, key: str, name: str, why: str) -> None:
        super().__init__(key, name, why)
        self.key, self.name, self.why = key, name, why
        self.others: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """Of this shard, and of others that were found with it."""
        return (self.key, *self.others)

    def __str__(self) -> str:
        return f"{home_of(self.key, self.name)}: {self.why}; the shard has to be made again"


def archive(arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """An .npz of arrays, uncompressed, and the same bytes whenever the arrays are the same."""
    buffer = io.BytesIO()
    np.savez(buffer, **cast("dict[str, Any]", arrays))  # pickles nothing: no array is of objects
    return buffer.getvalue()


def read_records(files: Files, keys: Sequence[str], record: str = RECORD) -> list[Arrays]:
    """All columns that some shards have recorded.

    Of all that are damaged one is raised, and knows the others: they can be made again at once.
    """
    damaged: list[DamagedRecord] = []

    def read(key: str) -> Arrays:
        try:
            return read_record(files, key, record)
        except DamagedRecord as error:
            damaged.append(error)
            return {}

    found = for_each(files, read, keys)
    if damaged:
        first, *others = sorted(damaged, key=lambda each: each.key)
        first.others = tuple(each.key for each in others)
        raise first
    return found


def read_record(files: Files, key: str, record: str = RECORD, names: Sequence[str] = ()) -> Arrays:
    """Columns that a shard has recorded: these, or all. That they are what was written is seen to before they are."""
    try:
        stored = Ledger(files).read(key).objects[record]
        data = files.read(home_of(key, record), at_most=stored.bytes + 1)
    except (FileNotFoundError, KeyError):
        raise DamagedRecord(key, record, "it, or its entry in the ledger, is missing") from None
    except DamagedEntry as error:
        raise DamagedRecord(key, record, str(error)) from None
    if len(data) != stored.bytes or crc32c(data) != stored.crc32c:
        raise DamagedRecord(key, record, "it is not what was written")
    try:
        found = read_archive(data)
        return {name: found[name] for name in names or found}
    except KeyError as error:
        raise DamagedRecord(key, record, f"it has no array {error.args[0]}") from error
    except DamagedArchive as error:
        raise DamagedRecord(key, record, str(error)) from error


def check_length(key: str, record: str, arrays: Arrays, column: str) -> int:
    """How many rows a column has."""
    if column not in arrays or arrays[column].ndim == 0:
        raise DamagedRecord(key, record, f"it has no array {column}")
    return len(arrays[column])


def check_shape(
    key: str, record: str, arrays: Arrays, column: str, shape: tuple[int | None, ...], kinds: str = "biuf"
) -> None:
    """See that a column has a shape, where None is any length, and holds numbers, or what else ``kinds`` says."""
    if column not in arrays:
        raise DamagedRecord(key, record, f"it has no array {column}")
    if arrays[column].dtype.kind not in kinds:
        raise DamagedRecord(key, record, f"{column} holds {arrays[column].dtype}")
    found = arrays[column].shape
    if len(found) != len(shape) or any(want not in (None, got) for want, got in zip(shape, found, strict=True)):
        raise DamagedRecord(key, record, f"{column} has shape {found}, expected {shape}")
