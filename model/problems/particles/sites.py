"""Sites that atoms of a shape, and of shapes like it, can have: its lattice for two shells beyond its surface."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from dsfu.model.problems.particles.lattices import LATTICES
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.particles.clusters import C_OVER_A
from dsfu.simulate.particles.distances import distances_between
from dsfu.simulate.particles.faults import layered_positions
from dsfu.simulate.particles.shapes import positions_of

_SHELLS: Final = (2.3, 1.7)
"""In b: how far from the shape sites go; not so far around large shapes. c of HCP must fit in."""

_SAME: Final = 1e-3
_MOST_SITES: Final = 1100

Parameters = tuple[int | str, ...]


def sites_of(built_as: str, parameters: Parameters) -> tuple[FloatArray, FloatArray] | None:
    """Atoms of a shape, and all sites with those of the atoms first, in b; None if there are too many."""
    atoms = positions_of(built_as, parameters)
    every = _LATTICES[built_as](atoms, parameters)
    middle = atoms.mean(axis=0)
    reach = np.linalg.norm(atoms - middle, axis=1).max() + _SHELLS[0]
    every = every[np.linalg.norm(every - middle, axis=1) < reach]
    between = distances_between(every, atoms)
    distance = between.min(axis=1)
    for shells in _SHELLS:
        beyond = every[(distance > _SAME) & (distance < shells)]
        if len(atoms) + len(beyond) <= _MOST_SITES:
            break
    else:
        return None
    if between.min(axis=0).max() > _SAME:
        return None  # the shape is not one of the lattice that it was taken for
    return atoms, np.concatenate([atoms, beyond])


def _translated(origin: FloatArray, vectors: FloatArray, basis: FloatArray, atoms: FloatArray) -> FloatArray:
    reach = np.linalg.norm(atoms - origin, axis=1).max() + _SHELLS[0]
    steps = [int(reach * each) + 1 for each in np.linalg.norm(np.linalg.inv(vectors), axis=0)]
    grid = np.stack(np.meshgrid(*[np.arange(-n, n + 1) for n in steps], indexing="ij"), -1).reshape(-1, 3)
    return np.asarray((grid @ vectors)[:, None] + basis + origin).reshape(-1, 3)


def _cubic(family: str) -> Callable[[FloatArray, Parameters], FloatArray]:
    def sites(atoms: FloatArray, parameters: Parameters) -> FloatArray:
        return _translated(atoms[0], LATTICES[family].vectors, np.zeros((1, 3)), atoms)

    return sites


def _hcp(atoms: FloatArray, parameters: Parameters) -> FloatArray:
    low = atoms[np.abs(atoms[:, 2] - atoms[:, 2].min()) < _SAME]
    up = atoms[np.abs(atoms[:, 2] - atoms[:, 2].min() - C_OVER_A / 2) < _SAME]
    return _translated(low[0], LATTICES["HCP"].vectors, np.array([[0, 0, 0], up[0] - low[0]]), atoms)


def _layered(atoms: FloatArray, parameters: Parameters) -> FloatArray:
    """Its own layers, wider; and beyond the last both layers that can follow."""
    letters = str(parameters[0])
    if "s" in parameters:
        return _spherical(letters, int(parameters[1]), parameters[2:])
    height, wide = np.sqrt(2 / 3), 24
    layer = layered_positions("AB", wide, wide)[: wide * wide]
    middle = layer[np.argmin(np.linalg.norm(layer - layer.mean(axis=0), axis=1))]
    shift = np.array([0.5, np.sqrt(3) / 6, 0.0])
    found = []
    for number in range(-1, len(letters) + 1):
        neighbour = letters[min(max(number, 0), len(letters) - 1)]
        is_own = 0 <= number < len(letters)
        for letter in neighbour if is_own else sorted({*"ABC"} - {neighbour}):
            place = "ABC".index(letter) * shift + np.array([0, 0, number * height])
            found.append(layer - middle + place)
    return np.concatenate(found)


def _spherical(letters: str, diameter: int, rest: Parameters) -> FloatArray:
    """The same of a sphere: a wider one with one more layer at both ends, whose middle is where it was."""
    ends = zip(*[sorted({*"ABC"} - {letters[end]}) for end in (0, -1)], strict=True)
    both = [layered_positions(low + letters + up, diameter + 5, *rest) for low, up in ends]
    return np.unique(np.round(np.concatenate(both), 9), axis=0)


def _decahedral(atoms: FloatArray, parameters: Parameters) -> FloatArray:
    """Five twins around one axis: a large decahedron, moved along the axis to where the shape's atoms are."""
    p, q = int(parameters[0]), int(parameters[1])
    size = p + q + 3
    large = positions_of("Decahedron", (size, size, 0))
    return _moved(large, atoms, 0.5)


def _icosahedral(atoms: FloatArray, parameters: Parameters) -> FloatArray:
    return positions_of("Icosahedron", (int(parameters[0]) + 1,))


def _moved(large: FloatArray, atoms: FloatArray, step: float) -> FloatArray:
    """A set of sites, moved along z by that multiple of a step with which it holds the atoms best."""
    axis = large[:, :2].mean(axis=0), atoms[:, :2].mean(axis=0)
    base = large - np.append(axis[0] - axis[1], large[:, 2].mean() - atoms[:, 2].mean())
    moves = [base + np.array([0, 0, step * n]) for n in (-1, 0, 1)]
    return min(moves, key=lambda each: float(distances_between(each, atoms).min(axis=0).max()))


_LATTICES: Final[Mapping[str, Callable[[FloatArray, Parameters], FloatArray]]] = {
    "SC": _cubic("SC"),
    "BCC": _cubic("BCC"),
    "FCC": _cubic("FCC"),
    "Octahedron": _cubic("FCC"),
    "HCP": _hcp,
    "Faulted": _layered,
    "Decahedron": _decahedral,
    "Icosahedron": _icosahedral,
}
