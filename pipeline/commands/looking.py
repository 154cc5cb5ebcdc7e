"""The verbs that look at a store: status, inspect, report."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dsfu.pipeline.commands.common import JsonOption, StoreArgument, answer_json, existing_store, say

if TYPE_CHECKING:
    from dsfu.pipeline.report.store_status import StoreStatus
    from dsfu.pipeline.report.store_summary import Summary


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

    found = status_of(*existing_store(store))
    if as_json:
        answer_json(found.to_dict())
        return
    say(_status_text(found))
    if failures:
        for each in found.failures:
            say(f"\n{each.when} on {each.host}, {each.attempts} attempts:\n{each.traceback}")


def inspect(
    store: StoreArgument,
    sheet: Annotated[
        Path | None,
        typer.Option("--sheet", metavar="FILE", help="Write a picture sheet of samples (.png, .pdf, .svg)."),
    ] = None,
    samples: Annotated[int, typer.Option(min=1, max=64, metavar="N", help="Samples on the sheet.")] = 12,
    as_json: JsonOption = False,
) -> None:
    """Say what is in a closed store; draw a sheet of samples."""
    from dsfu.pipeline.report.store_summary import summary_of
    from dsfu.pipeline.report.store_view import StoreView

    view = StoreView(store)
    summary = summary_of(view)
    if as_json:
        answer_json(summary.to_dict())
    else:
        say(_summary_text(summary))
    if sheet is not None:
        from dsfu.pipeline.report.sample_sheet import write_sample_sheet

        write_sample_sheet(view, sheet, samples)
        if not as_json:
            say(f"  sheet       {sheet}")


def report(
    store: StoreArgument,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="Where to write it. [default: NAME-report.html]", show_default=False
        ),
    ] = None,
) -> None:
    """Write a report of a closed store, as one HTML file.

    Counts by group and split, distributions, removed duplicates, samples, where the time went, and how it was made.
    The file needs no network and nothing beside it.
    """
    from dsfu.pipeline.report.page import write_report

    name = store.rstrip("/").rpartition("/")[2] or "store"
    say(f"Wrote {write_report(store, out or Path(f'{name}-report.html'))}.")


def _status_text(found: "StoreStatus") -> str:
    from dsfu.words import count, grouped

    rows = [f"{found.name} in {found.store}"]
    for kind, wanted in found.wanted.items():
        rows.append(f"  {kind:<9} {grouped(found.present[kind])} of {count(wanted, 'shard')}")
    rows.append(f"  closed    {_closed_text(found)}")
    rows += [f"  written   by {writer}" for writer in found.writers]
    if found.orphans:
        rows.append(f"  orphans   {count(found.orphans, 'shard')} that the manifest does not ask for; see gc")
    rows += [f"  set aside {each.identity or each.key}: {each.reason}" for each in found.set_aside]
    rows += [f"  failed    {each.identity}: {each.error}" for each in found.failures]
    return "\n".join(rows)


def _closed_text(found: "StoreStatus") -> str:
    from dsfu.words import count, grouped

    if found.closed is None:
        return "no"
    splits = [
        f"{name} {count(split['samples'], 'sample')} of {count(split['pairs'], 'pair')}, "
        f"{grouped(split['kept'])} unique"
        for name, split in found.closed.items()
    ]
    return "; ".join(splits) or "yes, without a single sample"


def _summary_text(summary: "Summary") -> str:
    from dsfu.words import count, grouped, size

    rows = [f"{summary.name} in {summary.url}"]
    rows += [
        f"  {split.name:<12}{count(split.samples, 'sample')} of {count(split.pairs, 'pair')}, "
        f"{grouped(split.kept)} unique"
        for split in summary.splits
    ]
    sets = ", ".join(f"{grouped(number)} {kind.replace('_', ' ')}" for kind, number in summary.sets.items())
    stored = "stored" if summary.materialised else "not stored"
    rows += [
        f"  planes      {summary.pixels} × {summary.pixels} pixels, {stored}",
        f"  sets        {sets or 'none'}",
        f"  masks       {grouped(summary.masks)}",
        f"  species     {grouped(summary.species)}",
        f"  size        {size(summary.sizes.total)}, {size(summary.bytes_per_sample)} a sample",
    ]
    for each in summary.distributions:
        rows.append(f"  {each.label}{f', {each.unit}' if each.unit else ''} (5 %, median, 95 %)")
        rows += [
            f"    {split:<12}{low:.3g}, {median:.3g}, {high:.3g}"
            for split, (_, low, median, high, _) in each.quantiles.items()
        ]
    return "\n".join(rows)
