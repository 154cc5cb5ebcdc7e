"""Verb for the molecules: refine-ff."""

import typer


def add_to(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
