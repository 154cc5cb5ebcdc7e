"""What the verbs have in common: their arguments, and how they are answered."""

import json
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from dsfu.errors import InputError
from dsfu.outputs import JsonOption as JsonOption
from dsfu.outputs import say as say

if TYPE_CHECKING:
    from dsfu.pipeline.manifest.loaded import LoadedManifest
    from dsfu.pipeline.store.files import Files
    from dsfu.pipeline.wanted import Wanted

DEFAULT_MANIFEST: Final = "data_manifest.yaml"

ManifestArgument = Annotated[str, typer.Argument(metavar="MANIFEST", help="The file that declares the data set.")]
StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="STORE",
        help="Folder or URL (s3://…) of the data set. [default: the one that the manifest names]",
        show_default=False,
    ),
]


def answer_json(values: Any) -> None:
    typer.echo(json.dumps(values, indent=2))


def load(manifest: str) -> "LoadedManifest[Any]":
    from dsfu.pipeline.manifest.loading import load_manifest

    return load_manifest(manifest)


def want(manifest: str) -> "Wanted":
    """All that a manifest wants, after making sure that it can be had."""
    from dsfu.pipeline.wanted import what_is_wanted

    wanted = what_is_wanted(load(manifest))
    wanted.problem.check(wanted.loaded)
    return wanted


def store_of(wanted: "Wanted", store: str | None) -> "Files":
    """The store that is named, or else that of the manifest, relative to the current folder."""
    from dsfu.pipeline.store.files import open_files
    from dsfu.pipeline.store.own_names import refuse_foreign

    name = wanted.loaded.manifest.store if store is None else store
    _refuse_memory(name)
    files = open_files(name)
    refuse_foreign(files)
    return files


def existing_store(store: str) -> "tuple[Files, Wanted]":
    """A store, and what the manifest that it was last run with wants."""
    from dsfu.pipeline.store.files import open_files
    from dsfu.pipeline.store.manifest_copy import kept_manifest
    from dsfu.pipeline.wanted import what_is_wanted

    files = open_files(store)
    files.check_reachable()
    return files, what_is_wanted(kept_manifest(files))


def _refuse_memory(store: str) -> None:
    if store.startswith("memory:"):
        raise InputError(
            "it is the memory of this process, and gone when it ends", where=store, expected="a folder, or a URL"
        )
