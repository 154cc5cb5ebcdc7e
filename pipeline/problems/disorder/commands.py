"""The verb of disorder beside those that every problem has: species."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from dsfu.pipeline.commands.common import JsonOption, answer_json, say

if TYPE_CHECKING:
    from dsfu.simulate.species import Species


def add_to(app: typer.Typer) -> None:
    app.command()(species)


_OwnArgument = Annotated[
    str | None,
    typer.Argument(metavar="MANIFEST", help="One whose own species are listed, too.", show_default=False),
]


def species(manifest: _OwnArgument = None, as_json: JsonOption = False) -> None:
    """List the species that pairs are made of.

    Those of the library, or, with a manifest, those that it uses.
    """
    found = _species_of(manifest)
    if as_json:
        answer_json(
            [
                {"name": each.name, "group": each.group, "split": each.split, "atoms": len(each.atoms)}
                for each in found.values()
            ]
        )
        return
    for each in sorted(found.values(), key=lambda each: (each.group, each.split, each.name)):
        say(f"{each.name:<32} group {each.group}  {each.split:<10}  {each.atoms.get_chemical_formula() or 'vacancy'}")


def _species_of(manifest: str | None) -> "Mapping[str, Species]":
    from dsfu.errors import InputError
    from dsfu.pipeline.commands.common import load
    from dsfu.pipeline.problems.disorder.pairs import species_of
    from dsfu.simulate.species import load_library

    if manifest is None:
        return load_library()
    loaded = load(manifest)
    if loaded.manifest.problem != "disorder":
        raise InputError(
            f"a manifest of {loaded.manifest.problem} has no species",
            where=loaded.where("problem"),
            expected="a manifest of disorder",
        )
    return species_of(loaded)
