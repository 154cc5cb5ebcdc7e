"""The command ``dsfu-pipeline``: puts the verbs together."""

import pkgutil
from importlib import import_module
from importlib.util import find_spec
from typing import Final

from dsfu.command_line import Program
from dsfu.pipeline import problems
from dsfu.pipeline.commands import clusters, looking, making, manifests, tidying

_PROGRAM: Final = Program(
    name="dsfu-pipeline",
    extra="pipeline",
    extras={"s3fs": "s3", "botocore": "s3", "aiobotocore": "s3"},
    cut_short=frozenset({"dsfu.pipeline.running.engines:EngineError", "dsfu.pipeline.store.files:StorageError"}),
)

_HELP: Final = """Make training sets for inverse problems of scattering.

What a manifest declares goes into a store, and only what is missing there is made:

\b
  dsfu-pipeline init                  write a manifest to begin with
  dsfu-pipeline plan                  see what would be made, and why
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

app = _PROGRAM.app(help=_HELP, epilog=_EPILOG)

for _verbs in (manifests, making, clusters, looking, tidying):
    _verbs.add_to(app)

# The verbs of a problem are in its own folder: problems/<name>/commands.py.
for _problem in pkgutil.iter_modules(problems.__path__):
    if find_spec(f"{problems.__name__}.{_problem.name}.commands"):
        import_module(f"{problems.__name__}.{_problem.name}.commands").add_to(app)


def main() -> None:
    _PROGRAM.run(app)


if __name__ == "__main__":
    main()
