"""Cut a plane out of a reconstruction, onto the square Cartesian grid that solvers and networks work on."""

from dataclasses import replace
from typing import Final

import numpy as np

from dsfu.model.errors import InputError
from dsfu.model.measured.plane import MeasuredPlane
from dsfu.model.measured.reconstruction import Reconstruction, Step
from dsfu.model.prepare.plane_spec import PlaneSpec, own_plane, parse_plane
from dsfu.model.prepare.resampling import OFF_LAYER, Sampled, averaged
from dsfu.simulate.contract import PIXELS, BoolArray, FloatArray
from dsfu.simulate.lattice import Cell
from dsfu.simulate.planes import Plane

LIVE_ENOUGH: Final = 0.75
"""Share of a pixel's weight that has to lie on live voxels for the pixel to be live."""

LEAST_COVERAGE: Final = 0.05
"""Share of a plane's pixels that has to be live for the plane to be of use."""

_UNIT_CELL: Final = Cell(2 * np.pi, 2 * np.pi, 2 * np.pi)

_POINTS_AT_ONCE: Final = 500_000


def cut(
    reconstruction: Reconstruction,
    spec: PlaneSpec | str | None = None,
    *,
    pixels: int = PIXELS,
    q_max: float | None = None,
    thickness: float = 0.0,
    live_enough: float = LIVE_ENOUGH,
) -> MeasuredPlane:
    """Resample one plane.

    Where a pixel is larger than a voxel it is the mean over its area (of points less than a voxel apart), where it is
    smaller it is interpolated linearly: then the error is at most 1/8 of a voxel's step squared times the second
    derivative, summed over the axes.

    Parameters
    ----------
    spec
        Which plane, such as "hk0": see `parse_plane`. None: the one that the reconstruction is, if it is one layer.
        Of one that is not indexed, pixels are voxels if there are as many, and the plane's 1/Å are made up.
    q_max
        Half the side of the plane in 1/Å; by default that of the largest square around the plane's centre in which
        there are data.
    thickness
        The plane is the mean over this much on both sides of it: in layers, so that 0.1 for hk1 is l = 0.9 to 1.1;
        in 1/Å for planes that are no layers.
    live_enough
        Share of a pixel's weight that has to be on live voxels.
    """
    if spec is None:
        spec = _own_plane(reconstruction)
    elif isinstance(spec, str):
        spec = parse_plane(spec)
    if not reconstruction.indexed and own_plane(reconstruction) is not None:
        in_voxels = replace(reconstruction, indexed=True, cell=_UNIT_CELL)
        q_max = max(reconstruction.shape) / 2 if q_max is None else q_max
        return replace(_cut(in_voxels, spec, pixels, q_max, thickness, live_enough), cell=None)
    if q_max is None:
        q_max = largest_q_max(reconstruction, spec)
    return _cut(reconstruction, spec, pixels, q_max, thickness, live_enough)


def _cut(
    reconstruction: Reconstruction, spec: PlaneSpec, pixels: int, q_max: float, thickness: float, live_enough: float
) -> MeasuredPlane:
    cell = _cell_of(reconstruction, spec)
    plane = spec.plane(cell, q_max, pixels)
    sampled = _resampled(reconstruction, cell, plane, thickness * spec.unit_of_thickness(cell))
    live = (sampled.live_share >= live_enough).reshape(pixels, pixels)
    if live.mean() < LEAST_COVERAGE:
        raise InputError(
            f"{100 * live.mean():.1f} % of its pixels are live",
            where=f"plane {spec.name} of {reconstruction.source or 'the reconstruction'}",
            expected=f"{100 * LEAST_COVERAGE:.0f} % or more; the reconstruction has {available_range(reconstruction)}",
            remedy="choose another plane, a smaller --q-max, or a --thickness",
        )
    parameters = {
        "plane": spec.name,
        "points_hkl": spec.points.tolist(),
        "q_max": q_max,
        "pixels": pixels,
        "thickness": thickness,
        "live_enough": live_enough,
    }
    return MeasuredPlane(
        intensity=_image(sampled.values, live),
        live=live,
        plane=plane,
        cell=cell,
        sigma=None if sampled.sigma is None else _image(sampled.sigma, live),
        name=f"{spec.name} of {reconstruction.source}" if reconstruction.source else spec.name,
        source=reconstruction.source,
        history=(*reconstruction.history, Step(name="cut", parameters=parameters)),
    )


