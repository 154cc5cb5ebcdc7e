import io
import os
import struct
import sys
import tracemalloc
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from dsfu.simulate.disorder.mask_files import read_masks

PIXELS = 16


@pytest.fixture
def numbers() -> np.ndarray:
    """Three planes in which 0 and NaN are dead, and everything else, negative numbers too, is live."""
    rng = np.random.default_rng(1)
    planes = rng.normal(size=(3, PIXELS, PIXELS))
    planes[rng.random(planes.shape) < 0.3] = 0
    planes[rng.random(planes.shape) < 0.1] = np.nan
    return planes


def read(path: Path, **options) -> np.ndarray:
    return read_masks(path, pixels=PIXELS, **options)


def save(path: Path, kind: str, array: np.ndarray) -> Path:
    if kind == "npy":
        np.save(path.with_suffix(".npy"), array)
        return path.with_suffix(".npy")
    if kind == "npz":
        np.savez_compressed(path.with_suffix(".npz"), masks=array)
        return path.with_suffix(".npz")
    with h5py.File(path.with_suffix(".h5"), "w") as file:
        file.create_dataset("entry/masks", data=array)
    return path.with_suffix(".h5")


KINDS = pytest.mark.parametrize("kind", ["npy", "npz", "hdf5"])


@KINDS
@pytest.mark.parametrize("dtype", [np.float64, np.float32, ">f4", np.float16, np.int16, np.uint8, np.bool_])
def test_nan_and_zero_are_dead_whatever_the_type(tmp_path, numbers, kind, dtype):
    array = np.nan_to_num(numbers * 10) if np.dtype(dtype).kind in "iub" else numbers
    array = np.abs(array).astype(dtype)
    live = read(save(tmp_path / "masks", kind, array))
    assert live.dtype == np.bool_
    assert live.shape == (3, PIXELS, PIXELS)
    np.testing.assert_array_equal(live, (array != 0) & ~np.isnan(array))


@KINDS
def test_one_plane_is_a_stack_of_one(tmp_path, numbers, kind):
    live = read(save(tmp_path / "mask", kind, numbers[0]))
    np.testing.assert_array_equal(live, [(numbers[0] != 0) & ~np.isnan(numbers[0])])


def test_fortran_order_is_followed(tmp_path, numbers):
    path = save(tmp_path / "masks", "npy", np.asfortranarray(numbers))
    assert b"'fortran_order': True" in path.read_bytes()
    np.testing.assert_array_equal(read(path), (numbers != 0) & ~np.isnan(numbers))


def test_what_a_file_is_is_not_told_by_its_name(tmp_path, numbers):
    path = save(tmp_path / "masks", "npz", numbers).rename(tmp_path / "masks.h5")
    assert read(path).shape == numbers.shape


def test_the_only_array_that_fits_is_found_and_others_by_name(tmp_path, numbers):
    path = tmp_path / "volume.h5"
    with h5py.File(path, "w") as file:
        file["cell"] = np.ones(6)
        file["data/first"] = numbers[:1]
    assert read(path).shape == (1, PIXELS, PIXELS)
    with h5py.File(path, "a") as file:
        file["data/second"] = numbers[1:]
    with pytest.raises(ValueError, match=r"2 arrays may be meant.*data/first.*data/second"):
        read(path)
    assert read(path, dataset="data/second").shape == (2, PIXELS, PIXELS)
    with pytest.raises(ValueError, match=r"dataset 'third'.*expected a dataset.*cell"):
        read(path, dataset="third")
    with pytest.raises(ValueError, match="expected a dataset"):
        read(path, dataset="data")


def test_arrays_of_an_npz_are_found_by_name(tmp_path, numbers):
    path = tmp_path / "two.npz"
    np.savez(path, first=numbers[:1], second=numbers[1:])
    assert read(path, dataset="second").shape == (2, PIXELS, PIXELS)
    with pytest.raises(ValueError, match="2 arrays may be meant"):
        read(path)
    with pytest.raises(ValueError, match=r"no array 'third'; expected one of \['first', 'second'\]"):
        read(path, dataset="third")
    with pytest.raises(ValueError, match="without a name"):
        read(save(tmp_path / "one", "npy", numbers), dataset="first")


@KINDS
@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.ones((PIXELS, PIXELS + 1)), "shape"),
        (np.ones(PIXELS), "shape"),
        (np.float64(1), "shape"),
        (np.ones((0, PIXELS, PIXELS)), "shape"),
        (np.ones((2, 2, PIXELS, PIXELS)), "shape"),
        (np.ones((PIXELS, PIXELS), dtype=np.complex128), "type complex128"),
        (np.full((PIXELS, PIXELS), b"live"), "type"),
        (np.zeros((PIXELS, PIXELS), dtype=[("x", "f8"), ("y", "f8")]), "type"),
        (np.zeros((PIXELS, PIXELS)), "mask 0 is NaN or 0"),
        (np.full((PIXELS, PIXELS), np.nan), "mask 0 is NaN or 0"),
        (np.stack([np.ones((PIXELS, PIXELS)), np.zeros((PIXELS, PIXELS))]), "mask 1 is NaN or 0"),
        (np.full((PIXELS, PIXELS), np.inf), "256 values are infinite"),
    ],
)
def test_what_is_no_mask_is_refused(tmp_path, kind, array, message):
    path = save(tmp_path / "masks", kind, array)
    name = {"npy": None, "npz": "masks", "hdf5": "entry/masks"}[kind]
    with pytest.raises(ValueError, match=rf"{path.name}.*{message}.*"):
        read(path, dataset=name)


