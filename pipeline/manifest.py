"""Reading a manifest: from a file to a checked `Manifest`, or to an error that says all that is wrong with it."""

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dsfu.pipeline.errors import InputError
from dsfu.pipeline.manifest_model import Manifest
from dsfu.pipeline.yaml_reader import KeyPath, Located, path_text, read_yaml

DEFAULT_PATH: Final = "data_manifest.yaml"

_PLAIN: Final = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "tuple_type": "a list",
    "model_type": "a section with keys",
    "model_attributes_type": "a section with keys",
    "finite_number": "a finite number",
}


@dataclass(frozen=True, kw_only=True)
class LoadedManifest:
    """A manifest with the text it was read from and the folder that its relative paths start from."""

    manifest: Manifest
    text: str
    source: str
    folder: Path
    located: Located

    def where(self, *path: str | int) -> str:
        """File and line of a key, for errors found after reading."""
        return f"{self.source}, line {self.located.line_of(path)[0]}"


def load_manifest(path: str | Path) -> LoadedManifest:
    """Read and check a manifest file."""
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            f"cannot be read: {reason}",
            where=str(path),
            expected="a manifest file",
            remedy="name one that exists, or write one with `dsfu-pipeline init`",
        ) from None
    return replace(parse_manifest(data, str(path)), folder=path.resolve().parent)


def parse_manifest(data: bytes | str, source: str = "manifest") -> LoadedManifest:
    """Check the text of a manifest. All that is wrong is reported together, in the order of lines."""
    raw = data.encode() if isinstance(data, str) else data
    located = read_yaml(raw, source)
    try:
        manifest = Manifest.model_validate_json(json.dumps(located.value))
    except ValidationError as error:
        raise _all_problems(error, located, source) from None
    return LoadedManifest(
        manifest=manifest, text=raw.decode("utf-8-sig"), source=source, folder=Path.cwd(), located=located
    )


def _all_problems(error: ValidationError, located: Located, source: str) -> InputError:
    problems = sorted({_problem(details, located) for details in error.errors(include_url=False)})
    lines = [f"{source}, line {line}: {text}" for line, text in problems]
    if len(lines) == 1:
        (line, text), *_ = problems
        return InputError(text, where=f"{source}, line {line}")
    return InputError("\n  ".join([f"{len(lines)} things are wrong", *lines]), where=source)


def _problem(details: ErrorDetails, located: Located) -> tuple[int, str]:
    path: KeyPath = tuple(details["loc"])
    line = located.line_of(path)[0]
    key, kind = path_text(path), details["type"]
    if kind == "extra_forbidden":
        allowed = sorted(_fields_at(path[:-1]))
        near = difflib.get_close_matches(str(path[-1]), allowed, 1, 0.6)
        hint = f"did you mean {near[0]}?" if near else f"allowed here: {', '.join(allowed)}"
        return line, f"{key}: unknown key; {hint}"
    if kind == "missing":
        return line, f"{key}: missing; it has no default"
    value = details["input"]
    if kind in _PLAIN:
        return line, f"{key} = {_shown(value)}: expected {_PLAIN[kind]}"
    message = details["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    if isinstance(value, dict):  # a check of a whole section, which says itself what it is about
        return line, f"{key}: {message}" if key else message
    return line, f"{key} = {_shown(value)}: expected {message}"


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def _fields_at(path: KeyPath) -> Mapping[str, Any]:
    """Names of the fields of the section at a path."""
    model: type[BaseModel] | None = Manifest
    for part in path:
        if isinstance(part, str) and model is not None and part in model.model_fields:
            model = next(_models_in(model.model_fields[part].annotation), None)
    return model.model_fields if model is not None else {}


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)
