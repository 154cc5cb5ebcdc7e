"""The command ``dsfu-pipeline``: puts the verbs together, and sees that whatever goes wrong is told plainly."""

import os
import sys
import tempfile
import traceback
from importlib.metadata import version
from typing import Annotated, Final, NoReturn

import typer

from dsfu.errors import InputError
from dsfu.pipeline.commands import clusters, looking, making, manifests, tidying
from dsfu.pipeline.running.engines import EngineError

UNEXPECTED: Final = 1
BAD_INPUT: Final = 2
CUT_SHORT: Final = 4
INTERRUPTED: Final = 130

_HELP: Final = """Make training sets for diffuse scattering.

What a manifest declares goes into a store, and only what is missing there is made:

\b
  dsfu-pipeline init                  write a manifest to begin with
  dsfu-pipeline plan                  see what would be made, and how long it would take
  dsfu-pipeline run --store STORE     make it; again after any interruption
  dsfu-pipeline report STORE          look at it
"""

_EPILOG: Final = """\b
Exit status:
  0    done
  2    bad input: nothing was changed
  3    some shards could not be made, or damage was found; all else is done
  4    cut short, as by a lost scheduler or a full disk; run again to go on
  130  interrupted; run again to go on
  1    something unexpected
"""

_EXTRAS: Final = {"s3fs": "s3", "botocore": "s3", "aiobotocore": "s3"}

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help=_HELP,
    epilog=_EPILOG,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dsfu-pipeline {version('dsfu')}")
        raise typer.Exit


@app.callback()
def _root(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks, and what Dask has to say.")] = False,
    version_: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    if debug:
        os.environ["DSFU_DEBUG"] = "1"


manifests.add_to(app)
making.add_to(app)
clusters.add_to(app)
looking.add_to(app)
tidying.add_to(app)


def main() -> None:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # α and Å on a terminal that does not know them
    try:
        app()
    except InputError as error:
        _leave(f"error: {error}", BAD_INPUT)
    except EngineError as error:
        _leave(f"error: {error}", CUT_SHORT)
    except ModuleNotFoundError as error:
        _leave(_missing_module(error), BAD_INPUT)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or flushing at exit complains again
        sys.exit(UNEXPECTED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:
        from dsfu.pipeline.store.files import StorageError

        if isinstance(error, StorageError):
            _leave(f"error: {error}", CUT_SHORT)
        _leave(_unexpected(error), UNEXPECTED)


def _leave(text: str, status: int) -> NoReturn:
    if "DSFU_DEBUG" in os.environ:
        traceback.print_exc()
    typer.echo(text, err=True)
    sys.exit(status)


def _missing_module(error: ModuleNotFoundError) -> str:
    package = (error.name or "").partition(".")[0]
    if package == "dsfu":
        raise error
    extra = _EXTRAS.get(package, "pipeline")
    return f"error: {package} is not installed; dsfu-pipeline needs it\n  remedy: pip install 'dsfu[{extra}]'"


def _unexpected(error: Exception) -> str:
    with tempfile.NamedTemporaryFile("w", prefix="dsfu-pipeline-", suffix=".txt", delete=False) as file:
        file.write(" ".join(sys.argv) + "\n" + traceback.format_exc())
    told = " ".join("".join(traceback.format_exception_only(error)).split())
    return f"error: something unexpected happened: {told}\n  The full traceback is in {file.name}"


if __name__ == "__main__":
    main()
