"""The manifest that a store was last run with, kept in the store for the commands that are given a store only."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from dsfu.errors import InputError
from dsfu.pipeline.manifest.loaded import LoadedManifest
from dsfu.pipeline.manifest.loading import parse_manifest
from dsfu.pipeline.store.files import Files
from dsfu.pipeline.store.sealed import Damaged, read_sealed, seal

KEPT: Final = "ledger/manifest.json"


def keep_manifest(files: Files, loaded: LoadedManifest[Any]) -> None:
    """Keep a manifest, and where the files that it names are.

    Raises
    ------
    InputError
        If the store holds a data set of another problem.
    """
    _refuse_another_problem(files, loaded)
    data = seal({"text": loaded.text, "source": str(loaded.source), "folder": str(loaded.folder)})
    try:
        if files.read(KEPT) == data:
            return
    except FileNotFoundError:
        pass
    files.write(KEPT, data)


def _refuse_another_problem(files: Files, loaded: LoadedManifest[Any]) -> None:
    try:
        there = kept_manifest(files).manifest.problem
    except InputError:
        return  # there is nothing yet, or nothing that can be read, and what is kept now puts that right
    if there != loaded.manifest.problem:
        raise InputError(
            f"the store is one of {there}, and the manifest one of {loaded.manifest.problem}",
            where=files.url,
            expected=f"a manifest of {there}, or another store",
            remedy="give each data set a folder of its own: --store",
        )


def kept_manifest(files: Files) -> LoadedManifest[Any]:
    """The manifest that a store was last run with."""
    try:
        kept = read_sealed(files, KEPT)
        text, source, folder = (str(kept[name]) for name in ("text", "source", "folder"))
    except FileNotFoundError:
        raise InputError(
            "there is no store here, or nothing was ever run on it",
            where=files.url,
            expected="a store that `dsfu-pipeline run` has made",
            remedy="name one; `dsfu-pipeline run MANIFEST --store STORE` makes one",
        ) from None
    except (Damaged, KeyError) as error:
        raise InputError(
            f"its copy of the manifest is damaged ({error})",
            where=files.url,
            remedy="`dsfu-pipeline run MANIFEST --store STORE` puts it right",
        ) from None
    loaded = parse_manifest(text, f"manifest of {files.url} (from {source})")
    return replace(loaded, folder=Path(folder))