@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_nothing_is_unpickled(tmp_path, kind):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    array = np.full((PIXELS, PIXELS), None)
    array[0, 0] = Trap()
    with pytest.raises(ValueError, match="type object"):
        read(save(tmp_path / "masks", kind, array))
    assert not (tmp_path / "sprung").exists()


@KINDS
@pytest.mark.parametrize("kept", [0, 3, 40, 0.3, 0.9])
def test_truncated_files_are_refused(tmp_path, numbers, kind, kept):
    path = save(tmp_path / "masks", kind, numbers)
    whole = path.read_bytes()
    path.write_bytes(whole[: kept if isinstance(kept, int) else int(kept * len(whole))])
    with pytest.raises(ValueError, match="mask"):
        read(path)


@KINDS
def test_damaged_files_are_refused_or_read_as_masks(tmp_path, numbers, kind):
    path = save(tmp_path / "masks", kind, numbers)
    whole = path.read_bytes()
    rng = np.random.default_rng(2)
    for _ in range(100):
        damaged = bytearray(whole)
        for position in rng.integers(0, min(len(whole), 3000), size=4):
            damaged[position] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            live = read(path)
        except ValueError:
            continue
        assert live.shape[1:] == (PIXELS, PIXELS)


def npy_header(shape: tuple[int, ...], descr: str = "<f8", version: int = 1, length: int | None = None) -> bytes:
    text = repr({"descr": descr, "fortran_order": False, "shape": shape}).encode() + b"\n"
    size = struct.pack("<H" if version == 1 else "<I", len(text) if length is None else length)
    return b"\x93NUMPY" + bytes([version, 0]) + size + text


HUGE = (2**40, PIXELS, PIXELS)
LARGE = (100_000, PIXELS, PIXELS)


@pytest.mark.parametrize(
    "content",
    [
        npy_header(HUGE),
        npy_header(LARGE),
        npy_header((20_000, PIXELS, PIXELS)),
        npy_header((-1, PIXELS, PIXELS)),
        npy_header((2, PIXELS, PIXELS), descr="(1000000000,)f8"),
        npy_header((1, PIXELS, PIXELS), version=2, length=2**32 - 1),
        npy_header((1, PIXELS, PIXELS), version=3),
        b"\x93NUMPY\x01\x00\x10\x27" + b"(" * 10_000,
    ],
)
def test_claims_that_the_file_cannot_hold_cost_no_memory(tmp_path, content):
    path = tmp_path / "claims.npy"
    path.write_bytes(content + bytes(100))
    zipped = tmp_path / "claims.npz"
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("masks.npy", content + bytes(100))
    tracemalloc.start()
    for file in (path, zipped):
        with pytest.raises(ValueError, match=file.name):
            read(file)
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


def test_a_zip_that_unpacks_to_a_thousandfold_is_refused(tmp_path):
    path = tmp_path / "bomb.npz"
    planes_a_write = 2**20 // (8 * PIXELS**2)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("masks.npy", "w") as member:
        member.write(npy_header((300 * planes_a_write, PIXELS, PIXELS)))
        for _ in range(300):
            member.write(bytes(2**20))
    assert path.stat().st_size < 3e6
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"bomb.npz.*at most \d+ bytes"):
        read(path)
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


def test_hdf5_that_claims_more_than_it_holds_is_refused(tmp_path):
    path = tmp_path / "claims.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("huge", shape=HUGE, chunks=(1, PIXELS, PIXELS), dtype="f8", fillvalue=1.0)
        chunks = (2**22, PIXELS, 1)
        file.create_dataset("lumps", (1, PIXELS, PIXELS), "f8", maxshape=(None, PIXELS, PIXELS), chunks=chunks)
    assert path.stat().st_size < 1e5
    with pytest.raises(ValueError, match="at most"):
        read(path, dataset="huge")
    with pytest.raises(ValueError, match="its chunks are"):
        read(path, dataset="lumps")


def test_without_h5py_it_is_said_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    (tmp_path / "mask.txt").write_text("no mask")
    with pytest.raises(ImportError, match=r"mask.txt: neither .npy nor .npz; .* pip install '.\[pipeline\]'"):
        read(tmp_path / "mask.txt")


def test_hdf5_that_points_to_other_files_is_refused(tmp_path, numbers):
    other = save(tmp_path / "other", "hdf5", numbers)
    path = tmp_path / "links.h5"
    with h5py.File(path, "w") as file:
        file["linked"] = h5py.ExternalLink(str(other), "entry/masks")
        file.create_dataset("raw", (PIXELS, PIXELS), "u1", external=[(str(other), 0, PIXELS**2)])
        layout = h5py.VirtualLayout(numbers.shape, "f8")
        layout[:] = h5py.VirtualSource(str(other), "entry/masks", numbers.shape)
        file.create_virtual_dataset("virtual", layout)
    for name in ("linked", "raw", "virtual"):
        with pytest.raises(ValueError, match="numbers are in another file"):
            read(path, dataset=name)


def test_what_is_no_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "nowhere.npy", tmp_path / "pipe"):
        with pytest.raises(ValueError, match="expected a file that exists"):
            read(path)


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "text.npy"
    path.write_text("1 0 1 0")
    with pytest.raises(ValueError, match="neither .npy nor .npz nor readable as HDF5"):
        read(path)
    encrypted = io.BytesIO()
    with zipfile.ZipFile(encrypted, "w") as archive:
        archive.writestr("masks.npy", npy_header((1, PIXELS, PIXELS)))
    damaged = bytearray(encrypted.getvalue())
    damaged[damaged.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match="damaged or unusual"):
        read(path)
