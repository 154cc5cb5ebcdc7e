"""The command ``dsfu-model``: puts the verbs together, and sees that whatever goes wrong is told plainly."""

import os
import pkgutil
import sys
import tempfile
import traceback
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from typing import Annotated, Final, NoReturn

import typer

from dsfu.errors import InputError
from dsfu.model import problems
from dsfu.model.commands import (
    batch_jobs,
    evaluating,
    factorising,
    looking,
    preparing,
    refining,
    structures,
    training,
)

UNEXPECTED: Final = 1
BAD_INPUT: Final = 2
INTERRUPTED: Final = 130

_HELP: Final = """Factorise diffuse scattering, and train the networks that help with it.

From a measured reconstruction to its disorder:

\b
  dsfu-model inspect FILE             what is in it
  dsfu-model prepare FILE             cut, clean and resample planes
  dsfu-model factorise FILE           form factor and short-range order
  dsfu-model refine-sro FILE          Warren–Cowley parameters with uncertainties

Networks:

\b
  dsfu-model train STORE              on what dsfu-pipeline made
  dsfu-model evaluate RUN STORE       against the truth
"""

_EPILOG: Final = """\b
Exit status:
  0    done
  2    bad input: nothing was changed
  3    done in part, or the data break the assumptions
  130  interrupted
  1    something unexpected
"""

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
        typer.echo(f"dsfu-model {version('dsfu')}")
        raise typer.Exit


@app.callback()
def _root(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version_: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    if debug:
        os.environ["DSFU_DEBUG"] = "1"


for _verbs in (looking, preparing, factorising, refining, structures, training, evaluating, batch_jobs):
    _verbs.add_to(app)

# The verbs of a problem are in its own folder: problems/<name>/commands.py.
for _problem in pkgutil.iter_modules(problems.__path__):
    if find_spec(f"dsfu.model.problems.{_problem.name}.commands"):
        import_module(f"dsfu.model.problems.{_problem.name}.commands").add_to(app)


def main() -> None:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # α and Å on a terminal that does not know them
    try:
        app()
    except InputError as error:
        _leave(f"error: {error}", BAD_INPUT)
    except ModuleNotFoundError as error:
        _leave(_missing_module(error), BAD_INPUT)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or flushing at exit complains again
        sys.exit(UNEXPECTED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:
        _leave(_unexpected(error), UNEXPECTED)


def _leave(text: str, status: int) -> NoReturn:
    if "DSFU_DEBUG" in os.environ:
        traceback.print_exc()
    typer.echo(text, err=True)
    sys.exit(status)


_EXTRAS: Final = {"onnx": "onnx", "onnxruntime": "onnx", "onnxscript": "onnx", "torchmetrics": "fid", "s3fs": "s3"}


def _missing_module(error: ModuleNotFoundError) -> str:
    package = (error.name or "").partition(".")[0]
    if package == "dsfu":
        raise error
    extra = _EXTRAS.get(package, "model")
    return f"error: {package} is not installed; this command needs it\n  remedy: pip install 'dsfu[{extra}]'"


def _unexpected(error: Exception) -> str:
    with tempfile.NamedTemporaryFile("w", prefix="dsfu-model-", suffix=".txt", delete=False) as file:
        file.write(" ".join(sys.argv) + "\n" + traceback.format_exc())
    told = " ".join("".join(traceback.format_exception_only(error)).split())
    return f"error: something unexpected happened: {told}\n  The full traceback is in {file.name}"


if __name__ == "__main__":
    main()
