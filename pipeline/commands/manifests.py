"""The verbs about manifests: init, validate, diff, schema."""

import json
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from dsfu.errors import InputError
from dsfu.outputs import ForceOption
from dsfu.pipeline import problems
from dsfu.pipeline.commands.common import DEFAULT_MANIFEST, JsonOption, ManifestArgument, answer_json, say, want

if TYPE_CHECKING:
    from dsfu.pipeline.differences import Differences
    from dsfu.pipeline.wanted import Wanted

_NAMES: Final = ", ".join(sorted(each.name for each in pkgutil.iter_modules(problems.__path__)))
"""Of the problems that lie here; others may be installed beside them."""

ProblemOption = Annotated[
    str | None,
    typer.Option("--problem", metavar="NAME", help=f"What the data are of: {_NAMES} …", show_default=False),
]


def add_to(app: typer.Typer) -> None:
    for verb in (init, validate, diff, schema):
        app.command()(verb)


def init(
    manifest: Annotated[str, typer.Argument(metavar="MANIFEST", help="The file to write.")] = DEFAULT_MANIFEST,
    force: ForceOption = False,
    problem: ProblemOption = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster",
            metavar="NAME",
            help="Write settings of a cluster instead, of slurm, pbs, lsf, sge or htcondor, to NAME.yaml.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write a manifest to begin with.

    It declares a small data set, made in about a minute, with a comment on each key; docs/manifest.md has all keys.
    """
    if cluster is not None:
        _write_cluster(cluster, None if manifest == DEFAULT_MANIFEST else manifest, force=force)
        return
    from dsfu.pipeline.problem import problem_called

    template = problem_called(problem).template
    _write_template(Path(manifest), template, force=force)
    say(f"wrote {manifest}\n  next: dsfu-pipeline plan {manifest}")


def _write_cluster(name: str, target: str | None, *, force: bool) -> None:
    from dsfu.cluster.settings import preset_text

    path = Path(target or f"{name}.yaml")
    _write_template(path, preset_text(name), force=force)
    say(f"wrote {path}\n  next: edit it, then dsfu-pipeline run --scheduler {name} --cluster {path} --dry-run")


def _write_template(path: Path, template: str, *, force: bool) -> None:
    if path.exists() and not force:
        raise InputError("it is there already", where=str(path), remedy="name another file, or add --force")
    try:
        path.write_text(template, encoding="utf-8")
    except OSError as error:
        raise InputError(f"it cannot be written: {error.strerror}", where=str(path)) from error


def validate(manifest: ManifestArgument = DEFAULT_MANIFEST, as_json: JsonOption = False) -> None:
    """Check a manifest, and say what it declares.

    All mistakes are told at once, each with its line and what was expected; the exit status is then 2.
    """
    wanted = want(manifest)
    found = wanted.problem.declared(wanted.expected)
    declared = wanted.loaded.manifest
    if as_json:
        answer_json({"name": declared.name, "store": declared.store, "problem": declared.problem, **found.values})
        return
    say(f"{manifest} is a manifest of the data set {declared.name}:")
    for row in found.rows:
        say(f"  {row}")
    say(f"  goes to {declared.store}, unless --store says otherwise")


def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A manifest, or a store: what it was last run with.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="Another manifest, or another store.")],
    as_json: JsonOption = False,
) -> None:
    """Say what differs between two manifests, and what it costs.

    That is, which shards would have to be made to go from the old to the new one, and because of what.
    """
    from dsfu.pipeline.differences import differences

    found = differences(_manifest_or_store(old), _manifest_or_store(new))
    if as_json:
        answer_json(found.to_dict())
    else:
        say(_diff_text(found))


def schema(problem: ProblemOption = None) -> None:
    """Print the JSON Schema of manifests, for editors."""
    from dsfu.pipeline.manifest.schema import manifest_json_schema
    from dsfu.pipeline.problem import problem_called

    answer_json(manifest_json_schema(problem_called(problem).manifest))


def _manifest_or_store(name: str) -> "Wanted":
    if "://" in name or Path(name).is_dir():
        from dsfu.pipeline.commands.common import existing_store

        return existing_store(name)[1]
    return want(name)


def _diff_text(found: "Differences") -> str:
    from dsfu.words import count

    rows = [f"{each.key}: {json.dumps(each.old)} → {json.dumps(each.new)}" for each in found.changes]
    rows = rows or ["They declare the same."]
    rows.append(f"{count(found.same, 'shard')} stay as they are")
    for why, identities in found.remade.items():
        rows.append(f"{count(len(identities), 'shard')} to make again because of {why}: {_some(identities)}")
    if found.new:
        rows.append(f"{count(len(found.new), 'new shard')} to make: {_some(found.new)}")
    if found.dropped:
        rows.append(f"{count(len(found.dropped), 'shard')} no longer wanted: {_some(found.dropped)}")
    return "\n".join(rows)


def _some(identities: tuple[str, ...], most: int = 3) -> str:
    return ", ".join(identities[:most]) + (", …" if len(identities) > most else "")
