"""What readers of a closed store ask before they read: whether a file is still what was written.

A chunk that is missing reads as zeros, and a flipped bit as another number; neither is an error to Zarr.
"""

from functools import cached_property

from dsfu.errors import InputError
from dsfu.files import STORE_METADATA
from dsfu.pipeline.specs import StoredObject
from dsfu.pipeline.store.files import Files
from dsfu.pipeline.store.ledger import DamagedEntry, Ledger
from dsfu.pipeline.store.placement import DamagedPlacement, Placement, read_placement
from dsfu.pipeline.store.state import State


def damaged_store(files: Files, what: str) -> InputError:
    """The refusal to tell anything of a store that is damaged."""
    return InputError(
        f"the store is damaged: {what}",
        where=files.url,
        remedy=f"`dsfu-pipeline verify {files.url} --mark` finds all of it, and `dsfu-pipeline run` then mends it",
    )


class IntactFiles:
    """Compares files of a closed store with what closing and the ledger recorded; raises InputError if they differ."""

    def __init__(self, files: Files, state: State) -> None:
        self._files, self._state, self._ledger = files, state, Ledger(files)

    def check_documents(self) -> None:
        """All that says what arrays there are."""
        for path, stored in self._state.files.items():
            if path.endswith(STORE_METADATA):
                self._check(path, stored)

    def check_array(self, array: str) -> None:
        """All chunks of an array that closing wrote."""
        for path, stored in self._state.files.items():
            if path.startswith(f"{array}/"):
                self._check(path, stored)

    def check_place(self, array: str, index: int) -> None:
        """One Zarr shard of an array whose shards were made one by one."""
        place, keys = self._placement.place(array, index), self._placement.arrays.get(array, ())
        try:
            stored = self._ledger.read(keys[index]).objects[array.rpartition("/")[2]]
        except (IndexError, KeyError, FileNotFoundError, DamagedEntry):
            raise damaged_store(self._files, f"nothing says what {place} should be") from None
        self._check(place, stored)

    def _check(self, path: str, stored: StoredObject) -> None:
        fault = self._ledger.fault_of_object(path, stored)
        if fault:
            raise damaged_store(self._files, f"{path} {fault}")

    @cached_property
    def _placement(self) -> Placement:
        try:
            return read_placement(self._files)
        except DamagedPlacement as error:
            raise damaged_store(self._files, str(error)) from None
