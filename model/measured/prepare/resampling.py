"""Resample a reconstruction at points, and on the pixels of a plane, uncertainties included."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy import sparse

from dsfu.model.measured.data.reconstruction import RealArray, Reconstruction
from dsfu.model.measured.prepare.interpolation import Interpolator, Weights, taken
from dsfu.model.measured.prepare.low_pass import PixelWindow
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.planes import Plane

_WEIGHTS_AT_ONCE: Final = 10_000_000
_NOTHING: Final = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class Sampled:
    """Values at points. ``live_share`` is the share of each point's weight that lies on live voxels, 0 to 1.

    ``values`` are made of live voxels alone, and 0 where there are none; ``sigma`` is None where unknown.
    """

    values: FloatArray
    live_share: FloatArray
    sigma: FloatArray | None


def at_points(interpolator: Interpolator, indices: FloatArray) -> Sampled:
    """At voxel indices (points, 3)."""
    reconstruction, weights = interpolator.reconstruction, interpolator.weights(indices)
    sigma = None
    if reconstruction.sigma is not None:
        sigma = np.sqrt(_row_sums(weights.matrix, (weights.matrix.data * _of(reconstruction.sigma, weights)) ** 2))
    values = _row_sums(weights.matrix, weights.matrix.data * _of(reconstruction.intensity, weights))
    return Sampled(values=values, live_share=weights.live_share, sigma=sigma)


@dataclass(frozen=True, kw_only=True, eq=False)
class PlaneInVoxels:
    """Where a plane's pixels are: its centre, in voxels, and how far 1/Å along x, y and the normal leads, (3,) each."""

    plane: Plane
    centre: FloatArray
    along_x: FloatArray
    along_y: FloatArray
    along_normal: FloatArray

    def window(self, half_thickness: float) -> PixelWindow:
        """What a pixel is made of; ``half_thickness`` in 1/Å."""
        step = self.plane.step
        sides = step * self.along_x, step * self.along_y, 2 * half_thickness * self.along_normal
        return PixelWindow.of_sides(*(float(np.abs(side).max()) for side in sides))

    def points(self, rows: FloatArray, columns: FloatArray, depths: FloatArray) -> FloatArray:
        """Voxel indices of places that are given in 1/Å along y, x and the normal: (rows · columns · depths, 3)."""
        down = self.centre + rows[:, np.newaxis] * self.along_y
        across, deep = columns[:, np.newaxis] * self.along_x, depths[:, np.newaxis] * self.along_normal
        return np.asarray((down[:, np.newaxis, np.newaxis] + across[:, np.newaxis] + deep).reshape(-1, 3))


