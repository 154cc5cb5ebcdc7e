"""What the problem adds to the command line: options of ``evaluate``. Its other verbs are of `dsfu.model.measured`."""

from pathlib import Path
from typing import Annotated, Final

import typer

from dsfu.model.commands.added_options import AddedOption


def add_to(app: typer.Typer) -> None:
    """It has no verb of its own."""


EVALUATION_OPTIONS: Final = (
    AddedOption(
        name="poisson",
        default=0.0,
        annotation=Annotated[
            float,
            typer.Option(
                min=0.0, metavar="SHARE", help="Counting noise at the mean intensity, relative to it, such as 0.05."
            ),
        ],
    ),
    AddedOption(
        name="pixels",
        default=0,
        annotation=Annotated[
            int,
            typer.Option(min=0, metavar="N", help="Take planes at N × N pixels; 0: as they are in the store."),
        ],
    ),
    AddedOption(
        name="method",
        default="network",
        annotation=Annotated[
            str,
            typer.Option(
                metavar="NAME", help="network, projected (on the known lattice), solver (reads no RUN) or hybrid."
            ),
        ],
    ),
    AddedOption(
        name="inception_weights",
        default=None,
        annotation=Annotated[
            Path | None,
            typer.Option(
                "--inception-weights",
                metavar="FILE",
                help="Weights of Inception, for FID and KID; without them these are not computed.",
                show_default=False,
            ),
        ],
    ),
)
