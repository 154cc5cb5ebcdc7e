"""Random but valid inputs for property-based tests."""

import numpy as np
from ase import Atoms
from hypothesis import assume
from hypothesis import strategies as st

from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.fields import ALPHA_SHAPE
from dsfu.simulate.disorder.planes import Plane, layer, plane_through
from dsfu.simulate.lattice import Cell

seeds = st.integers(0, 2**32 - 1)


@st.composite
def cells(draw: st.DrawFn) -> Cell:
    lengths = [draw(st.floats(3.0, 15.0)) for _ in range(3)]
    angles = [draw(st.floats(60.0, 120.0)) for _ in range(3)]
    cosines = np.cos(np.radians(angles))
    assume(1 - (cosines**2).sum() + 2 * cosines.prod() > 0.05)
    return Cell(*lengths, *angles)


@st.composite
def molecules(draw: st.DrawFn, most_atoms: int = 12) -> Atoms:
    count = draw(st.integers(0, most_atoms))
    rng = np.random.default_rng(draw(seeds))
    return Atoms(numbers=rng.choice([1, 6, 7, 8, 16, 17, 47], count), positions=rng.normal(scale=2.0, size=(count, 3)))


@st.composite
def planes(draw: st.DrawFn, cell: Cell, pixels: int = 24) -> Plane:
    q_max = draw(st.floats(2.0, 9.0))
    if draw(st.booleans()):
        return layer(cell, draw(st.sampled_from(["a", "b", "c"])), draw(st.floats(-4.0, 4.0)), q_max, pixels)
    points = np.random.default_rng(draw(seeds)).integers(-3, 4, size=(3, 3))
    edges = cell.q_of_hkl(points[1:] - points[0])
    assume(np.linalg.norm(np.cross(edges[0], edges[1])) > 1e-3)
    return plane_through(cell, points, q_max, pixels)


def random_alpha(seed: int, spread: float = 0.05) -> FloatArray:
    """A symmetric set with the size of real ones; it need not belong to any configuration."""
    noise = np.random.default_rng(seed).normal(scale=spread, size=ALPHA_SHAPE)
    alpha = (noise + noise[::-1, ::-1, ::-1]) / 2
    alpha[5, 5, 5] = 1.0
    return alpha
