"""How the samples of a problem are shown: what the verbs inspect and report ask of it."""

from pathlib import Path
from typing import Any, Protocol

from dsfu.pipeline.store.files import Files


class Summarised(Protocol):
    """A closed store in numbers."""

    def to_dict(self) -> dict[str, Any]: ...


class Looks(Protocol):
    """Shows closed stores of one problem."""

    def summary(self, files: Files) -> Summarised: ...

    def text(self, summary: Any) -> str:
        """A summary on a terminal."""
        ...

    def page(self, files: Files) -> str:
        """The report, as one HTML document."""
        ...

    def write_sheet(self, files: Files, path: Path, samples: int) -> None:
        """A picture of some samples."""
        ...
