"""Verb that tells what a file holds: inspect."""

import typer


def add_to(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
