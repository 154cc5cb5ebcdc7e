"""A manifest that was read and checked, with the text that it was read from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from dsfu.errors import InputError
from dsfu.pipeline.manifest.model import Manifest
from dsfu.yaml.document import Document

M = TypeVar("M", bound=Manifest)


@dataclass(frozen=True, kw_only=True)
class LoadedManifest(Generic[M]):
    """A manifest with the text it was read from and the folder that the paths in it start from."""

    manifest: M
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
