"""Sections through a reconstruction, with what it takes to draw them in their true shape."""

from dataclasses import dataclass

import numpy as np

from dsfu.model.measured.data.axes import Axis, axes_of
from dsfu.model.measured.data.reconstruction import RealArray, Reconstruction
from dsfu.simulate.arrays import BoolArray, FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class VoxelSection:
    """One layer of voxels.

    Attributes
    ----------
    intensity, live
        Indexed [y, x].
    x, y
        The axes that lie in it.
    label_x, label_y
        What to write beside them.
    across
        Which layer it is: "l = 0".
    step_x, step_y
        In two Cartesian dimensions: how far one voxel along x and along y goes, in 1/Å; in r.l.u. or voxels, and at a
        right angle, where there is no cell.
    """

    intensity: RealArray
    live: BoolArray
    x: Axis
    y: Axis
    label_x: str
    label_y: str
    across: str
    step_x: FloatArray
    step_y: FloatArray


def central_sections(reconstruction: Reconstruction) -> list[VoxelSection]:
    """The layers nearest to the origin across each axis, or the middle ones; of a plane the plane itself."""
    planes = [axis for axis, count in enumerate(reconstruction.shape) if count == 1]
    mains = [int(np.abs(axis.direction).argmax()) for axis in axes_of(reconstruction)]
    normals = sorted(range(3), key=lambda axis: -mains[axis])  # hk0, h0l, 0kl
    return [_section(reconstruction, axis) for axis in planes[:1] or normals]


def _section(reconstruction: Reconstruction, normal: int) -> VoxelSection:
    axes = axes_of(reconstruction)
    layer = _nearest_to_zero(axes[normal].values)
    y, x = (number for number in range(3) if number != normal)
    if reconstruction.indexed and np.abs(axes[y].direction).argmax() < np.abs(axes[x].direction).argmax():
        x, y = y, x

    def cut(values: RealArray | BoolArray) -> RealArray:
        plane: RealArray = np.take(values, layer, axis=normal)
        return plane if y < x else plane.T

    step_x, step_y = _in_two_dimensions(reconstruction, axes, x, y)
    return VoxelSection(
        intensity=cut(reconstruction.intensity),
        live=cut(reconstruction.live).astype(np.bool_),
        x=axes[x],
        y=axes[y],
        label_x=axes[x].label if reconstruction.indexed else f"array axis {x}",
        label_y=axes[y].label if reconstruction.indexed else f"array axis {y}",
        across=_across(reconstruction, axes[normal], layer),
        step_x=step_x,
        step_y=step_y,
    )


def _nearest_to_zero(values: FloatArray) -> int:
    low, high = sorted((float(values[0]), float(values[-1])))
    return int(np.abs(values).argmin()) if low <= 0 <= high else values.size // 2


def _across(reconstruction: Reconstruction, axis: Axis, layer: int) -> str:
    value = float(axis.values[layer])
    if not reconstruction.indexed:
        return "" if axis.values.size == 1 else f"layer {layer}"
    rounded = f"{value:.4g}".replace("-", "−")
    return f"{axis.label} = {'0' if abs(value) < 1e-6 else rounded}"


def _in_two_dimensions(
    reconstruction: Reconstruction, axes: tuple[Axis, Axis, Axis], x: int, y: int
) -> tuple[FloatArray, FloatArray]:
    if reconstruction.cell is None:
        return np.array([abs(axes[x].step), 0.0]), np.array([0.0, abs(axes[y].step)])
    along_x, along_y = reconstruction.cell.q_of_hkl(reconstruction.steps[[x, y]])
    unit = along_x / np.linalg.norm(along_x)
    parallel = float(along_y @ unit)
    return (
        np.array([float(np.linalg.norm(along_x)), 0.0]),
        np.array([parallel, float(np.linalg.norm(along_y - parallel * unit))]),
    )
