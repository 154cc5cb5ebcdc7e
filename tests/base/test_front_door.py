"""The front door: every name leads somewhere, and none costs anything before it is used."""

import ast
import subprocess
import sys
import time
from pathlib import Path

import pytest

import dsfu


@pytest.mark.parametrize("name", [each for each in dsfu.__all__ if not each.startswith("_")])
def test_every_name_is_a_documented_function(name: str):
    found = getattr(dsfu, name)
    assert callable(found)
    assert found.__name__ == name
    assert found.__doc__
    assert name in dir(dsfu)


def test_type_checkers_see_the_same_names_as_users():
    """What is loaded when it is asked for would be ``Any`` to them."""
    tree = ast.parse(Path(str(dsfu.__file__)).with_suffix(".pyi").read_text(encoding="utf-8"))
    seen = {alias.name: each.module for each in tree.body if isinstance(each, ast.ImportFrom) for alias in each.names}
    assert seen == vars(dsfu)["_DOORS"]


def test_the_version_is_that_of_the_distribution():
    assert dsfu.__version__[0].isdigit()


def test_other_names_are_refused_with_those_that_there_are():
    with pytest.raises(
        AttributeError, match=r"no attribute 'factorize'; its functions are analyse, .*; did you mean factorise\?"
    ):
        _ = vars(dsfu)["__getattr__"]("factorize")


def test_importing_it_loads_nothing_heavy():
    listing = "import dsfu, sys; print(' '.join(sorted({name.split('.')[0] for name in sys.modules})))"
    loaded = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "torch", "numba", "dask", "zarr", "typer", "jinja2"} & set(loaded)


def test_help_loads_nothing_that_computes():
    listing = "import dsfu.model.cli, dsfu.pipeline.cli, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "scipy", "torch", "numba", "dask", "zarr", "matplotlib"} & set(loaded)


def least_seconds(*command: str, times: int = 5) -> float:
    """The shortest of several runs: what the command itself takes, whatever else the machine does."""
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        found.append(time.perf_counter() - begun)
    return min(found)


@pytest.mark.alone
def test_importing_takes_less_than_a_tenth_of_a_second_and_help_less_than_four():
    nothing = least_seconds(sys.executable, "-c", "")
    assert least_seconds(sys.executable, "-c", "import dsfu") - nothing < 0.1
    for program in ("model", "pipeline"):
        assert least_seconds(sys.executable, "-m", f"dsfu.{program}.cli", "--help") < 0.4
