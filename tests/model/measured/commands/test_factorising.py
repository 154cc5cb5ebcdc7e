"""The command factorise, run as people run it: from a file like Meerkat's to factors, report and refined parameters."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from typer.testing import CliRunner, Result

from dsfu.errors import InputError
from dsfu.model.cli import app
from dsfu.model.measured.data.plane import MADE_UP_Q_MAX, MeasuredPlane
from dsfu.model.measured.factorise.factors import Verdict
from dsfu.model.measured.factorise.files import read_factors
from dsfu.model.measured.readers.plane_files import read_planes, write_planes
from dsfu.model.measured.readers.reading import read
from tests.model.measured.factorise.crystals import ALPHA, clean_plane, dumbbell
from tests.model.measured.factorise.made import BAD, GOOD, HEXAGONAL, order

STEP = 0.05


@pytest.fixture(scope="module")
def meerkat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three layers on oblique axes, with a beam stop and a gap."""
    h = STEP * np.arange(-120, 121)
    hkl = np.stack(np.meshgrid(h, h, [0.0, 1.0, 2.0], indexing="ij"), axis=-1)
    q = HEXAGONAL.q_of_hkl(hkl)
    data = (100 * dumbbell(q) * order(hkl)).astype(np.float32)
    data[np.hypot(q[..., 0], q[..., 1]) < 0.3] = np.nan
    data[150:154] = np.nan
    path = tmp_path_factory.mktemp("files") / "crystal.h5"
    with h5py.File(path, "w") as file:
        file["data"], file["format"], file["is_direct"] = data, "Yell 1.0", False
        file["lower_limits"], file["step_sizes"] = [h[0], h[0], 0.0], [STEP, STEP, 1.0]
        file["unit_cell"] = HEXAGONAL.constants
        file["metric_tensor"] = HEXAGONAL.vectors @ HEXAGONAL.vectors.T
        file["space_group_nr"] = 1
    return path


@pytest.fixture(scope="module")
def prepared(meerkat: Path) -> Path:
    path = meerkat.with_name("planes.h5")
    done(call("prepare", meerkat, "-o", path, "--plane", "hk1", "--pixels", 96, "--q-max", 4, "--hot-pixels", 0))
    return path


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments)])


def done(result: Result, status: int = 0) -> str:
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == status, result.output
    return result.output


def test_from_a_reconstruction_to_factors_and_all_that_is_made_of_them(prepared: Path, tmp_path: Path) -> None:
    out, report, yell = tmp_path / "factors.h5", tmp_path / "report.html", tmp_path / "yell"
    said = done(
        call(
            "factorise", prepared, "-o", out, "--method", "solver", "--cutoff", 3, "--npz", tmp_path / "factors.npz",
            "--yell", yell, "--report", report,
        )
    )  # fmt: skip
    assert "1 plane: hk1" in said
    assert "agree with binary substitutional disorder" in said
    assert said.count("wrote") == 6
    (plane,) = read_factors(out).planes
    truth = order(plane.plane.hkl(HEXAGONAL))
    scale = float(plane.sro.ravel() @ truth.ravel()) / float(np.square(truth).sum())
    assert np.abs(plane.sro / scale - truth).max() < 0.1
    assert "Plane hk1" in report.read_text()
    with np.load(tmp_path / "factors.npz") as arrays:
        np.testing.assert_array_equal(arrays["sro_1"], plane.sro)
    in_yell = read(yell / "hk1_sro.h5")
    np.testing.assert_allclose(in_yell.intensity[in_yell.live].mean(), plane.sro.mean(), rtol=0.05)
    check_refinement(out, tmp_path)
    done(call("deltapdf", out, "--of", "sro", "-o", tmp_path / "pdf.h5"))
    assert (tmp_path / "pdf.h5").stat().st_size > 1000


def check_refinement(factors: Path, folder: Path) -> None:
    """What factorise wrote is what refine-sro wants; it finds the parameters that the crystal was made with."""
    said = done(call("refine-sro", factors, "--cutoff", 3, "--no-order-along", "c", "--csv", folder / "alpha.csv"))
    assert "α from I_SRO" in said
    with (folder / "alpha.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["source"] == "I_SRO"]
    found = {(abs(int(row["u"])), int(row["u"]) * int(row["v"])): float(row["alpha"]) for row in rows}
    for (u, v, _), value in ALPHA.items():
        assert found[abs(u), u * v] == pytest.approx(value, abs=0.02)


def test_data_that_break_the_assumptions_are_written_and_called_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dsfu.model.measured.factorise.verdict.judge", lambda _: Verdict(checks=(GOOD, BAD)))
    path = planes_file(tmp_path, clean_plane(pixels=32))
    said = done(call("factorise", path, "-o", tmp_path / "f.h5", "--method", "solver", "--cutoff", 2), status=3)
    assert f"NO  {BAD.name}" in said
    assert BAD.meaning in said
    assert not read_factors(tmp_path / "f.h5").verdict.passed


def planes_file(folder: Path, *planes: MeasuredPlane) -> Path:
    path = folder / "planes.h5"
    write_planes(path, list(planes))
    return path


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["-o", "{}/none/f.h5"], "there is no folder"),
        (["-o", "{}"], "is a folder"),
        (["-o", "{}/planes.h5"], "is the file that is to be read"),
        (["-o", "{}/f.h5", "--npz", "{}/planes.h5", "--force"], "is the file that is to be read"),
        (["-o", "{}/f.h5", "--report", "{}/f.h5"], "two outputs"),
        (["-o", "{}/f.h5", "--yell", "{}/planes.h5"], "is a file"),
        (["-o", "{}/f.h5", "--plane", "hk7"], "no plane 'hk7'"),
        (["-o", "{}/f.h5", "--cell", "7,7,5,90,90,120"], "to dsfu-model prepare"),
        (["-o", "{}/f.h5", "--method", "network", "--weights", "{}/none"], "none"),
    ],
)
def test_mistakes_are_told_before_anything_is_written(tmp_path: Path, options: list[str], expected: str) -> None:
    path = planes_file(tmp_path, clean_plane(0.0, pixels=16), clean_plane(1.0, pixels=16))
    before = path.read_bytes()
    given = [each.format(tmp_path) for each in options]
    method = [] if "--method" in given else ["--method", "solver"]
    with pytest.raises(InputError) as error:
        done(call("factorise", path, *method, *given))
    assert expected in str(error.value)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == before


