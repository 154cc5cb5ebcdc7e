"""A small data set of library species, with parameters only, made by the pipeline in a few seconds."""

from pathlib import Path

from dsfu.pipeline.manifest.loading import parse_manifest
from dsfu.pipeline.running.engines import InThisProcess
from dsfu.pipeline.running.reporter import SilentReporter
from dsfu.pipeline.running.run import run_store
from dsfu.pipeline.store.files import open_files
from dsfu.pipeline.wanted import what_is_wanted

PIXELS = 48

MANIFEST = f"""\
version: 1
name: small
seed: 5
store: store
pairs:
  train: {{groups: [0, 1, 2, 3], per_group: 1}}
  validation: {{groups: [0, 2], per_group: 1}}
sro:
  monte_carlo: {{bank_size: 20, per_pair: {{train: 1, validation: 2}}, box: 16}}
  oscillator: {{per_pair: {{train: 2, validation: 0}}}}
planes: {{pixels: {PIXELS}}}
dead_zones: {{bank_size: 64}}
storage: {{materialise: false}}
"""


def small_store(folder: Path, *, materialise: bool = False) -> str:
    """Make and close it; its URL."""
    files = open_files(folder)
    manifest = MANIFEST.replace("materialise: false", f"materialise: {str(materialise).lower()}")
    result = run_store(what_is_wanted(parse_manifest(manifest)), files, engine=InThisProcess, reporter=SilentReporter())
    assert result.exit_status == 0
    return files.url
