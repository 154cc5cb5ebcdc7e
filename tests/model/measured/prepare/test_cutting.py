"""Cut planes, held to functions that are known at every point and to simulated planes."""

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from hypothesis import given
from hypothesis import strategies as st

from dsfu.errors import InputError
from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.prepare.cutting import available_range, cut, largest_q_max
from dsfu.model.measured.prepare.plane_spec import parse_plane
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.planes import layer
from dsfu.simulate.disorder.scattering import simulate_plane
from dsfu.simulate.lattice import Cell
from tests.model.measured.prepare.made import HEXAGONAL, TRICLINIC, made, oblique_grids, on_grid
from tests.simulate.disorder.reference import molecular_form_factor
from tests.simulate.strategies import cells, random_alpha

SPECS = ("hk0", "hk1", "h0l", "0.3kl", "h-0.5l", "hhl", "h-hl", "hkk", "0.2,0,0 1,1,0.5 0,1,-1")


@given(cells(), oblique_grids(), st.sampled_from(SPECS), st.sampled_from([5, 24, 61]), st.floats(0.0, 0.2))
def test_every_pixel_has_the_intensity_of_its_hkl(
    cell: Cell, grid: tuple[FloatArray, FloatArray], spec: str, pixels: int, thickness: float
) -> None:
    """Linear functions survive interpolation and averaging, in every geometry: so every pixel is where it says."""
    slope = np.array([1.0, -10.0, 100.0])
    volume = on_grid(lambda hkl: hkl @ slope + 7, *grid, (25, 25, 25), cell)
    found = cut(volume, spec, pixels=pixels, q_max=0.8 * largest_q_max(volume, parse_plane(spec)), thickness=0.0)
    assert found.live.all()
    np.testing.assert_allclose(found.intensity, found.hkl @ slope + 7, atol=1e-8)
    thick = cut(volume, spec, pixels=pixels, q_max=found.plane.q_max / 2, thickness=thickness)
    np.testing.assert_allclose(thick.intensity[thick.live], (thick.hkl @ slope + 7)[thick.live], atol=1e-8)


def test_a_layer_is_that_of_the_simulation() -> None:
    volume = made(lambda hkl: hkl[..., 2], cell=HEXAGONAL)
    found = cut(volume, "hk1.5", pixels=16)
    expected = layer(HEXAGONAL, "c", 1.5, found.plane.q_max, 16)
    np.testing.assert_allclose(found.plane.q, expected.q)
    np.testing.assert_allclose(found.hkl[..., 2], 1.5)
    assert found.name == "hk1.5 of made.h5"


@pytest.mark.parametrize("cell", [HEXAGONAL, TRICLINIC])
def test_a_simulated_crystal_is_cut_to_within_the_error_of_interpolation(cell: Cell) -> None:
    """From an oblique hk0 grid to the Cartesian one, against the simulation on the Cartesian one."""
    atoms = Atoms("C2", [[0.7, 0.2, 0.1], [-0.6, 0.3, -0.4]]), Atoms("O", [[0, 0, 0]])
    alpha = random_alpha(3, 0.005)  # so weak that I_SRO is nowhere clipped, which would make kinks

    def truth(hkl: FloatArray) -> FloatArray:
        q = cell.q_of_hkl(hkl)
        shells = np.arange(-5, 6)
        order = np.einsum(
            "uvw,hu,hv,hw->h",
            alpha,
            *(np.exp(2j * np.pi * np.outer(hkl.reshape(-1, 3)[:, i], shells)) for i in range(3)),
            optimize=True,
        ).real.reshape(hkl.shape[:-1])
        difference = molecular_form_factor(atoms[0], q) - molecular_form_factor(atoms[1], q)
        return np.asarray(0.3 * 0.7 * np.abs(difference) ** 2 * np.maximum(order, 0))

    def error_of(step: float) -> tuple[FloatArray, float]:
        count = round(4 / step) + 1
        plane = made(truth, half=(2.0, 2.0, 0.0), voxels=(count, count, 1), cell=cell)
        found = cut(plane, "hk0", pixels=96, q_max=0.35)  # pixels no larger than voxels
        simulated = simulate_plane(*atoms, 0.3, cell, alpha, found.plane).intensity
        assert found.live.all()
        return np.asarray(found.intensity - simulated, np.float64), float(simulated.max())

    coarse, peak = error_of(0.02)
    fine, _ = error_of(0.01)
    # The polynomial through six points errs by at most 225/64/720 step⁶ times the sixth derivative, on each axis; that
    # of a series with |u| ≤ 5 is at most (2π·5)⁶ its maximum, and molecules of this size add another unit to u.
    assert np.abs(fine).max() < 2 * 225 / 64 / 720 * (0.01 * 2 * np.pi * 6) ** 6 * peak
    ratio = np.sqrt(np.mean(coarse**2) / np.mean(fine**2))
    assert 30 < ratio < 70  # the error goes with the sixth power of the step


def test_what_pixels_cannot_carry_is_not_aliased() -> None:
    """A wave with two periods a pixel averages out; picking points would alias it to a constant."""
    cell = Cell(2 * np.pi, 2 * np.pi, 2 * np.pi)  # 1/Å are reciprocal lattice units
    wave = made(lambda hkl: 1 + np.cos(2 * np.pi * hkl[..., 0] / 0.1), half=(2, 2, 0), voxels=(401, 401, 1), cell=cell)
    found = cut(wave, "hk0", pixels=16, q_max=1.6)  # pixels of 0.2
    np.testing.assert_allclose(found.intensity, 1.0, atol=0.01)


