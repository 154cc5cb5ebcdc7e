import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from dsfu.errors import InputError
from dsfu.model.measured.readers import sizes
from dsfu.model.measured.readers.reading import read
from tests.model.measured.readers.test_reading import assert_is_the_volume
from tests.model.measured.readers.true_files import CELL, ORIGIN, SHAPE, STEPS, coordinates, intensity

LIMITS = [number for i in range(3) for number in coordinates(i)[[0, -1]].tolist()]


@pytest.mark.parametrize("sidecar", ["a.json", "a.npy.json"])
def test_a_json_file_beside_it_says_the_rest(tmp_path: Path, sidecar: str):
    np.save(tmp_path / "a.npy", intensity())
    (tmp_path / sidecar).write_text(json.dumps({"cell": CELL.constants, "limits": LIMITS}))
    found = read(tmp_path / "a.npy")
    assert_is_the_volume(found)
    assert sidecar in found.notes[0]
    other = read(tmp_path / "a.npy", cell=(9, 9, 9))
    assert other.cell is not None
    assert list(other.cell.constants) == [9, 9, 9, 90, 90, 90]
    np.testing.assert_allclose(read(tmp_path / "a.npy", origin=(0, 0, 0), steps=(1, 2, 3)).steps, np.diag([1, 2, 3]))


def test_flags_say_the_rest(tmp_path: Path):
    np.save(tmp_path / "a.npy", np.asfortranarray(intensity(">f8")))
    assert_is_the_volume(read(tmp_path / "a.npy", cell=CELL, origin=ORIGIN, steps=STEPS))
    np.save(tmp_path / "b.npy", intensity().transpose(2, 1, 0))
    assert_is_the_volume(read(tmp_path / "b.npy", cell=CELL, limits=LIMITS, axes="lkh"))
    rows = np.diag(STEPS)[[2, 1, 0]].reshape(-1)
    assert_is_the_volume(read(tmp_path / "b.npy", cell=CELL, origin=ORIGIN, steps=rows))


def test_a_plane_alone_counts_voxels(tmp_path: Path):
    np.save(tmp_path / "a.npy", np.arange(1, 257).reshape(16, 16))
    found = read(tmp_path / "a.npy")
    assert found.shape == (16, 16, 1)
    assert not found.indexed
    assert read(tmp_path / "a.npy", axes="hk").shape == (16, 16, 1)
    np.testing.assert_array_equal(found.hkl_of_voxels([8, 8, 0]), 0)
    np.testing.assert_array_equal(found.intensity[..., 0], np.arange(1, 257).reshape(16, 16))
    plane = read(tmp_path / "a.npy", limits=(-4, 4, 2, 2, -3, 3), axes="lh", cell=CELL)
    np.testing.assert_allclose(plane.hkl_of_voxels([15, 0, 0]), [-4, 2, 3])


@pytest.mark.parametrize("axes", ["", "lh"])
def test_a_plane_may_have_its_indices_beside_it(tmp_path: Path, axes: str):
    h, l = np.linspace(-1, 2, 7), np.linspace(0, 1, 5)  # noqa: E741
    beside: dict[str, Any] = {"h": h, "k": 0.5, "l": l}
    np.savez(tmp_path / "a.npz", data=np.ones((5, 7) if axes else (7, 5)), **beside)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.update({"data": np.ones((5, 7) if axes else (7, 5)), **beside})
    for name in ("a.npz", "a.h5"):
        found = read(tmp_path / name, axes=axes or None)
        np.testing.assert_allclose(found.hkl_of_voxels([4, 6, 0] if axes else [6, 4, 0]), [2, 0.5, 1])
    np.savez(tmp_path / "b.npz", data=np.ones((7, 5)), h=h, k=0.5, l=h)
    assert not read(tmp_path / "b.npz").indexed, "l is not as long as the axis"


def test_npz_names_its_arrays(tmp_path: Path):
    mask = np.zeros(SHAPE, bool)
    mask[4, 4, 4] = True
    np.savez_compressed(
        tmp_path / "a.npz", intensity=intensity(), sigma=np.ones(SHAPE), mask=mask, weight=np.ones(SHAPE),
        origin=ORIGIN, steps=STEPS, cell=CELL.constants,
    )  # fmt: skip
    found = read(tmp_path / "a.npz")
    assert not found.live[4, 4, 4]
    assert found.sigma is not None
    assert found.weight is not None
    assert found.cell == CELL
    np.testing.assert_allclose(found.steps, np.diag(STEPS))
    np.savez(tmp_path / "b.npz", other=intensity(), more=intensity())
    with pytest.raises(InputError, match="other, more"):
        read(tmp_path / "b.npz")
    assert_is_the_volume(read(tmp_path / "b.npz", dataset="more", limits=LIMITS, cell=CELL))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[1]", "not an object"),
        ('{"cels": [1, 2, 3]}', "did you mean cell"),
        ('{"cell": [1, 2, "x"]}', "finite numbers"),
        ('{"cell": [5, 5, NaN, 90, 90, 90], "limits": [0, 1, 0, 1, 0, 1]}', "finite numbers"),
        ('{"cell": [5, 5, 5, 90, 90, 90]}', "nothing says where"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_sidecars_that_make_no_sense(tmp_path: Path, text: str, message: str):
    np.save(tmp_path / "a.npy", intensity())
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError, match=message):
        read(tmp_path / "a.npy")


