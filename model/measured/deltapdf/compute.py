"""Difference pair distribution functions: Fourier transforms of diffuse scattering, for those who think in real space.

P(u) = Σ W(h) I(h) cos(2π h·u) / Σ W(h), over voxels at hkl = h, with u in fractions of the direct cell. With this
normalisation P of a series I_SRO = Σ_v α_v cos(2π h·v) over whole reciprocal cells is α_v at every lattice vector v.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import scipy.fft

from dsfu.model.measured.data.reconstruction import RealArray, Reconstruction
from dsfu.simulate.arrays import BoolArray, Float32Array, FloatArray
from dsfu.simulate.checks import number_between
from dsfu.simulate.disorder.planes import Plane
from dsfu.simulate.lattice import Cell

Window = Literal["none", "hann", "gauss"]

_WHOLE: Final = 1e-4
"""How far from a whole number a count of reciprocal cells may be, relative to the number of voxels."""

_SAMPLES_AT_ONCE: Final = 2048


@dataclass(frozen=True, kw_only=True)
class DeltaPdfSettings:
    """How to transform.

    Attributes
    ----------
    window
        What the data are multiplied with: nothing, a cosine bell (von Hann), or a Gaussian that falls to ``edge`` at
        the ends of each axis. A window makes peaks broader, and ripples around them weaker.
    edge
        Of the Gaussian.
    subtract_mean
        Whether the mean of what is live is subtracted first. It only belongs to the peak at the origin, and to ripples
        around it.
    whole_cells
        Whether the grid is chosen so that lattice vectors lie on it, by adding zeros, if the steps allow.
    """

    window: Window = "none"
    edge: float = 0.02
    subtract_mean: bool = True
    whole_cells: bool = True

    def __post_init__(self) -> None:
        if self.window not in ("none", "hann", "gauss"):
            raise ValueError(f"window = {self.window!r}: expected none, hann or gauss")
        number_between("edge", self.edge, 0.0, 1.0, open_low=True)


@dataclass(frozen=True, kw_only=True, eq=False)
class DeltaPdf:
    """P on a regular grid in direct space.

    Attributes
    ----------
    values
        (n0, n1, n2), float32; the origin of space is at voxel (n0 // 2, n1 // 2, n2 // 2).
    steps
        (3, 3): row i is the u, v, w by which one step along array axis i advances.
    cell
        The direct cell; None if unknown.
    mean
        What was subtracted.
    """

    values: Float32Array
    steps: FloatArray
    cell: Cell | None
    mean: float

    @property
    def origin(self) -> FloatArray:
        """u, v, w of voxel (0, 0, 0)."""
        return -np.array([n // 2 for n in self.values.shape]) @ self.steps

    def at(self, uvw: npt.ArrayLike) -> FloatArray:
        """P at the voxels nearest to points (..., 3); NaN beyond the grid."""
        indices = np.rint((np.asarray(uvw, np.float64) - self.origin) @ np.linalg.inv(self.steps)).astype(np.int64)
        inside: BoolArray = np.asarray(((indices >= 0) & (indices < self.values.shape)).all(axis=-1))
        kept = np.where(inside[..., None], indices, 0)
        found = self.values[kept[..., 0], kept[..., 1], kept[..., 2]]
        return np.asarray(np.where(inside, found, np.nan), np.float64)


def deltapdf(
    reconstruction: Reconstruction, settings: DeltaPdfSettings | None = None, model: RealArray | None = None
) -> DeltaPdf:
    """P of a volume or of a plane (an axis of one voxel; then P is projected along the direction normal to it).

    Parameters
    ----------
    reconstruction
        Intensities.
    settings
        How to transform.
    model
        What stands in voxels that are not live, same shape; without it they count as the mean (or as zero, if that is
        not subtracted), and P is scaled up by what they leave out.
    """
    settings = settings or DeltaPdfSettings()
    data, weight, mean = _prepared(reconstruction, settings, model)
    counts = tuple(
        _padded(n, float(np.abs(step).max()) if settings.whole_cells else 0.0)
        for n, step in zip(data.shape, reconstruction.steps, strict=True)
    )
    half = scipy.fft.rfftn(data, s=counts, workers=1)  # Σ I exp(−2πi n m / N)
    offset = reconstruction.origin @ np.linalg.inv(reconstruction.steps)  # the first voxel, in voxels from hkl = 0
    values = _real_part(half, counts, offset) / np.float32(weight)
    steps = np.linalg.inv(reconstruction.steps).T / np.array(counts)[:, None]
    return DeltaPdf(values=scipy.fft.fftshift(values), steps=steps, cell=reconstruction.cell, mean=mean)


def deltapdf_of_plane(
    values: RealArray,
    live: BoolArray,
    plane: Plane,
    cell: Cell,
    settings: DeltaPdfSettings | None = None,
    *,
    cells: int = 6,
    samples: int = 12,
) -> DeltaPdf:
    """P of a Cartesian plane, on a grid along two edges of the cell.

    The plane sees space projected along its normal, so one of the cell's edges, the one that is nearest to the normal,
    is left out: its w (or u, or v) is 0.

    Parameters
    ----------
    values, live
        (pixels, pixels).
    plane, cell
        Where it lies.
    settings
        How to transform; ``whole_cells`` makes no difference.
    cells, samples
        How far the grid goes from the origin in cells, and its points along the edge of a cell.
    """
    settings = settings or DeltaPdfSettings()
    along = _window(plane.pixels, settings)
    weight = np.where(live, along[:, None] * along, 0.0)
    mean = float((weight * np.where(live, values, 0.0)).sum() / weight.sum()) if settings.subtract_mean else 0.0
    data = weight * np.where(live, values - mean, 0.0) / weight.sum()
    closeness = np.abs(cell.vectors @ plane.normal) / np.linalg.norm(cell.vectors, axis=1)
    left_out = int(closeness.argmax())
    counts = [1 if i == left_out else 2 * cells * samples + 1 for i in range(3)]
    steps = np.diag([1.0 if i == left_out else 1.0 / samples for i in range(3)])
    grid = np.stack(np.meshgrid(*(np.arange(n) - n // 2 for n in counts), indexing="ij"), axis=-1).reshape(-1, 3)
    positions = grid[: len(grid) // 2 + 1] @ steps @ cell.vectors
    half = np.concatenate(
        [
            _direct_sum(data, plane, positions[start : start + _SAMPLES_AT_ONCE])
            for start in range(0, len(positions), _SAMPLES_AT_ONCE)
        ]
    )
    everywhere = np.concatenate([half, half[-2::-1]]).reshape(counts)  # P(−u) = P(u)
    return DeltaPdf(values=everywhere.astype(np.float32), steps=steps, cell=cell, mean=mean)


def _direct_sum(data: FloatArray, plane: Plane, positions: FloatArray) -> FloatArray:
    """Σ data cos(Q·r) at positions r (n, 3) in Å."""
    in_x = np.exp(1j * np.outer(positions @ plane.axis_x, plane.offsets))
    in_y = np.exp(1j * np.outer(positions @ plane.axis_y, plane.offsets))
    sums = np.einsum("ny,ny->n", in_y, in_x @ data.T)
    return np.asarray((sums * np.exp(1j * (positions @ plane.centre))).real)


def _prepared(
    reconstruction: Reconstruction, settings: DeltaPdfSettings, model: RealArray | None
) -> tuple[Float32Array, float, float]:
    """The data as they are transformed, the sum of their weights, and the mean that was subtracted."""
    intensity = reconstruction.intensity
    used = reconstruction.live & np.isfinite(intensity)
    if model is not None:
        if model.shape != intensity.shape:
            raise ValueError(f"model: shape {model.shape}; expected that of the intensity, {intensity.shape}")
        intensity = np.where(used, intensity, model)
        used = np.isfinite(intensity)
    if not used.any():
        raise ValueError("reconstruction: no voxel is live; expected at least one")
    weight = np.where(used, np.float32(1.0), np.float32(0.0))
    for axis, (n, step) in enumerate(zip(intensity.shape, reconstruction.steps, strict=True)):
        shape = [1, 1, 1]
        shape[axis] = -1
        along = _window(n, settings) * _ends(n, float(np.abs(step).max()))
        weight *= along.astype(np.float32).reshape(shape)
    data = np.where(used, intensity, 0).astype(np.float32)
    total = float(weight.sum(dtype=np.float64))
    mean = float((weight * data).sum(dtype=np.float64) / total) if settings.subtract_mean else 0.0
    return (data - np.float32(mean)) * weight, total, mean


def _window(n: int, settings: DeltaPdfSettings) -> FloatArray:
    """Along an axis of n points; 1 in the middle."""
    if n == 1 or settings.window == "none":
        return np.ones(n)
    place = np.arange(n) - (n - 1) / 2
    if settings.window == "hann":
        return np.asarray(np.cos(np.pi * place / (n + 1)) ** 2)
    return np.asarray(np.exp(np.log(settings.edge) * (2 * place / (n - 1)) ** 2))


def _ends(n: int, step: float) -> FloatArray:
    """Half weights for both ends of an axis that counts the border of its whole reciprocal cells twice."""
    weights = np.ones(n)
    if n > 2 and _is_whole((n - 1) * step, n):
        weights[[0, -1]] = 0.5
    return weights


def _padded(n: int, step: float) -> int:
    """The least number of voxels, not below n, that is a whole number of reciprocal cells; n if there is none near."""
    if n == 1 or step == 0:
        return n
    most = int(n + 2 + 1 / step)
    return next((count for count in range(n, most) if _is_whole(count * step, n)), n)


def _is_whole(cells: float, n: int) -> bool:
    return round(cells) > 0 and abs(cells - round(cells)) < _WHOLE * max(1.0, cells / n)


def _real_part(half: npt.NDArray[np.complex64], counts: tuple[int, ...], offset: FloatArray) -> Float32Array:
    """Σ I cos(2π (offset + n) m / N) at all frequencies m, from Σ I exp(−2πi n m / N) at m ≥ 0 of the last axis."""
    phases = [
        np.exp(-2j * np.pi * shift * scipy.fft.fftfreq(count, 1 / count) / count).astype(np.complex64)
        for count, shift in zip(counts, offset, strict=True)
    ]
    whole = np.empty(counts, np.float32)
    known = half.shape[2]
    back = -np.arange(counts[1]) % counts[1]
    for i in range(counts[0]):
        phase = phases[0][i] * phases[1][:, None]
        whole[i, :, :known] = (half[i] * phase * phases[2][:known]).real
        rest = half[-i % counts[0]][back][:, counts[2] - known : 0 : -1]  # that at −m is the conjugate
        whole[i, :, known:] = (rest.conj() * phase * phases[2][known:]).real
    return whole
