"""The verb ``inspect``: a store in a few tables on the terminal, and a picture of some of its samples."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsfu.pipeline.report.charts import number_words, share_words
from dsfu.pipeline.report.sample_sheet import SHEET_SAMPLES, set_words, write_sample_sheet
from dsfu.pipeline.report.store_summary import Summary, summary_of
from dsfu.pipeline.report.store_view import StoreView
from dsfu.words import count, duration, grouped, rate, size

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_MOST_FAILURES = 10


def inspect_store(
    store_url: str | Path, *, sheet: Path | None, as_json: bool, samples: int = SHEET_SAMPLES
) -> dict[str, Any]:
    """Print what a closed store holds, and draw some samples of it.

    Parameters
    ----------
    sheet
        Where the picture goes (.png, .pdf or .svg); None for none.
    as_json
        Print JSON instead of tables.
    samples
        How many samples there are on the picture.

    Returns
    -------
    What is printed as JSON: `dsfu.pipeline.report.store_summary.Summary` as plain values, and ``sheet``, the picture's
    path.

    Raises
    ------
    InputError
        If there is no store, or one that is not closed.
    """
    store = StoreView(store_url)
    summary = summary_of(store)
    picture = None if sheet is None else write_sample_sheet(store, sheet, samples)
    values = summary.to_dict() | {"sheet": None if picture is None else str(picture)}
    if as_json:
        sys.stdout.write(json.dumps(values, indent=2, allow_nan=False) + "\n")
        return values
    from rich.console import Console

    print_summary(summary, Console())
    if picture is not None:
        sys.stdout.write(f"Picture of some samples: {picture}\n")
    return values


def print_summary(summary: Summary, console: "Console") -> None:
    """Tables of what a store holds, for a terminal."""
    console.print(f"[bold]{_plain(summary.name)}[/bold]  {_plain(summary.url)}", highlight=False, soft_wrap=True)
    console.print(_first_words(summary), highlight=False, markup=False)
    for made in (_contents(summary), _quantities(summary), _making(summary)):
        if made.row_count:
            console.print()
            console.print(made)
    for line in _failures(summary):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _first_words(summary: Summary) -> str:
    sets = ", ".join(f"{grouped(number)} {set_words(kind)}" for kind, number in summary.sets.items())
    stored = "planes stored" if summary.materialised else "parameters only"
    return (
        f"{grouped(summary.kept)} planes to use of {grouped(summary.samples)}, {summary.pixels} × {summary.pixels} "
        f"pixels; {size(summary.sizes.total)}, {size(summary.bytes_per_sample)} a plane ({stored})\n"
        f"sets of short-range order: {sets or 'none'}; {count(summary.masks, 'mask')}"
    )


def _contents(summary: Summary) -> "Table":
    table = _table(["split", "group"], ["species", "pairs", "planes", "to use", "removed"])
    for split in summary.splits:
        for group in split.groups:
            numbers = [grouped(number) for number in (group.species, group.pairs, group.samples, group.kept)]
            removed = share_words(1 - group.kept / group.samples)
            table.add_row(split.name, f"{group.group} {group.shape}", *numbers, removed)
        numbers = [grouped(number) for number in (split.pairs, split.samples, split.kept)]
        table.add_row(split.name, "all", "", *numbers, share_words(split.share_removed), end_section=True)
    return table


def _quantities(summary: Summary) -> "Table":
    table = _table(["planes to use", "split"], ["least", "5 %", "median", "95 %", "greatest"])
    for each in summary.distributions:
        label = f"{each.label} ({each.unit})" if each.unit else each.label
        for split, values in each.quantiles.items():
            table.add_row(label, split, *map(number_words, values))
            label = ""
    return table


def _making(summary: Summary) -> "Table":
    table = _table(["made"], ["shards", "items", "time of workers", "rate of one worker"])
    for kind in summary.making.kinds:
        if kind.seconds > 0:
            speed = rate(kind.items / kind.seconds, "items")
            table.add_row(kind.kind, grouped(kind.shards), grouped(kind.items), duration(kind.seconds), speed)
    return table


def _failures(summary: Summary) -> list[str]:
    failures = summary.making.failures
    lines = [f"  {each.identity}: {each.error}" for each in failures[:_MOST_FAILURES]]
    if lines:
        lines.insert(0, f"\n{count(len(failures), 'shard')} could not be made:")
    if len(failures) > _MOST_FAILURES:
        lines.append(f"  and {len(failures) - _MOST_FAILURES} more")
    if summary.making.damaged:
        lines.append(f"{count(summary.making.damaged, 'ledger entry', 'ledger entries')} cannot be read")
    return lines


def _table(words: Sequence[str], numbers: Sequence[str]) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, collapse_padding=True)
    for name in words:
        table.add_column(name)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
