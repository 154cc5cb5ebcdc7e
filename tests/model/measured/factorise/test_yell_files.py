"""Files for Yell, read again by the project's readers and held against the functions that the planes are made of."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from dsfu.errors import InputError
from dsfu.model.measured.factorise.factors import Check
from dsfu.model.measured.factorise.yell_files import not_for_yell, on_indices, write_yell_files
from dsfu.model.measured.readers.reading import read
from dsfu.simulate.disorder.planes import AxisName, layer, plane_through
from dsfu.simulate.lattice import Cell
from tests.model.measured.factorise.made import (
    HEXAGONAL,
    TRICLINIC,
    factors_of,
    hexagonal_layer,
    order,
    plane_factors,
    smooth,
)


@pytest.mark.parametrize("cell", [HEXAGONAL, TRICLINIC])
@pytest.mark.parametrize(("axis", "index"), [("a", 0.0), ("b", 1.0), ("c", -1.5)])
def test_layers_come_back_on_indices(tmp_path: Path, cell: Cell, axis: AxisName, index: float) -> None:
    plane = plane_factors(layer(cell, axis, index, 3.0, 128), cell, name="layer")
    paths = write_yell_files(tmp_path, factors_of(plane))
    assert [path.name for path in paths] == ["layer_form_factor.h5", "layer_sro.h5", "layer_model.h5"]
    for path, what in zip(paths, ("form_factor", "sro", "model"), strict=True):
        found = read(path)
        assert found.cell is not None
        np.testing.assert_allclose(found.cell.constants, cell.constants, rtol=1e-6)
        fixed = "abc".index(axis)
        assert found.shape[fixed] == 1
        hkl = found.hkl_of_voxels(np.moveaxis(np.indices(found.shape), 0, -1))
        np.testing.assert_allclose(hkl[..., fixed], index, atol=1e-9)
        truth = {"form_factor": smooth(cell.q_of_hkl(hkl)), "sro": order(hkl)}
        truth["model"] = truth["form_factor"] * truth["sro"]
        error = np.abs(found.intensity - truth[what])[found.live].max() / truth[what].max()
        # Measured: at most 1.1e-2, at the border, and 9e-4 in the mean; linear interpolation has 2.9e-3 in the mean.
        assert error < 0.02
        assert np.sqrt(np.square(found.intensity - truth[what])[found.live].mean()) / truth[what].max() < 2e-3


def test_a_bad_verdict_travels_with_the_files(tmp_path: Path) -> None:
    bad = Check(name="rings", value=2.0, limit=1.0, passed=False, meaning="rings of a powder")
    plane = plane_factors(hexagonal_layer(32), HEXAGONAL)
    for path in write_yell_files(tmp_path, factors_of(plane, checks=(bad,))):
        with h5py.File(path) as file:
            assert "rings of a powder" in str(file.attrs["verdict"])
        assert read(path).cell is not None


def test_the_square_is_covered_and_nothing_else() -> None:
    plane = plane_factors(hexagonal_layer(), HEXAGONAL)
    found = on_indices(plane, "sro")
    q = HEXAGONAL.q_of_hkl(found.hkl_of_voxels(np.moveaxis(np.indices(found.shape), 0, -1))) - plane.plane.centre
    x, y = q @ plane.plane.axis_x, q @ plane.plane.axis_y
    low, high = plane.plane.offsets[0], plane.plane.offsets[-1]
    inside = (np.minimum(x, y) >= low - 1e-6) & (np.maximum(x, y) <= high + 1e-6)
    np.testing.assert_array_equal(found.live, inside)
    area = found.live.sum() * np.linalg.det(found.steps) * np.linalg.norm(np.cross(*HEXAGONAL.reciprocal[:2]))
    assert area == pytest.approx((high - low) ** 2, rel=0.03)


def test_whole_indices_are_on_the_grid() -> None:
    found = on_indices(plane_factors(hexagonal_layer(), HEXAGONAL), "sro")
    hkl = found.hkl_of_voxels(np.moveaxis(np.indices(found.shape), 0, -1))
    whole = np.abs(hkl - np.rint(hkl)).max(axis=-1) < 1e-9
    wanted = {(h, k) for h in range(-1, 2) for k in range(-1, 2)}
    assert wanted <= {(int(h), int(k)) for h, k, _ in np.rint(hkl[whole])}


def test_yell_finds_what_it_needs(tmp_path: Path) -> None:
    path = write_yell_files(tmp_path / "new" / "folder", factors_of(plane_factors(hexagonal_layer(), HEXAGONAL)))[0]
    with h5py.File(path) as file:
        assert file["format"][()] == b"Yell 1.0"
        assert not file["is_direct"][()]
        assert np.isnan(file["data"][()]).any()
        assert file["data"].shape[2] == 1
        np.testing.assert_allclose(file["lower_limits"][2], 1.0)


def test_other_planes_are_left_out_and_it_is_said_why(tmp_path: Path) -> None:
    general = plane_factors(plane_through(HEXAGONAL, [[0, 0, 0], [1, 1, 0], [0, 0, 1]], 3.0, 32), HEXAGONAL, name="hhl")
    unknown = plane_factors(hexagonal_layer(32), None, name="hk0")
    layers = [plane_factors(hexagonal_layer(32), HEXAGONAL, name="hk1")] * 2
    paths = write_yell_files(tmp_path, factors_of(general, unknown, *layers))
    assert {path.name.rpartition("_sro")[0] for path in paths if "sro" in path.name} == {"hk1", "hk1_2"}
    assert "none of h, k, l" in not_for_yell(general)
    assert "cell" in not_for_yell(unknown)
    with pytest.raises(ValueError, match="expected a layer"):
        on_indices(general, "sro")


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(InputError, match="a folder"):
        write_yell_files(tmp_path / "taken", factors_of(plane_factors(hexagonal_layer(32), HEXAGONAL)))
