"""How the samples of a problem are shown: what the verbs inspect and report ask of it."""

from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from dsfu.pipeline.problem import Problem
from dsfu.pipeline.report.plain import PlainLooks
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


def looks_of(problem: Problem[Any]) -> Looks:
    """How a problem shows its stores: its own way, or by their fields."""
    if not problem.looks:
        return PlainLooks(problem.name, problem.panels, problem.labels, problem.left_out)
    module, _, name = problem.looks.partition(":")
    return cast(Looks, getattr(import_module(module), name)())
