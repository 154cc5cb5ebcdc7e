from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dsfu.errors import InputError
from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.factorise.factors import CrystalFactors, Method, PlaneFactors, Verdict
from dsfu.model.measured.factorise.files import write_factors
from dsfu.model.measured.molecules.data import read_observed
from dsfu.simulate.disorder.planes import Plane
from dsfu.simulate.lattice import Cell


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


def written(path: Path, sigma: float | None, method: Method = "solver") -> tuple[np.ndarray, np.ndarray]:
    """Factors in a file, the form factor 20 % too weak for the data, I_SRO near zero at one pixel; the data."""
    rng = np.random.default_rng(1)
    plane = Plane(np.array([0, 0, 0.5]), np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), 6.0, 32)
    form_factor, sro = (rng.uniform(1, 2, (32, 32)).astype(np.float32) for _ in range(2))
    sro[2, 3] = 0.01
    intensity = (form_factor * sro + rng.normal(0, 0.05, sro.shape)).astype(np.float32) + 0.5
    live = np.ones((32, 32), bool)
    live[5, 6] = False
    measured = MeasuredPlane(
        intensity=intensity,
        live=live,
        plane=plane,
        cell=Cell(5, 6, 7),
        name="hk1",
        sigma=None if sigma is None else np.full(sro.shape, sigma, np.float32),
    )
    factors = PlaneFactors(
        measured=measured,
        form_factor=0.8 * form_factor,
        sro=sro,
        background=0.5,
        sigma_form_factor=np.full(sro.shape, 0.5, np.float32),
        sigma_sro=None,
        from_data=live,
        misfit=1.0,
    )
    write_factors(path, CrystalFactors(planes=(factors,), method=method, verdict=Verdict(checks=())))
    return intensity - 0.5, sro


def test_of_what_the_solver_wrote_the_data_divided_by_the_order_are_fitted(tmp_path):
    """Its own form factor is drawn towards a prior; the quotient is not."""
    intensity, sro = written(tmp_path / "factors.h5", 0.05)
    (found,) = read_observed(tmp_path / "factors.h5")
    assert not found.live[2, 3]
    assert not found.live[5, 6]
    assert found.live.sum() == 32 * 32 - 2
    np.testing.assert_allclose(found.form_factor[found.live], (intensity / sro)[found.live], rtol=1e-5)
    assert found.sigma is not None
    np.testing.assert_allclose(found.sigma[found.live], (0.05 / sro)[found.live], rtol=1e-5)
    assert (found.name, found.plane.q_max, found.cell) == ("hk1", 6.0, Cell(5, 6, 7))


def test_noise_that_is_not_known_is_estimated(tmp_path):
    _, sro = written(tmp_path / "factors.h5", None)
    (found,) = read_observed(tmp_path / "factors.h5")
    assert found.sigma is not None
    assert np.median((found.sigma * sro)[found.live]) > 0.04


def test_of_what_a_network_wrote_its_form_factor_is_fitted(tmp_path):
    intensity, sro = written(tmp_path / "factors.h5", 0.05, "network")
    (found,) = read_observed(tmp_path / "factors.h5")
    assert found.live.sum() == 32 * 32 - 1
    assert found.form_factor[found.live].mean() < 0.85 * (intensity / sro)[found.live].mean()


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
