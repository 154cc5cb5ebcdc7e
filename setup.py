"""Names the packages for setuptools: every folder of Python files under the top-level ones. All else: pyproject.toml.

The folder ``base`` installs as ``dsfu`` itself, the others as ``dsfu.simulate``, ``dsfu.pipeline`` and so on.
"""

from pathlib import Path

from setuptools import setup

HOMES = {"dsfu": "base", **{f"dsfu.{name}": name for name in ("simulate", "pipeline", "cluster", "model")}}


def packages_in(name: str, folder: str) -> list[str]:
    inside = sorted(path.parent.relative_to(folder).parts for path in Path(folder).rglob("__init__.py"))
    return [".".join((name, *parts)) for parts in inside]


setup(packages=[each for home in HOMES.items() for each in packages_in(*home)], package_dir=HOMES)