def test_grids_that_are_given_count_hkl(tmp_path: Path):
    np.save(tmp_path / "a.npy", intensity())
    for hints in ({}, {"limits": LIMITS, "cell": CELL}):
        with pytest.raises(InputError, match="the frame is 1/Å"):
            read(tmp_path / "a.npy", frame="q", **hints)


def test_nothing_is_unpickled(tmp_path: Path):
    np.save(tmp_path / "a.npy", np.array([[{}, 1], [2, 3]], object), allow_pickle=True)
    with pytest.raises(InputError, match="objects of Python"):
        read(tmp_path / "a.npy")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.ones((4, 4), complex), "complex"),
        (np.full((4, 4), "x"), "text"),
        (np.ones((4, 4), [("a", "f4"), ("b", "f4")]), "values of type"),
        (np.ones(5), "has shape"),
        (np.ones((2, 2, 2, 2)), "has shape"),
        (np.ones((0, 4)), "has shape"),
        (np.array(3.0), "has shape"),
        (np.full((4, 4), np.nan), "all are NaN"),
        (np.zeros((4, 4)), "zero everywhere"),
        (np.array([["2020-01-01"] * 4] * 4, "datetime64[D]"), "values of type"),
    ],
)
def test_arrays_that_are_no_intensities(tmp_path: Path, values: np.ndarray, message: str):
    np.save(tmp_path / "a.npy", values)
    with pytest.raises(InputError, match=message):
        read(tmp_path / "a.npy")


def header(shape: str) -> bytes:
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ("(1024, 1024, 1280)", r"10.0 GiB"),
        ("(99999999999999999999, 2)", "GiB"),
        ("(100, 100)", "does not fit"),
        ("(-4, 4)", "does not fit"),
        ("(4, 'a')", "no valid header"),
        ("(4,", "no valid header"),
    ],
)
def test_headers_that_promise_too_much(tmp_path: Path, shape: str, message: str):
    (tmp_path / "a.npy").write_bytes(header(shape) + bytes(800))
    with pytest.raises(InputError, match=message):
        read(tmp_path / "a.npy")
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("intensity.npy", header(shape) + bytes(800))
    with pytest.raises(InputError, match=message):
        read(tmp_path / "a.npz")


def test_the_limit_can_be_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    np.save(tmp_path / "a.npy", np.ones((1024, 128)))
    monkeypatch.setenv("DSFU_MAX_GIB", "0.0001")
    with pytest.raises(InputError, match=r"at most 0.0001 GiB(.|\n)*set DSFU_MAX_GIB"):
        read(tmp_path / "a.npy")
    monkeypatch.setenv("DSFU_MAX_GIB", "1")
    assert read(tmp_path / "a.npy").shape == (1024, 128, 1)
    monkeypatch.setenv("DSFU_MAX_GIB", "lots")
    with pytest.raises(InputError, match="DSFU_MAX_GIB: is 'lots'"):
        read(tmp_path / "a.npy")


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Zeros, a thousandth of the size when packed; what is small may be as dense as it likes."""
    np.savez_compressed(tmp_path / "a.npz", intensity=np.zeros((800, 800)))
    with pytest.raises(InputError, match="zero everywhere"):
        read(tmp_path / "a.npz")
    monkeypatch.setattr(sizes, "_HARMLESS", 1 << 20)
    with pytest.raises(InputError, match=r"0.0 GiB in \d+ bytes"):
        read(tmp_path / "a.npz")


def test_a_torn_archive(tmp_path: Path):
    np.savez(tmp_path / "a.npz", intensity=intensity())
    whole = (tmp_path / "a.npz").read_bytes()
    for size in (10, 200, len(whole) // 2, len(whole) - 3):
        (tmp_path / "a.npz").write_bytes(whole[:size])
        with pytest.raises(InputError):
            read(tmp_path / "a.npz")
