"""The part of a reconstruction that a plane needs, so that the rest need not be cleaned."""

from typing import Any, Final

import numpy as np

from dsfu.model.measured.data.reconstruction import Reconstruction, Step
from dsfu.simulate.arrays import FloatArray

Window = tuple[slice, slice, slice]

_ON_LAYER: Final = 1e-6


def window_around(reconstruction: Reconstruction, points: FloatArray, margin: int, of_layer: int) -> Window:
    """The smallest box with all points, voxel indices (points, 3), and some voxels around; inside of the grid.

    Along an axis on which all points are on one layer of voxels there are ``of_layer`` voxels around, along others
    ``margin``.
    """
    sides = []
    for low, high, length in zip(points.min(axis=0), points.max(axis=0), reconstruction.shape, strict=True):
        below, above = int(np.floor(low + _ON_LAYER)), int(np.ceil(high - _ON_LAYER))
        around = of_layer if above <= below else margin
        first = int(np.clip(min(below, above) - around, 0, length - 1))
        last = int(np.clip(max(below, above) + around, first, length - 1))
        sides.append(slice(first, last + 1))
    return sides[0], sides[1], sides[2]


def cropped(reconstruction: Reconstruction, window: Window) -> Reconstruction:
    """The voxels of a window, not copied; recorded if they are not all."""
    start = [side.start for side in window]
    changes: dict[str, Any] = {
        name: None if getattr(reconstruction, name) is None else getattr(reconstruction, name)[window]
        for name in ("intensity", "live", "sigma", "weight")
    }
    if changes["intensity"].shape == reconstruction.shape:
        return reconstruction
    step = Step(name="cropped", parameters={"start": start, "shape": list(changes["intensity"].shape)})
    return reconstruction.after(step, origin=reconstruction.hkl_of_voxels(start), **changes)
