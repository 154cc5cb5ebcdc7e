"""Reconstructions made for the tests: of functions that are known, on grids in any orientation."""

from collections.abc import Callable

import numpy as np
from hypothesis import strategies as st

from dsfu.model.measured.data.reconstruction import RealArray, Reconstruction
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.lattice import Cell

HEXAGONAL = Cell(8.0, 8.0, 5.0, 90.0, 90.0, 120.0)
HEXAGONAL_B = Cell(8.0, 5.0, 8.0, 90.0, 120.0, 90.0)
TRICLINIC = Cell(6.0, 7.0, 8.0, 80.0, 95.0, 110.0)


def made(
    function: Callable[[FloatArray], FloatArray],
    *,
    half: tuple[float, float, float] = (3.0, 3.0, 3.0),
    voxels: tuple[int, int, int] = (31, 31, 31),
    cell: Cell | None = TRICLINIC,
    dtype: type = np.float64,
) -> Reconstruction:
    """A function of hkl (..., 3) on a grid from −half to half; an axis of one voxel is at 0."""
    steps = np.diag([2 * h / (n - 1) if n > 1 else 0.1 for h, n in zip(half, voxels, strict=True)])
    origin = [-h if n > 1 else 0.0 for h, n in zip(half, voxels, strict=True)]
    return on_grid(function, np.array(origin), steps, voxels, cell, dtype)


def on_grid(
    function: Callable[[FloatArray], FloatArray],
    origin: FloatArray,
    steps: FloatArray,
    voxels: tuple[int, int, int],
    cell: Cell | None,
    dtype: type = np.float64,
) -> Reconstruction:
    indices = np.stack(np.meshgrid(*map(np.arange, voxels), indexing="ij"), axis=-1)
    intensity: RealArray = np.asarray(function(indices @ steps + origin), dtype)
    return Reconstruction(
        intensity=intensity,
        live=np.ones(voxels, np.bool_),
        origin=origin,
        steps=steps,
        cell=cell,
        source="made.h5",
    )


@st.composite
def oblique_grids(draw: st.DrawFn) -> tuple[FloatArray, FloatArray]:
    """Origin and steps of a grid of 25³ voxels around hkl = 0 whose axes are not those of the crystal."""
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    steps = np.diag(rng.uniform(0.2, 0.4, 3))[rng.permutation(3)] + rng.uniform(-0.05, 0.05, (3, 3))
    return -12 * steps.sum(axis=0) + rng.uniform(-0.1, 0.1, 3), steps
