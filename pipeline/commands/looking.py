"""The verbs that look at a store: status, inspect, report."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dsfu.outputs import ForceOption, StoreArgument, refuse_existing
from dsfu.pipeline.commands.common import JsonOption, answer_json, existing_store, say

if TYPE_CHECKING:
    from dsfu.pipeline.report.looks import Looks
    from dsfu.pipeline.report.store_status import StoreStatus
    from dsfu.pipeline.store.files import Files


def add_to(app: typer.Typer) -> None:
    for verb in (status, inspect, report):
        app.command()(verb)


def status(
    store: StoreArgument,
    failures: Annotated[bool, typer.Option("--failures", help="Show the tracebacks of shards that failed.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Say how far a store has come, and who writes to it.

    Only names in the ledger are read: it takes no time, also while a run is under way. To know whether everything is
    intact, use verify.
    """
    from dsfu.pipeline.report.store_status import status_of

    files, wanted = existing_store(store)
    found = status_of(files, wanted)
    if as_json:
        answer_json(found.to_dict())
        return
    say(_status_text(found, wanted.problem.left_out))
    if failures:
        for each in found.failures:
            typer.echo(f"\n{each.when} on {each.host}, {each.attempts} attempts:\n{each.traceback}")


def inspect(
    store: StoreArgument,
    sheet: Annotated[
        Path | None,
        typer.Option("--sheet", metavar="FILE", help="Write a picture sheet of samples (.png, .pdf, .svg)."),
    ] = None,
    samples: Annotated[int, typer.Option(min=1, max=64, metavar="N", help="Samples on the sheet.")] = 12,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Say what is in a closed store; draw a sheet of samples."""
    refuse_existing([sheet], force=force)
    files, looks = _looks(store)
    summary = looks.summary(files)
    if as_json:
        answer_json(summary.to_dict())
    else:
        say(looks.text(summary))
    if sheet is not None:
        looks.write_sheet(files, sheet, samples)
        if not as_json:
            say(f"  sheet       {sheet}")


def report(
    store: StoreArgument,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="Where to write it. [default: NAME-report.html]", show_default=False
        ),
    ] = None,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Write a report of a closed store, as one HTML file.

    Counts, samples, distributions, what was removed, where the time went, and how it was made.
    The file needs no network and nothing beside it.
    """
    files, looks = _looks(store)
    name = store.rstrip("/").rpartition("/")[2] or "store"
    out = out or Path(f"{name}-report.html")
    refuse_existing([out], force=force)
    text = looks.page(files)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    if as_json:
        answer_json({"report": str(out)})
    else:
        say(f"wrote {out}")


def _looks(store: str) -> "tuple[Files, Looks]":
    """A closed store, and how its problem shows it."""
    from dsfu.pipeline.report.looks import looks_of
    from dsfu.pipeline.report.opening import problem_of_store
    from dsfu.pipeline.store.files import open_files

    files = open_files(store)
    return files, looks_of(problem_of_store(files))


def _status_text(found: "StoreStatus", left_out: str) -> str:
    from dsfu.words import count, grouped

    rows = [f"{found.name} in {found.store}"]
    for kind, wanted in found.wanted.items():
        rows.append(f"  {kind:<9} {grouped(found.present[kind])} of {count(wanted, 'shard')}")
    rows.append(f"  closed    {_closed_text(found, left_out)}")
    rows += [f"  written   by {writer}" for writer in found.writers]
    if found.orphans:
        rows.append(f"  orphans   {count(found.orphans, 'shard')} that the manifest does not ask for; see gc")
    rows += [f"  set aside {each.identity or each.key}: {each.reason}" for each in found.set_aside]
    rows += [f"  failed    {each.identity}: {each.error}" for each in found.failures]
    return "\n".join(rows)


def _parts(split: Mapping[str, int]) -> str:
    """Of what a split is made, by whatever its problem calls it."""
    from dsfu.words import count

    parts = [count(number, name.removesuffix("s")) for name, number in split.items() if name not in ("samples", "kept")]
    return f" ({', '.join(parts)})" if parts else ""


def _closed_text(found: "StoreStatus", left_out: str) -> str:
    from dsfu.words import usable

    if found.closed is None:
        return "no"
    splits = [
        f"{name:<11} {usable(split['kept'], split['samples'], left_out)}{_parts(split)}"
        for name, split in found.closed.items()
    ]
    return f"\n{' ' * 12}".join(splits) or "yes, without a single sample"
