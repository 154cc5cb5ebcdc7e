"""Which files in the folder of a store are ours, by their names: only these are ever removed, or written over.

Whatever else lies there belongs to somebody, and is left alone; ``verify`` and ``gc`` tell of it. A folder that holds
something but no store of ours is refused before anything is written.
"""

import json
import re
from collections.abc import Collection
from functools import cache
from typing import Final

from dsfu.errors import InputError
from dsfu.files import STORE_METADATA
from dsfu.pipeline.kinds import every_array_of_splits, every_group, every_object
from dsfu.pipeline.specs import KEY_DIGITS
from dsfu.pipeline.store import ledger as ledgers
from dsfu.pipeline.store import locks
from dsfu.pipeline.store.files import TEMPORARY_PREFIX, Files
from dsfu.pipeline.store.ledger import key_of_entry, key_of_object
from dsfu.pipeline.store.manifest_copy import KEPT
from dsfu.pipeline.store.placement import is_place
from dsfu.simulate.fields import SETTINGS_FILE

FORMAT: Final = "dsfu store"
"""What the root group of a closed store says that it is."""


ARRAYS: Final = f"{ledgers.FOLDER}/arrays.json"
"""While closing changes a store: the arrays that it had and will have. They are ours, whoever ends what was begun."""

_KEY: Final = f"[0-9a-f]{{{KEY_DIGITS}}}"
_CASE: Final = re.compile(f"({ledgers.FAILED}|{ledgers.DAMAGED})/{_KEY}\\.json")
_ARRAY_FILE: Final = re.compile(rf"(?P<array>\w+/\w+)/({re.escape(STORE_METADATA)}|c(/(0|[1-9]\d*))+)", re.ASCII)
_FOLDER: Final = re.compile(rf"objects/[0-9a-f]{{2}}(/{_KEY})?|{ledgers.FOLDER}/[0-9a-f]{{2}}")
_TEMPORARY: Final = re.compile(re.escape(TEMPORARY_PREFIX) + "[0-9a-f]{16}")


@cache
def _folder_with_files() -> re.Pattern[str]:
    """Folders in which we write files."""
    return re.compile(
        rf"|objects/[0-9a-f]{{2}}/{_KEY}|{ledgers.FOLDER}(/[0-9a-f]{{2}}|/failed|/damaged)?|{locks.FOLDER}"
        rf"|({'|'.join(every_group())})(/\w+(/c(/\d+)*)?)?",
        re.ASCII,
    )


def is_own_object(path: str) -> bool:
    """Whether a file at somebody's home has the name of an object that we make."""
    return key_of_object(path) is not None and path.rpartition("/")[2] in every_object()


def is_own_case(path: str) -> bool:
    """Whether a file is the record of a failure or of damage."""
    return _CASE.fullmatch(path) is not None


def is_own_array_file(path: str, arrays: Collection[str]) -> bool:
    """Whether a file is a chunk or the metadata of one of these arrays (``train/cell``).

    Somebody else's array beside ours, such as predictions written into the group, is not.
    """
    match = _ARRAY_FILE.fullmatch(path)
    return match is not None and match["array"] in arrays


def could_be_of_group(path: str) -> bool:
    """Whether closing could have written a file, by its name, whatever the arrays are called: also the root group's."""
    group, _, rest = path.rpartition("/")
    return (
        path in (STORE_METADATA, SETTINGS_FILE)
        or (group in every_group() and rest == STORE_METADATA)
        or (path.partition("/")[0] in every_group() and _ARRAY_FILE.fullmatch(path) is not None)
    )


def array_of(path: str) -> str:
    """The array that a file of a group belongs to: ``train/cell`` of ``train/cell/c/0``."""
    return "/".join(path.split("/")[:2])


def is_own_folder(path: str) -> bool:
    """Whether a folder is one that we make, and may remove when it is empty."""
    return _FOLDER.fullmatch(path) is not None


def is_own_temporary(path: str) -> bool:
    """Whether a file is what a writer of ours was writing."""
    folder, _, name = path.rpartition("/")
    return _TEMPORARY.fullmatch(name) is not None and _folder_with_files().fullmatch(folder) is not None


def is_own(path: str, arrays: Collection[str] = ()) -> bool:
    """Whether a file below the top level has a name that we give: all that may be removed, if nothing needs it."""
    return (
        is_own_object(path)
        or is_own_case(path)
        or is_place(path)
        or is_own_array_file(path, every_array_of_splits().union(arrays))
        or is_own_temporary(path)
        or key_of_entry(path) is not None
        or path in (KEPT, ARRAYS)
        or locks.is_lock(path)
        or locks.is_probe(path)
    )


def refuse_foreign(files: Files) -> None:
    """Refuse a folder that holds something but no store, before anything is written into it.

    It is a store if it has a manifest that we keep, an entry of a ledger, or a root group that says so: one of them is
    enough, as the others may be what is lost. Locks alone are what a run leaves that is killed as it starts.
    """
    files.check_reachable()
    if _is_store(files):
        return
    stranger = next((path for path in files.list() if not (locks.is_lock(path) or locks.is_probe(path))), None)
    # Another part may have begun the store since we looked: what it wrote is what we have just listed.
    if stranger is not None and not _is_store(files):
        raise InputError(
            f"it is not empty, and what it holds is no data set of ours (it has {stranger}, for one)",
            where=files.url,
            expected="a folder that is new or empty, or a store that `dsfu-pipeline run` has made",
            remedy=f"give the data set a folder of its own, such as {files.url}/NAME",
        )


def _is_store(files: Files) -> bool:
    return _has_ledger(files) or _is_closed_by_us(files)


def _has_ledger(files: Files) -> bool:
    try:
        if files.read(KEPT).startswith(b'{"checksum":'):
            return True
    except FileNotFoundError:
        pass
    return any(key_of_entry(path) for path in files.list(ledgers.FOLDER))


def _is_closed_by_us(files: Files) -> bool:
    try:
        return bool(json.loads(files.read(STORE_METADATA))["attributes"]["format"] == FORMAT)
    except (FileNotFoundError, ValueError, KeyError, TypeError, RecursionError):
        return False
