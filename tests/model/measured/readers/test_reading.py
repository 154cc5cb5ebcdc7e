import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from dsfu.errors import InputError
from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.readers.reading import read
from dsfu.simulate.lattice import Cell
from tests.model.measured.readers import true_files as true
from tests.model.measured.readers.true_files import CELL, ORIGIN, SHAPE, STEPS, intensity


def assert_is_the_volume(found: Reconstruction, cell: Cell | None = CELL, *, rtol: float = 1e-6) -> None:
    """Whatever the order of its axes: every voxel has the hkl and the intensity that it was given."""
    truth = intensity(np.float64)
    assert found.indexed
    assert sorted(found.shape) == sorted(SHAPE)
    hkl = found.hkl_of_voxels(np.moveaxis(np.indices(found.shape), 0, -1))
    indices = np.rint((hkl - ORIGIN) / STEPS).astype(int)
    np.testing.assert_allclose(hkl, ORIGIN + STEPS * indices, atol=1e-6)
    expected = truth[tuple(np.moveaxis(indices, -1, 0))]
    np.testing.assert_array_equal(found.live, np.isfinite(expected))
    np.testing.assert_allclose(found.intensity[found.live], expected[found.live], rtol=rtol)
    if cell is None:
        assert found.cell is None
    else:
        assert found.cell is not None
        np.testing.assert_allclose(found.cell.constants, cell.constants, rtol=1e-6)


def one_voxel_hkl(found: Reconstruction) -> NDArray[Any]:
    """hkl of the brightest voxel."""
    filled = np.where(found.live, found.intensity, -np.inf)
    return found.hkl_of_voxels(np.unravel_index(int(filled.argmax()), found.shape))


def test_yell(tmp_path: Path):
    found = read(true.write_yell(tmp_path / "a.h5"))
    assert_is_the_volume(found)
    assert found.format == "Meerkat / Yell HDF5 (Yell 1.0)"
    assert found.notes == ()
    assert found.intensity.dtype == np.float32


def test_the_metric_tensor_wins_over_the_cell(tmp_path: Path):
    found = read(true.write_yell(tmp_path / "a.h5", unit_cell=[1, 2, 3, 90, 90, 90]))
    assert_is_the_volume(found)
    assert "metric_tensor" in found.notes[0]
    assert_is_the_volume(read(true.write_yell(tmp_path / "b.h5", metric_tensor=None)))


def test_yell_0_9_is_a_ratio(tmp_path: Path):
    count = np.random.default_rng(1).integers(1, 9, SHAPE)
    count[np.isnan(intensity())] = 0
    found = read(
        true.write_yell(
            tmp_path / "a.h5",
            data=None,
            format="Yell 0.9",
            rebinned_data=np.nan_to_num(intensity(np.float64)) * count,
            number_of_pixels_rebinned=count,
        )
    )
    assert_is_the_volume(found)
    assert found.weight is not None
    np.testing.assert_array_equal(found.weight, count)


def test_a_pair_distribution_function_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="is_direct is true"):
        read(true.write_yell(tmp_path / "a.h5", is_direct=True))


@pytest.mark.parametrize("name", ["lower_limits", "step_sizes"])
def test_a_missing_key_of_yell_is_named(tmp_path: Path, name: str):
    path = true.write_yell(tmp_path / "a.h5", **{name: None})
    with pytest.raises(InputError, match=f"{name} is missing"):
        read(path)
    limits = [number for i in range(3) for number in true.coordinates(i)[[0, -1]]]
    assert_is_the_volume(read(path, limits=limits))


def test_without_a_cell(tmp_path: Path):
    path = true.write_yell(tmp_path / "a.h5", metric_tensor=None, unit_cell=None)
    found = read(path)
    assert_is_the_volume(found, None)
    assert "--cell" in found.notes[0]
    assert_is_the_volume(read(path, cell=CELL.constants))


def test_the_identity_metric_means_inverse_angstrom_without_two_pi(tmp_path: Path):
    data = np.ones((11, 11, 11), np.float32)
    data[8, 3, 6] = 9
    path = true.write_yell(
        tmp_path / "a.h5", data=data, metric_tensor=np.eye(3), lower_limits=[-0.5] * 3, step_sizes=[0.1] * 3
    )
    found = read(path)
    s = np.array([0.3, -0.2, 0.1])
    np.testing.assert_allclose(one_voxel_hkl(found), CELL.vectors @ s, atol=1e-9)  # hkl = (s·a, s·b, s·c)
    np.testing.assert_allclose(CELL.q_of_hkl(one_voxel_hkl(found)), 2 * np.pi * s, atol=1e-9)
    assert "1/Å" in found.notes[0]
    np.testing.assert_allclose(one_voxel_hkl(read(path, frame="q")), CELL.vectors @ s / (2 * np.pi), atol=1e-9)
    np.testing.assert_allclose(one_voxel_hkl(read(path, frame="hkl")), s, atol=1e-9)


