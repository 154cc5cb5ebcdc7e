"""The command prepare, run as people run it, on files that are made here."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from typer.testing import CliRunner

from dsfu.errors import InputError
from dsfu.model.cli import app
from dsfu.model.measured.readers.plane_files import read_planes
from dsfu.simulate.arrays import FloatArray
from tests.model.measured.prepare.made import HEXAGONAL, made


def crystal(hkl: FloatArray) -> FloatArray:
    """Diffuse scattering with the symmetry 6/mmm, Bragg peaks, and a flat background."""
    h, k, li = np.moveaxis(hkl, -1, 0)
    diffuse = 3 + np.cos(2 * np.pi * h) + np.cos(2 * np.pi * k) + np.cos(2 * np.pi * (h + k)) + 0.5 * np.cos(np.pi * li)
    peaks = 1e5 * np.exp(-((hkl - np.rint(hkl)) ** 2).sum(axis=-1) / 2 / 0.04**2)
    return np.asarray(100 * diffuse + peaks + 50)


@pytest.fixture(scope="module")
def meerkat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file like Meerkat's, with a gap, a hot pixel and NaN for what was not measured."""
    volume = made(crystal, half=(1.5, 1.5, 0.5), voxels=(61, 61, 21), cell=HEXAGONAL, dtype=np.float32)
    data = volume.intensity.copy()
    data[:, 10:12] = np.nan
    data[35, 37, 13] = 1e8
    path = tmp_path_factory.mktemp("files") / "crystal.h5"
    with h5py.File(path, "w") as file:
        file["data"], file["format"], file["is_direct"] = data, "Yell 1.0", False
        file["lower_limits"], file["step_sizes"] = [-1.5, -1.5, -0.5], [0.05, 0.05, 0.05]
        file["unit_cell"] = HEXAGONAL.constants
        file["metric_tensor"] = HEXAGONAL.vectors @ HEXAGONAL.vectors.T
        file["space_group_nr"] = 1
    return path


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["prepare", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_planes_are_cut_cleaned_and_written(meerkat: Path, tmp_path: Path) -> None:
    out, picture = tmp_path / "planes.h5", tmp_path / "planes.png"
    said = run(
        meerkat, "-o", out, "--plane", "hk0", "--plane", "hk0.5", "--pixels", 64, "--bragg", "punch:0.2", "--fill",
        "--background", "flat:50", "--laue", "6/mmm", "--picture", picture,
    )  # fmt: skip
    first, second = read_planes(out)
    assert "hk0: 64 × 64 pixels" in said
    assert "R_int" in said
    assert "1 voxels" in said  # the hot pixel
    assert picture.stat().st_size > 10_000
    for plane, index in ((first, 0.0), (second, 0.5)):
        np.testing.assert_allclose(plane.hkl[..., 2], index, atol=1e-12)
        h, k = plane.hkl[..., 0], plane.hkl[..., 1]
        truth = (
            3
            + np.cos(2 * np.pi * h)
            + np.cos(2 * np.pi * k)
            + np.cos(2 * np.pi * (h + k))
            + 0.5 * np.cos(np.pi * index)
        )
        assert plane.live.mean() > 0.95
        # Filled holes are the worst of it; elsewhere a few pixels beside the gap are interpolated linearly.
        assert np.abs(plane.intensity - 100 * truth)[plane.live].max() < 25
        assert np.median(np.abs(plane.intensity - 100 * truth)[plane.live]) < 0.5
    assert [step.name for step in first.history] == [
        "without invalid", "without hot pixels", "without Bragg peaks", "without flat background",
        "averaged over symmetry", "cut",
    ]  # fmt: skip


def test_nothing_is_subtracted_unless_asked_for(meerkat: Path, tmp_path: Path) -> None:
    run(meerkat, "-o", tmp_path / "plane.h5", "--plane", "hk0", "--pixels", 32)
    (plane,) = read_planes(tmp_path / "plane.h5")
    names = [step.name for step in plane.history]
    assert [name for name in names if name != "cropped"] == ["without invalid", "without hot pixels", "cut"]
    assert plane.intensity.max() > 1e4  # the Bragg peaks
    assert np.median(plane.intensity[plane.live]) > 50
    # Peaks that are left, as sharp as a voxel, ring: 2 % of them on pixels nearby, negative ones too.
    assert plane.intensity[plane.live].min() > -0.03 * plane.intensity.max()


def test_the_whole_volume_is_written_cleaned(meerkat: Path, tmp_path: Path) -> None:
    """And planes cut from that file are those that come with it."""
    volume, planes, again = tmp_path / "volume.h5", tmp_path / "planes.h5", tmp_path / "again.h5"
    run(meerkat, "--volume", volume, "-o", planes, "--plane", "hk0.5", "--pixels", 32, "--bragg", "punch:0.2")
    run(volume, "-o", again, "--plane", "hk0.5", "--pixels", 32, "--hot-pixels", 0)
    (first,), (second,) = read_planes(planes), read_planes(again)
    np.testing.assert_array_equal(first.live, second.live)
    np.testing.assert_allclose(first.intensity, second.intensity, rtol=1e-5)
    with h5py.File(volume) as file:
        data = file["data"][()]
    assert np.isnan(data[35, 37, 13])  # the hot pixel
    assert np.isnan(data[30, 30, 10])  # the Bragg peak at the origin


def test_something_has_to_be_written(meerkat: Path) -> None:
    with pytest.raises(InputError, match="nothing is to be written"):
        run(meerkat, "--plane", "hk0")


def test_an_array_of_one_layer_with_hints_needs_no_plane(tmp_path: Path) -> None:
    layer = made(crystal, half=(2, 2, 0), voxels=(41, 41, 1)).intensity[:, :, 0]
    np.save(tmp_path / "layer.npy", layer)
    run(
        tmp_path / "layer.npy", "-o", tmp_path / "plane.h5", "--cell", "8,8,5,90,90,120", "--limits", "-2,2,-2,2,1,1",
        "--pixels", 32,
    )  # fmt: skip
    (plane,) = read_planes(tmp_path / "plane.h5")
    np.testing.assert_allclose(plane.hkl[..., 2], 1.0)
    assert plane.name.startswith("hk1")


def test_all_hints_reach_the_reader(tmp_path: Path) -> None:
    layer = made(crystal, half=(2, 2, 0), voxels=(41, 41, 1)).intensity[:, :, 0]
    layer[:, :5] = 0
    np.save(tmp_path / "layer.npy", layer.T)
    run(
        tmp_path / "layer.npy", "-o", tmp_path / "plane.h5", "--cell", "8,8,5,90,90,120", "--origin=-2,-2,1",
        "--steps", "0.1,0.1,1", "--axes", "kh", "--zeros", "dead", "--pixels", 32, "--hot-pixels", 0,
    )  # fmt: skip
    (plane,) = read_planes(tmp_path / "plane.h5")
    np.testing.assert_allclose(plane.hkl[..., 2], 1.0)
    inside = np.abs(plane.hkl[..., 0]) < 1.9
    assert not plane.live[inside & (plane.hkl[..., 1] < -1.65)].any()
    assert plane.live[inside & (plane.hkl[..., 1] > -1.45) & (plane.hkl[..., 1] < 1.9)].all()


def test_an_array_that_says_nothing_keeps_its_pixels(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).random((64, 64))
    np.save(tmp_path / "picture.npy", picture)
    run(tmp_path / "picture.npy", "-o", tmp_path / "plane.h5", "--pixels", 64, "--hot-pixels", 0)
    (plane,) = read_planes(tmp_path / "plane.h5")
    assert plane.cell is None
    np.testing.assert_array_equal(plane.intensity, picture)
    run(tmp_path / "picture.npy", "-o", tmp_path / "half.h5", "--pixels", 32, "--hot-pixels", 0)
    (half,) = read_planes(tmp_path / "half.h5")
    assert half.intensity.shape == (32, 32)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--plane", "hk9"], "l from -0.5 to 0.5"),
        (["--plane", "hkx"], "such as"),
        (["--plane", "hk0", "--bragg", "pnch"], "did you mean punch"),
        (["--plane", "hk0", "--bragg", "punch:x"], "no number"),
        (["--plane", "hk0", "--bragg", "punch:0.7"], "overlap"),
        (["--plane", "hk0", "--background", "flat"], "percentile"),
        (["--plane", "hk0", "--laue", "m-3m"], "6/mmm:c"),
        (["--plane", "hk0", "--laue", "m-3n"], "was m-3 meant"),
        ([], "which plane"),
    ],
)
def test_mistakes_are_told_before_anything_is_written(
    meerkat: Path, tmp_path: Path, options: list[str], expected: str
) -> None:
    with pytest.raises(InputError) as error:
        run(meerkat, "-o", tmp_path / "out.h5", "--pixels", 16, *options)
    assert expected in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_the_centre_is_moved_to_where_friedel_pairs_agree(meerkat: Path, tmp_path: Path) -> None:
    off = tmp_path / "off.h5"
    off.write_bytes(meerkat.read_bytes())
    with h5py.File(off, "r+") as file:
        file["lower_limits"][...] = [-1.5 + 0.03, -1.5, -0.5]
    looked = CliRunner().invoke(app, ["inspect", str(off)]).output
    assert "+0.00 voxels from the stated centre" in looked
    assert "--centre find" in looked
    text = run(off, "--plane", "hk0", "--centre", "find", "-o", tmp_path / "planes.h5", "--pixels", "60")
    assert "moved the centre: Friedel pairs agree best about a point" in text
    (plane,) = read_planes(tmp_path / "planes.h5")
    moved = next(step for step in plane.history if step.name == "centred")
    np.testing.assert_allclose(moved.parameters["was_at_hkl"], [0.03, 0, 0], atol=0.003)
    for wrong, message in (("1,2", "find, or h,k,l"), ("fnid", "find, or h,k,l")):
        result = CliRunner().invoke(app, ["prepare", str(off), "-o", str(tmp_path / "no.h5"), "--centre", wrong])
        assert isinstance(result.exception, InputError)
        assert message in str(result.exception)
    assert "stated centre" not in CliRunner().invoke(app, ["inspect", str(meerkat)]).output
