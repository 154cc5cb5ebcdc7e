"""Twins whose lattices coincide, from gemmi's structure factors: told with law and fraction, never called solved."""

import gemmi
import numpy as np
import pytest

from dsfu.model.problems.phases.laue import find_laue_class, laue_rotations, laws_of_cell
from dsfu.model.problems.phases.merging import merge
from dsfu.model.problems.phases.reading import parse_cell, read_reflections
from dsfu.model.problems.phases.solve import solve
from dsfu.model.problems.phases.twinning import mean_local_difference
from tests.model.problems.phases.made_elsewhere import calculated, packed

ABOUT_A = np.diag([1, -1, -1])


def rectangular(group: str) -> gemmi.SmallStructure:
    """A monoclinic crystal whose β is 90°."""
    structure = packed("C5H8", group)
    a, b, c, *_ = structure.cell.parameters
    structure.cell = gemmi.UnitCell(a, b, c, 90, 90, 90)
    structure.setup_cell_images()
    return structure


def write_twin(path, structure, law, fraction):
    rng = np.random.default_rng(3)
    hkl = np.array(gemmi.make_miller_array(structure.cell, gemmi.SpaceGroup("P 1 2/m 1"), 0.85, 0.0, True))
    first, second = (np.abs(calculated(structure, each)) ** 2 for each in (hkl, hkl @ law))
    intensity = (1 - fraction) * first + fraction * second
    intensity *= 9000 / intensity.max()
    sigma = 0.03 * intensity + 0.01 * np.median(intensity)
    rows = [
        "".join(f"{index:4d}" for index in h) + f"{i + s * rng.standard_normal():8.2f}{s:8.2f}"
        for h, i, s in zip(hkl, intensity, sigma, strict=True)
    ]
    path.write_text("\n".join([*rows, "   0   0   0    0.00    0.00", ""]))
    return read_reflections(path, parse_cell(",".join(f"{x:.5f}" for x in structure.cell.parameters)))


@pytest.mark.parametrize("group", ["P 1 21 1", "P 1 21/c 1"])
def test_a_twin_is_told_with_its_fraction_and_not_called_solved(tmp_path, group):
    crystal = solve(write_twin(tmp_path / "x.hkl", rectangular(group), ABOUT_A, 0.2))
    assert crystal.twin is not None
    assert crystal.twin.fraction == pytest.approx(0.2, abs=0.03)
    assert crystal.twin.after < 0.7 * crystal.twin.before
    assert crystal.verdict.outcome == "doubtful"
    assert "probably a twin" in " ".join(crystal.verdict.reasons)


def test_the_same_crystal_that_is_no_twin_is_not_called_one(tmp_path):
    crystal = solve(write_twin(tmp_path / "x.hkl", rectangular("P 1 21/c 1"), ABOUT_A, 0.0))
    assert crystal.twin is None
    assert crystal.verdict.outcome == "solved"


def test_laws_are_symmetries_of_the_cell_that_the_class_lacks(tmp_path):
    data = write_twin(tmp_path / "x.hkl", rectangular("P 1 21/c 1"), ABOUT_A, 0.0)
    laue = find_laue_class(data)
    (law,) = laws_of_cell(data.cell, laue)
    assert abs(law).tolist() == np.eye(3, dtype=int).tolist()
    assert law.tobytes() not in {each.tobytes() for each in laue.rotations}
    assert laws_of_cell((5.0, 6.0, 7.0, 90.0, 105.0, 90.0), laue) == []
    assert len(laue_rotations(gemmi.SpaceGroup("P m m m"))) == 2 * len(laue.rotations)


def test_neighbours_of_a_centrosymmetric_crystal_differ_as_the_theory_says(tmp_path):
    """2/π, and ½ for a twin of equal parts (Padilla & Yeates 2003)."""
    single, twin = (
        merge(data, find_laue_class(data))
        for data in (
            write_twin(tmp_path / f"{part}.hkl", rectangular("P 1 21/c 1"), ABOUT_A, part) for part in (0.0, 0.5)
        )
    )
    assert mean_local_difference(single) == pytest.approx(2 / np.pi, abs=0.05)
    assert mean_local_difference(twin) == pytest.approx(0.5, abs=0.05)
