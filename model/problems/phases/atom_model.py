"""Atoms as peaks: their structure factors and a least-squares fit of places, displacements and weights to |F|."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import gemmi
import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve

from dsfu.model.problems.phases.crystal_data import CellNumbers, ComplexArray, FloatArray, IntArray, inverse_d_squared
from dsfu.model.problems.phases.groups import CandidateGroup

EIGHT_PI_SQUARED: Final = 8 * np.pi**2
SMALLEST_U: Final = 0.002
LARGEST_U: Final = 0.35
_DAMPING: Final = 0.02
_LARGEST_SHIFT: Final = 0.25
"""Å in one cycle."""

_MERGE: Final = 0.6
"""Å: images of an atom nearer than this are one atom on a special position."""


@dataclass(frozen=True, kw_only=True, eq=False)
class AtomModel:
    """Atoms of the asymmetric unit.

    Parameters
    ----------
    positions
        Fractional, origin of the group, (atoms, 3).
    numbers
        Atomic number whose form factor is used.
    weights
        How many such atoms fit there: 1 for the right element.
    u_iso
        Mean square displacement in Å².
    multiplicity
        How many symmetry-equivalent atoms there are, lattice translations not counted.
    """

    positions: FloatArray
    numbers: IntArray
    weights: FloatArray
    u_iso: FloatArray
    multiplicity: IntArray
    candidate: CandidateGroup
    cell: CellNumbers

    @property
    def electrons(self) -> FloatArray:
        """Weight times atomic number."""
        return np.asarray(self.weights * self.numbers)


@dataclass(frozen=True, kw_only=True)
class ModelFit:
    """A model after some cycles, the scale that takes its |F| to the data's, and R1 = Σ||F_c| − |F_o|| / Σ|F_o|."""

    model: AtomModel
    scale: float
    r1: float


def special(position: FloatArray, candidate: CandidateGroup, cell: CellNumbers) -> tuple[FloatArray, FloatArray, int]:
    """A position moved onto the symmetry element it lies near, the projector of its shifts, and its multiplicity."""
    orth = np.array(gemmi.UnitCell(*cell).orth.mat.tolist())
    for _ in range(2):
        images = candidate.turns @ position + candidate.shifts
        apart = images - position
        apart -= np.round(apart)
        near = np.linalg.norm(apart @ orth.T, axis=1) < _MERGE
        position = position + apart[near].mean(axis=0)
    projector = candidate.turns[near].mean(axis=0)
    return position % 1.0, projector, len(candidate.turns) // int(near.sum())


def structure_factors_of(model: AtomModel, hkl: IntArray) -> ComplexArray:
    """F of a model; translations of a centred lattice are left out, a factor that the scale takes."""
    return np.asarray(_waves(model, hkl, _factors(model, hkl)).sum(axis=1))


