"""How much of a wave along h is left on a plane that is cut: what damps the far shells of short-range order."""

from dataclasses import replace

import numpy as np
import pytest

from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.prepare.cutting import cut
from dsfu.simulate.lattice import Cell

FULL_PIXELS, FULL_Q_MAX = 256, 7.0


def wave(edge: float, voxel: float, shell: int, q_max: float) -> Reconstruction:
    """cos(2π u h) on one layer of a cubic crystal, on a grid that has hk0 nowhere on its voxels."""
    number = int(np.ceil(q_max * edge / (2 * np.pi) / voxel)) + 9
    h = (np.arange(-number, number + 1) + 0.37) * voxel
    intensity = np.broadcast_to(np.cos(2 * np.pi * shell * h)[:, np.newaxis, np.newaxis], (h.size, h.size, 1)).copy()
    return Reconstruction(
        intensity=intensity,
        live=np.ones(intensity.shape, np.bool_),
        origin=np.array([h[0], h[0], 0.0]),
        steps=np.diag([voxel, voxel, 0.1]),
        cell=Cell(edge, edge, edge),
    )


def amplitude(volume: Reconstruction, shell: int, pixels: int) -> float:
    """That of cos(2π u h) on the plane, with pixels as large as those of 256 up to 7 1/Å."""
    found = cut(volume, "hk0", pixels=pixels, q_max=FULL_Q_MAX * pixels / FULL_PIXELS)
    phase = 2 * np.pi * shell * found.hkl[..., 0][found.live]
    terms = np.stack([np.cos(phase), np.sin(phase), np.ones_like(phase)], axis=1)
    return float(np.linalg.lstsq(terms, found.intensity[found.live], rcond=None)[0][0])


@pytest.mark.parametrize(
    ("edge", "voxel", "shell", "least"),
    [
        (5.0, 0.02, 6, 0.98),
        (5.0, 0.04, 5, 0.98),
        (5.0, 0.04, 6, 0.97),
        (8.0, 0.02, 5, 0.98),
        (8.0, 0.04, 5, 0.98),
        (8.0, 0.05, 4, 0.98),
        (8.0, 0.1, 2, 0.98),
        (12.0, 0.04, 3, 0.98),  # five periods in 9.6 pixels are more than these can carry
    ],
)
def test_waves_that_pixels_can_carry_are_hardly_damped(edge: float, voxel: float, shell: int, least: float) -> None:
    pixels = 48
    found = amplitude(wave(edge, voxel, shell, FULL_Q_MAX * pixels / FULL_PIXELS), shell, pixels)
    assert least < found < 1.02


def test_beside_dead_voxels_waves_are_damped_no_more_than_by_linear_interpolation() -> None:
    """Holes of 0.15 r.l.u. at every lattice point, as Bragg peaks leave them."""
    volume = wave(8.0, 0.04, 5, 4.0)
    hkl = volume.hkl_of_voxels(np.indices(volume.shape).transpose(1, 2, 3, 0))
    live = np.linalg.norm((hkl - np.rint(hkl))[..., :2], axis=-1) > 0.15
    punched = replace(volume, intensity=np.where(live, volume.intensity, np.nan), live=live)
    found = amplitude(punched, 5, 144)
    assert 0.93 < found < 1.01


@pytest.mark.parametrize("pixels", [64, 200])
def test_beside_dead_voxels_linear_functions_stay_what_they_are(pixels: int) -> None:
    """Stencils give way to smaller ones as wholes: a larger one that only lacks a voxel would shift what it makes."""
    volume = wave(8.0, 0.04, 1, 2.0)
    hkl = volume.hkl_of_voxels(np.indices(volume.shape).transpose(1, 2, 3, 0))
    truth = 5 + hkl @ [1.0, -3.0, 0.0]
    live = np.ones(volume.shape, np.bool_)
    live[30:33] = False
    found = cut(replace(volume, intensity=np.where(live, truth, np.nan), live=live), "hk0", pixels=pixels, q_max=1.5)
    error = found.intensity - (5 + found.hkl @ [1.0, -3.0, 0.0])
    whole = np.abs(found.hkl[..., 0] - volume.hkl_of_voxels([31, 0, 0])[0]) > 2.01 * 0.04 + found.plane.step
    assert np.abs(error[found.live & whole]).max() < 1e-9
