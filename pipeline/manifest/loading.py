"""Reading a manifest: from a file to a checked `Manifest`, or to an error that says all that is wrong with it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from dsfu.errors import InputError
from dsfu.pipeline.kinds import Catalogued, catalogued
from dsfu.pipeline.manifest.loaded import LoadedManifest
from dsfu.pipeline.manifest.model import Manifest
from dsfu.settings.checking import wrong_values
from dsfu.yaml.document import Document, KeyPath
from dsfu.yaml.reader import MOST_BYTES, read_yaml

_STARTER: Final = "write a manifest to start from with `dsfu-pipeline init`"


def load_manifest(path: str | Path) -> LoadedManifest[Any]:
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


def parse_manifest(data: bytes | str, source: str = "manifest", *, folder: Path | None = None) -> LoadedManifest[Any]:
    """Check the text of a manifest. All that is wrong is reported together, in the order of lines.

    Files that it names are looked for in ``folder``, if there is one.
    """
    encoded = data.encode(errors="surrogatepass") if isinstance(data, str) else data
    document = read_yaml(encoded, source, starter=_STARTER)
    problem = _problem_of_document(document)
    model: type[Manifest] = problem.manifest
    problems = dict(_problems_of_files(problem, document, folder)) if folder is not None else {}
    further = 0
    try:
        manifest = model.model_validate(document.value)
    except ValidationError as error:
        told, further = wrong_values(error, model, lambda path: document)
        problems = {**told, **problems}
    found = [*document.problems, *problems.values()]
    if found:
        in_order = sorted(found, key=lambda each: each.position)
        raise InputError.together(in_order, where=source, further=further)
    return LoadedManifest(manifest=manifest, document=document, folder=folder or Path.cwd())


def _problem_of_document(document: Document) -> Catalogued:
    """What the manifest is of. Where that cannot be said, nothing else can be checked either."""
    value = document.value.get("problem")
    if not isinstance(value, str):
        return catalogued(None)  # if something else stands there, its model will say so
    try:
        return catalogued(value)
    except InputError as error:
        unknown = document.wrong_value(("problem",), value, expected=error.expected, remedy=error.remedy)
        raise InputError.together([*document.problems, unknown], where=document.source) from None


def _problems_of_files(problem: Catalogued, document: Document, folder: Path) -> Iterator[tuple[KeyPath, InputError]]:
    """Files that are not there. Looks at raw values, so as to be told together with all else."""
    for path, name in problem.files(document.value):
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
