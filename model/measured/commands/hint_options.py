"""Options that say what a file does not, the same for every verb that reads reconstructions: docs/formats.md."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from dsfu.gathered_options import Verb, gathered


def flag(metavar: str, text: str, *names: str) -> Any:
    """An option without a default that is worth showing; its name is the parameter's, unless given."""
    return typer.Option(*names, metavar=metavar, help=text, show_default=False)


_HINTS: Final[Mapping[str, Any]] = {
    "cell": flag("A,B,C,…", "The cell: a, b, c in Å, alpha, beta, gamma."),
    "limits": flag("H,H,K,K,L,L", "First and last h, k and l of the grid."),
    "origin": flag("H,K,L", "hkl of the first voxel."),
    "steps": flag("DH,DK,DL", "Steps of the grid; or nine numbers."),
    "axes": flag("ORDER", "Which index runs along each array axis, such as lkh."),
    "frame": flag("FRAME", "What the axes count: hkl, q (1/Å), s (1/Å without 2π)."),
    "dataset": flag("PATH", "Which data of a file that holds several."),
    "zeros": flag("dead|live", "Whether zeros are unmeasured, or intensities. [default: live]"),
    "missing": flag("NUMBER", "What stands for unmeasured, such as -1; NaN always does."),
}


def with_hints(verb: Verb) -> Verb:
    """Give a verb these options; it gets as ``hints`` what was said, for `dsfu.model.measured.readers.reading.read`."""
    return gathered(verb, "hints", {name: Annotated[str | None, option] for name, option in _HINTS.items()})
