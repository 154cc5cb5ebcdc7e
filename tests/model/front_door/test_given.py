"""Mistakes in what functions of the front door are given are told in the user's terms, before anything is computed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dsfu
from dsfu.errors import InputError
from dsfu.model.front_door.given import check_kind, settings_of
from dsfu.model.front_door.reconstructions import Planes, Volume
from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.solver.settings import SolverSettings
from dsfu.simulate.disorder.planes import Plane
from dsfu.simulate.lattice import Cell

VOLUME = Volume(
    Reconstruction(
        intensity=np.ones((5, 5, 5), np.float32),
        live=np.ones((5, 5, 5), np.bool_),
        origin=np.full(3, -1.0),
        steps=np.eye(3) / 2,
        cell=Cell(6, 7, 8, 90, 90, 90),
        source="ones",
        format="test",
    )
)
PLANE = MeasuredPlane(
    intensity=np.ones((16, 16), np.float32),
    live=np.ones((16, 16), np.bool_),
    plane=Plane(np.zeros(3), np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), 3.0, 16),
    cell=Cell(6, 7, 8, 90, 90, 90),
    name="hk0",
)
MISTAKES: dict[str, tuple[Callable[[], Any], str]] = {
    "a near miss": (lambda: dsfu.prepare(VOLUME, "hk0", brag="punch:0.1"), "brag is not known; did you mean bragg?"),
    "a number for a text": (lambda: dsfu.prepare(VOLUME, "hk0", bragg=0.15), "bragg is 0.15"),
    "a text for a number": (lambda: dsfu.prepare(VOLUME, "hk0", thickness="a"), "thickness is 'a'"),  # type: ignore[arg-type]
    "too few pixels": (lambda: dsfu.prepare(VOLUME, "hk0", pixels=0), "expected: 2 to 8192"),
    "a negative thickness": (lambda: dsfu.prepare(VOLUME, "hk0", thickness=-1), "thickness = -1"),
    "a number for a plane": (lambda: dsfu.prepare(VOLUME, 0), "planes is 0"),  # type: ignore[arg-type]
    "an array": (lambda: dsfu.factorise(np.ones((9, 9))), "a ndarray was given"),  # type: ignore[arg-type]
    "no plane": (lambda: dsfu.factorise([]), "there is no plane in it"),
    "cutoff in words": (lambda: dsfu.factorise(Planes([PLANE]), cutoff="x"), "cutoff is 'x'"),
    "cutoff too large": (lambda: dsfu.factorise(Planes([PLANE]), cutoff=90), "expected: 1 to 12"),
    "analyse, cutoff": (lambda: dsfu.analyse(VOLUME, cutoff="x"), "a whole number or None"),
    "analyse, an axis": (lambda: dsfu.analyse(VOLUME, no_order_along="d"), "one or two of a, b, c"),
    "analyse, bragg": (lambda: dsfu.analyse(VOLUME, bragg="none"), "True or False"),
    "delta_pdf, of": (lambda: dsfu.delta_pdf(VOLUME, of="sor"), "of is 'sor'"),  # type: ignore[arg-type]
    "delta_pdf, window": (lambda: dsfu.delta_pdf(VOLUME, window="x"), "'none' or 'hann' or 'gauss'"),
    "a lattice of two": (lambda: dsfu.find_lattice(Planes([PLANE, PLANE])), "there are 2 planes"),
    "a lattice of an array": (lambda: dsfu.find_lattice(np.ones((9, 9))), "a ndarray was given"),  # type: ignore[arg-type]
    "refine_sro": (lambda: dsfu.refine_sro("none.h5", cutof=3), "did you mean cutoff?"),
    "refine_molecules": (lambda: dsfu.refine_molecules(None, "a", "b"), "a NoneType was given"),  # type: ignore[arg-type]
    "a store": (lambda: dsfu.open_store(5), "an int was given"),  # type: ignore[arg-type]
    "a particle": (lambda: dsfu.solve_particle("none.gr", q_mx=25), "did you mean q_max?"),
    "phases": (lambda: dsfu.solve_phases(VOLUME), "a Volume was given"),  # type: ignore[arg-type]
    "a density": (lambda: dsfu.solve_density("a.xy", "NaCl", wavelength="Cu"), "wavelength is 'Cu'"),  # type: ignore[arg-type]
    "a place to save": (lambda: VOLUME.save(None), "a NoneType was given"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_it_is_told(mistake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    act, told = MISTAKES[mistake]
    with pytest.raises(InputError) as caught:
        act()
    assert told in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_what_is_right_passes() -> None:
    chosen = settings_of(SolverSettings, {"cutoff": np.int64(3), "stop": np.float32(0.5), "widths": [0.4]}, "here")
    assert (chosen.cutoff, chosen.stop, chosen.batch) == (3, 0.5, None)
    for value, hint in ((3, float), (None, float | None), ("bc", str), ((), tuple[float, ...])):
        check_kind("name", value, hint)


@pytest.mark.parametrize("value", [True, float("nan"), 1j, "3", [3]])
def test_what_is_no_number_does_not(value: object) -> None:
    with pytest.raises(InputError, match="expected: a finite number"):
        check_kind("name", value, float)


def test_a_single_plane_is_taken() -> None:
    with pytest.raises(InputError, match="no lattice is seen"):
        dsfu.find_lattice(PLANE)


def test_a_cell_of_reflections_is_numbers_or_text(tmp_path: Path) -> None:
    from dsfu.model.front_door.phases import reflections_of

    (tmp_path / "x.hkl").write_text("   1   0   0    9.00    1.00\n   0   1   0    4.00    1.00\n")
    numbers = (6.0, 7.0, 8.0, 90.0, 91.0, 90.0)
    given: list[Any] = ["6 7 8 90 91 90", list(numbers), np.array(numbers)]
    for cell in given:
        assert reflections_of(tmp_path / "x.hkl", cell).cell == numbers
    with pytest.raises(dsfu.InputError, match="cell is 5"):
        dsfu.solve_phases(tmp_path / "x.hkl", cell=5)  # type: ignore[arg-type]
