"""Averages over symmetry: what is symmetric stays, what is not becomes it, and uncertainties are what noise does."""

from dataclasses import replace

import numpy as np
import pytest

from dsfu.errors import InputError
from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.prepare.averaging import averaged_over_symmetry
from dsfu.model.measured.symmetry.groups import symmetry_of
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.lattice import Cell
from tests.model.measured.prepare.made import made, on_grid

CELLS = {
    "-1": Cell(5, 6, 7, 80, 95, 110),
    "2/m:b": Cell(5, 6, 7, 90, 105, 90),
    "2/m:c": Cell(5, 6, 7, 90, 90, 105),
    "mmm": Cell(5, 6, 7),
    "4/m": Cell(5, 5, 7),
    "4/mmm:b": Cell(5, 7, 5),
    "-3": Cell(5, 5, 7, 90, 90, 120),
    "-3m1": Cell(5, 5, 7, 90, 90, 120),
    "-31m": Cell(5, 5, 7, 90, 90, 120),
    "-3m:R": Cell(5, 5, 5, 80, 80, 80),
    "6/m:b": Cell(5, 7, 5, 90, 120, 90),
    "6/mmm": Cell(5, 5, 7, 90, 90, 120),
    "m-3": Cell(5, 5, 5),
    "m-3m": Cell(5, 5, 5),
}


def lopsided(hkl: FloatArray) -> FloatArray:
    """Smooth, positive, without any symmetry."""
    waves = np.cos(hkl @ np.array([[1.0, 0.3, -0.2], [0.2, 0.9, 0.4], [-0.5, 0.1, 1.2]]) + [0.3, 1.1, 2.0])
    return np.asarray(5 + waves.sum(axis=-1))


def symmetric(name: str) -> object:
    operators = symmetry_of(name, CELLS.get(name)).operators

    def function(hkl: FloatArray) -> FloatArray:
        return np.asarray(np.mean([lopsided(hkl @ each) for each in operators], axis=0))

    return function


def with_gaps(volume: Reconstruction, share: float = 0.3) -> Reconstruction:
    live = np.random.default_rng(0).random(volume.shape) > share
    return replace(volume, intensity=np.where(live, volume.intensity, np.nan), live=live)


@pytest.mark.parametrize("name", CELLS)
def test_what_is_symmetric_stays_and_gaps_are_filled(name: str) -> None:
    volume = with_gaps(made(symmetric(name), voxels=(17, 17, 17), cell=CELLS[name]))  # type: ignore[arg-type]
    averaged = averaged_over_symmetry(volume, name)
    truth = made(symmetric(name), voxels=(17, 17, 17)).intensity  # type: ignore[arg-type]
    np.testing.assert_allclose(averaged.intensity[averaged.live], truth[averaged.live], rtol=1e-12)
    assert averaged.live[volume.live].all()
    assert averaged.coverage > volume.coverage + 0.15
    parameters = averaged.history[-1].parameters
    assert parameters["r_int"] < 1e-12
    assert not parameters["interpolated"]


@pytest.mark.parametrize("name", CELLS)
def test_what_is_not_symmetric_becomes_the_mean_over_the_group(name: str) -> None:
    """The slow way: the function itself, averaged at the images of every voxel, but only of images on the grid."""
    volume = made(lopsided, voxels=(9, 9, 9), cell=CELLS[name])
    averaged = averaged_over_symmetry(volume, name)
    hkl = volume.hkl_of_voxels(np.indices(volume.shape).transpose(1, 2, 3, 0))
    images = np.stack([hkl @ each for each in symmetry_of(name, CELLS[name]).operators])
    inside = (np.abs(images) < 3.001).all(axis=-1)
    expected = (lopsided(images) * inside).sum(axis=0) / inside.sum(axis=0)
    np.testing.assert_allclose(averaged.intensity, expected, rtol=1e-12)
    assert 0.01 < averaged.history[-1].parameters["r_int"] < 0.5


def test_r_int_is_that_of_the_definition() -> None:
    volume = on_grid(lambda hkl: 0 * hkl[..., 0], np.array([-1.0, 0, 0]), np.eye(3), (3, 1, 1), Cell(5, 6, 7))
    intensity = np.array([8.0, 99.0, 12.0]).reshape(3, 1, 1)
    averaged = averaged_over_symmetry(replace(volume, intensity=intensity), "-1")
    assert averaged.intensity.ravel().tolist() == [10, 99, 10]
    assert averaged.history[-1].parameters["r_int"] == pytest.approx(4 / 20)  # the origin has no equivalent
    alone = averaged_over_symmetry(replace(volume, live=intensity < 10), "-1")
    assert np.isnan(alone.history[-1].parameters["r_int"])


