"""Every benchmark runs, on a tiny size: what nobody has run for a while does not work any more."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cluster.slurm_here import why_not
from tests.pipeline.tiny import manifest_text

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parent
PATIENCE_SECONDS = 600

STORE = "STORE"
"""Stands for a small closed store with planes."""

WEIGHTS = str(FOLDER.parents[1] / "model" / "weights" / "dsfu.safetensors")

TINY: Mapping[str, str] = {
    "ablation": f"{STORE} runs --seconds 0.01 --only dsfu --set data.pixels=32",
    "attack": "--each 1 --kills 1",
    "centring": "--half 10 --plane-half 12 --counts 100 --kinds alloy",
    "coverage": "--count 1 --counts 1000",
    "crowd": "--workers 2 --threads 2 --seconds 0.02 --shards 5 --processes 2",
    "crystal_maker": "orthorhombic crystal.h5 truth.json --half 10 --ideal --clean",
    "crystal_planes": "--good 1 --faults 0 --half 20",
    "crystals": "--rounds 1 --no-faults --half 16",
    "dead_zones": "--pixels 32",
    "densities": "--simulated 1",
    "densities_powders": "--count 1",
    "example_tba": "--seeds 1 --counts 4000 --pixels 48",
    "factorising": f"{STORE} --planes 1 --noise 0.05",
    "fuzz": "--minutes 0 --only manifest,site,config,store",
    "image_lattices": "--planes 1 --first 116",
    "kernels": "--runs 1 --pixels 32",
    "lattice": "--planes 1 --noise 0",
    "loading": f"{STORE} --batches 1 --pixels 32",
    "measured_particles": "--particles 1 --strangers 1 --unusual 1",
    "metropolis": "--sets 1 --box 12 --seconds 0.1",
    "network_on_lattice": "--planes 2 --noise 0 --find",
    "particle_kernels": "",
    "particle_splits": "--count 1",
    "phase_grids_solved": "--crystals 1 --cases 10/4",
    "phase_grids": "--crystals 1 --cases 10/4/1/0",
    "particles": "--shapes 1",
    "phases": "--crystals 1 --d-min 1.2",
    "phases_charge_flipping": "--crystals 1 --d-min 1.2",
    "phases_phai": "--most 1",
    "pipeline": "--pairs-per-group 1 --pixels 16",
    "plan_estimate": "--only phases --samples 0.01",
    "planning": "--shards 200 --present 20",
    "reading": STORE,
    "refine_ff": "--seeds 1",
    "refine_sro": "--count 1",
    "robustness": "--count 1 --pixels 32 --cases 1",
    "scheduler": "--shards 200 --one-by-one 50",
    "security": "--shards 200 --starts 1",
    "shard_format": "--pairs 1 --compressors 1",
    "slurm": "--per-group 2 --seconds 0.1",
    "solver": "--planes 1",
    "tba": "",
    "training": "--pixels 128 --batch 1 --steps 1 --width 0.1",
    "turned_planes": f"{WEIGHTS} --planes 2 --noise 0",
    "uniqueness": "--seeds 1 --most 200",
    "verdict": "--count 1 --good 2 --pixels 32 --kinds",
}
"""What each is told, so that it takes seconds."""

NEED_DATA = {"densities_measured", "phases_published"}
"""They read files that are not part of the project."""


def scripts() -> list[str]:
    found = [path for path in FOLDER.glob("*.py") if not path.name.startswith("test_")]
    return sorted(path.stem for path in found if 'if __name__ == "__main__"' in path.read_text())


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("benchmarks")
    (folder / "tiny.yaml").write_text(manifest_text().replace("pixels: 16", "pixels: 32"))
    command = [sys.executable, "-m", "dsfu.pipeline.cli", "run", "tiny.yaml", "--store", "store"]
    command += ["--scheduler", "sync", "--quiet"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return str(folder / "store")


def test_each_has_a_tiny_size():
    assert set(scripts()) - set(TINY) - NEED_DATA == set(), "say in TINY what makes it small"
    assert set(TINY) - set(scripts()) == set()


@pytest.mark.parametrize("name", sorted(TINY))
def test_it_runs(name, store, tmp_path):
    """From any folder, and it prints something."""
    if name == "slurm" and why_not():
        pytest.skip(why_not())
    words = [store if word == STORE else word for word in TINY[name].split()]
    script = FOLDER / f"{name}.py"
    places = {} if name == "slurm" else {"TMPDIR": str(tmp_path)}  # the names of SLURM's sockets must be short
    as_module = f"python -m tests.benchmarks.{name}" in script.read_text()
    done = subprocess.run(
        [sys.executable, *(["-m", f"tests.benchmarks.{name}"] if as_module else [str(script)]), *words],
        cwd=tmp_path,
        env={**os.environ, **places, **({"PYTHONPATH": str(FOLDER.parents[1])} if as_module else {})},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(done.stdout.split()) > 5, done.stdout
