"""Verb that takes a plane apart: factorise."""

import typer


def add_to(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
