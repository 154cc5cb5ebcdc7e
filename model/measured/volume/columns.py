"""What else adds to the intensity, columns of the fit: a background that depends on |Q|, and tails of Bragg peaks."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.interpolate import BSpline

from dsfu.simulate.arrays import BoolArray, FloatArray

SPLINES: Final = 9
"""Cubic B-splines of the background: enough for the scattering of air and of glass. Chosen, not calibrated."""

_FINE: Final = 2000

LOOSEST: Final = 2.0
"""Prior standard deviation of the background's curvature, in typical intensities times Å²: hardly any prior."""

_SIZE: Final = 0.3
"""Prior standard deviation of the background itself, relative to the typical intensity. Chosen, not calibrated."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Columns:
    """Known shapes whose amplitudes are fitted, none of them negative.

    Attributes
    ----------
    maps
        (columns, voxels), float32; splines first, then tails.
    precision
        (columns, columns): that of the prior on their amplitudes.
    q_inv_angstrom, basis
        Where the splines are tabulated, and (points, splines) their values.
    typical
        The usual intensity.
    curvature
        Prior standard deviation of the background's second derivative, in counts times Å².
    """

    maps: npt.NDArray[np.float32]
    precision: FloatArray
    q_inv_angstrom: FloatArray
    basis: FloatArray
    typical: float
    curvature: float

    def bent(self, curvature: float) -> "Columns":
        """The same with another prior standard deviation of the background's curvature, in counts times Å²."""
        count = self.splines
        precision = self.precision.copy()
        precision[:count, :count] = self.smoothness(curvature)
        return replace(self, precision=precision, curvature=curvature)

    def smoothness(self, curvature: float) -> FloatArray:
        """The splines' part of the precision."""
        count = self.splines
        plain = np.eye(count) / (_SIZE * self.typical) ** 2
        if count < 3:
            return plain
        spacing = float(np.ptp(self.q_inv_angstrom)) / (count - 3)
        bends = np.diff(np.eye(count), 2, axis=0) / spacing**2
        return np.asarray(bends.T @ bends / curvature**2 + plain)

    @property
    def splines(self) -> int:
        return int(self.basis.shape[1])

    @property
    def beyond_first_knot(self) -> BoolArray:
        """Which of `q_inv_angstrom`: before the first knot, few voxels tell of the background."""
        low, high = self.q_inv_angstrom[[0, -1]]
        share = 1 / (self.splines - 3) if self.splines > 3 else -1.0
        return np.asarray(self.q_inv_angstrom > low + share * (high - low))

    def __len__(self) -> int:
        return len(self.maps)

    def curve(self, amplitudes: FloatArray) -> FloatArray:
        """The background at `q_inv_angstrom`."""
        return np.asarray(self.basis @ amplitudes[: self.splines])

    def curve_uncertainty(self, covariance: FloatArray) -> FloatArray:
        """Its standard uncertainty, from the covariance of all amplitudes."""
        block = covariance[: self.splines, : self.splines]
        return np.asarray(np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", self.basis, block, self.basis), 0)))


def columns_of(
    lengths: npt.NDArray[np.float32],
    live: BoolArray,
    typical: float,
    tails: list[npt.NDArray[np.float32]],
    splines: int = SPLINES,
    curvature: float | None = None,
) -> Columns:
    """Columns on a grid.

    Parameters
    ----------
    lengths
        |Q| of the voxels.
    typical
        The usual intensity: the background is expected to be of its order, or less.
    tails
        Maps of the tails of Bragg peaks, see `bragg`.
    splines
        How many for the background; 0 for none, 1 for a flat one.
    curvature
        Prior standard deviation of its second derivative, in counts times Å²; hardly any prior if not given.
    """
    low, high = float(lengths[live].min()), float(lengths[live].max()) * 1.0001
    points = np.linspace(low, high, _FINE + 1)
    if splines < 4:
        basis = np.ones((len(points), min(splines, 1)))
    else:
        knots = np.r_[[low] * 3, np.linspace(low, high, splines - 2), [high] * 3]
        basis = BSpline.design_matrix(np.clip(points, low, high - 1e-6), knots, 3).toarray()
    place = np.clip((lengths - low) / (high - low) * _FINE, 0, _FINE).astype(np.int32)
    count = basis.shape[1]
    maps = [basis[:, number].astype(np.float32)[place] for number in range(count)] + list(tails)
    flat = np.stack(maps).reshape(len(maps), -1) if maps else np.zeros((0, lengths.size), np.float32)
    precision = np.zeros((len(maps), len(maps)))
    others = np.arange(count, len(maps))
    precision[others, others] = 1e-6
    columns = Columns(
        maps=flat,
        precision=precision,
        q_inv_angstrom=points,
        basis=basis,
        typical=typical,
        curvature=LOOSEST * typical,
    )
    return columns.bent(columns.curvature if curvature is None else curvature)
