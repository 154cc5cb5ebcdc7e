"""Planes of a crystal whose factors are formulas, so that what is found can be held against them."""

import numpy as np

from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.planes import layer
from dsfu.simulate.lattice import Cell
from tests.model.measured.factorise.made import HEXAGONAL, order, smooth

ALPHA = {(1, 1, 0): 0.25, (1, 0, -1): -0.2}
"""Of `made.order`."""


def dumbbell(q: FloatArray) -> FloatArray:
    """I_FF of two atoms 2.5 Å apart, with a thermal fall-off."""
    separation = np.array([2.0, 1.2, 0.9])
    return np.asarray(smooth(q) * (1.2 + np.cos(q @ separation)))


def clean_plane(index: float = 1.0, pixels: int = 64, cell: Cell | None = HEXAGONAL) -> MeasuredPlane:
    """hk of one height, without noise, with a beam stop and a gap."""
    plane = layer(HEXAGONAL, "c", index, 4.0, pixels)
    y, x = np.mgrid[:pixels, :pixels] - pixels // 2
    live = (np.hypot(x, y) > pixels / 16) & (np.abs(x - pixels // 5) > 1)
    intensity = dumbbell(plane.q) * order(plane.hkl(HEXAGONAL))
    return MeasuredPlane(
        intensity=np.where(live, intensity, 0.0),
        live=live,
        plane=plane,
        cell=cell,
        name=f"hk{index:g} of crystal.h5",
        source="crystal.h5",
    )
