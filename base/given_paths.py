"""Paths as people type them: ``~`` that no shell has replaced, and an output that is the file to be read."""

import os
from collections.abc import Iterable, Mapping, MutableMapping
from pathlib import Path
from typing import Any, Final

from dsfu.errors import InputError

_HOME: Final = ("~/", "~\\")


def with_home(value: Any) -> Any:
    """A path with the home folder in place of a leading ``~``: shells leave it alone in quotes and after ``--store=``.

    Without this, ``--store=~/x`` would make a folder whose name is ``~``.
    """
    if isinstance(value, list | tuple):
        return type(value)(with_home(each) for each in value)
    if isinstance(value, str | Path) and (str(value) == "~" or str(value).startswith(_HOME)):
        return type(value)(os.path.expanduser(value))  # noqa: PTH111 -- text stays text
    return value


def replace_homes(given: MutableMapping[str, Any]) -> None:
    """Do so for all that a verb was given."""
    given.update({name: with_home(value) for name, value in given.items()})


def refuse_what_is_read(read: Mapping[str, Any], written: Mapping[str, Any]) -> None:
    """Refuse to write where a file lies that is to be read, even if overwriting is wished for."""
    inputs = [Path(each) for each in _flat(read.values()) if _is_file(each)]
    for option, value in written.items():
        for path in _flat([value]):
            if _is_file(path) and any(os.path.samefile(path, each) for each in inputs):  # noqa: PTH121
                raise InputError(
                    "is the file that is to be read", where=f"{option} {path}", remedy="write to another name"
                )


def _flat(values: Iterable[Any]) -> list[Any]:
    return [one for each in values for one in (each if isinstance(each, list | tuple) else [each])]


def _is_file(value: Any) -> bool:
    return isinstance(value, str | Path) and os.path.isfile(value)  # noqa: PTH113 -- names that are too long are none
