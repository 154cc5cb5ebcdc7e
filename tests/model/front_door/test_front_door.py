"""The front door, used as in a notebook: what its objects say, draw, give to xarray and save, against the truth."""

from pathlib import Path
from typing import Any, cast

import h5py
import numpy as np
import pytest

import dsfu
from dsfu.errors import InputError
from dsfu.model.front_door.accessor import StoreAccessor
from dsfu.model.front_door.answer import Answer
from dsfu.model.measured.factorise.files import read_factors
from dsfu.model.measured.readers.plane_files import read_planes
from tests.model.measured.factorise.crystals import ALPHA, clean_plane, dumbbell
from tests.model.measured.factorise.made import HEXAGONAL, order

STEP = 0.1


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A volume as Yell writes it, with a beam stop; what is in it are formulas."""
    h = STEP * np.arange(-50, 51)
    hkl = np.stack(np.meshgrid(h, h, [0.0, 1.0], indexing="ij"), axis=-1)
    q = HEXAGONAL.q_of_hkl(hkl)
    data = (100 * dumbbell(q) * order(hkl)).astype(np.float32)
    data[np.hypot(q[..., 0], q[..., 1]) < 0.3] = np.nan
    path = tmp_path_factory.mktemp("files") / "crystal.h5"
    with h5py.File(path, "w") as written:
        written["data"], written["format"], written["is_direct"] = data, "Yell 1.0", False
        written["lower_limits"], written["step_sizes"] = [h[0], h[0], 0.0], [STEP, STEP, 1.0]
        written["unit_cell"] = HEXAGONAL.constants
        written["metric_tensor"] = HEXAGONAL.vectors @ HEXAGONAL.vectors.T
        written["space_group_nr"] = 1
    return path


@pytest.fixture(scope="module")
def factors():
    return dsfu.factorise([clean_plane()], method="solver", cutoff=3)


def shows_itself(answer: Answer, *words: str) -> None:
    text = repr(answer)
    assert len(text.splitlines()) == 1
    assert len(text) < 300
    html = answer._repr_html_()
    for word in words:
        assert word in text
        assert word in html
    assert answer.plot()._repr_png_().startswith(b"\x89PNG")


def test_a_volume_goes_to_xarray_and_to_a_file_and_comes_back(file: Path, tmp_path: Path) -> None:
    volume = dsfu.read(file)
    shows_itself(volume, "101 × 101 × 2 voxels", "crystal.h5")
    dataset = volume.to_xarray()
    assert dataset.intensity.dims == ("h", "k", "l")
    point = {"h": 1.3, "k": -0.4, "l": 1.0}
    q = HEXAGONAL.q_of_hkl(np.array([*point.values()]))
    expected = 100 * float(dumbbell(q) * order(np.array([*point.values()])))
    assert float(dataset.intensity.sel(point, method="nearest")) == pytest.approx(expected, rel=1e-5)
    assert bool(np.isnan(dataset.intensity.sel(h=0, k=0, l=0, method="nearest")))
    again = dsfu.read(volume.save(tmp_path / "again.h5"))
    np.testing.assert_array_equal(again.data.live, volume.data.live)
    with pytest.raises(InputError, match="is there already"):
        volume.save(tmp_path / "again.h5")
    volume.save(tmp_path / "again.h5", overwrite=True)


def test_planes_have_axes_in_inverse_angstrom(file: Path, tmp_path: Path) -> None:
    planes = dsfu.prepare(file, "hk1", pixels=48, q_max=3.0, hot_pixels=0)
    shows_itself(planes, "hk1", "48 × 48 pixels", "1/Å")
    dataset = planes.to_xarray()
    assert dataset.qx.attrs["units"] == "1/Å"
    assert float(dataset.qx.min()) == pytest.approx(-3.0)
    assert [each.name for each in read_planes(planes.save(tmp_path / "planes.h5"))] == [planes.data[0].name]


def test_without_a_cell_sizes_are_in_voxels() -> None:
    """An image is no plane in 1/Å."""
    planes = dsfu.prepare(dsfu.read(_image(), zeros="live"), pixels=32)
    assert "voxels" in repr(planes)
    assert "1/Å" not in repr(planes)
    assert planes.to_xarray().qx.attrs["units"] == "voxels"


def _image() -> Path:
    import tempfile

    path = Path(tempfile.mkdtemp()) / "image.npy"
    np.save(path, np.random.default_rng(1).random((40, 40)).astype(np.float32))
    return path


def test_factors_order_and_real_space(factors, tmp_path: Path) -> None:
    shows_itself(factors, "hk1", "solver")
    assert factors.verdict == factors.data.verdict.sentence
    dataset = factors.to_xarray()
    assert set(dataset.data_vars) >= {"intensity", "form_factor", "sro", "model", "from_data"}
    rest = (dataset.intensity - dataset.model).values
    assert np.nanmax(np.abs(rest)) < 0.05 * float(dataset.intensity.max())
    assert len(read_factors(factors.save(tmp_path / "factors.h5")).planes) == 1
    assert factors.save(tmp_path / "report.html").read_text().startswith("<!DOCTYPE html>")

    found = dsfu.refine_sro(factors, laue="-1", cutoff=2)
    shows_itself(found, "shells")
    table = found.to_xarray()
    alpha = {tuple(int(i) for i in v): float(a) for v, a in zip(table.vector.values, table.alpha.values, strict=True)}
    seen = alpha.get((1, 1, 0), alpha.get((-1, -1, 0)))
    assert seen == pytest.approx(ALPHA[1, 1, 0], abs=0.02)
    assert found.save(tmp_path / "alpha.csv").read_text().count("\n") > len(found.best.shells)
    with pytest.raises(InputError, match=r"\.csv, \.json or \.cif"):
        found.save(tmp_path / "alpha.doc")

    pdf = dsfu.delta_pdf(factors)
    shows_itself(pdf, "3D-ΔPDF of I_SRO")
    assert float(pdf.to_xarray().delta_pdf.sel(u=1, v=1, w=0, method="nearest")) == pytest.approx(0.25, abs=0.05)
    with pytest.raises(InputError, match="plane is 2"):
        dsfu.delta_pdf(factors, plane=2)


def test_real_space_of_data_is_what_the_verb_writes(file: Path, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from dsfu.model.cli import app

    pdf = dsfu.delta_pdf(file, window="hann")
    pdf.save(tmp_path / "door.h5")
    done = CliRunner().invoke(app, ["deltapdf", str(file), "-o", str(tmp_path / "verb.h5"), "--window", "hann"])
    assert done.exit_code == 0, done.output
    with h5py.File(tmp_path / "door.h5") as door, h5py.File(tmp_path / "verb.h5") as verb:
        np.testing.assert_array_equal(door["data"][...], verb["data"][...])


def test_drawings_are_saved_in_the_format_of_their_suffix(factors, tmp_path: Path) -> None:
    assert factors.plot().save(tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    with pytest.raises(InputError, match="suffix"):
        factors.plot().save(tmp_path / "a.doc")
    with pytest.raises(InputError, match="is there already"):
        factors.plot().save(tmp_path / "a.pdf")


def test_missing_files_are_refused_with_the_error_of_the_verbs(tmp_path: Path) -> None:
    for function in (dsfu.read, dsfu.factorise, dsfu.solve_particle, dsfu.solve_phases, dsfu.refine_sro):
        with pytest.raises(InputError, match=r"no\.file"):
            function(tmp_path / "no.file")


def test_what_is_given_by_mistake_is_named(file: Path, factors) -> None:
    volume = dsfu.read(file)
    other: Any = volume
    mistakes = {
        "method 'solvr'": lambda: dsfu.factorise([clean_plane()], method=cast(Any, "solvr")),
        "a Volume was given": lambda: dsfu.refine_sro(other, laue="mmm"),
        "a Factors was given": lambda: dsfu.solve_particle(cast(Any, factors)),
        "an int was given": lambda: dsfu.read(cast(Any, 3)),
        "this is no split": lambda: StoreAccessor(volume.to_xarray()).intensity(1),
    }
    for words, mistake in mistakes.items():
        with pytest.raises(InputError, match=words):
            mistake()
