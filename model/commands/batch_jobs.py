"""Verb that hands training to a batch system: submit."""

import typer


def add_to(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
