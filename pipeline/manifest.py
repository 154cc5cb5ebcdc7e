"""Reading a manifest: from a file to a checked `Manifest`, or to an error that says all that is wrong with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from dsfu.pipeline.errors import InputError
from dsfu.pipeline.manifest_messages import problem_of
from dsfu.pipeline.manifest_model import Manifest
from dsfu.pipeline.yaml_document import Document, KeyPath
from dsfu.pipeline.yaml_reader import MOST_BYTES, read_yaml

DEFAULT_PATH: Final = "data_manifest.yaml"


@dataclass(frozen=True, kw_only=True)
class LoadedManifest:
    """A manifest with the text it was read from and the folder that the paths of its species start from."""

    manifest: Manifest
    document: Document
    folder: Path

    @property
    def text(self) -> str:
        return self.document.text

    @property
    def source(self) -> str:
        return self.document.source

    def where(self, *path: str | int) -> str:
        """File and line of a key, for errors found after reading."""
        return self.document.where(path)

    def problem(self, *path: str | int, what: str, expected: str = "", remedy: str = "") -> InputError:
        """An error found after reading, about what stands at a path."""
        return self.document.problem(path, what, expected=expected, remedy=remedy)


def load_manifest(path: str | Path) -> LoadedManifest:
    """Read and check a manifest file, and whether the files that it names are there."""
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"cannot be read: {reason}",
            where=str(path),
            expected="a manifest file",
            remedy="name one that exists, or write one to start from with `dsfu-pipeline init`",
        ) from None
    return parse_manifest(data, str(path), folder=path.resolve().parent)


def parse_manifest(data: bytes | str, source: str = "manifest", *, folder: Path | None = None) -> LoadedManifest:
    """Check the text of a manifest. All that is wrong is reported together, in the order of lines.

    Files of the user's own species are looked for in ``folder``, if there is one.
    """
    document = read_yaml(data.encode(errors="surrogatepass") if isinstance(data, str) else data, source)
    problems = dict(_problems_of_files(document, folder)) if folder is not None else {}
    try:
        manifest = Manifest.model_validate(document.value)
    except ValidationError as error:
        for path, problem in _problems_of_values(error, document):
            problems.setdefault(path, problem)
    every = [*document.problems, *problems.values()]
    if every:
        in_order = sorted(every, key=lambda problem: problem.position)
        raise InputError.together(in_order, where=source)
    return LoadedManifest(manifest=manifest, document=document, folder=folder or Path.cwd())


def _problems_of_values(error: ValidationError, document: Document) -> Iterator[tuple[KeyPath, InputError]]:
    """What the model has against values, but for those about which something has been said already."""
    every = [(tuple(details["loc"]), details) for details in error.errors(include_url=False)]
    # A list that is too short because its items are of no use is not a mistake of its own.
    blamed_on_items = {path[:length] for path, _ in every for length in range(len(path))}
    for path, details in every:
        if any(path[:length] in document.unusable for length in range(1, len(path) + 1)):
            continue
        if details["type"] != "too_short" or path not in blamed_on_items:
            yield path, problem_of(details, document)


def _problems_of_files(document: Document, folder: Path) -> Iterator[tuple[KeyPath, InputError]]:
    """Files of own species that are not there. Looks at raw values, so as to be told together with all else."""
    for path, name in _files_of(document.value):
        try:
            found = (folder / name).is_file()
        except (OSError, ValueError):
            found = False
        if not found and name.isprintable():
            yield (
                path,
                document.wrong_value(
                    path,
                    name,
                    expected="a file that exists",
                    remedy=f"paths start at the manifest's own folder, {folder}",
                ),
            )


def _files_of(value: dict[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    species = value.get("species")
    own = species.get("own") if isinstance(species, dict) else None
    for number, each in enumerate(own if isinstance(own, tuple) else ()):
        if isinstance(each, dict) and isinstance(each.get("file"), str):
            yield ("species", "own", number, "file"), each["file"]