def on_pixels(reconstruction: Reconstruction, where: PlaneInVoxels, half_thickness: float) -> Sampled:
    """Every pixel of a plane, (pixels, pixels) each; the mean over ``half_thickness`` (1/Å) on both sides of it."""
    window, pixels = where.window(half_thickness), where.plane.pixels
    # Of what a row of pixels needs: points along it and beyond its ends, for all rows and depths in a pixel.
    row_of_points = (pixels * window.across.number + 2 * window.across.reach) * window.down.number * window.deep
    rows_at_once = max(4, int(_WEIGHTS_AT_ONCE // (row_of_points * window.taps**3)))
    interpolator = Interpolator.of(reconstruction, window.taps)
    parts = [
        _pixel_rows(interpolator, where, window, half_thickness, range(first, min(first + rows_at_once, pixels)))
        for first in range(0, pixels, rows_at_once)
    ]
    sigmas = [each.sigma for each in parts if each.sigma is not None]
    return Sampled(
        values=np.concatenate([each.values for each in parts]),
        live_share=np.concatenate([each.live_share for each in parts]),
        sigma=np.concatenate(sigmas) if sigmas else None,
    )


def _pixel_rows(
    interpolator: Interpolator, where: PlaneInVoxels, window: PixelWindow, half_thickness: float, rows: range
) -> Sampled:
    reconstruction, plane = interpolator.reconstruction, where.plane
    down, across = window.down.places(rows), window.across.places(range(plane.pixels))
    # The middles of equal slices between −half_thickness and +half_thickness.
    depths = ((np.arange(window.deep) + 0.5) / window.deep * 2 - 1) * half_thickness
    start = plane.offsets[0]
    points = where.points(start + down * plane.step, start + across * plane.step, depths)
    weights = interpolator.weights(points)
    if window.deep > 1:
        weights = _means_of_groups(weights, window.deep)
    shape = len(down), len(across)
    live = weights.live_share.reshape(shape)
    values = _row_sums(weights.matrix, weights.matrix.data * _of(reconstruction.intensity, weights)).reshape(shape)
    mixed = _mixed(window, live, len(rows), plane.pixels)
    found = np.zeros((len(rows), plane.pixels))
    for part in mixed:
        found += part.coefficients * (part.down @ (live * values) @ part.across.T)
    sigma = None
    if reconstruction.sigma is not None:
        sigma = _propagated(weights, _of(reconstruction.sigma, weights), mixed, live).reshape(found.shape)
    share = window.down.matrix("box", len(rows)) @ live @ window.across.matrix("box", plane.pixels).T
    return Sampled(values=found, live_share=np.asarray(share), sigma=sigma)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Part:
    """A window's share of the pixels: coefficients · (down ⊗ across), which work on live · values."""

    down: FloatArray
    across: FloatArray
    coefficients: FloatArray


def _mixed(window: PixelWindow, live: FloatArray, rows: int, columns: int) -> list[_Part]:
    """The low-pass window; a narrower one where points of that are dead; and the pixel's box as a last resort."""
    left = np.ones((rows, columns), np.bool_)
    parts = []
    for name in window.kinds:
        down, across = window.down.matrix(name, rows), window.across.matrix(name, columns)
        total = down @ live @ across.T
        # Whether any dead point has a weight at all, of either sign.
        dead = np.abs(down) @ (1 - live) @ np.abs(across).T
        chosen = left & (total > 0) & ((dead < _NOTHING) | (name == "box"))
        left = left & ~chosen
        coefficients = np.divide(1.0, total, out=np.zeros_like(total), where=chosen)
        parts.append(_Part(down=down, across=across, coefficients=coefficients))
    return parts


def _propagated(weights: Weights, sigma: RealArray, mixed: list[_Part], live: FloatArray) -> FloatArray:
    """Points that make up a pixel share voxels, and so do not err independently: weights add up voxel by voxel."""
    of_points = sparse.csr_array((mixed[0].coefficients.size, live.size))
    for part in mixed:
        window = sparse.kron(sparse.csr_array(part.down), part.across, "csr")
        of_points = of_points + sparse.diags_array(part.coefficients.ravel()) @ window
    voxels, columns = np.unique(weights.matrix.indices, return_inverse=True)
    compact = sparse.csr_array(
        (weights.matrix.data, columns, weights.matrix.indptr), shape=(weights.matrix.shape[0], len(voxels))
    )
    of_voxels = np.zeros(len(voxels))
    of_voxels[columns] = sigma
    # Rows of pixels, columns of voxels: σ² of a pixel is Σ weight² σ² over the voxels, which do err independently.
    total = of_points @ (sparse.diags_array(live.ravel()) @ compact)
    return np.asarray(np.sqrt(total.power(2) @ of_voxels**2))


def _means_of_groups(weights: Weights, size: int) -> Weights:
    """Means over so many points that follow one another, as far as they are live."""
    shares = weights.live_share.reshape(-1, size)
    total = shares.sum(axis=1, keepdims=True)
    factors = np.divide(shares, total, out=np.zeros_like(shares), where=total > 0)
    matrix = weights.matrix
    voxels, columns = np.unique(matrix.indices, return_inverse=True)
    compact = sparse.csr_array((matrix.data, columns, matrix.indptr), shape=(matrix.shape[0], len(voxels)))
    groups = sparse.csr_array(
        (factors.ravel(), np.arange(factors.size), np.arange(len(factors) + 1) * size),
        shape=(len(factors), factors.size),
    )
    mean = sparse.csr_array(groups @ compact)
    whole = sparse.csr_array((mean.data, voxels[mean.indices], mean.indptr), shape=(len(factors), matrix.shape[1]))
    return Weights(matrix=whole, live_share=shares.mean(axis=1))


def _of(values: Any, weights: Weights) -> FloatArray:
    return np.asarray(taken(values, weights.matrix.indices), np.float64)


def _row_sums(matrix: sparse.csr_array, data: FloatArray) -> FloatArray:
    """Sums of data that lie like those of a matrix; 0 for empty rows."""
    rows = matrix.shape[0]
    sums = np.bincount(np.repeat(np.arange(rows), np.diff(matrix.indptr)), weights=data, minlength=rows)
    return np.asarray(sums, np.float64)