def test_discus_is_big_endian_and_has_oblique_axes(tmp_path: Path):
    data = np.ones((5, 6, 1))
    data[4, 2, 0] = 7
    steps = np.array([[0.5, 0.5, 0.0], [0.25, -0.25, 0.0], [0.0, 0.0, 0.0]])  # a plane: no step along the third
    found = read(true.write_discus(tmp_path / "a.h5", data=data, steps=steps, origin=np.array([-1.0, 0.0, 1.0])))
    np.testing.assert_allclose(one_voxel_hkl(found), [-1 + 4 * 0.5 + 2 * 0.25, 4 * 0.5 - 2 * 0.25, 1.0])
    assert found.shape == (5, 6, 1)
    assert "DISCUS" in found.format
    assert found.intensity.dtype.isnative


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_what_meerkat_itself_writes(tmp_path: Path):
    """Bright pixels of a simulated measurement land at the hkl that the Laue equations say."""
    from scipy.spatial.transform import Rotation

    path, pixels, instrument = meerkat_file(tmp_path)
    found = read(path)
    np.testing.assert_allclose(found.steps, np.diag([0.1, 0.1, 0.1]))
    assert found.cell is not None
    np.testing.assert_allclose(found.cell.constants, CELL.constants, rtol=1e-4)
    assert 0.001 < found.coverage < 0.9
    bright = found.hkl_of_voxels(np.argwhere(found.live & (found.intensity > 20)))
    assert len(bright) == len(pixels)
    for x, y, frame in pixels:
        ray = np.array([x - 20.5, y - 20.5, 30.0])
        s = ray / np.linalg.norm(ray) / 0.7 - [0, 0, 1 / 0.7]
        turned = Rotation.from_rotvec([-np.radians((frame - 0.5) * 0.2), 0, 0]).apply(s)
        hkl = instrument["unit_cell_vectors"] @ turned
        assert np.abs(bright - hkl).max(axis=1).min() < 0.06  # half a step, and what half a frame turns


def meerkat_file(folder: Path) -> tuple[Path, list[tuple[int, int, int]], dict[str, Any]]:
    """A reconstruction by Meerkat of frames with one bright pixel each."""
    import fabio
    from meerkat.meerkat import reconstruct_data
    from meerkat.xds.xparm import write_xparm

    axes = np.eye(3)
    instrument: dict[str, Any] = {
        "starting_frame": 1, "starting_angle": 0, "oscillation_angle": 0.2, "rotation_axis": axes[0],
        "wavelength": 0.7, "wavevector": axes[2] / 0.7, "space_group_nr": 1, "cell": np.round(CELL.constants, 4),
        "unit_cell_vectors": np.round(CELL.vectors @ true.ROTATION, 6), "NX": 40, "NY": 40, "pixelsize_x": 1.0,
        "pixelsize_y": 1.0, "x_center": 20.5, "y_center": 20.5, "distance_to_detector": 30.0,
        "detector_x": axes[0], "detector_y": axes[1], "detector_normal": axes[2],
    }  # fmt: skip
    write_xparm(folder / "XPARM.XDS", instrument)
    pixels = [(12 + 2 * frame, 29 - frame, frame) for frame in range(1, 9)]
    for x, y, frame in pixels:
        image = np.ones((40, 40), np.int32)
        image[y - 1, x - 1] = 1000
        fabio.edfimage.EdfImage(data=image).write(str(folder / f"frame_{frame:03d}.edf"))
    reconstruct_data(
        str(folder / "frame_%03d.edf"), 1, 8, [4, 4, 4], [81, 81, 81], path_to_XPARM=str(folder),
        output_filename=str(folder / "reconstruction.h5"), all_in_memory=True,
    )  # fmt: skip
    return folder / "reconstruction.h5", pixels, instrument


def test_mantid(tmp_path: Path):
    found = read(true.write_mantid(tmp_path / "a.nxs"))
    assert_is_the_volume(found)
    assert found.shape == SHAPE[::-1]  # slowest first: l, k, h
    assert found.sigma is not None
    np.testing.assert_allclose(found.sigma[found.live], np.sqrt(found.intensity[found.live]))
    assert found.weight is not None
    assert found.weight.max() == 3
    assert found.notes == ()


