"""The command ``dsfu-model``: puts the verbs together."""

import pkgutil
from importlib import import_module
from importlib.util import find_spec
from typing import Final

from dsfu.command_line import Program
from dsfu.model import problems
from dsfu.model.commands import batch_jobs, evaluating, training
from dsfu.model.measured.commands import (
    analysing,
    calculating,
    factorising,
    looking,
    preparing,
    refining,
    structures,
    transforming,
)
from dsfu.model.view import command as viewing

_PROGRAM: Final = Program(
    name="dsfu-model",
    extra="model",
    extras={
        "onnx": "onnx",
        "onnxruntime": "onnx",
        "onnxscript": "onnx",
        "torchmetrics": "fid",
        "s3fs": "s3",
        "panel": "view",
        "plotly": "view",
    },
)

_HELP: Final = """From measured scattering to structure, and the networks that help with it.

From a measured reconstruction to its disorder:

\b
  dsfu-model inspect FILE             what is in it
  dsfu-model analyse FILE -o FOLDER   α, factors, a verdict and a report
  dsfu-model prepare FILE             cut, clean and resample planes
  dsfu-model factorise FILE           form factor and short-range order
  dsfu-model refine-sro FILE          Warren–Cowley parameters α
  dsfu-model view PATH                look at any of these in a browser

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
  75   a training that stopped with a checkpoint; run again to go on
  130  interrupted
  1    something unexpected
"""

app = _PROGRAM.app(help=_HELP, epilog=_EPILOG)

for _verbs in (
    looking,
    analysing,
    preparing,
    factorising,
    refining,
    transforming,
    structures,
    calculating,
    training,
    evaluating,
    batch_jobs,
    viewing,
):
    _verbs.add_to(app)

# The verbs of a problem are in its own folder: problems/<name>/commands.py.
for _problem in pkgutil.iter_modules(problems.__path__):
    if find_spec(f"dsfu.model.problems.{_problem.name}.commands"):
        import_module(f"dsfu.model.problems.{_problem.name}.commands").add_to(app)


def main() -> None:
    _PROGRAM.run(app)


if __name__ == "__main__":
    main()