def test_uncertainties_are_what_noise_does() -> None:
    volume = made(lambda hkl: 0 * hkl[..., 0], voxels=(21, 21, 5), half=(2, 2, 0.2), cell=HEXAGONAL)
    rng = np.random.default_rng(5)
    sigma = rng.uniform(0.5, 2.0, volume.shape)
    for pixels, thickness in ((40, 0.0), (9, 0.15)):
        draws = np.stack(
            [
                cut(
                    replace(volume, intensity=rng.normal(0, sigma), sigma=sigma),
                    "hk0",
                    pixels=pixels,
                    thickness=thickness,
                ).intensity
                for _ in range(100)
            ]
        )
        stated = cut(replace(volume, sigma=sigma), "hk0", pixels=pixels, thickness=thickness).sigma
        assert stated is not None
        ratio = draws.std(axis=0, ddof=1) / stated
        # 100 draws know each standard deviation to 1/√200; five of those for a few thousand pixels.
        assert np.abs(ratio - 1).max() < 5 / np.sqrt(200)
        assert abs(ratio.mean() - 1) < 0.02


def test_dead_voxels_make_dead_pixels_and_nothing_else() -> None:
    volume = made(lambda hkl: 5 + hkl[..., 0], voxels=(61, 61, 1), half=(3, 3, 0), cell=HEXAGONAL)
    live = np.ones(volume.shape, np.bool_)
    live[:, 40:44] = False  # k from 1.0 to 1.3
    intensity = np.where(live, volume.intensity, np.nan)
    found = cut(replace(volume, intensity=intensity, live=live), "hk0", pixels=200)
    k = found.hkl[..., 1]
    assert not found.live[(k > 0.99) & (k < 1.31)].any()
    assert found.live[(k < 0.9) | (k > 1.4)].all()
    assert (found.intensity[~found.live] == 0).all()
    np.testing.assert_allclose(found.intensity[found.live], (5 + found.hkl[..., 0])[found.live], atol=0.03)


def test_thickness_takes_the_mean_over_layers() -> None:
    cell = Cell(5.0, 5.0, 7.0)
    volume = made(lambda hkl: hkl[..., 2] ** 2, half=(2, 2, 1), voxels=(11, 11, 201), cell=cell)
    found = cut(volume, "hk0", pixels=8, thickness=0.3)
    np.testing.assert_allclose(found.intensity[found.live], 0.3**2 / 3, rtol=0.01)  # the mean of l² over −0.3 to 0.3


def test_the_default_square_is_the_largest_one() -> None:
    cell = Cell(2 * np.pi, np.pi, 2 * np.pi)
    volume = made(lambda hkl: hkl[..., 0], half=(3, 2, 3), cell=cell)
    assert largest_q_max(volume, parse_plane("hk0")) == pytest.approx(3.0)  # h to 3, k to 2 · 2
    h, k = np.linspace(-3, 3, 31)[:, np.newaxis, np.newaxis], np.linspace(-2, 2, 31)[:, np.newaxis]
    live = np.broadcast_to((np.abs(h) < 1.01) & (np.abs(k) < 0.67), volume.shape)
    smaller = largest_q_max(replace(volume, live=live), parse_plane("hk0"))
    assert 1.33 < smaller < 1.33 + 0.27 + 0.05  # k · 2 to 0.667 · 2, a voxel of interpolation, a pixel


def test_a_centre_outside_of_the_data_takes_all_that_there_is() -> None:
    cell = Cell(2 * np.pi, 2 * np.pi, 2 * np.pi)
    quarter = on_grid(lambda hkl: hkl[..., 0], np.array([1.0, 2.0, -1.0]), np.eye(3) / 10, (31, 31, 21), cell)
    assert largest_q_max(quarter, parse_plane("hk0")) == pytest.approx(5.0, abs=0.1)
    found = cut(quarter, "hk0", pixels=100)
    assert found.coverage == pytest.approx(9 / 100, rel=0.1)


def test_a_plane_outside_is_an_error_that_says_what_there_is() -> None:
    volume = made(lambda hkl: hkl[..., 0])
    with pytest.raises(InputError, match="outside") as error:
        cut(volume, "hk7")
    assert "h from -3 to 3, k from -3 to 3, l from -3 to 3" in str(error.value)


def test_a_plane_without_data_is_an_error() -> None:
    volume = made(lambda hkl: hkl[..., 0])
    dead = replace(volume, live=np.zeros(volume.shape, np.bool_))
    with pytest.raises(InputError, match=r"0\.0 % of its pixels are live"):
        cut(dead, "hk0")


def test_a_plane_file_gives_no_other_plane() -> None:
    plane = made(lambda hkl: hkl[..., 0], voxels=(31, 31, 1), half=(3, 3, 0))
    assert available_range(plane) == "h from -3 to 3, k from -3 to 3, l = 0"
    assert cut(plane, "hk0", pixels=32).live.all()
    with pytest.raises(InputError, match="outside"):
        cut(plane, "hk0.4")


def test_without_a_cell_nothing_is_cut() -> None:
    with pytest.raises(InputError, match="cell is unknown"):
        cut(made(lambda hkl: hkl[..., 0], cell=None), "hk0")


def test_the_step_has_what_is_needed_to_do_it_again() -> None:
    volume: Reconstruction = made(lambda hkl: hkl[..., 0] ** 2)
    found = cut(volume, "hk1", pixels=32, thickness=0.1)
    parameters = dict(found.history[-1].parameters)
    wanted = {name: parameters[name] for name in ("q_max", "pixels", "thickness", "live_enough")}
    again = cut(volume, parameters["plane"], **wanted)
    np.testing.assert_array_equal(again.intensity, found.intensity)
