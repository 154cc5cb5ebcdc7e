"""Read a reconstruction, whatever program wrote it: the format is found out by content, not by suffix.

>>> reconstruction = read("crystal.h5")                                                           # doctest: +SKIP
>>> reconstruction = read("crystal.npy", cell=(5, 6, 7, 90, 100, 90), limits=(-8, 8, -8, 8, 0, 0))  # doctest: +SKIP
"""

from pathlib import Path
from types import ModuleType
from typing import Any, Final

from dsfu.errors import InputError
from dsfu.files import GZIP_MAGIC, NPY_MAGIC, ZIP_MAGIC
from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.readers import bare, mantid, nexus, numpy_files, own_planes, yell
from dsfu.model.measured.readers.hdf5 import Hdf5, is_hdf5
from dsfu.model.measured.readers.hints import Hints

HDF5_READERS: Final[tuple[ModuleType, ...]] = (own_planes, yell, mantid, nexus, bare)
"""Asked in this order: each has NAME, refusal(file), which says why a file is not its own, and read(file, hints)."""

_OTHERS: Final = {
    b"II*\x00": "a TIFF image",
    b"MM\x00*": "a TIFF image",
    b"\x89PNG": "a PNG image",
    GZIP_MAGIC: "compressed by gzip: unpack it first",
    b"BZh": "compressed by bzip2: unpack it first",
    b"CDF": "netCDF 3",
    b"###CBF": "a CBF image of a detector",
    b"MATLAB 5": "a MATLAB 5 file: save it with -v7.3, or as .npy",
    b"data_": "a CIF",
    b"OD SAPPHIRE": "an image of CrysAlis Pro",
    b"ESPERANTO": "an image of CrysAlis Pro",
}

_REMEDIES: Final = {
    "a CIF": "a CIF of |F|² goes to solve-phases, of a powder to solve-density, of atoms to view or refine-ff",
    "an image of CrysAlis Pro": "fabio unpacks layers, Meerkat reconstructs frames: docs/howto/your-program.md",
    "text": "G(r): solve-particle; reflections h k l |F|²: solve-phases; a powder pattern: solve-density",
    "": "in Python, numpy.save(name, array) makes a .npy of any array",
}


def read(path: str | Path, **hints: Any) -> Reconstruction:
    """The reconstruction in a file.

    Parameters
    ----------
    path
        Meerkat's, Yell's or DISCUS's HDF5, Mantid's MDHistoWorkspace, NXdata (nxrefine, mdx2 …), planes that
        ``dsfu-model prepare`` made, any HDF5 with an array, .npy or .npz.
    hints
        What the file does not say: cell, origin, steps, limits, axes, frame, dataset, plane, zeros, missing;
        `dsfu.model.measured.readers.hints` tells what each means. They win over the file. None: nothing is said.

    Raises
    ------
    InputError
        If the file is none of these, is damaged, does not make sense, or lacks what it needs.
    """
    path, said = Path(path), Hints.of(**hints)
    start = _beginning(path)
    try:
        if start.startswith(NPY_MAGIC):
            return numpy_files.read_npy(path, said)
        if start.startswith(ZIP_MAGIC):
            return numpy_files.read_npz(path, said)
        if is_hdf5(path):
            with Hdf5(path) as file:
                return _read_hdf5(file, said)
    except OSError as error:
        raise InputError(f"cannot be read: {error}", where=str(path)) from error
    except MemoryError as error:
        raise InputError(
            "does not fit in memory", where=str(path), remedy="crop it, or cut a plane out of it"
        ) from error
    raise _unknown(path, start)


def plane_names(path: str | Path) -> list[str]:
    """Names of the planes in a file of planes of our own, for `read`'s hint ``plane``; none for any other file."""
    _beginning(Path(path))
    if not is_hdf5(Path(path)):
        return []
    with Hdf5(path) as file:
        return list(own_planes.planes_in(file)) if not own_planes.refusal(file) else []


def _beginning(path: Path) -> bytes:
    if path.is_dir():
        raise InputError(
            "is a folder",
            where=str(path),
            expected="a file",
            remedy="a data set: dsfu-pipeline inspect; results of a verb: dsfu-model view",
        )
    if not path.is_file():
        raise InputError("there is no such file", where=str(path))
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise InputError(f"cannot be opened: {error.strerror}", where=str(path)) from error
    if not start:
        raise InputError("is empty", where=str(path))
    return start


def _read_hdf5(file: Hdf5, hints: Hints) -> Reconstruction:
    refusals = []
    if hints.dataset and file.find(hints.dataset) is None:
        raise InputError(
            "is not in the file", where=f"{file.path}:/{hints.dataset.strip('/')}", expected="--dataset PATH"
        )
    for reader in HDF5_READERS:
        why_not = reader.refusal(file)
        if not why_not:
            found: Reconstruction = reader.read(file, hints)
            return found
        refusals.append(f"{reader.NAME}: {why_not}")
    raise InputError(
        "is an HDF5 file of an unknown kind\n    " + "\n    ".join(refusals),
        where=str(file.path),
        expected="one of these formats; docs/formats.md describes them",
    )


def _is_printable(start: bytes) -> bool:
    """Whether it can be the beginning of a text, in whatever alphabet; its last character may be cut."""
    try:
        text = start.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(start) - 3:
            return False
        text = start[: error.start].decode("utf-8")
    return all(each.isprintable() or each.isspace() for each in text)


def _unknown(path: Path, start: bytes) -> InputError:
    looks = next((what for magic, what in _OTHERS.items() if start.startswith(magic)), "")
    if not looks and _is_printable(start):
        looks = "text"
    return InputError(
        "is in no format that is known" + (f"; it looks like {looks}" if looks else ""),
        where=str(path),
        expected="HDF5 (Meerkat, Yell, DISCUS, Mantid, NeXus), .npy or .npz",
        remedy=_REMEDIES.get(looks, _REMEDIES[""]),
    )
