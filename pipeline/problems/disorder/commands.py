"""The verb of disorder beside those that every problem has: species."""

import typer

from dsfu.pipeline.commands.common import DEFAULT_MANIFEST, JsonOption, ManifestArgument, answer_json, say


def add_to(app: typer.Typer) -> None:
    app.command()(species)


def species(manifest: ManifestArgument = DEFAULT_MANIFEST, as_json: JsonOption = False) -> None:
    """List the species that pairs are made of.

    Those of the library, and a user's own that the manifest names.
    """
    from dsfu.errors import InputError
    from dsfu.pipeline.commands.common import load
    from dsfu.pipeline.problems.disorder.pairs import species_of

    loaded = load(manifest)
    if loaded.manifest.problem != "disorder":
        raise InputError(
            f"a manifest of {loaded.manifest.problem} has no species",
            where=loaded.where("problem"),
            expected="a manifest of disorder",
        )
    found = species_of(loaded)
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
