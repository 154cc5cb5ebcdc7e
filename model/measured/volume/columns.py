"""What else adds to the intensity, columns of the fit: a background that depends on |Q|, and tails of Bragg peaks."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.interpolate import BSpline

from dsfu.simulate.arrays import BoolArray, FloatArray

SPLINES: Final = 9
"""Cubic B-splines of the background: enough for the scattering of air and of glass. Chosen, not calibrated."""

_FINE: Final = 2000


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
    """

    maps: npt.NDArray[np.float32]
    precision: FloatArray
    q_inv_angstrom: FloatArray
    basis: FloatArray

    @property
    def splines(self) -> int:
        return int(self.basis.shape[1])

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
) -> Columns:
    """Columns on a grid.

    Parameters
    ----------
    lengths
        |Q| of the voxels.
    typical
        The usual intensity: the background is expected to bend by no more than about a third of it.
    tails
        Maps of the tails of Bragg peaks, see `bragg`.
    splines
        How many for the background; 0 for none, 1 for a flat one.
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
    if count > 2:
        bends = np.diff(np.eye(count), 2, axis=0)
        precision[:count, :count] = bends.T @ bends / (0.3 * typical) ** 2
    precision[:count, :count] += np.eye(count) / (0.3 * typical) ** 2
    others = np.arange(count, len(maps))
    precision[others, others] = 1e-6
    return Columns(maps=flat, precision=precision, q_inv_angstrom=points, basis=basis)
