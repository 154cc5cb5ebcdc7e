"""Small data that the notebooks work on, each made once: crystals by an independent simulation, a small store."""

import os
import runpy
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FOLDER = Path(os.environ.get("DSFU_NOTEBOOKS", ROOT / "out" / "notebooks"))
"""Where the notebooks write."""

FOLDER.mkdir(parents=True, exist_ok=True)

# For commands: kernels pretend to be terminals with colours, and moving bars would fill the page.
os.environ["TERM"] = "dumb"
os.environ.pop("FORCE_COLOR", None)
os.environ.pop("CLICOLOR_FORCE", None)

MANIFEST = """\
version: 1
name: notebooks
seed: 5
store: store
pairs:
  train: {groups: [0, 1, 2, 3], per_group: 2}
  validation: {groups: [0, 2], per_group: 1}
sro:
  monte_carlo: {bank_size: 20, per_pair: {train: 2, validation: 2}, box: 16}
  oscillator: {per_pair: {train: 2, validation: 0}}
planes: {pixels: 64}
dead_zones: {bank_size: 64}
"""


def crystal(kind: str, half: int, *options: str) -> tuple[Path, Path]:
    """A volume as Meerkat writes it, and what it was made of.

    The maker shares nothing with dsfu: own molecules, own order, gemmi's form factors, counting noise, Bragg peaks with
    tails, air, gaps of a detector.
    """
    name = "-".join([kind, str(half), *(each.strip("-") for each in options)])
    volume, truth = FOLDER / f"{name}.h5", FOLDER / f"{name}.json"
    if not truth.exists():
        script("tests/benchmarks/crystal_maker.py", kind, volume, truth, "--half", half, *options)
    return volume, truth


def store() -> Path:
    """A closed store of a few hundred planes of 64 × 64 pixels."""
    from dsfu.pipeline.manifest.loading import parse_manifest
    from dsfu.pipeline.running.engines import InThisProcess
    from dsfu.pipeline.running.reporter import SilentReporter
    from dsfu.pipeline.running.run import run_store
    from dsfu.pipeline.store.files import open_files
    from dsfu.pipeline.wanted import what_is_wanted

    folder = FOLDER / "store"
    wanted = what_is_wanted(parse_manifest(MANIFEST))
    done = run_store(wanted, open_files(folder), engine=InThisProcess, reporter=SilentReporter())
    if done.exit_status:
        raise RuntimeError(f"{folder} was not made")
    return folder


def script(path: str, *arguments: object) -> None:
    """Run a program of the repository, as its command line would."""
    before = sys.argv
    sys.argv = [path, *map(str, arguments)]
    try:
        runpy.run_path(str(ROOT / path), run_name="__main__")
    finally:
        sys.argv = before
