"""The arrays that shards keep beside what becomes part of the store's arrays (.npz objects), read back and checked."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dsfu.pipeline.kinds import RECORD
from dsfu.pipeline.making import Arrays
from dsfu.pipeline.store.files import Files
from dsfu.pipeline.store.parallel import for_each
from dsfu.pipeline.store.placement import home_of


class DamagedRecord(ValueError):
    """An object of a complete shard does not hold what it should; the shard has to be made again."""

    def __init__(self, key: str, name: str, why: str) -> None:
        super().__init__(key, name, why)
        self.key, self.name, self.why = key, name, why

    def __str__(self) -> str:
        return f"{home_of(self.key, self.name)}: {self.why}; the shard has to be made again"


def archive(arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """An .npz of arrays, uncompressed, and the same bytes whenever the arrays are the same."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def read_records(files: Files, keys: Sequence[str], record: str = RECORD) -> list[Arrays]:
    """All columns that some shards have recorded."""
    return for_each(files, lambda key: read_record(files, key, record), keys)


def read_record(files: Files, key: str, record: str = RECORD, names: Sequence[str] = ()) -> Arrays:
    """Columns that a shard has recorded: these, or all."""
    try:
        with np.load(io.BytesIO(files.read(home_of(key, record))), allow_pickle=False) as found:
            return {name: found[name] for name in names or found.files}
    except FileNotFoundError:
        raise DamagedRecord(key, record, "it is missing") from None
    except KeyError as error:
        raise DamagedRecord(key, record, f"it has no array {error.args[0]}") from error
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise DamagedRecord(key, record, f"it cannot be read ({error})") from error


def check_length(key: str, record: str, arrays: Arrays, column: str) -> int:
    """How many rows a column has."""
    if column not in arrays or arrays[column].ndim == 0:
        raise DamagedRecord(key, record, f"it has no array {column}")
    return len(arrays[column])


def check_shape(key: str, record: str, arrays: Arrays, column: str, shape: tuple[int | None, ...]) -> None:
    """See that a column has a shape; None is any length."""
    if column not in arrays:
        raise DamagedRecord(key, record, f"it has no array {column}")
    found = arrays[column].shape
    if len(found) != len(shape) or any(want not in (None, got) for want, got in zip(shape, found, strict=True)):
        raise DamagedRecord(key, record, f"{column} has shape {found}, expected {shape}")
