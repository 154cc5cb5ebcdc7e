"""The oldest versions that pyproject.toml allows, and the Pythons that it names, make a data set.

Of torch only the version pinned in constraints.txt can be had where these tests run, so the floor of the extra
``model`` is not held by them.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline.tiny import manifest_text

ROOT = Path(__file__).resolve().parents[2]
UV = Path(sys.executable).with_name("uv")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not UV.exists(), reason="uv is not installed"),
]


ENVIRONMENT = {**os.environ, "UV_NO_CACHE": "1", "UV_NO_PROGRESS": "1"}
"""Without uv's cache, so that nothing stays on the disk: an environment of 0.9 GB would leave as much again there."""


UNOPTIMISED = {"NUMBA_OPT": "0"}
"""A quarter less time to compile. The oldest versions compile as usual; how fast planes are made is no matter here."""


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    words = [str(each) for each in command]
    done = subprocess.run(
        words, capture_output=True, text=True, cwd=cwd, check=False, env={**ENVIRONMENT, **environment}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def python_of(version: str) -> Path | None:
    """A Python of that version on PATH or among those of pyenv, if one starts."""
    on_path = shutil.which(f"python{version}")
    of_pyenv = Path(os.environ.get("PYENV_ROOT", "/nowhere")).glob(f"versions/{version}.*/bin/python")
    for found in [*([Path(on_path)] if on_path else []), *sorted(of_pyenv)]:
        started = subprocess.run([found, "-c", "print('yes')"], capture_output=True, text=True, check=False)
        if started.stdout.strip() == "yes":
            return found
    return None


@pytest.mark.parametrize(
    ("version", "options"),
    [
        pytest.param("3.11", ["--resolution", "lowest-direct"], id="oldest"),
        pytest.param("3.12", ["--constraint", "constraints.txt"], id="3.12"),
        pytest.param("3.13", ["--constraint", "constraints.txt"], id="3.13"),
    ],
)
def test_a_data_set_is_made(version: str, options: list[str], tmp_path: Path):
    python = python_of(version)
    if python is None:
        pytest.skip(f"there is no Python {version}")
    environment, store = tmp_path / "env", tmp_path / "store"
    run(UV, "venv", "--quiet", "--python", python, environment, cwd=ROOT)
    inside = environment / "bin" / "python"
    source = tmp_path / "source"  # setuptools writes beside what it builds
    tracked = run(
        "git", "ls-files", "base", "simulate", "pipeline", "model", "cluster", "*.toml", "*.txt", "*.md", cwd=ROOT
    )
    for name in [*tracked.split(), "setup.py", "LICENSE"]:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, source / name)
    run(UV, "pip", "install", "--quiet", "--python", inside, *options, f"{source}[pipeline]", cwd=source)
    (tmp_path / "tiny.yaml").write_text(manifest_text(per_group=1))
    program = environment / "bin" / "dsfu-pipeline"
    compiling = {} if version == "3.11" else UNOPTIMISED
    run(program, "run", "tiny.yaml", "--store", store, "--workers", "1", cwd=tmp_path, **compiling)
    assert "no damage" in run(program, "verify", store, cwd=tmp_path)
    run(program, "report", store, "--out", "report.html", cwd=tmp_path)
    reading = "import xarray, sys; print(dict(xarray.open_zarr(sys.argv[1], group='train').sizes)['sample'])"
    assert int(run(inside, "-c", reading, store, cwd=tmp_path)) > 0