@pytest.mark.parametrize("name", ["mmm", "6/mmm"])
def test_uncertainties_are_what_noise_does_also_on_symmetry_elements(name: str) -> None:
    volume = with_gaps(made(lambda hkl: 0 * hkl[..., 0], voxels=(9, 9, 9), cell=CELLS[name]), 0.1)
    volume.live[4, 4, 4] = True
    rng = np.random.default_rng(1)
    sigma = rng.uniform(0.5, 2, volume.shape)
    draws = [
        averaged_over_symmetry(replace(volume, intensity=rng.normal(0, sigma), sigma=sigma), name) for _ in range(100)
    ]
    stated, live = draws[0].sigma, draws[0].live
    assert stated is not None
    ratio = np.std([each.intensity for each in draws], axis=0, ddof=1)[live] / stated[live]
    assert np.abs(ratio - 1).max() < 5 / np.sqrt(200)
    assert abs(ratio.mean() - 1) < 0.02
    assert stated[4, 4, 4] == pytest.approx(
        sigma[4, 4, 4]
    )  # the origin is its own equivalent, however many operators there are


def test_a_grid_that_symmetry_does_not_map_onto_itself_is_interpolated() -> None:
    """Off by a fraction of a voxel: the error is that of linear interpolation, and no voxel is out of place."""
    cell = CELLS["6/mmm"]
    function = symmetric("6/mmm")
    volume = on_grid(function, np.array([-2.03, -1.98, -2.01]), np.eye(3) / 10, (41, 41, 41), cell)  # type: ignore[arg-type]
    averaged = averaged_over_symmetry(volume, "6/mmm")
    assert averaged.history[-1].parameters["interpolated"]
    assert averaged.live.all()
    assert np.abs(averaged.intensity - volume.intensity).max() < 3 * 0.1**2 / 8 * 3
    assert averaged.history[-1].parameters["r_int"] < 1e-3


def test_weights_count_and_filled_voxels_only_where_there_is_nothing_else() -> None:
    volume = on_grid(lambda hkl: hkl[..., 0], np.array([-2.0, 0, 0]), np.eye(3), (5, 1, 1), Cell(5, 6, 7))
    intensity, weight = np.array([10.0, 1, 7, 3, 20]).reshape(5, 1, 1), np.array([3.0, 0, 1, 2, 1]).reshape(5, 1, 1)
    averaged = averaged_over_symmetry(replace(volume, intensity=intensity, weight=weight), "-1")
    assert averaged.intensity.ravel().tolist() == [12.5, 3, 7, 3, 12.5]
    assert averaged.weight is not None
    assert averaged.weight.ravel().tolist() == [4, 2, 1, 2, 4]
    nothing = averaged_over_symmetry(replace(volume, intensity=intensity, weight=0 * weight), "-1")
    assert nothing.intensity.ravel().tolist() == [15, 2, 7, 2, 15]
    assert nothing.live.all()


@pytest.mark.parametrize(("axis", "index"), [(2, 1.0), (1, 1.0), (1, 0.0)])
def test_plane_groups_work_on_single_layers(axis: int, index: float) -> None:
    """Also off the origin, where a Laue class finds no equivalents in the layer."""
    unique = "abc"[axis]
    cell = Cell(5, 5, 7, 90, 90, 120) if axis == 2 else Cell(5, 7, 5, 90, 120, 90)
    function = symmetric(f"p6m:{unique}")
    voxels, origin = [21, 21, 21], np.full(3, -2.0)
    voxels[axis], origin[axis] = 1, index
    layer = on_grid(function, origin, np.eye(3) / 5, (voxels[0], voxels[1], voxels[2]), cell)  # type: ignore[arg-type]
    averaged = averaged_over_symmetry(with_gaps(layer, 0.5), "p6m")
    assert averaged.history[-1].parameters["symmetry"] == f"p6m:{unique}"
    np.testing.assert_allclose(averaged.intensity[averaged.live], layer.intensity[averaged.live], rtol=1e-12)
    assert averaged.coverage > 0.95


def test_the_cell_must_have_the_symmetry() -> None:
    with pytest.raises(InputError, match="does not have this symmetry"):
        averaged_over_symmetry(made(lopsided, voxels=(5, 5, 5), cell=CELLS["mmm"]), "4/mmm")
