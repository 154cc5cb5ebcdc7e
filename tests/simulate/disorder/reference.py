"""The formulas of the model written down as they stand, in float64 and with no thought of speed.

These are what the kernels are held to; nothing else should use them.
"""

import numpy as np
from ase import Atoms

from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.fields import SHELL_CUTOFF
from dsfu.simulate.disorder.planes import Plane
from dsfu.simulate.form_factors import form_factor
from dsfu.simulate.lattice import Cell


def molecular_form_factor(atoms: Atoms, q: FloatArray) -> np.ndarray[tuple[int, ...], np.dtype[np.complex128]]:
    """F(Q) = Σ_i f_i(|Q|) exp(iQ·x_i) in electrons, for Q (..., 3) in 1/Å."""
    length = np.linalg.norm(q, axis=-1)
    total = np.zeros(length.shape, np.complex128)
    for number, position in zip(atoms.numbers, atoms.positions, strict=True):
        total += form_factor(int(number), length) * np.exp(1j * (q @ position))
    return total


def form_factor_intensity(atoms_a: Atoms, atoms_b: Atoms, fraction_a: float, plane: Plane) -> FloatArray:
    """I_FF = m_A m_B |F_A − F_B|²."""
    difference = molecular_form_factor(atoms_a, plane.q) - molecular_form_factor(atoms_b, plane.q)
    return np.asarray(fraction_a * (1 - fraction_a) * np.abs(difference) ** 2)


def sro_intensity(cell: Cell, alpha: FloatArray, plane: Plane) -> FloatArray:
    """I_SRO = Σ_v α_v cos(Q·v), not clipped."""
    total = np.zeros((plane.pixels, plane.pixels))
    q = plane.q
    for index, value in np.ndenumerate(alpha):
        vector = (np.array(index) - SHELL_CUTOFF) @ cell.vectors
        total += value * np.cos(q @ vector)
    return total