@pytest.mark.parametrize("with_matrix", [True, False])
def test_mantid_axes_combine_indices(tmp_path: Path, with_matrix: bool):
    """Columns of W are the directions of D0, D1, D2; without it their names tell."""
    data = np.ones((6, 5, 4))
    data[5, 1, 2] = 9
    edges = [0.2 * np.arange(7), 0.3 * np.arange(6), 0.5 * np.arange(5)]
    path = true.write_mantid(
        tmp_path / "a.nxs",
        data=data,
        edges=edges,
        titles=("[H,H,0]", "[-K,K,0]", "[0,0,L]"),
        w_matrix=[[1, -1, 0], [1, 1, 0], [0, 0, 1]] if with_matrix else None,
    )
    first, second, third = 0.2 * 5.5, 0.3 * 1.5, 0.5 * 2.5
    found = read(path)
    np.testing.assert_allclose(one_voxel_hkl(found), [first - second, first + second, third])
    assert found.notes == ()


def test_mantid_matrix_wins_over_names(tmp_path: Path):
    swapped = np.eye(3)[[1, 0, 2]]
    found = read(true.write_mantid(tmp_path / "a.nxs", w_matrix=swapped))
    assert "W_MATRIX" in found.notes[0]
    np.testing.assert_allclose(found.steps[1], [STEPS[1], 0, 0])


def test_mantid_mask_and_uncertainties(tmp_path: Path):
    mask = np.zeros(SHAPE, np.int8)
    mask[5, 4, 3] = 1
    variance = np.full(SHAPE, 4.0)
    variance[6, 6, 6] = np.nan
    found = read(true.write_mantid(tmp_path / "a.nxs", mask=mask, errors_squared=variance))
    assert not found.live[3, 4, 5]
    assert not found.live[6, 6, 6]
    assert found.live[4, 4, 4]
    assert "1 voxels without a finite uncertainty" in found.notes[0]


def test_mantid_energy_of_one_bin_is_dropped(tmp_path: Path):
    grid = [ORIGIN[i] + STEPS[i] * (np.arange(n + 1) - 0.5) for i, n in enumerate(SHAPE)]
    titles = ("[H,0,0]", "[0,K,0]", "[0,0,L]", "DeltaE")
    data = intensity(np.float64)[..., np.newaxis]
    path = true.write_mantid(tmp_path / "a.nxs", data=data, edges=[*grid, np.array([-1.0, 1.0])], titles=titles)
    assert_is_the_volume(read(path))
    two = np.concatenate([data, data], axis=-1)
    path = true.write_mantid(tmp_path / "b.nxs", data=two, edges=[*grid, np.array([-1.0, 0.0, 1.0])], titles=titles)
    with pytest.raises(InputError, match="2 bins along DeltaE"):
        read(path)


def test_mantid_frames(tmp_path: Path):
    data = np.ones((6, 6, 6))
    data[4, 1, 2] = 9
    edges = [np.linspace(-3, 3, 7)] * 3
    path = true.write_mantid(
        tmp_path / "a.nxs", data=data, edges=edges, frame="QSample", titles=("Q_sample_x", "Q_sample_y", "Q_sample_z")
    )
    with pytest.raises(InputError, match="frame QSample"):
        read(path)
    q = np.array([1.5, -1.5, -0.5])
    in_crystal = true.ROTATION.T @ q
    np.testing.assert_allclose(one_voxel_hkl(read(path, frame="q")), CELL.hkl_of_q(in_crystal), atol=1e-12)
    np.testing.assert_allclose(one_voxel_hkl(read(path, frame="hkl")), q)


def test_mantid_missing_pieces_are_named(tmp_path: Path):
    path = true.write_mantid(tmp_path / "a.nxs", cell=None)
    found = read(path)
    assert_is_the_volume(found, None)
    assert "oriented_lattice" in found.notes[0]
    for name in ("signal", "D1"):
        path = true.write_mantid(tmp_path / "b.nxs")
        with h5py.File(path, "a") as file:
            del file[f"MDHistoWorkspace/data/{name}"]
        with pytest.raises(InputError, match=f"{name} is missing"):
            read(path)
    with h5py.File(path, "w") as file:
        file.create_group("MDEventWorkspace")
    with pytest.raises(InputError, match="BinMD or MDNorm"):
        read(path)


