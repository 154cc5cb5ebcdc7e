"""Crystals with known Warren–Cowley parameters, and what would be measured of them."""

from functools import cache

import numpy as np
from scipy.ndimage import gaussian_filter

from dsfu.model.measured.order.planes import SroPlane
from dsfu.model.measured.order.series import OrbitSeries, lattice_vectors
from dsfu.model.measured.symmetry.groups import laue_operators
from dsfu.model.measured.symmetry.orbits import orbits_of
from dsfu.simulate.disorder.metropolis import generate_set
from dsfu.simulate.disorder.planes import layer
from dsfu.simulate.lattice import Cell
from tests.benchmarks.tba import ALPHA as PAPER_ALPHA

PAPER_CELL = Cell(14.1, 14.1, 6.97, gamma=120.0)


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
    orbits = orbits_of(lattice_vectors(cell, within="ab"), laue_operators("6/m"), cell)
    values = np.array([1.0, *(PAPER_ALPHA[tuple(name[:2])] for name in orbits.representatives[1:].tolist())])
    sro = (OrbitSeries(orbits).columns(plane.hkl(cell)) @ values).reshape(pixels, pixels)
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
