"""Files as the programs that people use write them, around one known intensity."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsfu.simulate.lattice import Cell

CELL = Cell(5.1, 6.2, 7.3, 91.0, 102.0, 85.5)
SHAPE = (11, 9, 7)
ORIGIN = np.array([-2.5, -2.0, 0.25])
STEPS = np.array([0.5, 0.4, 0.25])
"""Grid [h, k, l] of the volume that every file holds: neither cubic, nor centred, nor the same along two axes."""


def intensity(dtype: Any = np.float32) -> NDArray[Any]:
    """[h, k, l]: no two voxels alike, NaN in a corner."""
    values = 1.0 + np.random.default_rng(5).gamma(2.0, 5.0, SHAPE)
    values[:2, :2, :2] = np.nan
    result: NDArray[Any] = values.astype(dtype)
    return result


def coordinates(axis: int) -> NDArray[Any]:
    return np.asarray(ORIGIN[axis] + STEPS[axis] * np.arange(SHAPE[axis]))


def metric(cell: Cell) -> NDArray[Any]:
    return np.asarray(cell.vectors @ cell.vectors.T)


def write_root(path: Path, **datasets: ArrayLike | str | None) -> Path:
    """Datasets at the root; None leaves one out."""
    with h5py.File(path, "w") as file:
        for name, value in datasets.items():
            if value is not None:
                file[name] = value
    return path


def write_yell(path: Path, **changes: Any) -> Path:
    datasets: dict[str, Any] = {
        "data": intensity(),
        "format": "Yell 1.0",
        "is_direct": False,
        "lower_limits": ORIGIN,
        "step_sizes": STEPS,
        "metric_tensor": metric(CELL),
        "unit_cell": CELL.constants,
        "space_group_nr": 2,
    }
    return write_root(path, **{**datasets, **changes})


def write_discus(
    path: Path, *, data: NDArray[Any], steps: NDArray[Any], origin: NDArray[Any], cell: Cell = CELL
) -> Path:
    """As DISCUS's generic HDF5 does: big-endian reals, a char for the boolean, a fixed string, no metric tensor."""
    with h5py.File(path, "w") as file:
        file.create_dataset("data", data=data, dtype=">f8")
        file["format"] = "Yell 1.0"
        file.create_dataset("is_direct", data=0, dtype=">i1")
        file.create_dataset("PROGRAM", data=[b"DISCUS60"], dtype="S9")
        file.create_dataset("lower_limits", data=origin, dtype=">f8")
        file.create_dataset("step_sizes", data=np.diag(steps), dtype=">f8")
        for name, row in zip(("abs", "ord", "top"), steps, strict=True):
            file.create_dataset(f"step_sizes_{name}", data=row, dtype=">f8")
        file.create_dataset("unit_cell", data=cell.constants, dtype=">f8")
    return path


def write_mantid(
    path: Path,
    *,
    data: NDArray[Any] | None = None,
    edges: list[NDArray[Any]] | None = None,
    titles: tuple[str, ...] = ("[H,0,0]", "[0,K,0]", "[0,0,L]"),
    w_matrix: ArrayLike | None = ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    frame: str = "HKL",
    cell: Cell | None = CELL,
    **arrays: Any,
) -> Path:
    """As SaveMD version 2 does. ``data`` is [D0, D1, …] here, and [… D1, D0] in the file."""
    values = intensity(np.float64) if data is None else data
    if edges is None:
        edges = [ORIGIN[i] + STEPS[i] * (np.arange(n + 1) - 0.5) for i, n in enumerate(values.shape)]
    with h5py.File(path, "w") as file:
        top = file.create_group("MDHistoWorkspace")
        top.attrs.update({"NX_class": "NXentry", "SaveMDVersion": 2, "QConvention": "Crystallography"})
        top.create_dataset("coordinate_system", data=np.array([3 if frame == "HKL" else 2], np.uint32))
        group = top.create_group("data")
        group.attrs["NX_class"] = "NXdata"
        for number, (edge, title) in enumerate(zip(edges, titles, strict=True)):
            group[f"D{number}"] = edge
            group[f"D{number}"].attrs.update({"units": "r.l.u.", "long_name": title, "frame": frame})
        stored = {"signal": values, "errors_squared": np.nan_to_num(values, nan=1.0), **arrays}
        stored.setdefault("mask", np.zeros(values.shape, np.int8))
        stored.setdefault("num_events", np.full(values.shape, 3.0))
        for name, array in stored.items():
            group.create_dataset(name, data=np.ascontiguousarray(array.T), compression="gzip")
        names = [f"D{number}" for number in range(values.ndim)]
        group["signal"].attrs.update({"signal": 1, "axes": ":".join(reversed(names))})
        experiment = top.create_group("experiment0")
        if w_matrix is not None:
            experiment["logs/W_MATRIX/value"] = np.ravel(w_matrix)
        if cell is not None:
            lattice = experiment.create_group("sample/oriented_lattice")
            for name, constant in zip(("a", "b", "c", "alpha", "beta", "gamma"), cell.constants, strict=True):
                lattice[f"unit_cell_{name}"] = [constant]
            lattice["orientation_matrix"] = orientation(cell)
    return path


