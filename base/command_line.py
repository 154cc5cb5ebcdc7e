"""The frame of both programs: their options, and that whatever goes wrong is told plainly, with a status of its own."""

import errno
import os
import re
import sys
import tempfile
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Annotated, Any, Final, NoReturn

import typer
from typer.core import TyperCommand

from dsfu.errors import InputError, how_to_install
from dsfu.given_paths import refuse_what_is_read, replace_homes
from dsfu.words import folded_lines

UNEXPECTED: Final = 1
BAD_INPUT: Final = 2
CUT_SHORT: Final = 4
INTERRUPTED: Final = 130

CONTEXT: Final[Mapping[str, Any]] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


_TYPES: Final = re.compile(r" <(?:path|str|int|float|integer|text|list\[\w+\])(?: range)?>", re.IGNORECASE)
_RANGE: Final = re.compile(r"(-?[\d.]+)<=x<=(-?[\d.]+)")
_LEAST: Final = re.compile(r"x>=(-?[\d.]+)")


_WRITTEN: Final = frozenset({"out", "report", "picture", "figure", "sheet", "onnx", "npz"})
"""Options whose files verbs write."""

_OF_THE_PLACE: Final = frozenset(
    {
        errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EISDIR,
        errno.EFBIG, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ENOENT, errno.EEXIST,
    }
)  # fmt: skip
"""What an operating system says of a place that cannot be read or written: rights, a full disk, a name too long."""

_REMEDIES: Final = {
    errno.ENOSPC: "make room, then run it again",
    errno.EDQUOT: "your quota is used up: make room, then run it again",
    errno.EFBIG: "files may not be as large here; ulimit -f says how large",
    errno.ENAMETOOLONG: "give it a shorter name",
}


class _Verb(TyperCommand):
    """A verb whose help speaks of files and numbers as people do, whatever version of typer writes it."""

    def get_help(self, ctx: Any) -> str:
        told = _TYPES.sub(lambda found: " " * len(found[0]), super().get_help(ctx))  # columns stay where they are
        return _LEAST.sub(r"\1 or more", _RANGE.sub(r"\1 to \2", told))

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [re.sub(r"^\{(\w+)\}$", r"\1", piece) for piece in super().collect_usage_pieces(ctx)]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            # typer has its own copy of click in some versions: the class is told by its name.
            if type(error).__name__ == "MissingParameter" and getattr(error.param, "help", None):  # type: ignore[attr-defined]
                error.message = f"Expected: {error.param.help}"  # type: ignore[attr-defined]
            raise

    def invoke(self, ctx: Any) -> Any:
        """Run it, with paths that are meant as they are typed."""
        replace_homes(ctx.params)
        arguments = [each for each in self.params if each.param_type_name == "argument"]
        options = [each for each in self.params if each.name in _WRITTEN]
        refuse_what_is_read(
            {str(each.name): ctx.params.get(str(each.name)) for each in arguments},
            {each.opts[0]: ctx.params.get(str(each.name)) for each in options},
        )
        return super().invoke(ctx)


class _Family(typer.Typer):
    """A command line whose verbs have such help."""

    def command(self, name: str | None = None, **options: Any) -> Any:
        return super().command(name, **{"cls": _Verb, **options})


@dataclass(frozen=True, kw_only=True)
class Program:
    """One of the two programs.

    Attributes
    ----------
    name
        What users type.
    extra
        The extra that a package belongs to which is missing, unless ``extras`` says otherwise.
    extras
        Extra by package.
    cut_short
        Errors that leave work to be gone on with, as whoever raises them names them: ``module:class``. They are not
        loaded for the comparison.
    """

    name: str
    extra: str
    extras: Mapping[str, str] = field(default_factory=dict)
    cut_short: frozenset[str] = frozenset()

    def app(self, *, help: str, epilog: str) -> typer.Typer:
        """A command line without verbs, that knows ``--debug`` and ``--version``."""
        app = _Family(
            no_args_is_help=True,
            add_completion=True,
            pretty_exceptions_enable=False,
            rich_markup_mode=None,
            context_settings=dict(CONTEXT),
            help=help,
            epilog=epilog,
        )

        def print_version(wanted: bool) -> None:
            if wanted:
                typer.echo(f"{self.name} {version('dsfu')}")
                raise typer.Exit

        @app.callback()
        def root(
            debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks, and what Dask has to say.")] = False,
            version_: Annotated[
                bool, typer.Option("--version", help="Show the version.", callback=print_version, is_eager=True)
            ] = False,
        ) -> None:
            if debug:
                os.environ["DSFU_DEBUG"] = "1"

        return app

    def run(self, app: typer.Typer) -> None:
        """Run a command line, and leave with the status that says how it went."""
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")  # α and Å on a terminal that does not know them
        try:
            app()
        except InputError as error:
            _leave(f"error: {error}", BAD_INPUT)
        except ModuleNotFoundError as error:
            _leave(self._missing_module(error), BAD_INPUT)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or flushing at exit complains again
            sys.exit(UNEXPECTED)
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
        except Exception as error:
            if self.cut_short & {f"{kind.__module__}:{kind.__name__}" for kind in type(error).__mro__}:
                _leave(f"error: {error}", CUT_SHORT)
            if isinstance(error, OSError) and error.errno in _OF_THE_PLACE:
                _leave(_of_the_place(error), BAD_INPUT)
            _leave(self._unexpected(error), UNEXPECTED)

    def _missing_module(self, error: ModuleNotFoundError) -> str:
        package = (error.name or "").partition(".")[0]
        if package == "dsfu":
            raise error
        extra = self.extras.get(package, self.extra)
        return f"error: {package} is not installed; {self.name} needs it\n  remedy: {how_to_install(extra)}"

    def _unexpected(self, error: Exception) -> str:
        with tempfile.NamedTemporaryFile("w", prefix=f"{self.name}-", suffix=".txt", delete=False) as file:
            file.write(" ".join(sys.argv) + "\n" + traceback.format_exc())
        told = " ".join("".join(traceback.format_exception_only(error)).split())
        return f"error: something unexpected happened: {told}\n  The full traceback is in {file.name}"


def _of_the_place(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    remedy = _REMEDIES.get(error.errno or 0, "look at the name, and whether you may write there")
    return f"error: {where}{error.strerror}\n  remedy: {remedy}"


def _leave(text: str, status: int) -> NoReturn:
    if "DSFU_DEBUG" in os.environ:
        traceback.print_exc()
    typer.echo(folded_lines(text, stream=sys.stderr), err=True)
    sys.exit(status)
