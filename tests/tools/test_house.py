"""The house stays readable: what docs/architecture.md says of its size is counted, and held."""

from tests.conftest import _ALONE
from tools.house import ROOT, count_house

ARGUMENTS = {"half_sphere", "form_factor_planes", "sro_planes"}
"""Kernels whose lines are what their arguments are: 40 to 50 of code."""


def test_files_and_functions_are_short_and_algebra_is_explained():
    found = count_house()
    assert len(found.files) > 600
    assert len(found.functions) > 4000
    too_long = {place for place in found.too_long() if not ARGUMENTS & set(place.split(":"))}
    assert too_long == set()
    assert 0.01 <= found.commented / found.lines <= 0.02


def test_what_runs_alone_is_in_the_folders_that_make_test_looks_through():
    (line,) = [each for each in (ROOT / "Makefile").read_text().splitlines() if each.startswith("ALONE := ")]
    folders = tuple(f"{each}/" for each in line.removeprefix("ALONE := ").split())
    assert all(each.startswith(folders) for each in _ALONE)
