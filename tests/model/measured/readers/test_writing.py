from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from dsfu.errors import InputError
from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.data.reconstruction import Reconstruction, Step
from dsfu.model.measured.readers.plane_files import write_planes
from dsfu.model.measured.readers.reading import read
from dsfu.model.measured.readers.writing import (
    NexusArray,
    NexusAxis,
    nexus_axes,
    write_meerkat,
    write_nexus,
    write_reconstruction,
)
from dsfu.simulate.disorder.planes import Plane, layer
from dsfu.simulate.lattice import Cell
from tests.model.measured.readers import true_files as true
from tests.model.measured.readers.test_reading import assert_is_the_volume
from tests.model.measured.readers.true_files import CELL

HEXAGONAL = Cell(7.0, 7.0, 4.5, 90.0, 90.0, 120.0)


@pytest.fixture
def volume(tmp_path: Path) -> Reconstruction:
    return read(true.write_mantid(tmp_path / "volume.nxs"))  # [l, k, h], with uncertainties


def waves(q: np.ndarray) -> np.ndarray:
    """A smooth intensity anywhere in reciprocal space."""
    return np.asarray(3 + np.sin(1.1 * q[..., 0]) + np.cos(0.8 * q[..., 1] + 0.4 * q[..., 2]))


def measured(plane: Plane, cell: Cell | None = HEXAGONAL) -> MeasuredPlane:
    live = np.linalg.norm(plane.q - plane.centre, axis=-1) < 0.9 * plane.q_max
    intensity = np.where(live, waves(plane.q), 0).astype(np.float32)
    return MeasuredPlane(intensity=intensity, live=live, plane=plane, cell=cell, name="hk1", source="x.h5")


def test_meerkat_files_come_back(tmp_path: Path, volume: Reconstruction):
    write_meerkat(tmp_path / "out.h5", volume)
    found = read(tmp_path / "out.h5")
    assert_is_the_volume(found)
    assert found.shape == true.SHAPE  # [h, k, l]
    assert found.format == "Meerkat / Yell HDF5 (Yell 1.0)"
    assert found.notes == ()


def test_meerkat_files_are_as_meerkat_writes_them(tmp_path: Path, volume: Reconstruction):
    """Same datasets, of the same kinds, as the ones that the program's own source writes."""
    write_meerkat(tmp_path / "out.h5", volume)
    with h5py.File(tmp_path / "out.h5") as file:
        assert set(file) == {
            "data", "format", "is_direct", "lower_limits", "step_sizes", "unit_cell", "metric_tensor"
        }  # fmt: skip
        assert file["data"].dtype == np.float32
        assert file["format"][()] == b"Yell 1.0"
        assert file["is_direct"].dtype == np.bool_
        assert not file["is_direct"][()]
        np.testing.assert_allclose(file["metric_tensor"][()], true.metric(CELL), atol=1e-9)
        np.testing.assert_array_equal(np.isnan(file["data"][()]), np.isnan(true.intensity()))


def test_axes_that_run_backwards_are_turned(tmp_path: Path, volume: Reconstruction):
    backwards = volume.after(
        Step(name="flip"),
        **{name: getattr(volume, name)[::-1, :, ::-1] for name in ("intensity", "live", "sigma", "weight")},
        origin=volume.hkl_of_voxels([volume.shape[0] - 1, 0, volume.shape[2] - 1]),
        steps=volume.steps * [[-1], [1], [-1]],
    )
    assert_is_the_volume(backwards)
    write_meerkat(tmp_path / "out.h5", backwards)
    found = read(tmp_path / "out.h5")
    assert_is_the_volume(found)
    assert (np.diag(found.steps) > 0).all()


