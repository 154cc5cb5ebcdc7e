"""Crystals with known Warren–Cowley parameters, and what would be measured of them."""

from functools import cache

import numpy as np
from scipy.ndimage import gaussian_filter

from dsfu.model.refine.series import Series, lattice_vectors
from dsfu.model.refine.sro_planes import SroPlane
from dsfu.model.refine.symmetry import operators, orbits_of
from dsfu.simulate.lattice import Cell
from dsfu.simulate.metropolis import generate_set
from dsfu.simulate.planes import layer

PAPER_CELL = Cell(14.1, 14.1, 6.97, gamma=120.0)
PAPER_ALPHA = {
    (1, 0): -0.2516,
    (2, 0): 0.0984,
    (2, 1): 0.0950,
    (3, 0): -0.0345,
    (3, 1): -0.0532,
    (3, 2): -0.0435,
    (4, 0): 0.0164,
    (4, 1): 0.0256,
    (4, 2): 0.0310,
    (4, 3): 0.0165,
    (5, 0): -0.0090,
    (5, 1): -0.0128,
    (5, 2): -0.0175,
    (5, 3): -0.0149,
    (5, 4): -0.0073,
}
"""Fuller & Rudden (2024), Table 2, refined with Yell: columns of a molecule in two orientations."""


def paper_set():
    """The paper's parameters as (11, 11, 11), without order along c."""
    alpha = np.zeros((11, 11, 11))
    alpha[5, 5, 5] = 1.0
    for (u, v), value in PAPER_ALPHA.items():
        for _ in range(6):
            alpha[u + 5, v + 5, 5] = value
            u, v = u - v, u
    return alpha


@cache
def lattice_gas():
    """α of a lattice gas with order along all three axes, (11, 11, 11); its I_SRO is positive everywhere."""
    return generate_set(0.4, (-0.2, 0.3, 0.1), seed=3, box=32).alpha


def exact(alpha, hkl):
    """Σ α cos 2π hkl·v by summing over all vectors, in double precision."""
    vectors = np.argwhere(alpha != 0) - alpha.shape[0] // 2
    values = alpha[alpha != 0]
    total = np.zeros(hkl.shape[:-1])
    for start in range(0, len(values), 64):
        total += np.cos(2 * np.pi * hkl @ vectors[start : start + 64].T) @ values[start : start + 64]
    return total


def plane_of(alpha, cell, axis, index, *, pixels=64, q_max=4.0, scale=1.0, **more):
    plane = layer(cell, axis, index, q_max, pixels)
    return SroPlane(
        sro=scale * exact(alpha, plane.hkl(cell)),
        live=np.ones((pixels, pixels), np.bool_),
        plane=plane,
        cell=cell,
        **more,
    )


@cache
def hexagonal_layer(pixels=128):
    """hk1 of columns with the paper's parameters, 9 × 9 reciprocal cells, with dead zones and a form factor."""
    cell = Cell(8.0, 8.0, 6.97, gamma=120.0)
    plane = layer(cell, "c", 1.0, 4.0, pixels)
    orbits = orbits_of(lattice_vectors(cell, within="ab"), operators("6/m"), cell)
    values = np.array([1.0, *(PAPER_ALPHA[tuple(name[:2])] for name in orbits.representatives[1:].tolist())])
    sro = (Series(orbits).columns(plane.hkl(cell)) @ values).reshape(pixels, pixels)
    q = plane.q
    shape = 1 + 0.6 * np.cos(2 * q[..., 0]) * np.cos(1.7 * q[..., 1])
    form_factor = np.exp(-(np.linalg.norm(q, axis=-1) ** 2) / 8) * shape + 0.01
    y, x = np.mgrid[:pixels, :pixels] * 128 / pixels
    live = (np.hypot(x - 64, y - 64) < 62) & (x % 30 > 1.9) & (np.abs(np.hypot(x - 30, y - 60) - 22) > 1)
    return cell, plane, sro, form_factor, live


def noise(rng, shape, *, smooth=0.0, friedel=False):
    """Of standard deviation 1; neighbouring pixels correlated if smooth, Q and −Q alike if averaged."""
    values = rng.normal(size=shape)
    if smooth:
        values = gaussian_filter(values, smooth, mode="wrap")
    if friedel:
        values = values + np.roll(values[::-1, ::-1], (1, 1), (0, 1))
    return values / values.std()
