"""The distribution as a user gets it: a wheel in a fresh environment, and imports that load no more than they need."""

import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UV = Path(sys.executable).with_name("uv")
"""Installs in less time than pip, where it is there."""

FOLDERS = ("base", "simulate", "pipeline", "model", "cluster")


def run(*command: str | Path, cwd: Path | None = None) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=cwd, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def loaded_by(statement: str, cwd: Path) -> set[str]:
    """Top-level modules in memory after a statement, in a new process."""
    listing = "import sys; print(' '.join(sorted({name.split('.')[0] for name in sys.modules})))"
    return set(run(sys.executable, "-c", f"{statement}; {listing}", cwd=cwd).split())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made from a copy of what is tracked: in place, setuptools would pack whatever an earlier build left in build/."""
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    needed = ("pyproject.toml", "setup.py", "README.md", "LICENSE")
    for name in run("git", "ls-files", *FOLDERS, *needed, cwd=ROOT).split():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, source / name)
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, source)
    (built,) = folder.glob("*.whl")
    return built


@pytest.mark.slow
def test_the_source_distribution_has_tests_docs_and_examples(tmp_path: Path) -> None:
    """And makes a wheel: nothing that is needed for it is left out."""
    source = tmp_path / "source"
    tracked = run("git", "ls-files", cwd=ROOT).split("\n")
    for name in filter(None, tracked):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, source / name)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", tmp_path / "dist", source)
    (packed,) = (tmp_path / "dist").glob("*.tar.gz")
    with tarfile.open(packed) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {name for name in tracked if name.startswith((*FOLDERS, "tests/", "docs/", "examples/", "tools/"))}
    assert len(wanted) > 900
    assert wanted <= inside, sorted(wanted - inside)[:10]
    assert {"Makefile", "README.md", "CHANGELOG.md", "LICENSE", "constraints.txt", "setup.py"} <= inside
    (built,) = (tmp_path / "dist").glob("*.whl")
    assert "dsfu/simulate/species.py" in zipfile.ZipFile(built).namelist()


@pytest.mark.slow
def test_every_module_and_data_file_is_in_the_wheel(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    tracked = run("git", "ls-files", *FOLDERS, cwd=ROOT).split()
    kept = {f"dsfu/{name.removeprefix('base/')}" for name in tracked}
    assert kept <= inside, sorted(kept - inside)


@pytest.mark.slow
def test_the_wheel_alone_computes_a_plane(wheel: Path, tmp_path: Path) -> None:
    """Installed without extras, from the package index, into an environment that has nothing else."""
    python = tmp_path / "env" / "bin" / "python"
    if UV.exists():
        run(UV, "venv", "--quiet", "--python", sys.executable, tmp_path / "env")
        install: list[str | Path] = [UV, "pip", "install", "--quiet", "--no-cache", "--python", python]
    else:
        venv.create(tmp_path / "env", with_pip=True)
        install = [python, "-m", "pip", "install", "--quiet"]
    run(*install, "--constraint", ROOT / "constraints.txt", wheel)
    program = (
        "import dsfu.simulate, numpy as np\n"
        "from dsfu.simulate.species import load_library\n"
        "from dsfu.simulate.disorder.scattering import form_factor_of_planes\n"
        "from dsfu.simulate.disorder.planes import layer\n"
        "library = load_library(); a, b = library['Cu'], library['perchlorate']\n"
        "(plane,) = form_factor_of_planes(a.atoms, b.atoms, 0.5, [layer(a.cell, 'b', 1, 6.0, 32)])\n"
        "import dsfu.simulate.disorder.scattering as module; print(plane.shape, module.__file__)"
    )
    shape, place = run(python, "-c", program, cwd=tmp_path).strip().rsplit(" ", 1)
    assert shape == "(32, 32)"
    assert place.startswith(str(tmp_path)), place


def test_simulate_loads_nothing_of_the_pipeline_or_the_model(tmp_path: Path) -> None:
    """Nor what only drawing, HDF5 and POT's metrics need."""
    files = [path.relative_to(ROOT) for path in (ROOT / "simulate").rglob("*.py") if path.stem != "__init__"]
    modules = [".".join(path.with_suffix("").parts[1:]) for path in files]
    assert {"species", "disorder.scattering", "disorder.metropolis", "disorder.uniqueness"} <= set(modules)
    loaded = loaded_by("import " + ", ".join(f"dsfu.simulate.{module}" for module in modules), tmp_path)
    assert not loaded & {"dask", "distributed", "zarr", "xarray", "torch", "typer", "matplotlib", "h5py", "ot"}


@pytest.mark.parametrize("module", ["model", "model.cli", "model.shards"])
def test_model_loads_neither_dask_nor_numba(module: str, tmp_path: Path) -> None:
    assert not loaded_by(f"import dsfu.{module}", tmp_path) & {"dask", "distributed", "numba"}


@pytest.mark.parametrize("module", ["fields", "disorder.fields", "disorder.encoding"])
def test_what_describes_the_data_needs_numpy_alone(module: str, tmp_path: Path) -> None:
    heavy = {"numba", "scipy", "ase", "gemmi", "dask", "zarr", "xarray", "torch", "typer", "matplotlib"}
    assert not loaded_by(f"import dsfu.simulate.{module}", tmp_path) & heavy


@pytest.mark.parametrize("command", ["dsfu-pipeline", "dsfu-model"])
def test_commands_explain_themselves(command: str) -> None:
    assert "Usage" in run(Path(sys.executable).parent / command, "--help")