@pytest.mark.parametrize(("axis", "fixed"), [("a", 0), ("b", 1), ("c", 2)])
def test_a_plane_is_a_volume_with_one_voxel_across(tmp_path: Path, axis: Any, fixed: int):
    """Resampled on oblique axes of h, k, l where the plane's own are at right angles."""
    write_planes(tmp_path / "planes.h5", [measured(layer(HEXAGONAL, axis, 1.0, 5.0, 64))])
    write_meerkat(tmp_path / "out.h5", read(tmp_path / "planes.h5"))
    found = read(tmp_path / "out.h5")
    assert found.shape[fixed] == 1
    assert found.cell is not None
    np.testing.assert_allclose(found.cell.constants, HEXAGONAL.constants, rtol=1e-9)
    hkl = found.hkl_of_voxels(np.argwhere(found.live))
    np.testing.assert_allclose(hkl[:, fixed], 1.0)
    q = HEXAGONAL.q_of_hkl(hkl)
    assert np.linalg.norm(q - layer(HEXAGONAL, axis, 1.0, 5.0, 64).centre, axis=1).max() < 4.7
    assert len(hkl) > 1500
    difference = np.abs(found.intensity[found.live] - waves(q))
    assert np.median(difference) < 0.005
    assert difference.max() < 0.15  # at the edge, where all neighbours lie on one side


def test_without_a_cell_there_is_no_meerkat_file(tmp_path: Path):
    np.save(tmp_path / "a.npy", np.ones((4, 4)))
    with pytest.raises(InputError, match="cell is unknown"):
        write_meerkat(tmp_path / "out.h5", read(tmp_path / "a.npy"))
    assert not (tmp_path / "out.h5").exists()


def test_nexus_files_come_back(tmp_path: Path, volume: Reconstruction):
    write_reconstruction(tmp_path / "out.nxs", volume)
    found = read(tmp_path / "out.nxs")
    assert_is_the_volume(found)
    assert found.sigma is not None
    assert volume.sigma is not None
    np.testing.assert_allclose(found.sigma[found.live], volume.sigma[volume.live])


def test_oblique_axes_come_back(tmp_path: Path):
    write_planes(tmp_path / "planes.h5", [measured(layer(HEXAGONAL, "c", 1.0, 5.0, 32))])
    plane = read(tmp_path / "planes.h5")
    write_reconstruction(tmp_path / "out.nxs", plane)
    found = read(tmp_path / "out.nxs")
    assert found.shape == plane.shape == (32, 32, 1)
    np.testing.assert_allclose(found.hkl_of_voxels([3, 17, 0]), plane.hkl_of_voxels([3, 17, 0]), atol=1e-6)
    np.testing.assert_array_equal(found.intensity[found.live], plane.intensity[plane.live])


def test_nexus_files_open_in_nexpy(tmp_path: Path, volume: Reconstruction):
    from nexusformat.nexus import nxload

    axes = nexus_axes(volume)
    arrays = [
        NexusArray(name=name, values=volume.intensity, axes=axes, long_name=name, errors=volume.sigma)
        for name in ("form_factor", "sro")
    ]
    step = Step(name="factorise", parameters={"tau": np.float32(0.5)})
    write_nexus(tmp_path / "out.nxs", arrays, title="a title", cell=CELL, history=[step], attributes={"method": "x"})
    root = nxload(tmp_path / "out.nxs")
    assert root.plottable_data.nxname == "form_factor"
    assert [axis.nxname for axis in root.plottable_data.nxaxes] == ["l", "k", "h"]
    np.testing.assert_array_equal(root.entry.sro.nxsignal.nxvalue, volume.intensity)
    np.testing.assert_array_equal(root.entry.sro.nxerrors.nxvalue, volume.sigma)
    assert root.entry.title.nxvalue == "a title"
    assert root.entry.attrs["method"] == "x"
    assert '"tau": 0.5' in root.entry.history.data.nxvalue
    np.testing.assert_allclose(root.entry.sample.unit_cell.nxvalue, CELL.constants)


def test_shapes_are_checked():
    axis = NexusAxis(name="h", long_name="h", values=np.arange(3.0))
    with pytest.raises(ValueError, match=r"values of x: shape \(3, 4\)"):
        NexusArray(name="x", values=np.ones((3, 4)), axes=(axis, axis))
    with pytest.raises(ValueError, match="errors of x"):
        NexusArray(name="x", values=np.ones((3, 3)), axes=(axis, axis), errors=np.ones((3, 4)))
