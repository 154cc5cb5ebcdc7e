"""Cells as metrics of the reciprocal lattice, in which 1/d² of every reflection is linear."""

from functools import lru_cache
from typing import Final

import numpy as np

from dsfu.simulate.arrays import FloatArray, IntArray
from dsfu.simulate.densities.crystals import cell_parameters, lattice_of

_UNIT: Final = np.eye(3)


def _pair(i: int, j: int) -> FloatArray:
    out = np.zeros((3, 3))
    out[i, j] = out[j, i] = 1
    return out


@lru_cache(maxsize=16)
def basis_of(system: str) -> FloatArray:
    """Matrices E_j, so that the reciprocal metric is Σ p_j E_j; rows i, j of a*·b*."""
    a, b, c = (np.diag(row) for row in _UNIT)
    bc, ac, ab = _pair(1, 2), _pair(0, 2), _pair(0, 1)
    # In hexagonal axes a* and b* are 60° apart: a*·b* = a*² / 2.
    table: dict[str, list[FloatArray]] = {
        "cubic": [a + b + c],
        "hexagonal": [a + b + ab / 2, c],
        "rhombohedral": [a + b + c, ab + ac + bc],
        "tetragonal": [a + b, c],
        "orthorhombic": [a, b, c],
        "monoclinic-a": [a, b, c, bc],
        "monoclinic-b": [a, b, c, ac],
        "monoclinic-c": [a, b, c, ab],
        "triclinic": [a, b, c, bc, ac, ab],
    }
    return np.array(table[system])


def metric_of(cell: FloatArray, system: str) -> FloatArray:
    """Parameters p_j of a cell given by its constants."""
    lattice = lattice_of(cell)
    reciprocal = np.linalg.inv(lattice @ lattice.T)
    basis = basis_of(system).reshape(-1, 9)
    return np.asarray(np.linalg.lstsq(basis.T, reciprocal.ravel(), rcond=None)[0])


def cell_of(metric: FloatArray, system: str) -> FloatArray | None:
    """Constants of the cell, or None where the metric is none."""
    reciprocal = np.tensordot(metric, basis_of(system), 1)
    if np.linalg.eigvalsh(reciprocal)[0] <= 0:
        return None
    # G = L Lᵀ: the rows of L are lattice vectors with these scalar products.
    root = np.linalg.cholesky(np.linalg.inv(reciprocal))
    return cell_parameters(root)


def coefficients(hkl: IntArray, system: str) -> FloatArray:
    """(reflections, p): 1/d² = coefficients · metric."""
    indices = hkl.astype(np.float64)
    return np.asarray(np.einsum("ni,pij,nj->np", indices, basis_of(system), indices))


def volumes(metrics: FloatArray, system: str) -> FloatArray:
    """Cell volumes in Å³ of many metrics; nan where there is none."""
    determinants = np.linalg.det(np.tensordot(metrics, basis_of(system), 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(determinants > 0, np.abs(determinants) ** -0.5, np.nan))
