from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from dsfu.errors import InputError
from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.data.reconstruction import Step
from dsfu.model.measured.readers.plane_files import read_planes, write_planes
from dsfu.simulate.disorder.planes import layer
from dsfu.simulate.lattice import Cell

CELL = Cell(5.1, 6.2, 7.3, 91.0, 102.0, 85.5)


def measured(pixels: int = 32, dtype: Any = np.float32, **changes: Any) -> MeasuredPlane:
    rng = np.random.default_rng(pixels)
    live = rng.random((pixels, pixels)) < 0.8
    intensity = np.where(live, rng.gamma(2.0, 10.0, live.shape), 0).astype(dtype)
    attributes: dict[str, Any] = {
        "intensity": intensity,
        "live": live,
        "plane": layer(CELL, "c", 1.0, 6.5, pixels),
        "cell": CELL,
        "sigma": np.sqrt(intensity + 1),
        "name": "hk1 of Kristall α",
        "source": "crystal.h5",
        "history": (Step(name="punch", parameters={"radius": 0.2, "centring": "C"}), Step(name="average")),
    }
    return MeasuredPlane(**{**attributes, **changes})


def assert_same(found: MeasuredPlane, expected: MeasuredPlane) -> None:
    for name in ("intensity", "live", "sigma"):
        left, right = getattr(found, name), getattr(expected, name)
        assert (left is None) == (right is None)
        if right is not None:
            np.testing.assert_array_equal(left, right)
            assert left.dtype == right.dtype
    for name in ("centre", "axis_x", "axis_y", "q_max", "pixels"):
        np.testing.assert_array_equal(getattr(found.plane, name), getattr(expected.plane, name))
    for name in ("cell", "name", "source", "history"):
        assert getattr(found, name) == getattr(expected, name)


def test_every_attribute_comes_back(tmp_path: Path):
    planes = [
        measured(),
        measured(48, np.float64, sigma=None),
        measured(16, cell=None, name="", source="", history=()),
    ]
    write_planes(tmp_path / "planes.h5", planes)
    found = read_planes(tmp_path / "planes.h5")
    assert len(found) == 3
    for left, right in zip(found, planes, strict=True):
        assert_same(left, right)
    assert [each.name for each in tmp_path.iterdir()] == ["planes.h5"]


def test_order_is_kept_beyond_nine_planes(tmp_path: Path):
    write_planes(tmp_path / "planes.h5", [measured(8, name=str(number)) for number in range(12)])
    assert [each.name for each in read_planes(tmp_path / "planes.h5")] == [str(number) for number in range(12)]


def test_arrays_in_the_history_become_lists(tmp_path: Path):
    step = Step(
        name="cut", parameters={"vector": np.array([1.0, 2.0]), "number": np.float64(3), "pair": (1, 2), "cell": CELL}
    )
    write_planes(tmp_path / "planes.h5", [measured(history=(step,))])
    (found,) = read_planes(tmp_path / "planes.h5")[0].history
    assert found.parameters == {"vector": [1.0, 2.0], "number": 3.0, "pair": [1, 2], "cell": list(CELL.constants)}


def test_it_is_a_nexus_file(tmp_path: Path):
    from nexusformat.nexus import nxload

    plane = measured()
    write_planes(tmp_path / "planes.h5", [plane])
    root = nxload(tmp_path / "planes.h5")
    data = root.plane_001.data
    assert root.plottable_data.nxpath == data.nxpath
    assert data.nxsignal.nxname == "intensity"
    assert [axis.nxname for axis in data.nxaxes] == ["Qy", "Qx"]
    np.testing.assert_array_equal(np.isnan(data.nxsignal.nxvalue), ~plane.live)
    np.testing.assert_array_equal(data.nxerrors.nxvalue, plane.sigma)
    np.testing.assert_allclose(data.nxaxes[1].nxvalue, plane.plane.offsets)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path):
    path = tmp_path / "planes.h5"
    write_planes(path, [measured(name="old")])
    broken = measured(history=(Step(name="x", parameters={(1, 2): 3}),))  # type: ignore[dict-item]
    with pytest.raises(TypeError):
        write_planes(path, [broken])
    assert read_planes(path)[0].name == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["planes.h5"]
    with pytest.raises(ValueError, match="planes: none"):
        write_planes(path, [])


def test_what_is_missing_is_named(tmp_path: Path):
    path = tmp_path / "planes.h5"
    with pytest.raises(InputError, match="no such file"):
        read_planes(path)
    with pytest.raises(InputError, match="folder"):
        write_planes(tmp_path, [measured()])
    with pytest.raises(InputError, match="cannot be written"):
        write_planes(tmp_path / "nowhere" / "planes.h5", [measured()])
    with h5py.File(path, "w") as file:
        file["data"] = np.ones((3, 3))
    with pytest.raises(InputError, match="not a file of planes"):
        read_planes(path)
    write_planes(path, [measured()])
    with h5py.File(path, "a") as file:
        del file["plane_001/plane/axis_x"]
    with pytest.raises(InputError, match=r"plane_001/plane: axis_x is missing"):
        read_planes(path)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("plane_001/plane/pixels", 31, "shape"),
        ("plane_001/plane/q_max", np.nan, "q_max"),
        ("plane_001/plane/axis_y", np.zeros(3), "unit vectors"),
        ("plane_001/sample/unit_cell", np.zeros(6), "cell length"),
        ("plane_001/sample/unit_cell", np.ones(5), "5 numbers"),
        ("plane_001/data/intensity", np.ones((32, 32), complex), "complex"),
        ("plane_001/history", "{", "history"),
        ("plane_001/title", 3.0, "text"),
    ],
)
def test_nonsense_is_refused(tmp_path: Path, name: str, value: Any, message: str):
    path = tmp_path / "planes.h5"
    write_planes(path, [measured()])
    with h5py.File(path, "a") as file:
        del file[name]
        file[name] = value
    with pytest.raises(InputError, match=message):
        read_planes(path)
