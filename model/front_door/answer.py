"""What every function of the front door gives: an object that shows, draws and saves itself."""

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsfu.errors import InputError
from dsfu.files import check_picture, refuse_what_is_no_file
from dsfu.model.front_door.given import path_of

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure


class Drawing:
    """A picture that notebooks show, and that `save` writes as .png, .pdf or .svg."""

    def __init__(self, write: Callable[[Path], object]) -> None:
        self._write = write

    @classmethod
    def of(cls, figure: "Figure") -> "Drawing":
        """A drawing of a figure of matplotlib."""
        return cls(lambda path: figure.savefig(path, dpi=160))

    def __repr__(self) -> str:
        return "<Drawing: save(FILE.png, .pdf or .svg) writes it>"

    def _repr_png_(self) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "drawing.png"
            self._write(path)
            return path.read_bytes()

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write it in the format of the suffix."""
        path = free_file(path, overwrite=overwrite)
        check_picture(path)
        self._write(path)
        return path


class Answer(ABC):
    """A result with a short text, a table for notebooks, a picture, and a file or folder to be saved in.

    ``data`` holds the objects that the functions below the front door take and give.
    """

    data: Any

    @abstractmethod
    def facts(self) -> Mapping[str, str]:
        """What there is to say of it, by name; the first entry is what it is."""

    @property
    def verdict(self) -> str:
        """Whether to believe it, in a sentence; empty where nothing was judged."""
        return ""

    @abstractmethod
    def plot(self) -> Drawing:
        """The picture that says most."""

    @abstractmethod
    def to_xarray(self) -> "xarray.Dataset":
        """Its arrays with named axes and units."""

    @abstractmethod
    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write all of it; what is there already is refused without ``overwrite``."""

    def __repr__(self) -> str:
        parts = ", ".join(value for value in self.facts().values() if value)
        return f"<{type(self).__name__}: {parts}>"

    def _repr_html_(self) -> str:
        rows = {**self.facts(), "verdict": self.verdict}
        cells = "".join(
            f'<tr><th style="text-align:left">{escape(name)}</th><td style="text-align:left">{escape(value)}</td></tr>'
            for name, value in rows.items()
            if value
        )
        return f"<b>{escape(type(self).__name__)}</b><table>{cells}</table>"


def free_file(path: str | Path, *, overwrite: bool) -> Path:
    """The path, if a file may be written there."""
    path = path_of(path, "the path of a file")
    refuse_what_is_no_file(path)
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {path.parent}", where=str(path), remedy="make it, or write elsewhere")
    if path.exists() and not overwrite:
        raise InputError("is there already", where=str(path), remedy="another name, or overwrite=True")
    return path


def free_folder(path: str | Path, *, overwrite: bool) -> Path:
    """The path, if it is no folder yet, or an empty one."""
    path = path_of(path, "the path of a folder")
    if path.exists() and not path.is_dir():
        raise InputError("is a file", where=str(path), expected="a folder, or a name for a new one")
    if path.is_dir() and any(path.iterdir()) and not overwrite:
        raise InputError("has files already", where=str(path), remedy="another name, or overwrite=True")
    return path
