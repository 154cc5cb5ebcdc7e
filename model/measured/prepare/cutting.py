"""Cut a plane out of a reconstruction, onto the square Cartesian grid that solvers and networks work on."""

from dataclasses import replace
from typing import Final

import numpy as np

from dsfu.errors import InputError
from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.data.reconstruction import Reconstruction, Step
from dsfu.model.measured.prepare.cropping import Window, cropped, window_around
from dsfu.model.measured.prepare.grain import grain_of
from dsfu.model.measured.prepare.interpolation import OFF_LAYER, Interpolator
from dsfu.model.measured.prepare.low_pass import REACH
from dsfu.model.measured.prepare.own_grid import on_own_grid
from dsfu.model.measured.prepare.plane_spec import PlaneSpec, own_plane, parse_plane
from dsfu.model.measured.prepare.resampling import PlaneInVoxels, at_points, on_pixels
from dsfu.simulate.arrays import BoolArray, FloatArray
from dsfu.simulate.disorder.fields import PIXELS
from dsfu.simulate.disorder.planes import Plane
from dsfu.simulate.lattice import Cell

LIVE_ENOUGH: Final = 0.75
"""Share of a pixel's weight that has to lie on live voxels for the pixel to be live."""

LEAST_COVERAGE: Final = 0.05
"""Share of a plane's pixels that has to be live for the plane to be of use."""

_STENCIL: Final = 4
"""Voxels around a point on which it depends how it is interpolated."""

_ROUNDING: Final = 1e-9

_UNIT_CELL: Final = Cell(2 * np.pi, 2 * np.pi, 2 * np.pi)


