"""Archives that lie about themselves are refused before anything is allocated."""

import io
import struct
import time
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib import format as npy

from dsfu.pipeline.store.archives import DamagedArchive, read_archive

ARRAYS = {
    "cell": np.arange(12.0).reshape(2, 6),
    "fortran": np.asfortranarray(np.arange(6, dtype=np.int16).reshape(2, 3)),
    "kind": np.array([b"monte_carlo", b"oscillator"]),
    "name": np.array(["α", "β"]),
    "empty": np.empty((0, 11, 11, 11), np.float32),
    "nothing": np.array([], "S"),
    "flag": np.array(True),
}


def saved(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def header(shape: tuple[int, ...], descr: str = "<f8") -> bytes:
    buffer = io.BytesIO()
    npy.write_array_header_1_0(buffer, {"shape": shape, "fortran_order": False, "descr": descr})
    return buffer.getvalue()


def test_what_numpy_writes_is_read() -> None:
    found = read_archive(saved(**ARRAYS))
    assert list(found) == list(ARRAYS)
    for name, values in ARRAYS.items():
        np.testing.assert_array_equal(found[name], values)
        assert (found[name].dtype, found[name].shape) == (values.dtype, values.shape)
        assert found[name].flags.writeable


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_flipped_bit_is_refused_or_harmless(data: st.DataObject) -> None:
    whole = saved(**ARRAYS)
    damaged = bytearray(whole)
    for bit in data.draw(st.lists(st.integers(0, 8 * len(whole) - 1), min_size=1, max_size=4)):
        damaged[bit // 8] ^= 1 << bit % 8
    try:
        found = read_archive(bytes(damaged))
    except DamagedArchive:
        return
    for name in found.keys() & ARRAYS.keys():
        np.testing.assert_array_equal(found[name], ARRAYS[name])


def duplicated() -> bytes:
    """Many members that are all the same bytes of the file, as in bombs that need no compression."""
    data = header((10_000,)) + bytes(80_000)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a0.npy", data)
        first = archive.infolist()[0]
        for number in range(1, 1000):
            info = zipfile.ZipInfo(f"a{number}.npy")
            info.CRC, info.file_size, info.compress_size = first.CRC, first.file_size, first.compress_size
            info.header_offset = first.header_offset
            archive.filelist.append(info)
            archive.NameToInfo[info.filename] = info
        archive._didModify = True  # type: ignore[attr-defined]
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "BadZipFile"),
        (b"not an archive", "BadZipFile"),
        (zipped({"a.npy": header((10**12,)) + bytes(80)}), "claims float64 of shape"),
        (zipped({"a.npy": header((2**40, 2**40)) + bytes(80)}), "claims float64 of shape"),
        (zipped({"a.npy": header((10**12,), "|S0")}), "claims"),
        (zipped({"a.npy": header((3,), "|O") + bytes(24)}), "objects"),
        (zipped({"a.npy": b"\x93NUMPY\x03\x00" + struct.pack("<I", 2**31) + b"{"}), "version"),
        (zipped({"a.npy": b"\x93NUMPY\x01\x00\x10\x00" + b"(" * 16}), "cannot be read"),
        (zipped({"a.npy": header((2**27,)) + bytes(2**30)}, zipfile.ZIP_DEFLATED), "compressed"),
        (zipped({"a.txt": b"x"}), "no array"),
        (duplicated(), "claims 80"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_lies_and_bombs(data: bytes, why: str) -> None:
    tracemalloc.start()
    start = time.process_time()
    try:
        with pytest.raises(DamagedArchive, match=why):
            read_archive(data)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 3 * len(data) + 2_000_000
    assert time.process_time() - start < 1.0
