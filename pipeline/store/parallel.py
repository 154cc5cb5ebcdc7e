"""Do the same to many files: one after the other on a local disk, many at once where each is mostly waiting."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from dsfu.pipeline.store.files import Files

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_REMOTE_THREADS: Final = 16
"""A request to object storage takes some tens of milliseconds, nearly all of it waiting."""


def for_each(files: Files, action: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
    """Results of an action on the files of a store, in the order of the items; the first error is raised."""
    if files.is_local:
        return [action(item) for item in items]
    with ThreadPoolExecutor(_REMOTE_THREADS) as pool:
        return list(pool.map(action, items))
