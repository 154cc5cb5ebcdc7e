"""Masks from a user's own file: .npy, .npz or HDF5, one plane or a stack of them, in which NaN or 0 is dead.

Such a file may come from anywhere, so nothing that it claims is believed before it is checked: no object is unpickled,
and no memory is taken for numbers that the file cannot hold.
"""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from math import prod
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from dsfu.errors import how_to_install
from dsfu.files import NPY_MAGIC, ZIP_MAGIC
from dsfu.simulate.arrays import BoolArray
from dsfu.simulate.disorder.fields import PIXELS

_MOST_BYTES: Final = 2**28
"""Most bytes of numbers taken from one file: 512 planes of 256 × 256 doubles, or 4096 of booleans."""

_HEADER_BYTES: Final = 2**16
"""More than the header of any .npy file of plain numbers."""


def read_masks(path: str | Path, *, dataset: str | None = None, pixels: int = PIXELS) -> BoolArray:
    """Masks of a file: (masks, pixels, pixels), indexed [mask, y, x], True where live.

    Parameters
    ----------
    path
        A .npy, .npz or HDF5 file; its content decides which, not its name.
    dataset
        Which array of a .npz or HDF5 file; may be left out where only one fits.
    pixels
        Pixels along each side of a plane. The array must be (pixels, pixels) or (masks, pixels, pixels).

    Raises
    ------
    ValueError
        If the file is of no such kind, is damaged, holds no such array, holds anything but real numbers, infinities, or
        a mask without any live pixel.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"mask file {path}: expected a file that exists")
    numbers = _read_numbers(path, dataset, pixels)
    infinite = int(np.isinf(numbers).sum())
    if infinite:
        raise ValueError(f"mask file {path}: {infinite} values are infinite; expected NaN or 0 for dead pixels")
    live: BoolArray = (numbers != 0) & ~np.isnan(numbers)
    live = live.reshape(-1, pixels, pixels)
    dead = np.flatnonzero(~live.any(axis=(1, 2)))
    if dead.size:
        raise ValueError(f"mask file {path}: every pixel of mask {dead[0]} is NaN or 0; expected some that are live")
    return live


def _read_numbers(path: Path, dataset: str | None, pixels: int) -> npt.NDArray[Any]:
    with path.open("rb") as file:
        start = file.read(len(NPY_MAGIC))
        file.seek(0)
        if start == NPY_MAGIC:
            if dataset is not None:
                raise ValueError(f"mask file {path}: dataset = {dataset!r}; a .npy file holds one array without a name")
            return _read_npy(f"mask file {path}", file, path.stat().st_size, pixels)
        if start.startswith(ZIP_MAGIC):
            return _read_npz(path, file, dataset, pixels)
    return _read_hdf5(path, dataset, pixels)


def _read_npy(what: str, file: IO[bytes], size: int, pixels: int) -> npt.NDArray[Any]:
    """The array of an open .npy file of ``size`` bytes, its header checked before anything is read."""
    head = BytesIO(file.read(_HEADER_BYTES))
    try:
        version = np.lib.format.read_magic(head)
        reader = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
        shape, fortran_order, dtype = reader(head)
    except KeyError:
        raise ValueError(f"{what}: it is .npy of version {version}; expected version 1.0 or 2.0") from None
    except Exception as error:
        raise ValueError(f"{what}: its .npy header is damaged ({error})") from error
    _check_array(what, shape, dtype, pixels)
    wanted = prod(shape) * dtype.itemsize
    if size - head.tell() != wanted:
        raise ValueError(
            f"{what}: it holds {size - head.tell()} bytes of numbers; expected {wanted} for {dtype} of shape {shape}"
        )
    body = head.read() + file.read(wanted)
    if len(body) < wanted:
        raise ValueError(f"{what}: it ends after {len(body)} bytes of numbers; expected {wanted}")
    return np.frombuffer(body, dtype, prod(shape)).reshape(shape, order="F" if fortran_order else "C")


def _read_npz(path: Path, file: IO[bytes], dataset: str | None, pixels: int) -> npt.NDArray[Any]:
    try:
        with zipfile.ZipFile(file) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            name = _only_name(path, dataset, list(members))
            if name not in members:
                raise ValueError(f"mask file {path}: no array {name!r}; expected one of {list(members)[:20]}")
            with archive.open(members[name]) as member:
                what = f"array {name!r} of mask file {path}"
                return _read_npy(what, member, members[name].file_size, pixels)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError) as error:
        raise ValueError(f"mask file {path}: it is a damaged or unusual .npz ({error})") from error


def _read_hdf5(path: Path, dataset: str | None, pixels: int) -> npt.NDArray[Any]:
    try:
        import h5py
    except ImportError as error:
        raise ImportError(
            f"mask file {path}: neither .npy nor .npz; to read HDF5, h5py is needed: {how_to_install('pipeline')}"
        ) from error

    with _hdf5_errors(path), h5py.File(path, "r") as file:
        fitting: list[str] = []

        def note(name: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset) and item.shape is not None and item.shape[-2:] == (pixels, pixels):
                fitting.append(name)

        if dataset is None:
            file.visititems(note)
        name = _only_name(path, dataset, fitting)
        found = file.get(name)
        what = f"dataset {name!r} of mask file {path}"
        if not isinstance(found, h5py.Dataset):
            raise ValueError(f"{what}: expected a dataset of that name; the file has {sorted(file)[:20]} at its top")
        if found.external or found.is_virtual or found.file.filename != file.filename:
            raise ValueError(f"{what}: its numbers are in another file; expected them in this one")
        _check_array(what, found.shape or (), found.dtype, pixels)
        if found.chunks is not None and prod(found.chunks) * found.dtype.itemsize > _MOST_BYTES:
            raise ValueError(f"{what}: its chunks are {found.chunks}; expected chunks of at most {_MOST_BYTES} bytes")
        return np.asarray(found[...])


@contextmanager
def _hdf5_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError, KeyError, TypeError) as error:
        raise ValueError(f"mask file {path}: neither .npy nor .npz nor readable as HDF5 ({error})") from error


def _only_name(path: Path, dataset: str | None, names: list[str]) -> str:
    """The array asked for, or the only one there is."""
    if dataset is not None:
        return dataset
    if len(names) != 1:
        raise ValueError(f"mask file {path}: {len(names)} arrays may be meant {names[:20]}; name one by dataset=")
    return names[0]


def _check_array(what: str, shape: tuple[int, ...], dtype: np.dtype[Any], pixels: int) -> None:
    if dtype.kind not in "biuf":
        raise ValueError(f"{what}: its values are of type {dtype}; expected real numbers or booleans")
    if shape[-2:] != (pixels, pixels) or len(shape) not in (2, 3) or min(shape) < 1:
        raise ValueError(f"{what}: its shape is {shape}; expected ({pixels}, {pixels}) or (masks, {pixels}, {pixels})")
    if prod(shape) * dtype.itemsize > _MOST_BYTES:
        raise ValueError(f"{what}: its shape is {shape} of {dtype}; expected at most {_MOST_BYTES} bytes of numbers")
