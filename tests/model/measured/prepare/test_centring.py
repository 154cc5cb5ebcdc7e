"""Centres found in data that have nothing of our models: blobs anywhere, each with its Friedel mate, and noise."""

from dataclasses import replace

import numpy as np
import pytest

from dsfu.errors import InputError
from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.prepare.centring import centred, centred_as_found, find_centre, parse_centre
from dsfu.simulate.arrays import FloatArray
from tests.model.measured.prepare.made import made


def blobs(hkl: FloatArray, *, friedel: bool = True, seed: int = 3) -> FloatArray:
    rng = np.random.default_rng(seed)
    places = rng.uniform(-1.5, 1.5, (60, 3)) * (np.array(hkl.shape[:3]) > 1)
    total = np.full(hkl.shape[:-1], 20.0)
    for place, height in zip(places, rng.uniform(20, 100, 60), strict=True):
        for sign in (1, -1) if friedel else (1,):
            total += height * np.exp(-0.5 * np.square((hkl - sign * place) / 0.12).sum(axis=-1))
    return total


def measured(
    offset: tuple[float, float, float], voxels: tuple[int, int, int], *, noise: bool = True, friedel: bool = True
) -> Reconstruction:
    """What has hkl = 0 at ``offset`` of its axes; a stripe of it is not live."""
    found = made(
        lambda hkl: blobs(hkl - offset * (np.array(voxels) > 1), friedel=friedel), half=(1.5, 1.5, 1.5), voxels=voxels
    )
    if noise:
        found = replace(found, intensity=np.random.default_rng(1).poisson(found.intensity).astype(float))
    found.live[10:14] = False
    return found


@pytest.mark.parametrize("voxels", [(41, 45, 31), (91, 101, 1), (1, 61, 71)])
@pytest.mark.parametrize("offset", [(0.0, 0.0, 0.0), (0.05, -0.03, 0.08), (-0.11, 0.012, -0.02)])
def test_the_centre_is_found_within_a_tenth_of_a_voxel(
    offset: tuple[float, float, float], voxels: tuple[int, int, int]
) -> None:
    data = measured(offset, voxels)
    found = find_centre(data)
    assert found is not None
    wide = np.array(voxels) > 1
    truth = np.array(offset) / np.diag(data.steps) * wide
    assert np.abs(found.voxels - truth).max() < 0.1
    assert found.agreement > 0.7
    moved, _ = centred_as_found(data)
    again = find_centre(moved)
    assert again is not None
    assert np.abs(again.voxels).max() < 0.02


def test_without_friedel_pairs_nothing_is_found() -> None:
    assert find_centre(measured((0, 0, 0), (91, 101, 1), friedel=False)) is None
    noise = made(lambda hkl: np.random.default_rng(0).normal(10, 3, hkl.shape[:-1]), voxels=(61, 61, 1))
    assert find_centre(noise) is None
    flat = made(lambda hkl: np.ones(hkl.shape[:-1]), voxels=(61, 61, 1))
    assert find_centre(flat) is None
    flat.live[:] = False
    assert find_centre(flat) is None


def test_a_plane_that_does_not_hold_the_origin_is_refused() -> None:
    data = measured((0, 0, 0), (91, 101, 1))
    above = centred(data, np.array([0.0, 0.0, -0.5]))
    assert find_centre(above) is None
    with pytest.raises(InputError, match="no centre is seen"):
        centred_as_found(above)


def test_order_about_half_a_lattice_vector_is_not_taken_for_the_centre() -> None:
    """cos(2πh) is the same after inversion about h = 1/2; with voxels of 0.1, six of them would reach that far."""

    def order(hkl: FloatArray) -> FloatArray:
        h, k, _ = np.moveaxis(hkl - 0.02, -1, 0)
        return np.asarray(5 + np.cos(2 * np.pi * h) + np.cos(2 * np.pi * (h - k)) + np.cos(2 * np.pi * k))

    found = find_centre(made(order, voxels=(61, 61, 1)))
    assert found is not None
    np.testing.assert_allclose(found.voxels[:2], 0.2, atol=0.1)


def test_in_a_bare_image_it_may_be_anywhere() -> None:
    inside = measured((0.3, -0.2, 0), (91, 101, 1))
    bare = Reconstruction(
        intensity=inside.intensity,
        live=inside.live,
        origin=np.array([-45.0, -50.0, 0.0]),
        steps=np.eye(3),
        cell=None,
        indexed=False,
    )
    found = find_centre(bare)
    assert found is not None
    np.testing.assert_allclose(found.voxels[:2], [0.3 / 3 * 90, -0.2 / 3 * 100], atol=0.15)


def test_centres_as_people_give_them() -> None:
    assert parse_centre(" Find") is None
    given = parse_centre("0.02,-0.01,0")
    assert given is not None
    np.testing.assert_allclose(given, [0.02, -0.01, 0])
    for text in ("", "1,2", "x", "1,2,nan", "1,2,3,4"):
        with pytest.raises(InputError, match="--centre"):
            parse_centre(text)
