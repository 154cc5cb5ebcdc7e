from pathlib import Path

import h5py
import numpy as np
import pytest
from nexusformat.nexus import nxload

from dsfu.errors import InputError
from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.data.reconstruction import Step
from dsfu.model.measured.factorise.factors import Check, CrystalFactors, PlaneFactors, Verdict
from dsfu.model.measured.factorise.files import read_factors, write_factors, write_npz
from dsfu.model.measured.readers.plane_files import write_planes
from dsfu.simulate.disorder.planes import layer
from dsfu.simulate.lattice import Cell

CELL = Cell(7.1, 4.2, 6.3, 90, 120, 90)


def measured(index: float = 1.0) -> MeasuredPlane:
    rng = np.random.default_rng(int(10 * index))
    live = rng.random((16, 16)) < 0.8
    return MeasuredPlane(
        intensity=np.where(live, rng.gamma(1.0, size=live.shape), 0).astype(np.float32),
        live=live,
        plane=layer(CELL, "b", index, 6.5, 16),
        cell=CELL,
        sigma=rng.gamma(1.0, size=live.shape).astype(np.float32),
        name=f"h{index:g}l",
        source="crystal.h5",
        history=(Step(name="cut", parameters={"thickness": 0.1}),),
    )


def factors(uncertain: bool = True) -> CrystalFactors:
    rng = np.random.default_rng(1)

    def some() -> np.ndarray:
        return rng.gamma(1.0, size=(16, 16)).astype(np.float32)

    planes = tuple(
        PlaneFactors(
            measured=measured(index),
            form_factor=some(),
            sro=some(),
            background=0.25,
            sigma_form_factor=some() if uncertain else None,
            sigma_sro=some() if uncertain else None,
            from_data=rng.random((16, 16)) < 0.7,
            misfit=1.1,
        )
        for index in (0.0, 1.0)
    )
    check = Check(name="misfit", value=1.1, limit=2.0, passed=True, meaning="the product does not fit")
    return CrystalFactors(
        planes=planes,
        method="hybrid",
        verdict=Verdict(checks=(check,)),
        alpha_vectors=np.array([[0, 0, 0], [1, 0, 0]]) if uncertain else None,
        alpha=np.array([1.0, 0.3]) if uncertain else None,
        alpha_covariance=np.eye(2) if uncertain else None,
        axis_scales=np.ones((2, 2)) if uncertain else None,
        settings={"cutoff": 6},
        history=(Step(name="factorise", parameters={"method": "hybrid"}),),
    )


@pytest.mark.parametrize("uncertain", [True, False])
def test_everything_comes_back(tmp_path: Path, uncertain: bool):
    before = factors(uncertain)
    write_factors(tmp_path / "f.h5", before)
    after = read_factors(tmp_path / "f.h5")
    for one, other in zip(before.planes, after.planes, strict=True):
        for name in ("form_factor", "sro", "sigma_form_factor", "sigma_sro", "from_data", "background", "misfit"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        for name in ("intensity", "live", "sigma"):
            np.testing.assert_array_equal(getattr(one.measured, name), getattr(other.measured, name))
        assert other.cell == CELL
        assert other.name == one.name
        np.testing.assert_array_equal(other.plane.q, one.plane.q)
        assert other.measured.history == one.measured.history
    for name in ("alpha_vectors", "alpha", "alpha_covariance", "axis_scales"):
        np.testing.assert_array_equal(getattr(before, name), getattr(after, name))
    assert (after.method, after.verdict, after.settings, after.history) == (
        before.method,
        before.verdict,
        before.settings,
        before.history,
    )


def test_nexus_readers_find_their_way(tmp_path: Path):
    write_factors(tmp_path / "f.h5", factors())
    root = nxload(str(tmp_path / "f.h5"))
    entry = root[root.attrs["default"]]
    for name in ("form_factor", "sro", "model", "difference", "observed"):
        data = entry[name]
        assert data.nxsignal.shape == (16, 16)
        assert [axis.shape for axis in data.nxaxes] == [(16,), (16,)]
    np.testing.assert_allclose(entry["form_factor"].nxaxes[1].nxvalue, factors().planes[0].plane.offsets)


def test_plain_arrays_hold_the_same(tmp_path: Path):
    before = factors()
    write_npz(tmp_path / "f.npz", before)
    with np.load(tmp_path / "f.npz", allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["sro_2"], before.planes[1].sro)
        np.testing.assert_array_equal(arrays["cell_1"], CELL.constants)
        assert str(arrays["method"]) == "hybrid"


def test_model_and_difference():
    plane = factors().planes[0]
    np.testing.assert_allclose(plane.model, plane.form_factor * plane.sro + 0.25, rtol=1e-6)
    assert (plane.difference[~plane.live] == 0).all()
    np.testing.assert_allclose(
        (plane.model + plane.difference)[plane.live], plane.measured.intensity[plane.live], atol=1e-6
    )


def test_other_files_are_refused(tmp_path: Path):
    write_planes(tmp_path / "planes.h5", [measured()])
    with pytest.raises(InputError, match="dsfu planes 1"):
        read_factors(tmp_path / "planes.h5")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["data"] = 1
    with pytest.raises(InputError, match="not a file of factors"):
        read_factors(tmp_path / "x.h5")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("plane_001/sro/sro", "sro/sro is missing"),
        ("factorise/verdict", "verdict is missing"),
        ("factorise", "missing"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, path: str, message: str):
    write_factors(tmp_path / "f.h5", factors())
    with h5py.File(tmp_path / "f.h5", "r+") as file:
        del file[path]
    with pytest.raises(InputError, match=message):
        read_factors(tmp_path / "f.h5")


def test_arrays_of_another_size_are_refused(tmp_path: Path):
    write_factors(tmp_path / "f.h5", factors())
    with h5py.File(tmp_path / "f.h5", "r+") as file:
        del file["plane_002/sro/sro"]
        file["plane_002/sro/sro"] = np.ones((4, 4))
    with pytest.raises(InputError, match=r"sro: shape \(4, 4\)"):
        read_factors(tmp_path / "f.h5")


def test_a_verdict_says_what_failed():
    good = Check(name="a", value=1, limit=2, passed=True, meaning="x is off")
    bad = Check(name="b", value=3, limit=2, passed=False, meaning="y is off")
    assert Verdict(checks=(good,)).passed
    verdict = Verdict(checks=(good, bad))
    assert not verdict.passed
    assert "y is off" in verdict.sentence
    assert "x is off" not in verdict.sentence