ROTATION = np.array([[0.36, 0.48, -0.8], [-0.8, 0.6, 0.0], [0.48, 0.64, 0.6]])


def orientation(cell: Cell) -> NDArray[Any]:
    """The matrix UB: of hkl, Q / 2π in the sample's frame."""
    return np.asarray(ROTATION @ cell.reciprocal.T / (2 * np.pi))


def write_nxrefine(folder: Path, *, weights: bool = True, name: str = "transform") -> Path:
    """The wrapper file of a scan, with links to the transform in a folder beside it, as nxrefine leaves them."""
    from nexusformat.nexus import NXdata, NXentry, NXfield, NXlink, NXroot, NXsample

    lkh = np.ascontiguousarray(intensity().transpose(2, 1, 0))
    counts = np.where(np.isnan(lkh), 0, np.random.default_rng(6).integers(1, 5, lkh.shape)).astype(np.float32)
    sums = np.nan_to_num(lkh) * (counts if weights else np.ones_like(counts))
    (folder / "300K").mkdir()
    stored = NXroot(NXentry(NXdata(NXfield(sums, name="v"), weights=None)))
    stored["entry/data/n"] = counts
    stored.save(folder / "300K" / "transform.nxs")
    axes = [
        NXfield(coordinates(i).astype(np.float32), name=f"Q{x}", long_name=f"{x.upper()} (r.l.u.)", scaling_factor=1.0)
        for i, x in ((2, "l"), (1, "k"), (0, "h"))
    ]
    constants = dict(zip(("a", "b", "c", "alpha", "beta", "gamma"), CELL.constants, strict=True))
    root = NXroot(NXentry())
    root["entry/sample"] = NXsample(**{f"unitcell_{key}": NXfield(value) for key, value in constants.items()})
    root["entry"][name] = NXdata(NXlink("/entry/data/v", file="300K/transform.nxs", name="data"), axes)
    root["entry"][name].attrs["angles"] = (90.0, 90.0, 90.0)
    if weights:
        root["entry"][name]["weights"] = NXlink("/entry/data/n", file="300K/transform.nxs")
    root["entry"][name].set_default()
    root.save(folder / "scan_300K.nxs")
    return folder / "scan_300K.nxs"


def write_mdx2(path: Path, *, crystal: bool = False) -> Path:
    """A map of mdx2: NXdata [h, k, l] called intensity, the cell in a file of its own unless ``crystal``."""
    from nexusformat.nexus import NXdata, NXentry, NXfield, NXroot, NXsample

    axes = [NXfield(coordinates(i), name=x) for i, x in enumerate("hkl")]
    root = NXroot(NXentry(NXdata(NXfield(intensity(np.float64), name="signal"), axes, name="intensity")))
    if crystal:
        root["entry/crystal"] = NXsample(space_group="P -1", unit_cell=list(CELL.constants))
    root.save(path)
    return path
