"""Atoms as peaks: their structure factors and a least-squares fit of places, displacements and weights to |F|."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve

from dsfu.model.problems.phases.crystal_data import CellNumbers, ComplexArray, FloatArray, IntArray
from dsfu.model.problems.phases.groups import CandidateGroup
from dsfu.simulate.form_factors import EIGHT_PI_SQUARED, it92
from dsfu.simulate.phases.atoms import inverse_d_squared, orthogonalisation

SMALLEST_U: Final = 0.002
LARGEST_U: Final = 0.35
_DAMPING: Final = 0.02
_LARGEST_SHIFT: Final = 0.25
"""Å in one cycle."""

_MERGE: Final = 0.6
"""Å: images of an atom nearer than this are one atom on a special position."""

_Waves32 = npt.NDArray[np.float32] | npt.NDArray[np.complex64]


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

    @property
    def coordinates(self) -> int:
        """How many coordinates symmetry leaves free: three of each atom on a general position."""
        return round(sum(float(np.trace(special(x, self.candidate, self.cell)[1])) for x in self.positions))


@dataclass(frozen=True, kw_only=True)
class ModelFit:
    """A model after some cycles, the scale that takes its |F| to the data's, and R1 = Σ||F_c| − |F_o|| / Σ|F_o|."""

    model: AtomModel
    scale: float
    r1: float


def special(position: FloatArray, candidate: CandidateGroup, cell: CellNumbers) -> tuple[FloatArray, FloatArray, int]:
    """A position moved onto the symmetry element it lies near, the projector of its shifts, and its multiplicity."""
    orth = orthogonalisation(cell)
    for _ in range(2):
        images = candidate.turns @ position + candidate.shifts
        # An inversion centre at ¼ ¼ 0 of a C lattice is one only together with the translation ½ ½ 0.
        apart = (images - position)[:, None, :] + candidate.lattice
        apart -= np.round(apart)
        near = np.linalg.norm(apart @ orth.T, axis=2) < _MERGE
        position = position + apart[near].mean(axis=0)
    by_turn = near.any(axis=1)
    return position % 1.0, candidate.turns[by_turn].mean(axis=0), len(candidate.turns) // int(by_turn.sum())


def structure_factors_of(model: AtomModel, hkl: IntArray) -> ComplexArray:
    """F of a model; translations of a centred lattice are left out, a factor that the scale takes."""
    return np.asarray(_waves(model, hkl, _factors(model, hkl)).sum(axis=1))


def squares_of_atoms(model: AtomModel, hkl: IntArray) -> FloatArray:
    """Σ f² over reflections of each atom and its equivalents: what it would scatter alone."""
    # Each site is repeated as often as operators leave it where it is.
    times = len(model.candidate.turns) ** 2 / model.multiplicity
    return np.asarray((_factors(model, hkl) ** 2).sum(axis=0) * times)


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
    orth = orthogonalisation(model.cell)
    orth_inverse: FloatArray = np.asarray(np.linalg.inv(orth), dtype=np.float64)
    quarter = inverse_d_squared(model.cell, hkl) / 4
    error = np.sqrt(sigma**2 + (0.03 * amplitude) ** 2 + (0.02 * amplitude.mean()) ** 2)
    placed = [special(x, model.candidate, model.cell) for x in model.positions]
    model = replace(
        model, positions=np.array([p[0] for p in placed]), multiplicity=np.array([p[2] for p in placed], dtype=np.int64)
    )
    # Shifts are refined in Å: O P O⁻¹ instead of P, which is for fractions.
    projectors = [orth @ p[1] @ orth_inverse for p in placed]
    best: ModelFit | None = None
    damping = _DAMPING
    for _ in range(cycles + 1):
        waves, gradients = _waves_and_gradients(model, hkl, orth_inverse)
        total = waves.sum(axis=1, dtype=np.complex128)
        size = np.maximum(np.abs(total), 1e-9)
        scale = float((amplitude * size / error**2).sum() / (size**2 / error**2).sum())
        residual = amplitude - scale * size
        r1 = float(np.abs(residual).sum() / amplitude.sum())
        if best is None or r1 < best.r1:
            best = ModelFit(model=model, scale=scale, r1=r1)
            damping = max(damping / 2, 1e-3)
        else:
            damping = min(damping * 4, 1.0)
        # ∂|F| = Re(F* ∂F) / |F|: by places in Å, by U (−8π² sin² θ / λ² times the wave), by weights; last by the scale.
        unit = (np.conj(total) / size).astype(np.complex64)
        unit = unit if np.iscomplexobj(waves) else unit.real
        columns = [(unit[:, None] * gradients[axis]).real for axis in range(3)]
        along = (unit[:, None] * waves).real
        columns.append(along * (-EIGHT_PI_SQUARED * quarter)[:, None].astype(np.float32))
        if with_weights:
            columns.append(along / np.maximum(model.weights, 1e-3).astype(np.float32))
        columns.append((size / scale)[:, None].astype(np.float32))
        jacobian = np.concatenate(columns, axis=1) * (scale / error)[:, None].astype(np.float32)
        normal = (jacobian.T @ jacobian).astype(np.float64)
        diagonal = np.diag(normal).copy()
        normal[np.diag_indices_from(normal)] += damping * diagonal + 1e-12 * diagonal.max()
        step = cho_solve(cho_factor(normal), jacobian.T @ (residual / error).astype(np.float32))
        model = _moved(model, step, projectors, orth_inverse)
    if best is None:
        raise ValueError(f"cycles = {cycles}: expected 0 or more")
    return best


