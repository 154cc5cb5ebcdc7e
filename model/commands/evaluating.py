"""Verb that compares a network with the truth: evaluate."""

import typer


def add_to(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