@pytest.mark.parametrize("name", ["transform", "masked_transform"])
def test_nxrefine_with_weights(tmp_path: Path, name: str):
    found = read(true.write_nxrefine(tmp_path, name=name))
    assert_is_the_volume(found, rtol=1e-5)
    assert found.format == "NeXus NXdata (nxrefine)"
    assert found.shape == SHAPE[::-1]
    assert "divided by its weights" in found.notes[0]


def test_nxrefine_without_weights(tmp_path: Path):
    found = read(true.write_nxrefine(tmp_path, weights=False))
    assert_is_the_volume(found, rtol=1e-5)
    assert "exactly 0" in found.notes[0]


@pytest.mark.parametrize(("name", "marked", "said"), [("transform", True, None), ("symm_transform", False, "live")])
def test_zeros_of_nxrefine_are_counts_where_something_else_means_unmeasured(tmp_path: Path, name, marked, said):
    path = true.write_nxrefine(tmp_path, weights=False, name=name)
    with h5py.File(tmp_path / "300K" / "transform.nxs", "a") as file:
        values = file["entry/data/v"][...]
        unmeasured = values == 0
        values[unmeasured] = np.nan if marked else -1.0
        values[3, 2, 1] = 0.0
        file["entry/data/v"][...] = values
    found = read(path, zeros=said, missing=None if marked else -1)
    assert found.live[3, 2, 1]
    assert found.intensity[3, 2, 1] == 0
    assert np.array_equal(found.live, ~unmeasured)


def test_the_weights_of_a_symmetrised_transform_are_left_alone(tmp_path: Path):
    path = true.write_nxrefine(tmp_path, weights=False, name="symm_transform")
    with h5py.File(path, "a") as file:
        file["entry/symm_transform/data_weights"] = np.full(SHAPE[::-1], 7.0)
    assert_is_the_volume(read(path), rtol=1e-5)


def test_links_that_lead_nowhere_or_elsewhere(tmp_path: Path):
    path = true.write_nxrefine(tmp_path)
    (tmp_path / "300K" / "transform.nxs").rename(tmp_path / "300K" / "moved.nxs")
    with pytest.raises(InputError, match=r"300K/transform.nxs, which is not there"):
        read(path)
    with h5py.File(path, "a") as file:
        del file["entry/transform/data"]
        file["entry/transform/data"] = h5py.ExternalLink("../elsewhere.nxs", "/data")
    (tmp_path / "below").mkdir()
    path = path.rename(tmp_path / "below" / "scan.nxs")
    true.write_yell(tmp_path / "elsewhere.nxs")
    with pytest.raises(InputError, match="lies elsewhere"):
        read(path)


def test_mdx2(tmp_path: Path):
    found = read(true.write_mdx2(tmp_path / "a.nxs"))
    assert_is_the_volume(found, None)
    assert "--cell" in found.notes[0]
    assert_is_the_volume(read(tmp_path / "a.nxs", cell=CELL))
    assert_is_the_volume(read(true.write_mdx2(tmp_path / "b.nxs", crystal=True)))


def test_an_old_nexus_file_with_errors_and_a_plane(tmp_path: Path):
    """Before 2014 the dataset carried the attributes; errors stood beside it."""
    with h5py.File(tmp_path / "a.nxs", "w") as file:
        group = file.create_group("entry/plane")
        group.attrs["NX_class"] = "NXdata"
        group["counts"] = np.arange(1.0, 13.0).reshape(3, 4)
        group["counts"].attrs.update({"signal": 1, "axes": "k:h"})
        group["counts_errors"] = np.full((3, 4), 0.5)
        group["h"], group["k"], group["l"] = [0.0, 0.5, 1.0, 1.5], [1.0, 2.0, 3.0], 2.0
    found = read(tmp_path / "a.nxs")
    np.testing.assert_allclose(one_voxel_hkl(found), [1.5, 3.0, 2.0])
    assert found.sigma is not None
    assert found.shape == (3, 4, 1)


