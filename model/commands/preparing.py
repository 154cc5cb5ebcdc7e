"""Verb that makes planes of a reconstruction: prepare."""

import typer


def add_to(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
