"""What a data set holds of each particle and of each shape, and how a G(r) is packed into small whole numbers."""

from typing import Final

import numpy as np
import numpy.typing as npt

from dsfu.simulate.arrays import Float32Array
from dsfu.simulate.fields import Field

STEPS_OF_MAXIMUM: Final = 8192
"""A unit of the packed G is the largest |G| over this: rounding errs by 1/16384 of it at most."""


def _column(name: str, dtype: str, units: str, long_name: str, of: str = "sample") -> Field:
    return Field(name=name, dtype=dtype, dims=(of,), units=units, long_name=long_name)


PDF_FIELD: Final = Field(
    name="pdf_steps",
    dtype="int16",
    dims=("sample", "r"),
    units="pdf_unit",
    long_name="steps of G from each r to the next; their running sum times pdf_unit is G",
    kept_as="array",
)

SAMPLE_FIELDS: Final = (
    _column("shape", "int32", "1", "row of the table of shapes"),
    _column("atoms", "int32", "1", "number of atoms"),
    _column("bond_length", "float64", "angstrom", "bond length b"),
    _column("b_iso", "float64", "angstrom^2", "B of all atoms"),
    _column("delta2", "float64", "angstrom^2", "correlated motion of near atoms"),
    _column("noise", "float64", "1", "standard deviation of the white noise, over the maximum of G"),
    _column("baseline", "float64", "1", "largest value of the slow baseline, over the maximum of G"),
    _column("draw", "int64", "1", "seed of noise and baseline"),
    _column("q_min", "float64", "1/angstrom", "lower limit of Q"),
    _column("q_max", "float64", "1/angstrom", "upper limit of Q"),
    _column("q_damp", "float64", "1/angstrom", "damping by the resolution"),
    _column("r_step", "float64", "angstrom", "r is 0, r_step, 2 r_step and so on"),
    _column("pdf_unit", "float32", "1/angstrom^2", "G of one unit of pdf_steps"),
    _column("kept", "bool", "1", "False where a shard is filled up"),
)

SHAPE_FIELDS: Final = (
    _column("family", "str", "1", "family of the shape", of="shape"),
    _column("name", "str", "1", "family and parameters", of="shape"),
    _column("group", "str", "1", "what is not divided between splits by shape", of="shape"),
    _column("atoms", "int32", "1", "number of atoms", of="shape"),
    Field(
        name="positions",
        dtype="float32",
        dims=("shape", "atom", "xyz"),
        units="b",
        long_name="positions of the atoms in units of the bond length, and 0 after the last",
    ),
)


def packed(pdf: npt.ArrayLike) -> tuple[npt.NDArray[np.int16], Float32Array]:
    """Steps of G as whole numbers (samples, r), and the unit of each sample."""
    values = np.asarray(pdf, np.float64)
    units = np.asarray(np.abs(values).max(axis=-1) / STEPS_OF_MAXIMUM, np.float32)
    whole = np.rint(values / np.maximum(units, 1e-30)[..., None].astype(np.float64)).astype(np.int64)
    return np.diff(whole, axis=-1, prepend=0).astype(np.int16), units


def unpacked(steps: npt.NDArray[np.integer], units: npt.ArrayLike) -> Float32Array:
    """G of what `packed` gave."""
    return np.asarray(np.cumsum(steps, axis=-1, dtype=np.int32) * np.asarray(units, np.float32)[..., None], np.float32)
