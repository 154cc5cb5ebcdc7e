"""Verbs that make networks: train and export."""

import typer


def add_to(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
