"""Planes of files of every kind, and what is refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dsfu.errors import InputError
from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.factorise.loading import check_one_crystal, load_planes
from dsfu.model.measured.prepare.centring import CENTRED
from dsfu.model.measured.readers.plane_files import write_planes
from dsfu.model.measured.readers.writing import write_meerkat
from dsfu.simulate.lattice import Cell
from tests.model.measured.factorise.crystals import clean_plane
from tests.model.measured.prepare.made import HEXAGONAL, made


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("files") / "planes.h5"
    write_planes(path, [clean_plane(index, pixels=16) for index in (0.0, 1.0, 2.0)])
    return path


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("files") / "volume.h5"
    whole = made(lambda hkl: 5 + hkl[..., 2], half=(2, 2, 1), voxels=(21, 21, 21), cell=HEXAGONAL, dtype=np.float32)
    write_meerkat(path, whole)
    return path


def names(planes: list[MeasuredPlane]) -> list[str]:
    return [plane.name.partition(" of ")[0] for plane in planes]


def test_prepared_planes_are_taken_as_they_are(prepared: Path) -> None:
    planes = load_planes(prepared)
    assert names(planes) == ["hk0", "hk1", "hk2"]
    np.testing.assert_array_equal(planes[1].intensity, clean_plane(1.0, pixels=16).intensity)


def test_some_of_them_in_the_order_that_is_wanted_each_once(prepared: Path) -> None:
    assert names(load_planes(prepared, ["hk2", "hk0", "hk2"])) == ["hk2", "hk0"]


def test_an_unknown_plane_is_told_with_those_there_are(prepared: Path) -> None:
    with pytest.raises(InputError) as error:
        load_planes(prepared, ["hk3"])
    for words in ("no plane 'hk3'", "did you mean", "hk0, hk1, hk2", "dsfu-model prepare"):
        assert words in str(error.value)


def test_what_belongs_to_reading_is_refused_for_prepared_planes(prepared: Path) -> None:
    with pytest.raises(InputError, match="give --cell to dsfu-model prepare"):
        load_planes(prepared, cell=["1", "1", "1", "90", "90", "90"], limits=None)


def test_planes_are_cut_from_a_volume(volume: Path) -> None:
    planes = load_planes(volume, ["hk0.5", "hk0"], pixels=16)
    assert names(planes) == ["hk0.5", "hk0"]
    for plane, index in zip(planes, (0.5, 0.0), strict=True):
        np.testing.assert_allclose(plane.intensity[plane.live], 5 + index, rtol=1e-5)


def test_a_volume_needs_a_plane(volume: Path) -> None:
    with pytest.raises(InputError, match="--plane hk0"):
        load_planes(volume)


def test_an_array_that_is_a_plane_needs_none(tmp_path: Path) -> None:
    np.save(tmp_path / "image.npy", np.random.default_rng(0).random((24, 24)))
    (plane,) = load_planes(tmp_path / "image.npy", pixels=24)
    assert plane.cell is None


@pytest.mark.parametrize(("pixels", "off"), [(60, -0.5), (61, 0.0)])
def test_the_middle_of_an_image_with_even_sides_is_between_voxels(pixels: int, off: float, tmp_path: Path) -> None:
    """Nobody has said where Q = 0 is; an image that is the same after inversion about its middle says it."""
    place = np.linspace(-6, 6, pixels)
    x, y = np.meshgrid(place, place)
    wave = np.exp(1j * (1.3 * x + 0.4 * y)) + 0.8 * np.exp(-1j * (0.7 * x - 1.1 * y)) + 1.4
    np.save(tmp_path / "image.npy", np.abs(wave) ** 2 * np.exp(-(x**2 + y**2) / 30))
    (plane,) = load_planes(tmp_path / "image.npy")
    moved = [step.parameters["was_at_hkl"] for step in plane.history if step.name == CENTRED]
    assert len(moved) == (off != 0)
    for each in moved:
        np.testing.assert_allclose(sorted(each), [off, off, 0], atol=0.1)


def test_planes_that_cannot_be_fitted_together() -> None:
    one = clean_plane(pixels=16)
    check_one_crystal([one, clean_plane(0.0, pixels=16)], Path("x.h5"))
    with pytest.raises(InputError, match="16 × 16 pixels"):
        check_one_crystal([one, clean_plane(0.0, pixels=32)], Path("x.h5"))
    with pytest.raises(InputError, match="cells of hk1 of crystal.h5 and hk1 of crystal.h5 differ"):
        check_one_crystal([one, replace(one, cell=Cell(7, 7, 5.1, 90, 90, 120))], Path("x.h5"))
