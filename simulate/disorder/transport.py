"""Wasserstein distances between planes by POT, the Python Optimal Transport library, which is imported when needed.

They are what the embedding is held to, and what it can be replaced by where time does not matter: each compares two
planes at a time, and a pair of molecules has 20 000 pairs of planes. Like the embedding's, distances are W_2 in widths
of the plane, between planes normalised to unit sum, and the smaller one of those to a plane and to its twin, turned by
180°.
"""

import os
import warnings
from collections.abc import Callable
from itertools import combinations
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from dsfu.errors import how_to_install
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.embedding import centred_part, checked_planes

Distance = Callable[[FloatArray, FloatArray], float]
"""From two planes (pixels, pixels) of unit sum to the square of their distance, in widths of what is given."""

_SINKHORN: Final = {"numItermax": 2000, "stopThr": 1e-6, "warn": False}

_BACKENDS: Final = ("PYTORCH", "JAX", "CUPY", "TENSORFLOW")


def transport_distances(intensities: npt.ArrayLike, squared_distance: Distance, grid: int | None = None) -> FloatArray:
    """Distances (planes, planes) between planes (planes, pixels, pixels).

    Parameters
    ----------
    squared_distance
        `sliced_by_pot`, `exact` or `entropic`.
    grid
        Planes are summed over a grid of so many cells along each side first. None: they are taken as they are.
    """
    given = checked_planes("intensities", intensities)
    extent = centred_part(given).shape[-1] / given.shape[-1]
    planes = [normalised(plane, grid) for plane in given]
    distances = np.zeros((len(planes), len(planes)))
    for i, j in combinations(range(len(planes)), 2):
        square = min(squared_distance(planes[i], planes[j]), squared_distance(planes[i], planes[j][::-1, ::-1]))
        distances[i, j] = distances[j, i] = extent * max(square, 0.0) ** 0.5
    return distances


def sliced_by_pot(one: FloatArray, other: FloatArray, *, directions: int = 50, seed: int = 0) -> float:
    """Square of the sliced W_2, averaged over random directions."""
    points = points_of(len(one))
    angles = np.random.default_rng(seed).uniform(0.0, np.pi, directions)
    projections = np.stack([np.cos(angles), np.sin(angles)])
    weights = one.ravel(), other.ravel()
    return float(_pot().sliced_wasserstein_distance(points, points, *weights, projections=projections) ** 2)


def exact(one: FloatArray, other: FloatArray) -> float:
    """Square of W_2: the least mean squared distance by which intensity has to be moved."""
    return float(_pot().emd2(one.ravel(), other.ravel(), _costs(len(one))))


def entropic(one: FloatArray, other: FloatArray, *, regularisation: float = 1e-3) -> float:
    """Square of W_2 smoothed by an entropy (weighted by ``regularisation``, in squared widths): Sinkhorn divergence.

    What smoothing adds to the distance of a plane from itself is taken off (Feydy et al., AISTATS 2019).
    """
    between = _smoothed(one, other, regularisation)
    return between - (_smoothed(one, one, regularisation) + _smoothed(other, other, regularisation)) / 2


def _smoothed(one: FloatArray, other: FloatArray, regularisation: float) -> float:
    """POT's Sinkhorn loss over the cells that hold anything; in logarithms, 30 times slower, where it underflows."""
    pot = _pot()
    a, b = one.ravel(), other.ravel()
    costs = _costs(len(one))[np.ix_(a > 0, b > 0)]
    problem = a[a > 0], b[b > 0], costs, regularisation
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return float(pot.sinkhorn2(*problem, method="sinkhorn_stabilized", **_SINKHORN))
        except Warning:
            return float(pot.sinkhorn2(*problem, method="sinkhorn_log", **_SINKHORN))


def normalised(plane: npt.NDArray[np.float32], grid: int | None) -> FloatArray:
    """The part of a plane that is symmetric about its centre, summed over a grid, at unit sum."""
    part = centred_part(plane).astype(np.float64)
    if grid is not None:
        shares = _cell_shares(grid, len(part))
        part = shares @ part @ shares.T
    total = part.sum()
    if total == 0:
        part[len(part) // 2, len(part) // 2] = total = 1.0
    return np.asarray(part / total, dtype=np.float64)


def _cell_shares(cells: int, pixels: int) -> FloatArray:
    """Share (cells, pixels) of each pixel that lies in each of equal cells along one side."""
    if not 1 <= cells <= pixels:
        raise ValueError(f"grid = {cells}: expected 1 to {pixels} cells for planes of {pixels} pixels")
    edges = np.linspace(0.0, pixels, cells + 1)
    left = np.arange(pixels)
    overlap = np.minimum(edges[1:, np.newaxis], left + 1) - np.maximum(edges[:-1, np.newaxis], left)
    return np.asarray(np.maximum(overlap, 0.0), dtype=np.float64)


def points_of(cells: int) -> FloatArray:
    """Positions (cells², 2) of the cells in widths of the plane, in the order of a ravelled plane, as (x, y)."""
    places = (np.arange(cells) - (cells - 1) / 2) / cells
    y, x = np.meshgrid(places, places, indexing="ij")
    return np.stack([x.ravel(), y.ravel()], axis=-1)


def _costs(cells: int) -> FloatArray:
    """Squared distances (cells², cells²) between cells."""
    points = points_of(cells)
    return np.asarray(((points[:, np.newaxis] - points) ** 2).sum(axis=-1), dtype=np.float64)


def _pot() -> Any:
    """POT, without the array libraries that it would load if they happened to be installed: they take seconds."""
    names = [f"POT_BACKEND_DISABLE_{backend}" for backend in _BACKENDS]
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        import ot
    except ImportError as error:
        raise ImportError(f"this metric needs POT; {how_to_install('pipeline')}") from error
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    return ot