def _moved(model: AtomModel, step: FloatArray, projectors: list[FloatArray], orth_inverse: FloatArray) -> AtomModel:
    """After a step (places in Å, displacements, weights if they are free, scale), no part of which may be large."""
    atoms = len(model.numbers)
    shift = np.clip(step[: 3 * atoms].reshape(3, atoms).T, -_LARGEST_SHIFT, _LARGEST_SHIFT)
    # An atom on a special position moves along what its site leaves free.
    shift = np.stack([projector @ each for projector, each in zip(projectors, shift, strict=True)])
    # No step beyond where the model is nearly linear: .03 Å² of U, two fifths of a weight.
    u_step = np.clip(step[3 * atoms : 4 * atoms], -0.03, 0.03)
    weights = model.weights
    if len(step) > 5 * atoms:
        w_step = step[4 * atoms : 5 * atoms]
        weights = np.clip(weights + np.clip(w_step, -0.4 * weights, 0.4 * weights), 0.02, 50)
    return replace(
        model,
        positions=(model.positions + shift @ orth_inverse.T) % 1.0,
        u_iso=np.clip(model.u_iso + u_step, SMALLEST_U, LARGEST_U),
        weights=weights,
    )


def _factors(model: AtomModel, hkl: IntArray) -> FloatArray:
    """Form factor, displacement, weight and site of each atom, (reflections, atoms)."""
    quarter = inverse_d_squared(model.cell, hkl) / 4
    table = {int(z): _form_factor(int(z), quarter) for z in np.unique(model.numbers)}
    factors = np.stack([table[int(z)] for z in model.numbers], axis=1)
    site = model.weights * model.multiplicity / len(model.candidate.turns)
    return np.asarray(factors * np.exp(-EIGHT_PI_SQUARED * quarter[:, None] * model.u_iso) * site)


def _form_factor(number: int, quarter: FloatArray) -> FloatArray:
    a, b, c = it92(number)
    return np.asarray((a * np.exp(-b * quarter[:, None])).sum(axis=1) + c)


def _waves(model: AtomModel, hkl: IntArray, factors: FloatArray) -> ComplexArray:
    cosine, sine = np.zeros(factors.shape), np.zeros(factors.shape)
    for turn, shift in zip(model.candidate.turns, model.candidate.shifts, strict=True):
        angle = _angles((hkl @ turn) @ model.positions.T + (hkl @ shift)[:, None])
        cosine += np.cos(angle)
        sine += np.sin(angle)
    return np.asarray((cosine + 1j * sine) * factors)


def _angles(turns: FloatArray) -> FloatArray:
    """2π times what is beyond whole turns, by `rint`: `%` would take longer than the cosines."""
    return np.asarray((turns - np.rint(turns)) * (2 * np.pi))


def _waves_and_gradients(model: AtomModel, hkl: IntArray, orth_inverse: FloatArray) -> tuple[_Waves32, _Waves32]:
    """The waves of each atom, and their derivatives by its place in Å, (3, reflections, atoms).

    Real where the group has its inversion centre at the origin, as each operator's mate adds the conjugate. In single
    precision: R1 and the steps need no more, and it is four times as fast.
    """
    turns, shifts, times = _half_of(model.candidate)
    factors = (times * _factors(model, hkl)).astype(np.float32)
    real, imaginary = np.zeros_like(factors), np.zeros_like(factors)
    by_real, by_imaginary = (np.zeros((3, *factors.shape), dtype=np.float32) for _ in range(2))
    for turn, shift in zip(turns, shifts, strict=True):
        # h·(R x + t) = (h R)·x + h·t, with the slope 2π (h R) O⁻¹ by Å.
        turned = hkl @ turn
        angle = _angles(turned @ model.positions.T + (hkl @ shift)[:, None]).astype(np.float32)
        cosine, sine = np.cos(angle) * factors, np.sin(angle) * factors
        along = (2 * np.pi * (turned @ orth_inverse)).astype(np.float32)
        real += cosine
        imaginary += sine
        for axis in range(3):
            by_real[axis] -= sine * along[:, axis, None]
            if times == 1:
                by_imaginary[axis] += cosine * along[:, axis, None]
    if times == 2:
        return real, by_real
    waves: npt.NDArray[np.complex64] = (real + 1j * imaginary).astype(np.complex64)
    gradients: npt.NDArray[np.complex64] = (by_real + 1j * by_imaginary).astype(np.complex64)
    return waves, gradients


def _half_of(candidate: CandidateGroup) -> tuple[IntArray, FloatArray, int]:
    """Operators, and 2 if each stands for itself and its product with an inversion centre at the origin, else 1."""
    turns, shifts = candidate.turns, candidate.shifts
    centres = (turns == -np.eye(3, dtype=int)).all(axis=(1, 2)) & (np.abs(shifts - np.round(shifts)) < 1e-6).all(axis=1)
    if not centres.any():
        return turns, shifts, 1
    proper = np.linalg.det(turns) > 0
    return turns[proper], shifts[proper], 2
