"""Archives of arrays (.npz) that others may have damaged: read so that nothing is allocated which is not there.

numpy's own reader believes what an archive says of itself: a few hundred bytes can claim terabytes, and a flipped bit
raises whatever the layer below it raises. Ours are stored without compression, so that no array can be larger than the
file that it is in.
"""

import io
import math
import zipfile
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from dsfu.pipeline.making import Arrays

_SUFFIX = ".npy"


class DamagedArchive(ValueError):
    """An archive is not one that numpy.savez has written."""


def read_archive(data: bytes) -> Arrays:
    """The arrays of an archive, by name."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            _check_members(members, len(data))
            return {each.filename.removesuffix(_SUFFIX): _array(each.filename, archive.read(each)) for each in members}
    except DamagedArchive:
        raise
    except Exception as error:  # zipfile and numpy raise nearly anything: struct.error, TokenError, NotImplementedError
        raise DamagedArchive(f"it cannot be read ({type(error).__name__}: {error})") from error


def _check_members(members: list[zipfile.ZipInfo], size: int) -> None:
    for each in members:
        if each.compress_type != zipfile.ZIP_STORED or each.flag_bits & 1 or each.compress_size != each.file_size:
            raise DamagedArchive(f"{each.filename[:80]!r} is compressed or encrypted, and ours never are")
        if not each.filename.endswith(_SUFFIX):
            raise DamagedArchive(f"{each.filename[:80]!r} is no array")
    claimed = sum(each.file_size for each in members)
    if claimed > size:
        raise DamagedArchive(f"it claims {claimed} bytes of arrays, and has {size} in all")
    if len({each.filename for each in members}) < len(members):
        raise DamagedArchive("it has two arrays of one name")


def _array(name: str, data: bytes) -> npt.NDArray[Any]:
    stream = io.BytesIO(data)
    version = npy.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise DamagedArchive(f"{name} is of version {version} of the format, expected (1, 0)")
    read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, is_fortran, dtype = read_header(stream)
    if dtype.hasobject:
        raise DamagedArchive(f"{name} holds objects, expected numbers or texts")
    start = stream.tell()
    wanted = math.prod(shape) * dtype.itemsize
    if wanted != len(data) - start or any(length < 0 for length in shape):
        raise DamagedArchive(f"{name} claims {dtype} of shape {shape}, and has {len(data) - start} bytes")
    if dtype.itemsize == 0:  # texts, all of them empty: any number of them takes no room
        if math.prod(shape) > len(data):
            raise DamagedArchive(f"{name} claims {dtype} of shape {shape}")
        return np.empty(shape, dtype)
    values = np.frombuffer(data, dtype, offset=start).reshape(shape, order="F" if is_fortran else "C")
    return values.copy(order="K")