def test_several_nxdata_have_to_be_chosen_from(tmp_path: Path):
    with h5py.File(tmp_path / "a.nxs", "w") as file:
        for name, factor in (("first", 1), ("second", 2)):
            group = file.create_group(f"entry/{name}")
            group.attrs.update({"NX_class": "NXdata", "signal": "data", "axes": ["h", "k", "l"]})
            group["data"] = factor * intensity()
            group["filled"] = 3 * intensity()
            for axis, letter in enumerate("hkl"):
                group[letter] = true.coordinates(axis)
    with pytest.raises(InputError, match=r"several NXdata(.|\n)*/entry/first, /entry/second"):
        read(tmp_path / "a.nxs")
    assert read(tmp_path / "a.nxs", dataset="/entry/first").intensity[5, 5, 5] == intensity()[5, 5, 5]
    assert read(tmp_path / "a.nxs", dataset="entry/second/filled").intensity[5, 5, 5] == 3 * intensity()[5, 5, 5]
    with h5py.File(tmp_path / "a.nxs", "a") as file:
        file.attrs["default"], file["entry"].attrs["default"] = "entry", "second"
    assert read(tmp_path / "a.nxs").intensity[5, 5, 5] == 2 * intensity()[5, 5, 5]


def test_axes_that_are_not_hkl_are_refused_unless_told(tmp_path: Path):
    with h5py.File(tmp_path / "a.nxs", "w") as file:
        group = file.create_group("entry/data")
        group.attrs.update({"NX_class": "NXdata", "signal": "data", "axes": ["Qx", "Qy", "Qz"]})
        group["data"] = intensity()
        for axis, letter in enumerate("xyz"):
            group[f"Q{letter}"] = true.coordinates(axis)
            group[f"Q{letter}"].attrs["units"] = "1/angstrom"
    with pytest.raises(InputError, match=r"Qx is none of hkl; its units are 1/angstrom"):
        read(tmp_path / "a.nxs")
    with pytest.raises(InputError, match="has no cell"):
        read(tmp_path / "a.nxs", frame="q")
    found = read(tmp_path / "a.nxs", frame="q", cell=CELL)
    np.testing.assert_allclose(CELL.q_of_hkl(found.hkl_of_voxels([2, 3, 4])), ORIGIN + STEPS * [2, 3, 4], atol=1e-12)
    assert_is_the_volume(read(tmp_path / "a.nxs", axes="hkl", cell=CELL))


def test_bare_arrays_take_their_grid_from_hints(tmp_path: Path):
    path = true.write_root(tmp_path / "a.h5", data=intensity())
    found = read(path)
    assert not found.indexed
    assert found.cell is None
    assert "nothing says" in found.notes[0]
    limits = [number for i in range(3) for number in true.coordinates(i)[[0, -1]]]
    assert_is_the_volume(read(path, limits=limits, cell=CELL))
    assert_is_the_volume(read(path, origin=ORIGIN, steps=STEPS, cell=CELL))
    with pytest.raises(InputError, match="steps is missing"):
        read(path, origin=ORIGIN)
    with pytest.raises(InputError, match="nothing says where its voxels lie"):
        read(path, cell=CELL)
    turned = true.write_root(tmp_path / "b.h5", volume=intensity().transpose(2, 0, 1))
    assert_is_the_volume(read(turned, limits=limits, axes="lhk", cell=CELL))
    both = true.write_root(tmp_path / "c.h5", one=intensity(), two=intensity())
    with pytest.raises(InputError, match=r"2 arrays(.|\n)*/one, /two"):
        read(both)
    assert read(both, dataset="two").shape == SHAPE


def test_suffixes_do_not_matter(tmp_path: Path):
    assert_is_the_volume(read(true.write_yell(tmp_path / "a.npy")))
    np.save(tmp_path / "b.npy", intensity())
    assert read((tmp_path / "b.npy").rename(tmp_path / "b.h5")).shape == SHAPE


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"II*\x00 and more", "TIFF"),
        (b"hkl", "no format"),
        (b"OD SAPPHIRE  4.0\r\nCOMPRESSION=TY6", r"CrysAlis Pro(.|\n)*fabio unpacks layers"),
        (b"ESPERANTO FORMAT   1", "an image of CrysAlis Pro"),
    ],
)
def test_other_files_are_told_apart(tmp_path: Path, content: bytes, message: str):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read(tmp_path / "a")


