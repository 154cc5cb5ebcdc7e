"""Options that say what a file does not, the same for every verb that reads reconstructions: docs/formats.md."""

from typing import Annotated, Any

import typer


def flag(metavar: str, text: str, *names: str) -> Any:
    """An option without a default that is worth showing; its name is the parameter's, unless given."""
    return typer.Option(*names, metavar=metavar, help=text, show_default=False)


CellText = Annotated[str | None, flag("A,B,C,…", "The cell: a, b, c in Å, alpha, beta, gamma.")]
Limits = Annotated[str | None, flag("H,H,K,K,L,L", "First and last h, k and l of the grid.")]
Origin = Annotated[str | None, flag("H,K,L", "hkl of the first voxel.")]
Steps = Annotated[str | None, flag("DH,DK,DL", "Steps of the grid; or nine numbers.")]
AxesOrder = Annotated[str | None, flag("ORDER", "Which index runs along each array axis, such as lkh.")]
FrameName = Annotated[str | None, flag("FRAME", "What the axes count: hkl, q (1/Å), s (1/Å without 2π).")]
Dataset = Annotated[str | None, flag("PATH", "Which data of a file that holds several.")]
Zeros = Annotated[str | None, flag("dead|live", "Whether zeros are unmeasured, or intensities. [default: live]")]


def hints_of(
    *,
    cell: str | None,
    limits: str | None,
    origin: str | None,
    steps: str | None,
    axes: str | None,
    frame: str | None,
    dataset: str | None,
    zeros: str | None,
) -> dict[str, Any]:
    """What was said, for `dsfu.model.measured.readers.reading.read`, which checks it."""
    return {
        "cell": cell,
        "limits": limits,
        "origin": origin,
        "steps": steps,
        "axes": axes,
        "frame": frame,
        "dataset": dataset,
        "zeros": zeros,
    }