def refine(
    model: AtomModel,
    hkl: IntArray,
    amplitude: FloatArray,
    sigma: FloatArray,
    *,
    cycles: int,
    with_weights: bool,
) -> ModelFit:
    """Damped least squares on |F|, weighted, all parameters at once."""
    orth = np.array(gemmi.UnitCell(*model.cell).orth.mat.tolist())
    orth_inverse = np.linalg.inv(orth)
    quarter = inverse_d_squared(model.cell, hkl) / 4
    error = np.sqrt(sigma**2 + (0.03 * amplitude) ** 2 + (0.02 * amplitude.mean()) ** 2)
    placed = [special(x, model.candidate, model.cell) for x in model.positions]
    model = replace(
        model, positions=np.array([p[0] for p in placed]), multiplicity=np.array([p[2] for p in placed], dtype=np.int64)
    )
    projectors = [orth @ p[1] @ orth_inverse for p in placed]
    atoms = len(model.numbers)
    best: ModelFit | None = None
    damping = _DAMPING
    for _ in range(cycles + 1):
        waves, gradients = _waves_and_gradients(model, hkl, orth_inverse)
        total = waves.sum(axis=1)
        size = np.maximum(np.abs(total), 1e-9)
        scale = float((amplitude * size / error**2).sum() / (size**2 / error**2).sum())
        residual = amplitude - scale * size
        r1 = float(np.abs(residual).sum() / amplitude.sum())
        if best is None or r1 < best.r1:
            best = ModelFit(model=model, scale=scale, r1=r1)
            damping = max(damping / 2, 1e-3)
        else:
            damping = min(damping * 4, 1.0)
        unit = np.conj(total) / size
        columns = [(unit[:, None] * gradients[axis]).real for axis in range(3)]
        along = (unit[:, None] * waves).real
        columns.append(along * (-EIGHT_PI_SQUARED * quarter)[:, None])
        if with_weights:
            columns.append(along / np.maximum(model.weights, 1e-3))
        jacobian = scale * np.concatenate([*columns, (size / scale)[:, None]], axis=1) / error[:, None]
        normal = jacobian.T @ jacobian
        diagonal = np.diag(normal).copy()
        normal[np.diag_indices_from(normal)] += damping * diagonal + 1e-12 * diagonal.max()
        step = cho_solve(cho_factor(normal), jacobian.T @ (residual / error))
        shift = np.clip(step[: 3 * atoms].reshape(3, atoms).T, -_LARGEST_SHIFT, _LARGEST_SHIFT)
        shift = np.stack([projector @ each for projector, each in zip(projectors, shift, strict=True)])
        u_step = np.clip(step[3 * atoms : 4 * atoms], -0.03, 0.03)
        weights = model.weights
        if with_weights:
            w_step = step[4 * atoms : 5 * atoms]
            weights = np.clip(weights + np.clip(w_step, -0.4 * weights, 0.4 * weights), 0.02, 50)
        model = replace(
            model,
            positions=(model.positions + shift @ orth_inverse.T) % 1.0,
            u_iso=np.clip(model.u_iso + u_step, SMALLEST_U, LARGEST_U),
            weights=weights,
        )
    if best is None:
        raise ValueError(f"cycles = {cycles}: expected 0 or more")
    return best


def _factors(model: AtomModel, hkl: IntArray) -> FloatArray:
    """Form factor, displacement, weight and site of each atom, (reflections, atoms)."""
    quarter = inverse_d_squared(model.cell, hkl) / 4
    table = {int(z): _form_factor(int(z), quarter) for z in np.unique(model.numbers)}
    factors = np.stack([table[int(z)] for z in model.numbers], axis=1)
    site = model.weights * model.multiplicity / len(model.candidate.turns)
    return np.asarray(factors * np.exp(-EIGHT_PI_SQUARED * quarter[:, None] * model.u_iso) * site)


def _form_factor(number: int, quarter: FloatArray) -> FloatArray:
    a, b, c = _it92(number)
    return np.asarray((a * np.exp(-b * quarter[:, None])).sum(axis=1) + c)


@lru_cache(maxsize=128)
def _it92(number: int) -> tuple[FloatArray, FloatArray, float]:
    table = gemmi.Element(number).it92
    return np.array(table.a), np.array(table.b), float(table.c)


def _waves(model: AtomModel, hkl: IntArray, factors: FloatArray) -> ComplexArray:
    total = np.zeros(factors.shape, dtype=np.complex128)
    for turn, shift in zip(model.candidate.turns, model.candidate.shifts, strict=True):
        total += np.exp(2j * np.pi * ((hkl @ turn) @ model.positions.T + (hkl @ shift)[:, None]))
    return total * factors


def _waves_and_gradients(
    model: AtomModel, hkl: IntArray, orth_inverse: FloatArray
) -> tuple[ComplexArray, npt.NDArray[np.complex128]]:
    """The waves of each atom, and their derivatives by its place in Å, (3, reflections, atoms)."""
    factors = _factors(model, hkl)
    total = np.zeros(factors.shape, dtype=np.complex128)
    gradients = np.zeros((3, *factors.shape), dtype=np.complex128)
    for turn, shift in zip(model.candidate.turns, model.candidate.shifts, strict=True):
        turned = hkl @ turn
        wave = np.exp(2j * np.pi * (turned @ model.positions.T + (hkl @ shift)[:, None])) * factors
        total += wave
        along = 2j * np.pi * (turned @ orth_inverse)
        for axis in range(3):
            gradients[axis] += wave * along[:, axis, None]
    return total, gradients
