import numpy as np
import pytest

from dsfu.errors import InputError
from dsfu.model.measured.molecules.sites import on_site
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.lattice import Cell
from dsfu.simulate.structures.structure import Structure

CELL = Cell(7, 8, 9, 80, 95, 105)


def rod(origin: FloatArray) -> Structure:
    return Structure(
        numbers=np.array([6, 8]),
        positions=np.array([[0.0, 0, 0], [1.2, 0, 0]]) + origin,
        occupancies=np.ones(2),
        labels=("C1", "O1"),
        name="rod",
    )


FIRST, SECOND = rod(np.array([1.0, 2, 3])), rod(np.array([1.5, 2, 3]))


def shift(sites: list[str], second: Structure = SECOND, cell: Cell | None = None) -> list[float]:
    one, other = on_site((FIRST, second), sites, cell)
    return [round(float(value), 9) for value in other.positions[0] - one.positions[0]]


def test_coordinates_of_files_are_kept():
    assert shift(["file"]) == [0.5, 0, 0]


def test_centroids_and_atoms_and_points_are_put_on_one_another():
    assert shift(["centroid"]) == [0, 0, 0]
    assert shift(["C1", "O1"]) == [-1.2, 0, 0]
    assert shift(["1,2,3", "1.5,2,3.25"]) == [0, 0, -0.25]


@pytest.mark.parametrize("steps", [(1, 0, 0), (-2, 1, 3)])
def test_a_neighbouring_cell_is_the_same_site(steps):
    moved = rod(SECOND.positions[0] + np.array(steps) @ CELL.vectors)
    assert shift(["file"], moved, CELL) == [0.5, 0, 0]


@pytest.mark.parametrize(
    ("sites", "told"), [(["X1"], "no atom X1"), (["1,2"], "no point"), (["a,b,c"], "no point"), ([], "0 sites")]
)
def test_bad_sites_are_told(sites, told):
    with pytest.raises(InputError, match=told):
        shift(sites)