def test_a_table_of_excel_is_no_npz(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises(InputError, match=r"zip archive without an array(.|\n)*numpy\.savez"):
        read(tmp_path / "a.xlsx")


@pytest.mark.parametrize(("units", "told"), [("1/angstrom", True), ("rlu", False)])
def test_units_that_speak_against_the_names_of_axes_are_told(tmp_path: Path, units: str, told: bool):
    with h5py.File(tmp_path / "a.nxs", "w") as file:
        group = file.create_group("data")
        group.attrs.update({"NX_class": "NXdata", "signal": "v", "axes": ["H", "K", "L"]})
        group["v"] = intensity(np.float32)
        for number, letter in enumerate("HKL"):
            group[letter] = ORIGIN[number] + STEPS[number] * np.arange(SHAPE[number])
            group[letter].attrs["units"] = units
    found = read(tmp_path / "a.nxs", cell=CELL)
    assert_is_the_volume(found)
    assert ("their units are 1/angstrom" in " ".join(found.notes)) is told


@pytest.mark.parametrize("order", ["hkl", "lkh"])
def test_axes_beside_an_array_of_no_format(tmp_path: Path, order: str):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["volume/counts"] = intensity(np.float32).transpose(["hkl".index(each) for each in order])
        for number, letter in enumerate("hkl"):
            file[f"volume/{letter}"] = ORIGIN[number] + STEPS[number] * np.arange(SHAPE[number])
    found = read(tmp_path / "a.h5", cell=CELL, axes=order)
    assert_is_the_volume(found)
    assert "taken for the centres" in " ".join(found.notes)
    arrays = {letter: ORIGIN[number] + STEPS[number] * np.arange(SHAPE[number]) for number, letter in enumerate("hkl")}
    turned = intensity(np.float32).transpose(["hkl".index(each) for each in order])
    np.savez(tmp_path / "a.npz", counts=turned, cell=np.array(CELL.constants), **arrays)
    same = read(tmp_path / "a.npz", axes=order, dataset="counts")
    assert_is_the_volume(same)
    assert "taken for the centres" in " ".join(same.notes)
    if order != "hkl":
        for name in ("a.h5", "a.npz"):
            with pytest.raises(InputError, match=f"fit it with --axes {order}"):
                read(tmp_path / name, cell=CELL, dataset="volume/counts" if name == "a.h5" else "counts")
    np.savez(tmp_path / "c.npz", data=turned, k=np.array([None]))  # somebody's own: not read, and not refused
    assert not read(tmp_path / "c.npz", axes=order).indexed
    np.savez(tmp_path / "b.npz", data=turned, **(arrays | {"k": np.geomspace(1, 2, SHAPE[1])}))
    with pytest.raises(InputError, match=r"b\.npz:k: is not evenly spaced"):
        read(tmp_path / "b.npz", axes=order)


def test_a_number_for_unmeasured(tmp_path: Path):
    values = np.arange(1000, dtype=np.int32).reshape(10, 10, 10)
    values[:, :, 7] = -1
    np.save(tmp_path / "a.npy", values)
    told = read(tmp_path / "a.npy")
    assert "10 % of the voxels are exactly -1; if that means unmeasured, say --missing -1" in told.notes
    found = read(tmp_path / "a.npy", missing="-1")
    assert not found.live[:, :, 7].any()
    assert found.live.mean() == pytest.approx(0.9)
    assert "unmeasured" not in " ".join(found.notes)
    noisy = np.random.default_rng(1).normal(2, 3, (20, 20, 20))
    np.save(tmp_path / "noisy.npy", noisy)
    assert "unmeasured" not in " ".join(read(tmp_path / "noisy.npy").notes), "noise has no number twice"


def test_unknown_hdf5_says_what_each_reader_missed(tmp_path: Path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["entry/scan"] = np.arange(3)
    with pytest.raises(InputError, match=r"Yell HDF5: there is no dataset data(.|\n)*Mantid(.|\n)*NXdata"):
        read(tmp_path / "a.h5")
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "b.h5")
    with pytest.raises(InputError, match="folder"):
        read(tmp_path)


def test_hints_are_checked(tmp_path: Path):
    path = true.write_yell(tmp_path / "a.h5")
    for hints, message in (
        ({"cel": CELL}, "did you mean cell"),
        ({"cell": "7,6 6,3 8,4"}, "decimal points"),
        ({"cell": (1, 2)}, "3 or 6 finite numbers"),
        ({"cell": (1, 2, 3, 10, 10, 90)}, "span no volume"),
        ({"limits": (0, 0, 0, 1, 0, 1)}, "both are 0"),
        ({"steps": (0, 1, 1), "origin": (0, 0, 0)}, "none of which is 0"),
        ({"axes": "hhl"}, "each of h, k, l once"),
        ({"frame": "lab"}, "1/Å with 2π"),
        ({"missing": "none"}, "1 finite numbers"),
        ({"dataset": "nothere"}, "a.h5:/nothere: is not in the file"),
        ({"limits": (0, 1, 0, 1, 0, 1), "origin": (0, 0, 0)}, "one or the other"),
    ):
        with pytest.raises(InputError, match=message):
            read(path, **hints)
