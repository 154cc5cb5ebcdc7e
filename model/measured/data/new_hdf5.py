"""A new HDF5 file that is there whole or not at all, on a full disk too."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

from dsfu.files import replacing


@contextmanager
def new_hdf5(path: str | Path) -> Iterator[Any]:
    """The file to be filled. It is made in memory, and written at the end.

    Where a disk is full the HDF5 library cannot close what it has opened there, and ends the whole process.
    """
    with replacing(path) as temporary:
        with h5py.File(temporary.name, "w", driver="core", backing_store=False) as file:
            yield file
            file.flush()
            image = file.id.get_file_image()
        temporary.write_bytes(image)
