"""Misfit against a torsion angle: where to start a refinement, and how well the data know the angle."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from dsfu.errors import InputError
from dsfu.model.measured.molecules.fit import fit_scales
from dsfu.model.measured.molecules.model import FormFactorModel
from dsfu.simulate.arrays import BoolArray, FloatArray

_MOST_ANGLES: Final = 3601


@dataclass(frozen=True, kw_only=True, eq=False)
class Scan:
    """The misfit at each of some angles of one torsion, everything but scale, background and D_w held.

    Attributes
    ----------
    angles
        (angles,), degrees relative to the structures in their files.
    mse
        See `FormFactorModel.mse`.
    weighted_residual
        wR.
    scale, dw
        Fitted at each angle: that of the first plane, and D_w in Å².
    """

    torsion: str
    angles: FloatArray
    mse: FloatArray
    weighted_residual: FloatArray
    scale: FloatArray
    dw: FloatArray

    @property
    def best(self) -> float:
        """The angle of the smallest weighted residual."""
        return float(self.angles[np.argmin(self.weighted_residual)])

    def minima(self) -> list[tuple[float, float]]:
        """Angle and MSE of every local minimum of the MSE inside the range, the deepest first."""
        middle = self.mse[1:-1]
        found = np.flatnonzero((middle <= self.mse[:-2]) & (middle < self.mse[2:])) + 1
        return sorted(((float(self.angles[i]), float(self.mse[i])) for i in found), key=lambda each: each[1])


def scan_torsion(model: FormFactorModel, values: FloatArray, free: BoolArray, torsion: int, angles: FloatArray) -> Scan:
    """Scan one torsion, by its number; scale and what is free of background and D_w are fitted at every angle."""
    place = model.layout.where("torsions").start + torsion
    scale, dw = model.layout.where("scale").start, model.layout.where("dw").start
    rows = []
    for angle in angles:
        trial = values.copy()
        trial[place] = angle
        fitted, calculated = fit_scales(model, trial, free)
        rows.append((model.mse(calculated), model.weighted_residual(calculated), fitted[scale], fitted[dw]))
    columns = np.array(rows).reshape(-1, 4).T
    return Scan(
        torsion=model.layout.parameters[place].name,
        angles=np.array(angles, np.float64),
        mse=columns[0],
        weighted_residual=columns[1],
        scale=columns[2],
        dw=columns[3],
    )


def angles_of(text: str) -> tuple[float, ...]:
    """Angles of "from:to:step" in degrees, both ends included; none of "no"."""
    if text.strip().lower() in ("no", "none", ""):
        return ()
    expected = "FROM:TO:STEP in degrees, such as -60:60:1, or no"
    try:
        first, last, step = (float(part) for part in text.split(":"))
    except ValueError as error:
        raise InputError(f"{text!r} is no range", where="--scan", expected=expected) from error
    if not (step > 0 and -360 <= first < last <= 360):
        raise InputError(f"{text!r} is no range", where="--scan", expected=expected)
    count = int((last - first) / step + 1e-9) + 1
    if count > _MOST_ANGLES:
        raise InputError(f"{text!r} are {count} angles", where="--scan", expected=f"at most {_MOST_ANGLES}")
    return tuple(round(first + i * step, 9) for i in range(count))
