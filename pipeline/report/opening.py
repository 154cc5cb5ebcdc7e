"""Opening a closed store to look at it: whether there is one, of which problem, and whether it can be read."""

import json
from typing import Any

from dsfu.errors import InputError
from dsfu.files import STORE_METADATA
from dsfu.pipeline.problem import Problem, problem_called
from dsfu.pipeline.store.files import Files
from dsfu.pipeline.store.intact import IntactFiles, damaged_store
from dsfu.pipeline.store.state import FORMAT_VERSION, STATE, DamagedState, State, read_state


def problem_of_store(files: Files) -> Problem[Any]:
    """The problem that a closed store is of; that of manifests without a name for stores older than names."""
    name = root_attributes(files).get("problem")
    return problem_called(None if name is None else str(name))


def root_attributes(files: Files) -> dict[str, Any]:
    """What a closed store says of itself. InputError if it is damaged, or of another format than ours."""
    IntactFiles(files, state_of(files)).check_documents()
    attributes = dict(json.loads(files.read(STORE_METADATA))["attributes"])
    found = attributes.get("format_version")
    if found != FORMAT_VERSION:
        raise InputError(
            f"the store has format {found}",
            where=files.url,
            expected=f"format {FORMAT_VERSION}",
            remedy="read it with the version of dsfu that made it, or make it again with this one",
        )
    return attributes


def state_of(files: Files) -> State:
    """What a store was closed with. InputError if there is no store, one that is not closed, or a damaged one."""
    try:
        return read_state(files)
    except DamagedState as error:
        raise damaged_store(files, f"{STATE}: {error}") from None
    except FileNotFoundError:
        pass
    if next(iter(files.list("ledger")), None) is None:
        raise InputError(
            "there is no store",
            where=files.url,
            expected="a folder or URL that `dsfu-pipeline run` made",
            remedy="look for a typing error, or make one with `dsfu-pipeline run MANIFEST --store STORE`",
        )
    raise InputError(
        "the store is not closed: a run was interrupted, or is still at work",
        where=files.url,
        expected="a store of which a run has come to its end",
        remedy="wait for the run, or start it again; it goes on where it stopped and closes the store",
    )
