"""Meerkat's, Yell's and DISCUS's HDF5: datasets at the root, one of them ``format`` = "Yell 1.0" or "Yell 0.9".

``data[i, j, k]`` has h along the first axis; ``lower_limits`` is the hkl of the centre of the first voxel;
``metric_tensor`` (Å²) is that of the direct cell, and the one to trust: ``unit_cell`` can be older. Meerkat leaves NaN
where nothing was measured. "Yell 0.9" keeps sums and numbers of pixels apart. DISCUS adds ``step_sizes_abs``, ``_ord``
and ``_top``: the hkl by which each axis advances.
"""

from typing import Any, Final

import numpy as np

from dsfu.errors import InputError
from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.readers.assembling import assemble, constants_text
from dsfu.model.measured.readers.hdf5 import Hdf5
from dsfu.model.measured.readers.hints import Hints, cell_of
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.lattice import Cell

NAME: Final = "Meerkat / Yell HDF5"
_DISCUS_STEPS: Final = ("step_sizes_abs", "step_sizes_ord", "step_sizes_top")
_KNOWN: Final = ("format", "is_direct", "lower_limits", "step_sizes", "metric_tensor", *_DISCUS_STEPS)


def refusal(file: Hdf5) -> str:
    """Why this is not such a file; empty if it is."""
    names = set(file.names(file.root))
    if not names & {"data", "rebinned_data"}:
        return "there is no dataset data or rebinned_data at the root"
    if not names & set(_KNOWN):
        return "beside data there is none of " + ", ".join(_KNOWN[:5])
    return ""


def read(file: Hdf5, hints: Hints) -> Reconstruction:
    """The reconstruction in such a file."""
    where = str(file.path)
    version = _version(file)
    _refuse_pair_distribution(file)
    intensity, weight = _intensity(file)
    notes: list[str] = []
    grid = _grid(file, hints)
    cell = _cell(file, hints, notes)
    if grid is not None and _in_inverse_angstrom(file, hints):
        cell = hints.cell or cell
        grid = _grid_of_cartesian(grid, cell, where, two_pi=hints.frame == "q")
        notes.append(
            "its axes are in 1/Å; they are taken for those of the Cartesian frame of the cell, x along a, y in the ab "
            "plane; the program that wrote them may have turned the sense of two of them round"
        )
    return assemble(
        intensity=intensity,
        grid=grid,
        cell=cell,
        where=where,
        format_name=version,
        hints=hints,
        weight=weight,
        notes=notes,
    )


def _version(file: Hdf5) -> str:
    node = file.find("format")
    program = file.find("PROGRAM")
    text = file.text(node).strip() if node is not None else ""
    if text and not text.lower().startswith("yell"):
        raise InputError(f"format is {text!r:.40}", where=str(file.path), expected="Yell 1.0 or Yell 0.9")
    by = "DISCUS" if program is not None or file.find(_DISCUS_STEPS[0]) is not None else "Meerkat / Yell"
    return f"{by} HDF5 ({text or 'without a format'})"


def _refuse_pair_distribution(file: Hdf5) -> None:
    node = file.find("is_direct")
    if node is None:
        return
    if file.numbers(node, 1).item() != 0:
        raise InputError(
            "is_direct is true: it holds a pair distribution function, in direct space",
            where=str(file.path),
            expected="intensities in reciprocal space",
            remedy="give the reconstruction that it was computed from",
        )


def _intensity(file: Hdf5) -> tuple[Any, Any]:
    if file.find("data") is not None:
        return file.array(file.need("data")), None
    total = file.array(file.need("rebinned_data"))
    count = file.array(
        file.need("number_of_pixels_rebinned", why="the number of pixels merged in each voxel (Yell 0.9)")
    )
    if count.shape != total.shape:
        raise InputError(
            f"has shape {count.shape}", where=f"{file.path}:/number_of_pixels_rebinned", expected=f"{total.shape}"
        )
    with np.errstate(all="ignore"):
        return np.where(count > 0, total / count, np.nan), count


def _grid(file: Hdf5, hints: Hints) -> tuple[FloatArray, FloatArray] | None:
    if hints.limits is not None or (hints.origin is not None and hints.steps is not None):
        return None
    origin = file.numbers(file.need("lower_limits", why="hkl of the centre of the first voxel; or --limits"), 3)
    if all(file.find(name) is not None for name in _DISCUS_STEPS):
        return origin, np.stack([file.numbers(file.need(name), 3) for name in _DISCUS_STEPS])
    steps = file.numbers(file.need("step_sizes", why="the steps in h, k and l; or --limits"), 3)
    return origin, np.diag(steps)


def _cell(file: Hdf5, hints: Hints, notes: list[str]) -> Cell | None:
    """The metric tensor's cell if there is one, else the constants."""
    constants, metric = file.find("unit_cell"), file.find("metric_tensor")
    if hints.cell is not None and (constants is None or metric is None or hints.frame):
        return None
    stated = None if constants is None else file.numbers(constants, 6)
    if metric is not None and not _is_identity(file):
        cell = _cell_of_metric(file.numbers(metric, 9).reshape(3, 3), f"{file.path}:/metric_tensor")
        if stated is not None and not np.allclose(stated, cell.constants, rtol=2e-4):
            told = " ".join(f"{number:.6g}" for number in stated)
            notes.append(f"unit_cell ({told}) disagrees with metric_tensor ({constants_text(cell)}), which is used")
        return cell
    if stated is not None:
        return cell_of(stated, f"{file.path}:/unit_cell")
    notes.append("there is no cell: neither metric_tensor nor unit_cell; give --cell for what needs lengths")
    return None


def _cell_of_metric(metric: FloatArray, where: str) -> Cell:
    expected = "the scalar products of a, b and c in Å²: symmetric, with positive eigenvalues"
    if not np.isfinite(metric).all() or not np.allclose(metric, metric.T, rtol=1e-3, atol=1e-3):
        raise InputError("is not a metric tensor", where=where, expected=expected, remedy="give --cell")
    lengths = np.sqrt(np.maximum(np.diag(metric), 0))
    with np.errstate(all="ignore"):
        cosines = [metric[i, j] / (lengths[i] * lengths[j]) for i, j in ((1, 2), (0, 2), (0, 1))]
        angles = np.degrees(np.arccos(cosines))
    if not np.isfinite(angles).all():
        raise InputError("is not a metric tensor", where=where, expected=expected, remedy="give --cell")
    return cell_of([*lengths, *np.round(angles, 9)], where)


def _is_identity(file: Hdf5) -> bool:
    node = file.find("metric_tensor")
    return node is not None and np.allclose(file.numbers(node, 9).reshape(3, 3), np.eye(3), atol=1e-5)


def _in_inverse_angstrom(file: Hdf5, hints: Hints) -> bool:
    return hints.frame in ("q", "s") if hints.frame else _is_identity(file)


def _grid_of_cartesian(
    grid: tuple[FloatArray, FloatArray], cell: Cell | None, where: str, *, two_pi: bool
) -> tuple[FloatArray, FloatArray]:
    """A grid in hkl from one in 1/Å, with the 2π or without."""
    if cell is None:
        raise InputError(
            "its axes are in 1/Å, and it has no cell", where=where, expected="--cell a,b,c,alpha,beta,gamma"
        )
    factor = 1.0 if two_pi else 2 * np.pi
    origin, steps = grid
    with np.errstate(all="ignore"):
        return cell.hkl_of_q(factor * origin), cell.hkl_of_q(factor * steps)
