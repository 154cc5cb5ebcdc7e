"""Difference pair distribution functions in HDF5, as Yell and Meerkat have them."""

from pathlib import Path

import numpy as np

from dsfu.errors import InputError
from dsfu.model.measured.deltapdf.compute import DeltaPdf
from dsfu.simulate.arrays import Float32Array, FloatArray


def in_order(pdf: DeltaPdf, where: str = "") -> tuple[Float32Array, FloatArray]:
    """The values with u along the first axis, v along the second, w along the third, and the three steps."""
    order = []
    for row in pdf.steps.T:  # u, v, w as functions of the three indices
        largest = int(np.abs(row).argmax())
        others = np.delete(row, largest)
        if np.abs(others).max() > 1e-6 * abs(row[largest]) or largest in order:
            raise InputError(
                "its axes are not along h, k and l, so that those of its transform are not along u, v and w",
                where=where,
                expected="axes along h, k and l, in any order",
                remedy="resample it with dsfu-model prepare",
            )
        order.append(largest)
    values = pdf.values.transpose(order)
    steps = np.array([pdf.steps[axis, i] for i, axis in enumerate(order)])
    for axis in np.flatnonzero(steps < 0):
        values = _turned_round(values, int(axis))
    return np.ascontiguousarray(values), np.abs(steps)


def _turned_round(values: Float32Array, axis: int) -> Float32Array:
    """The other way round, with the origin at n // 2 as before; of an even n the first sample is its own image."""
    n = values.shape[axis]
    return np.asarray(np.take(values, (2 * (n // 2) - np.arange(n)) % n, axis=axis), np.float32)


def write_yell(path: str | Path, pdf: DeltaPdf, verdict: str = "") -> None:
    """Write P as Yell 1.0 does, with ``is_direct``; axes are u, v and w in fractions of the cell.

    ``verdict`` is what speaks against it; it is kept as an attribute.
    """
    from dsfu.model.measured.data.new_hdf5 import new_hdf5

    values, steps = in_order(pdf)
    if pdf.cell is None:
        raise InputError("the cell is not known", expected="--cell a,b,c,alpha,beta,gamma")
    metric = pdf.cell.vectors @ pdf.cell.vectors.T
    with new_hdf5(path) as file:
        file["format"] = b"Yell 1.0"
        if verdict:
            file.attrs["verdict"] = verdict
        file["is_direct"] = True
        file["lower_limits"] = -np.array([n // 2 for n in values.shape]) * steps
        file["step_sizes"] = steps
        file["unit_cell"] = np.array(pdf.cell.constants)
        file["metric_tensor"] = metric
        file["space_group_nr"] = 1
        file.create_dataset("data", data=values, compression="gzip", compression_opts=4, shuffle=True)