def cut(
    reconstruction: Reconstruction,
    spec: PlaneSpec | str | None = None,
    *,
    pixels: int | None = None,
    q_max: float | None = None,
    thickness: float = 0.0,
    live_enough: float = LIVE_ENOUGH,
) -> MeasuredPlane:
    """Resample one plane.

    Pixels are interpolated from six voxels along each axis, linearly beside dead ones (see `interpolation`); where they
    are larger than voxels, frequencies that they cannot carry are taken out (see `low_pass`). The step says how.

    Parameters
    ----------
    spec
        Which plane, such as "hk0": see `parse_plane`. None: the one that the reconstruction is, if it is one layer.
        Of one that is not indexed the plane's 1/Å are voxels.
    pixels
        Along each side. None: `PIXELS`; of an image that is no larger its own, if nothing else is chosen either.
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
        as_it_is = reconstruction.is_image and pixels is None and q_max is None and not thickness
        if as_it_is and (own := on_own_grid(reconstruction, PIXELS)) is not None:
            _refuse_dead(own.live, own.name, reconstruction)
            return own
        spec = _own_plane(reconstruction)
    elif isinstance(spec, str):
        spec = parse_plane(spec)
    pixels = PIXELS if pixels is None else pixels
    if reconstruction.is_image:
        in_voxels = replace(reconstruction, indexed=True, cell=_UNIT_CELL)
        q_max = max(reconstruction.shape) / 2 if q_max is None else q_max
        return replace(_cut(in_voxels, spec, pixels, q_max, thickness, live_enough), cell=None, scale_known=False)
    if q_max is None:
        q_max = largest_q_max(reconstruction, spec)
    return _cut(reconstruction, spec, pixels, q_max, thickness, live_enough)


def resampled(image: MeasuredPlane, pixels: int) -> MeasuredPlane:
    """A plane whose Q counts its pixels, on so many."""
    at_zero = image.plane.pixels // 2 - image.plane.centre / image.plane.step
    whole = Reconstruction(
        intensity=image.intensity[None],
        live=image.live[None],
        origin=np.array([0.0, -at_zero[1], -at_zero[0]]),
        steps=np.eye(3),
        cell=None,
        sigma=None if image.sigma is None else image.sigma[None],
        source=image.source,
        history=image.history,
        indexed=False,
    )
    return cut(whole, pixels=pixels, q_max=image.plane.q_max)


def _cut(
    reconstruction: Reconstruction, spec: PlaneSpec, pixels: int, q_max: float, thickness: float, live_enough: float
) -> MeasuredPlane:
    cell = _cell_of(reconstruction, spec)
    plane = spec.plane(cell, q_max, pixels)
    half_thickness = thickness * spec.unit_of_thickness(cell)
    where = _in_voxels(reconstruction, cell, plane)
    corners = _corners(where, half_thickness, plane.step)
    # Of a plane on a layer of voxels that layer alone: what is dead in the next ones is no concern of it.
    part = cropped(reconstruction, window_around(reconstruction, corners, _STENCIL, of_layer=0))
    where = _in_voxels(part, cell, plane)
    sampled = on_pixels(part, where, half_thickness)
    live = sampled.live_share >= live_enough - _ROUNDING
    _refuse_dead(live, f"plane {spec.name} of {reconstruction.source or 'the reconstruction'}", reconstruction)
    parameters = {
        "plane": spec.name,
        "points_hkl": spec.points.tolist(),
        "q_max": q_max,
        "pixels": pixels,
        "thickness": thickness,
        "live_enough": live_enough,
        "pixel_hkl_x": (cell.hkl_of_q(plane.axis_x) * plane.step).tolist(),
        "pixel_hkl_y": (cell.hkl_of_q(plane.axis_y) * plane.step).tolist(),
        "window": where.window(half_thickness).described(plane.step),
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
        grain=grain_of(where.along_x * plane.step, where.along_y * plane.step, where.window(half_thickness).taps),
    )


def neighbourhood(
    reconstruction: Reconstruction, spec: PlaneSpec, q_max: float, thickness: float, margin: int
) -> Window:
    """Voxels that a plane is made of, and so many around."""
    cell = _cell_of(reconstruction, spec)
    where = _in_voxels(reconstruction, cell, spec.plane(cell, q_max))
    points = _corners(where, thickness * spec.unit_of_thickness(cell), where.plane.step)
    return window_around(reconstruction, points, margin + _STENCIL, of_layer=margin)


def _corners(where: PlaneInVoxels, half_thickness: float, step: float) -> FloatArray:
    """Of what pixels of a plane are made of, in voxels."""
    ends = (where.plane.q_max + (REACH + 1) * step) * np.array([-1.0, 1.0])
    return where.points(ends, ends, half_thickness * np.array([-1.0, 1.0]))


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
    points = _in_voxels(reconstruction, cell, coarse).points(coarse.offsets, coarse.offsets, np.zeros(1))
    live = (at_points(Interpolator.of(reconstruction, 2), points).live_share > 0).reshape(128, 128)
    if not live.any():
        return q_max
    reach = np.abs(coarse.offsets[np.nonzero(live)[0]]).max(), np.abs(coarse.offsets[np.nonzero(live)[1]]).max()
    return min(q_max, float(max(reach)) + coarse.step)


class _Bounds:
    """The grid's six faces as lines on a plane: points x, y (1/Å) with ``normals @ (x, y) <= limits`` are inside."""

    def __init__(self, reconstruction: Reconstruction, cell: Cell, plane: Plane) -> None:
        where = _in_voxels(reconstruction, cell, plane)
        normals, limits = [], []
        for axis, length in enumerate(reconstruction.shape):
            slope = np.array([where.along_x[axis], where.along_y[axis]])
            edge = 0.0
            if length == 1:
                edge = min(0.5, OFF_LAYER / float(np.linalg.norm(reconstruction.steps[axis])))
            normals += [slope, -slope]
            limits += [length - 1 + edge - where.centre[axis], where.centre[axis] + edge]
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


def _in_voxels(reconstruction: Reconstruction, cell: Cell, plane: Plane) -> PlaneInVoxels:
    inverse = np.linalg.inv(reconstruction.steps)
    along_x, along_y, along_normal = (
        cell.hkl_of_q(each) @ inverse for each in (plane.axis_x, plane.axis_y, plane.normal)
    )
    return PlaneInVoxels(
        plane=plane,
        centre=reconstruction.voxels_of_hkl(cell.hkl_of_q(plane.centre)),
        along_x=along_x,
        along_y=along_y,
        along_normal=along_normal,
    )


def _refuse_dead(live: BoolArray, where: str, reconstruction: Reconstruction) -> None:
    if live.mean() < LEAST_COVERAGE:
        raise InputError(
            f"{100 * live.mean():.1f} % of its pixels are live",
            where=where,
            expected=f"{100 * LEAST_COVERAGE:.0f} % or more; the reconstruction has {available_range(reconstruction)}",
            remedy="choose another plane, a smaller --q-max, or a --thickness",
        )


def _image(values: FloatArray, live: BoolArray) -> FloatArray:
    return np.where(live, values, 0.0)
