"""Recipes for conda and Apptainer, which no test can build: what they copy is there, and what they install exists."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONTAINER = (ROOT / "cluster/dsfu.def").read_text(encoding="utf-8")
CONDA = yaml.safe_load((ROOT / "examples/environment.yaml").read_text(encoding="utf-8"))


def extras(requirement: str) -> set[str]:
    (found,) = re.findall(r"\[([\w,]+)\]", requirement)
    return set(found.split(","))


def is_new_enough(python: str) -> bool:
    least = PROJECT["requires-python"].removeprefix(">=")
    return [int(each) for each in python.split(".")] >= [int(each) for each in least.split(".")]


def test_the_container_has_all_that_an_installation_needs() -> None:
    section = CONTAINER.partition("%files\n")[2].partition("\n\n")[0]
    copied = dict(line.split() for line in section.splitlines())
    assert all((ROOT / source).exists() for source in copied)
    assert all(target == f"/opt/dsfu/{source}" for source, target in copied.items())
    homes = set(
        re.findall(r'"(base|simulate|pipeline|cluster|model)"', (ROOT / "setup.py").read_text(encoding="utf-8"))
    )
    assert len(homes) == 5
    assert {*homes, "setup.py", "pyproject.toml", PROJECT["readme"], *PROJECT["license-files"]} <= set(copied)
    (install,) = re.findall(r"pip install (.*)", CONTAINER)
    assert extras(install) <= set(PROJECT["optional-dependencies"])
    assert re.search(r"--constraint /opt/dsfu/(\S+)", install)[1] in copied  # type: ignore[index]
    (python,) = re.findall(r"^From: python:([\d.]+)", CONTAINER, re.MULTILINE)
    assert is_new_enough(python)


def test_conda_installs_the_clone_with_extras_that_there_are() -> None:
    """conda has pip read these lines in the folder of the file, so paths are relative to it."""
    (pip,) = (each["pip"] for each in CONDA["dependencies"] if isinstance(each, dict))
    (constraint,) = (line.split()[1] for line in pip if line.startswith("--constraint"))
    assert (ROOT / "examples" / constraint).is_file()
    (project,) = (line for line in pip if not line.startswith("--"))
    assert (ROOT / "examples" / project.partition("[")[0]).resolve() == ROOT
    assert extras(project) <= set(PROJECT["optional-dependencies"])
    (python,) = (each.removeprefix("python=") for each in CONDA["dependencies"] if str(each).startswith("python="))
    assert is_new_enough(python)
