"""What a training is told on the command line: options that `train` and `submit` have in common."""

from pathlib import Path
from typing import Annotated

import typer

SettingsArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[KEY=VALUE]...", help="Settings, such as limits.epochs=5.", show_default=False),
]
RecipeOption = Annotated[
    str | None,
    typer.Option(
        "--recipe",
        metavar="NAME",
        help="A network and its training, by name (docs/training.md). [default: the first of the problem]",
        show_default=False,
    ),
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Settings as YAML.", show_default=False)
]