def _own_plane(reconstruction: Reconstruction) -> PlaneSpec:
    spec = own_plane(reconstruction)
    if spec is None:
        raise InputError(
            "which plane?",
            where=reconstruction.source or "the reconstruction",
            expected=f"--plane, such as hk0; there is {available_range(reconstruction)}",
        )
    return spec


def available_range(reconstruction: Reconstruction) -> str:
    """From where to where it goes in h, k and l, in words."""
    ends = np.array([[0, length - 1] for length in reconstruction.shape])
    at_corners = reconstruction.hkl_of_voxels(np.array(np.meshgrid(*ends, indexing="ij")).reshape(3, -1).T)
    spans = zip("hkl", at_corners.min(axis=0), at_corners.max(axis=0), strict=True)
    return ", ".join(
        f"{name} = {low:.4g}" if high - low < 1e-9 else f"{name} from {low:.4g} to {high:.4g}"
        for name, low, high in spans
    )


def largest_q_max(reconstruction: Reconstruction, spec: PlaneSpec) -> float:
    """Half the side, in 1/Å, of the largest square around the plane's centre that the reconstruction covers.

    If the centre itself lies outside, of the smallest square around it that has all the data. Live pixels that reach
    less far make it smaller.
    """
    cell = _cell_of(reconstruction, spec)
    unit = spec.plane(cell, 1.0, 2)
    bounds = _Bounds(reconstruction, cell, unit)
    q_max = bounds.inner_square() or bounds.outer_square()
    if not q_max:
        raise InputError(
            "it lies outside of what was reconstructed",
            where=f"plane {spec.name} of {reconstruction.source or 'the reconstruction'}",
            expected=available_range(reconstruction),
        )
    coarse = spec.plane(cell, q_max, 128)
    live = (_resampled(reconstruction, cell, coarse, 0.0, most_points=1).live_share > 0).reshape(128, 128)
    if not live.any():
        return q_max
    reach = np.abs(coarse.offsets[np.nonzero(live)[0]]).max(), np.abs(coarse.offsets[np.nonzero(live)[1]]).max()
    return min(q_max, float(max(reach)) + coarse.step)


class _Bounds:
    """The grid's six faces as lines on a plane: points x, y (1/Å) with ``normals @ (x, y) <= limits`` are inside."""

    def __init__(self, reconstruction: Reconstruction, cell: Cell, plane: Plane) -> None:
        centre, along_x, along_y = (_voxel_vectors(reconstruction, cell, plane)[i] for i in range(3))
        normals, limits = [], []
        for axis, length in enumerate(reconstruction.shape):
            slope = np.array([along_x[axis], along_y[axis]])
            edge = 0.0
            if length == 1:
                edge = min(0.5, OFF_LAYER / float(np.linalg.norm(reconstruction.steps[axis])))
            normals += [slope, -slope]
            limits += [length - 1 + edge - centre[axis], centre[axis] + edge]
        self.normals, self.limits = np.array(normals), np.array(limits)
        # A face that the plane does not cross holds everywhere on it, or nowhere.
        parallel = np.abs(self.normals).sum(axis=1) <= 1e-9 * np.abs(self.normals).max()
        self.misses = bool((self.limits[parallel] < -1e-6).any())
        self.normals, self.limits = self.normals[~parallel], self.limits[~parallel]

    def inner_square(self) -> float | None:
        """Half the side of the largest square around the centre that is inside; None if its centre is not."""
        if self.misses or (self.limits <= 1e-9).any():
            return None
        return float((self.limits / np.abs(self.normals).sum(axis=1)).min())

    def outer_square(self) -> float | None:
        """Half the side of the smallest square around the centre that has all that is inside; None if nothing is."""
        reach = 0.0
        for i in range(len(self.limits)):
            for j in range(i):
                pair = self.normals[[i, j]]
                if abs(np.linalg.det(pair)) <= 1e-9 * np.prod(np.linalg.norm(pair, axis=1)):
                    continue
                corner = np.linalg.solve(pair, self.limits[[i, j]])
                if not self.misses and (self.normals @ corner <= self.limits + 1e-6).all():
                    reach = max(reach, float(np.abs(corner).max()))
        return reach or None


