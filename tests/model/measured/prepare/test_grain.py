"""What pixels that were interpolated from larger voxels share of the noise."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.factorise.methods import of_solver
from dsfu.model.measured.factorise.verdict import judge
from dsfu.model.measured.prepare.cutting import cut
from dsfu.model.measured.readers.plane_files import read_planes, write_planes
from dsfu.model.measured.solver.noise import certain_misfit, structured_misfit, variance_of
from dsfu.model.measured.solver.settings import SolverSettings
from dsfu.simulate.lattice import Cell
from tests.benchmarks.crystal_maker import CLEAN, make, recipes
from tests.benchmarks.crystals import reconstruction_of

VOXELS = 81


def noise(cell: Cell, seed: int = 5) -> Reconstruction:
    values = np.random.Generator(np.random.Philox(seed)).normal(1.0, 0.1, (VOXELS, VOXELS, 1))
    step = 0.05
    return Reconstruction(
        intensity=values,
        live=np.ones(values.shape, np.bool_),
        origin=np.array([-step * (VOXELS // 2)] * 2 + [0.0]),
        steps=np.diag([step] * 3),
        cell=cell,
    )


@pytest.mark.parametrize("cell", [Cell(7, 6, 8), Cell(6, 6, 8, 90, 90, 120)])
@pytest.mark.parametrize("pixels", [96, 150, 256, 380])
def test_the_noise_that_neighbours_share_is_what_was_said(cell: Cell, pixels: int) -> None:
    plane = cut(noise(cell), "hk0", pixels=pixels)
    left = plane.intensity - 1
    grain = plane.grain
    power = np.square(left).mean()
    along_x = (left[:, grain.lag_x :] * left[:, : -grain.lag_x]).mean() / power
    along_y = (left[grain.lag_y :] * left[: -grain.lag_y]).mean() / power
    assert along_x < grain.shared_x + 0.06
    assert along_y < grain.shared_y + 0.06
    assert grain.independent <= 1


def test_noise_on_fine_pixels_is_not_taken_for_structure() -> None:
    plane = cut(noise(Cell(7, 6, 8)), "hk0", pixels=256)
    left = np.asarray(plane.intensity, np.float64) - 1
    model, live = np.ones(left.shape), plane.live
    assert certain_misfit(left, model, live, plane.grain) < 0.25 * structured_misfit(left, model, live)
    assert variance_of(left, model, live, plane.grain).mean() == pytest.approx(0.01 * 0.75, rel=0.25)
    assert variance_of(left, model, live).mean() < 0.004


def test_pixels_as_large_as_voxels_share_nothing() -> None:
    plane = cut(noise(Cell(7, 7, 8)), "hk0", pixels=48)
    assert (plane.grain.lag_x, plane.grain.lag_y, plane.grain.independent) == (1, 1, 1)


@pytest.mark.parametrize("pixels", [96, 256])
def test_a_good_plane_of_an_independent_crystal_is_not_called_wrong(pixels: int) -> None:
    volume = make(recipes()["orthorhombic"], (50, 50, 4), replace(CLEAN, counts=25.0, gaps=True), ideal=True, seed=3)
    verdict = judge(of_solver([cut(reconstruction_of(volume), "hk0", pixels=pixels)], SolverSettings()))
    assert verdict.judgement == "agrees", verdict.sentence


def test_a_scrap_of_a_plane_is_not_judged() -> None:
    volume = make(recipes()["orthorhombic"], (22, 22, 4), CLEAN, ideal=True, seed=3)
    verdict = judge(of_solver([cut(reconstruction_of(volume), "hk0", pixels=64)], SolverSettings()))
    assert verdict.judgement in ("not judged", "contradicts")
    assert verdict.too_little


def test_a_file_of_planes_gives_it_back(tmp_path: Path) -> None:
    plane = cut(noise(Cell(7, 6, 8)), "hk0", pixels=120)
    write_planes(tmp_path / "planes.h5", [plane])
    assert read_planes(tmp_path / "planes.h5")[0].grain == plane.grain