def test_planes_of_two_sizes_and_planes_without_a_cell(tmp_path: Path) -> None:
    for planes, expected in (
        ((clean_plane(pixels=16), clean_plane(pixels=32)), "same number of pixels"),
        ((clean_plane(pixels=16, cell=None),), "cell is unknown"),
    ):
        path = planes_file(tmp_path, *planes)
        with pytest.raises(InputError, match=expected):
            done(call("factorise", path, "--method", "solver", "--lattice", "given", "-o", tmp_path / "f.h5"))
        assert list(tmp_path.iterdir()) == [path]


def test_a_volume_needs_a_plane(meerkat: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--plane hk0"):
        done(call("factorise", meerkat, "--method", "solver", "-o", tmp_path / "f.h5"))


def test_threads_are_left_to_those_who_set_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from dsfu.model.measured.commands.factorising import _one_thread

    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        monkeypatch.setenv("OMP_NUM_THREADS", "2")
        _one_thread()
        assert torch.get_num_threads() == 2
        monkeypatch.delenv("OMP_NUM_THREADS")
        _one_thread()
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


@pytest.fixture(scope="module")
def image(prepared: Path) -> Path:
    """The same layer, in a file that says nothing of its lattice."""
    (plane,) = read_planes(prepared)
    path = prepared.with_name("image.h5")
    write_planes(path, [replace(plane, cell=None)])
    return path


@pytest.mark.slow
def test_a_lattice_that_is_not_given_is_found(image: Path, tmp_path: Path):
    """7 and 7 Å with 120° were meant; the file gives only the range of Q."""
    out = tmp_path / "factors.h5"
    result = call("factorise", image, "-o", out, "--method", "solver", "--no-uncertainty")
    told = done(result, result.exit_code)
    assert result.exit_code in (0, 3)
    assert "hexagonal lattice" in told
    (lengths,) = [line for line in told.splitlines() if line.startswith("found")]
    first, second = (float(word) for word in lengths.replace(" Å", "").split(", ")[1].split(" and "))
    assert (first, second) == pytest.approx((7.0, 7.0), rel=0.005)
    assert out.exists()


@pytest.mark.slow
def test_the_lattice_of_a_bare_image_is_found_in_voxels(prepared: Path, tmp_path: Path):
    """Nothing says what a voxel is in 1/Å. The cell's 7 and 7 Å, 120°, put points 2π / (7 sin 60°) 1/Å apart."""
    (plane,) = read_planes(prepared)
    image = tmp_path / "image.npz"
    np.savez(image, intensity=plane.intensity, live=plane.live)
    arguments = ("factorise", image, "-o", tmp_path / "factors.h5", "--method", "solver", "--no-uncertainty")
    result = call(*arguments, "--figure", tmp_path / "factors.svg", "--json")
    assert result.exit_code in (0, 3)
    assert "all that is in Å is made up" in result.stderr
    lattice = json.loads(result.stdout)["lattice"]
    apart = 2 * np.pi / (7 * np.sin(np.pi / 3)) / plane.plane.step
    assert np.hypot(*np.transpose(lattice["points_apart_voxels"])) == pytest.approx([apart, apart], rel=0.005)
    assert (lattice["kind"], "basis_angstrom" in lattice) == ("hexagonal", False)
    (found,) = read_factors(tmp_path / "factors.h5").planes
    assert found.measured.unit == "1/Å, made up"
    assert found.plane.q_max == MADE_UP_Q_MAX


def test_one_plane_at_a_time(meerkat: Path, tmp_path: Path):
    arguments = ("factorise", meerkat, "-o", tmp_path / "x.h5", "--lattice", "find", "--method", "solver")
    with pytest.raises(InputError, match="there are 2 planes: hk0, hk1"):
        done(call(*arguments, "--plane", "hk0", "--plane", "hk1"))
    with pytest.raises(InputError, match="solver needs a lattice"):
        done(call("factorise", meerkat, "-o", tmp_path / "x.h5", "--lattice", "none", "--method", "solver"))
    assert not (tmp_path / "x.h5").exists()


@pytest.mark.slow
def test_a_given_lattice_is_compared_with_the_one_that_the_data_show(prepared: Path, tmp_path: Path):
    arguments = ("factorise", prepared, "-o", tmp_path / "x.h5", "--method", "solver", "--no-uncertainty")
    result = call(*arguments, "--lattice", "check")
    assert "no other lattice than the one given" in done(result, result.exit_code)
