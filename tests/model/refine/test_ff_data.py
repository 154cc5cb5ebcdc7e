from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dsfu.model.errors import InputError
from dsfu.model.factorise.factors import Factors, PlaneFactors, Verdict
from dsfu.model.factorise.files import write_factors
from dsfu.model.measured.plane import MeasuredPlane
from dsfu.model.refine.ff_data import read_observed
from dsfu.simulate.lattice import Cell
from dsfu.simulate.planes import Plane


def arrays(**changes: Any) -> dict[str, Any]:
    given = {
        "form_factor": np.arange(64.0).reshape(8, 8),
        "q_max": 6.0,
        "axis_x": [1.0, 0, 0],
        "axis_y": [0, 1.0, 0],
        "centre": [0, 0, 0.5],
        "cell": [5.0, 6, 7, 90, 100, 90],
    }
    return {name: values for name, values in (given | changes).items() if values is not None}


def saved(folder: Path, **changes: Any) -> Path:
    np.savez_compressed(folder / "ff.npz", **arrays(**changes))
    return folder / "ff.npz"


def test_npz_is_read(tmp_path):
    sigma = np.ones((8, 8))
    sigma[0, 0], sigma[0, 1] = 0, np.nan
    live = np.ones((8, 8), bool)
    live[0, 2] = False
    values = arrays()["form_factor"].copy()
    values[0, 3] = np.nan
    (found,) = read_observed(saved(tmp_path, form_factor=values, live=live, sigma=sigma))
    assert (~found.live).sum() == 4
    assert not found.live[0, :4].any()
    assert found.form_factor[0, 3] == 0
    assert found.plane.q_max == 6
    assert found.cell is not None
    assert found.cell.beta == 100
    assert found.name == "ff"


def test_several_planes_are_read_in_their_order(tmp_path):
    several = {f"{name}_{number}": values for number in (10, 2) for name, values in arrays(q_max=float(number)).items()}
    np.savez(tmp_path / "ff.npz", **several)
    assert [found.plane.q_max for found in read_observed(tmp_path / "ff.npz")] == [2, 10]


def test_of_what_factorise_wrote_only_what_follows_from_data_is_fitted(tmp_path):
    plane = Plane(np.array([0, 0, 0.5]), np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), 6.0, 8)
    form_factor = arrays()["form_factor"].astype(np.float32)
    measured = MeasuredPlane(
        intensity=form_factor, live=np.ones((8, 8), bool), plane=plane, cell=Cell(5, 6, 7), name="hk1"
    )
    from_data = np.ones((8, 8), bool)
    from_data[2, 3] = False
    factors = PlaneFactors(
        measured=measured,
        form_factor=form_factor,
        sro=np.ones((8, 8), np.float32),
        background=0.0,
        sigma_form_factor=np.full((8, 8), 0.5, np.float32),
        sigma_sro=None,
        from_data=from_data,
        misfit=1.0,
    )
    write_factors(tmp_path / "factors.h5", Factors(planes=(factors,), method="solver", verdict=Verdict(checks=())))
    (found,) = read_observed(tmp_path / "factors.h5")
    np.testing.assert_array_equal(found.live, from_data)
    np.testing.assert_array_equal(found.form_factor[from_data], form_factor[from_data])
    assert found.sigma is not None
    assert found.sigma[0, 0] == 0.5
    assert (found.name, found.plane.q_max, found.cell) == ("hk1", 6.0, Cell(5, 6, 7))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"form_factor": None}, "no array form_factor"),
        ({"q_max": None}, "no array q_max"),
        ({"form_factor": np.zeros((8, 8))}, "the same everywhere"),
        ({"form_factor": np.full((8, 8), np.nan)}, "no pixel is live"),
        ({"form_factor": np.zeros((8, 9))}, "shape"),
        ({"form_factor": np.zeros((8, 8), complex)}, "type complex128"),
        ({"form_factor": np.array([["a"]])}, "type <U1"),
        ({"form_factor": np.array([[None]])}, "cannot be read"),
        ({"axis_y": [1.0, 0, 0]}, "right angle"),
        ({"q_max": [1.0, 2.0]}, "size 1"),
        ({"cell": [5.0, 6, 7]}, "reshape"),
        ({"cell": [5.0, 6, 7, 10, 10, 170]}, "no volume"),
        ({"live": np.zeros((8, 8))}, "no pixel is live"),
        ({"live": np.ones((4, 4))}, "live has the shape"),
        ({"sigma": np.ones((4, 4))}, "sigma has the shape"),
    ],
)
def test_bad_arrays_are_told(tmp_path, changes, told):
    with pytest.raises(InputError, match=told):
        read_observed(saved(tmp_path, **changes))


def test_truncated_files_are_told(tmp_path):
    path = saved(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError):
        read_observed(path)
    with pytest.raises(InputError, match="is not there"):
        read_observed(tmp_path / "none.npz")
