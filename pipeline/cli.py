"""The command ``dsfu-pipeline``."""

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Make training sets for diffuse scattering.")


@app.callback()
def _root() -> None:
    """Make training sets for diffuse scattering."""


def main() -> None:
    app()
