"""What many verbs have on the command line: a data set, ``--json``, ``--force``; and how a bad answer is told."""

import os
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from dsfu.errors import InputError
from dsfu.files import refuse_what_is_no_file
from dsfu.words import folded_lines

JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON on stdout, for programs.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Overwrite files that are there already.")]

StoreArgument = Annotated[
    str, typer.Argument(metavar="STORE", help="Folder or URL (s3://…) of a data set.", show_default=False)
]

FigureOption = Annotated[
    Path | None,
    typer.Option("--figure", metavar="FILE", help="Draw it for a paper, at a column's width (.pdf, .svg, .png)."),
]

DATA_CONTRADICT = 3
"""Exit status where everything is written, and not to be believed."""


def ready_folder(out: Path) -> None:
    """Make the folder of the results before any work is done; refuse what cannot be one, or cannot be written to."""
    where = f"-o {out}"
    if out.exists() and not out.is_dir():
        raise InputError("is a file", where=where, expected="a folder, or a name for a new one")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot be made: {error.strerror}", where=where, expected="a folder") from error
    if not os.access(out, os.W_OK):
        raise InputError("the folder cannot be written to", where=where, remedy="write elsewhere")


def refuse_existing(paths: Iterable[Path | None], *, force: bool) -> None:
    """Refuse to overwrite files that are there, unless forced; told before any work is done."""
    there = [path for path in paths if path is not None and path.is_file()]
    if there and not force:
        more = f", and {len(there) - 1} more" if len(there) > 1 else ""
        raise InputError(
            f"is there already{more}", where=str(there[0]), remedy="write elsewhere, or overwrite with --force"
        )


def tell_written(*paths: str | Path | None, err: bool = False) -> None:
    """Say which files or folders are there now, each on a line of its own; None: one that was not wanted."""
    for path in paths:
        if path is not None:
            typer.echo(f"wrote {path}", err=err)


def say(text: str = "", *, err: bool = False) -> None:
    """Sentences and lists for people; lines that are wider than the terminal are folded between words."""
    typer.echo(folded_lines(text, stream=sys.stderr if err else sys.stdout), err=err)


def refuse_outputs(written: Iterable[Path | None], *, drawn: Iterable[Path | None] = (), force: bool) -> None:
    """Refuse, before any work is done, what cannot be written, and to overwrite files that are there unless forced.

    Pictures may be drawn into a folder that is not there yet; results may not, as its name may be mistyped.
    """
    written = tuple(written)
    _refuse_homeless(written)
    refuse_existing((*written, *drawn), force=force)


def _refuse_homeless(paths: Iterable[Path | None]) -> None:
    """Refuse names of files that are folders, or whose folder is not there."""
    for path in paths:
        if path is None:
            continue
        refuse_what_is_no_file(path)
        home = path.absolute().parent
        if not home.is_dir():
            raise InputError(
                "its folder is not there",
                where=str(path),
                remedy=f"mkdir -p {shlex.quote(str(home))}, or write elsewhere",
            )
