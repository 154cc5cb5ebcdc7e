"""Verbs for the order: refine-sro and deltapdf."""

import typer


def add_to(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
