"""The command ``dsfu-model``."""

import typer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Train networks on a store, evaluate them, and apply them to measured planes.",
)


@app.callback()
def _root() -> None:
    """Train networks on a store, evaluate them, and apply them to measured planes."""


def main() -> None:
    app()