def _cell_of(reconstruction: Reconstruction, spec: PlaneSpec) -> Cell:
    if reconstruction.cell is None:
        raise InputError(
            "the cell is unknown, so nothing can be cut in 1/Å",
            where=f"plane {spec.name} of {reconstruction.source or 'the reconstruction'}",
            remedy="give --cell a,b,c,alpha,beta,gamma",
        )
    return reconstruction.cell


def _voxel_vectors(reconstruction: Reconstruction, cell: Cell, plane: Plane) -> FloatArray:
    """In voxels: where the plane's centre is, and how far 1/Å along its x and y (and normal) leads. Rows; (4, 3)."""
    directions = np.stack([plane.axis_x, plane.axis_y, plane.normal])
    inverse = np.linalg.inv(reconstruction.steps)
    centre = reconstruction.voxels_of_hkl(cell.hkl_of_q(plane.centre))
    return np.vstack([centre, cell.hkl_of_q(directions) @ inverse])


def _resampled(
    reconstruction: Reconstruction, cell: Cell, plane: Plane, half_thickness: float, most_points: int = 64
) -> Sampled:
    """Every pixel, as one row after the other; ``half_thickness`` in 1/Å."""
    centre, along_x, along_y, along_normal = _voxel_vectors(reconstruction, cell, plane)
    inside = _points_inside(along_x * plane.step, along_y * plane.step, along_normal * half_thickness, most_points)
    across = plane.offsets[:, np.newaxis] * along_x
    rows_at_once = max(1, _POINTS_AT_ONCE // (plane.pixels * len(inside)))
    parts = []
    for first in range(0, plane.pixels, rows_at_once):
        down = centre + plane.offsets[first : first + rows_at_once, np.newaxis] * along_y
        pixels = (down[:, np.newaxis] + across).reshape(-1, 1, 3)
        parts.append(averaged(reconstruction, pixels + inside))
    sigmas = [each.sigma for each in parts if each.sigma is not None]
    return Sampled(
        values=np.concatenate([each.values for each in parts]),
        live_share=np.concatenate([each.live_share for each in parts]),
        sigma=np.concatenate(sigmas) if sigmas else None,
    )


def _points_inside(pixel_x: FloatArray, pixel_y: FloatArray, half_depth: FloatArray, most: int) -> FloatArray:
    """Points that stand for the area of a pixel, relative to its centre, in voxels, less than a voxel apart."""
    offsets = []
    for side in (pixel_x, pixel_y, 2 * half_depth):
        number = min(most, max(1, int(np.ceil(np.abs(side).max() - 1e-6))))
        offsets.append(((np.arange(number) + 0.5) / number - 0.5)[:, np.newaxis] * side)
    grid = offsets[0][:, np.newaxis, np.newaxis] + offsets[1][np.newaxis, :, np.newaxis] + offsets[2]
    return np.asarray(grid.reshape(-1, 3))


def _image(values: FloatArray, live: BoolArray) -> FloatArray:
    return np.where(live, values.reshape(live.shape), 0.0)
