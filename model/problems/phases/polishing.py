"""From a symmetrised map to atoms and back: Fourier recycling with least squares, so that phases are those of atoms."""

from dataclasses import dataclass, replace
from typing import Final

import gemmi
import numpy as np

from dsfu.model.problems.phases.atom_model import LARGEST_U, AtomModel, ModelFit, refine, structure_factors_of
from dsfu.model.problems.phases.crystal_data import ComplexArray, FloatArray, IntArray
from dsfu.model.problems.phases.elements import (
    STAND_INS,
    VOLUME_PER_ATOM,
    assigned,
    commonest,
    doubtful_pairs,
    heavy_atoms,
    nearest_element,
    per_height,
    with_stand_ins,
)
from dsfu.model.problems.phases.groups import CandidateGroup, absent_by
from dsfu.model.problems.phases.merging import MergedData, grid_shape, waves_to_map
from dsfu.model.problems.phases.peaks import find_peaks

_SPARE: Final = 1.15
_START_U: Final = 0.04
_ROUNDS: Final = 4
_LIGHTEST: Final = 2.2
"""Electrons: what a peak must at least have to be more than noise or a hydrogen atom."""

_MOST_ATOMS: Final = 400
_EXCHANGES: Final = 6
"""Exchanges of elements in vain after which no more are tried, for time."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Polished:
    """Atoms with their fit, and whether elements were told by a formula."""

    fit: ModelFit
    named: bool


def polish(
    data: MergedData, candidate: CandidateGroup, density: FloatArray, formula: dict[str, float]
) -> Polished | None:
    """Atoms of a map on the group's origin; None if there are no peaks."""
    allowed = ~absent_by(data.hkl, candidate.turns, candidate.shifts)
    hkl, amplitude, sigma = data.hkl[allowed], data.amplitude[allowed], data.sigma[allowed]
    volume = gemmi.UnitCell(*data.cell).volume
    points = len(candidate.lattice)
    known = heavy_atoms(formula, volume)
    expected = _SPARE * (sum(known.values()) if known else volume / VOLUME_PER_ATOM)
    most = expected if known else np.inf
    peaks = find_peaks(density, candidate, data.cell, atoms_in_cell=expected, most=most)
    if not len(peaks.heights) or len(peaks.heights) > _MOST_ATOMS:
        return None
    model = _first_model(peaks.positions, peaks.heights, peaks.multiplicity, known, candidate, data)
    # Places, a displacement and a weight of each atom want five reflections apiece; with fewer weights stay.
    few = len(hkl) < 5 * (model.coordinates + 2 * len(model.numbers))
    fit = refine(model, hkl, amplitude, sigma, cycles=4, with_weights=not few)
    for _ in range(_ROUNDS):
        model = _pruned(fit.model, known, points)
        if not len(model.numbers):
            return None
        waves = structure_factors_of(model, hkl)
        # F_obs − F_calc, both with the phase of the model, which is all the phase there is.
        difference = (amplitude - fit.scale * np.abs(waves)) * np.exp(1j * np.angle(waves))
        there = float(model.multiplicity.sum() * points)
        if there < expected:
            room = (expected - there, most - there)
            model = _with_more(model, data, hkl, difference / fit.scale, room, points, known)
        trial = refine(model, hkl, amplitude, sigma, cycles=5, with_weights=not few)
        done = trial.r1 > 0.995 * fit.r1
        if trial.r1 < fit.r1 or len(trial.model.numbers) < len(fit.model.numbers):
            fit = trial
        if done:
            break
    pruned = _pruned(fit.model, known, points)
    if not len(pruned.numbers):
        return None
    named = assigned(pruned, known, points)
    if named is not None:
        trial = refine(named, hkl, amplitude, sigma, cycles=8, with_weights=False)
        if trial.r1 < fit.r1 * 1.15 + 0.01:
            return Polished(fit=exchanged(trial, hkl, amplitude, sigma), named=True)
    if not known:
        pruned = with_stand_ins(pruned)
    return Polished(fit=refine(pruned, hkl, amplitude, sigma, cycles=6, with_weights=not few), named=False)


def exchanged(fit: ModelFit, hkl: IntArray, amplitude: FloatArray, sigma: FloatArray) -> ModelFit:
    """Elements of two atoms exchanged as long as R1 becomes lower: hydrogen makes CH look like N."""
    failed: set[tuple[int, int]] = set()
    pairs = _doubtful_pairs_of(fit, hkl, amplitude, sigma)
    while len(failed) < _EXCHANGES:
        pair = next((each for each in pairs if each not in failed), None)
        if pair is None:
            break
        numbers = fit.model.numbers.copy()
        numbers[list(pair)] = numbers[list(pair[::-1])]
        trial = refine(replace(fit.model, numbers=numbers), hkl, amplitude, sigma, cycles=5, with_weights=False)
        if trial.r1 < fit.r1:
            fit, pairs = trial, _doubtful_pairs_of(trial, hkl, amplitude, sigma)
        else:
            failed.add(pair)
    return fit


def _doubtful_pairs_of(fit: ModelFit, hkl: IntArray, amplitude: FloatArray, sigma: FloatArray) -> list[tuple[int, int]]:
    return doubtful_pairs(refine(fit.model, hkl, amplitude, sigma, cycles=3, with_weights=True).model)


def whole_sphere(
    data: MergedData, candidate: CandidateGroup, phases: ComplexArray, *, scale: float, fill: bool
) -> tuple[IntArray, ComplexArray]:
    """Measured |F| with the phases of a model, written out over the group; the rest of the sphere from the model.

    ``phases`` are F of the model at the indices of `sphere_indices`.
    """
    hkl = sphere_indices(data)
    measured = _measured(data, hkl)
    absent = absent_by(hkl, candidate.turns, candidate.shifts)
    size = np.abs(phases)
    unit = np.where(size > 0, phases / np.maximum(size, 1e-30), 0)
    # Without the rest of the sphere its absence would be a ripple; the model knows it better than 0 does.
    waves = np.where(np.isfinite(measured), np.nan_to_num(measured) * unit, scale * phases if fill else 0)
    waves[absent] = 0
    return hkl, waves


def sphere_indices(data: MergedData) -> IntArray:
    """All indices up to the smallest d but 000, both of each pair ±h, those that the lattice forbids left out."""
    from dsfu.model.problems.phases.laue import forbidden_by
    from dsfu.model.problems.phases.merging import half_indices, half_sphere_s_squared

    shape = grid_shape(data.cell, data.d_min)
    half = half_indices(shape).reshape(-1, 3)
    s_squared = half_sphere_s_squared(data.cell, shape).reshape(-1)
    inside = (s_squared > 0) & (s_squared <= 1 / data.d_min**2 * (1 + 1e-6)) & ~forbidden_by(data.laue.centring, half)
    inside &= (2 * np.abs(half) < np.array(shape)).all(axis=1)
    half = half[inside]
    return np.concatenate([half, -half[half[:, 2] > 0]])


def density_on_grid(data: MergedData, hkl: IntArray, waves: ComplexArray, *, per_d: float = 4.0) -> FloatArray:
    """The map of F over the sphere, fine enough to see peaks."""
    return waves_to_map(hkl, waves, grid_shape(data.cell, data.d_min, per_d=per_d))


def _measured(data: MergedData, hkl: IntArray) -> FloatArray:
    """|F| of each index, NaN where no equivalent was measured."""
    from dsfu.model.problems.phases.laue import canonical

    keys = canonical(hkl, data.laue.rotations)
    both = np.concatenate([data.hkl, keys])
    _, inverse = np.unique(both, axis=0, return_inverse=True)
    inverse = inverse.reshape(-1)
    values = np.full(inverse.max() + 1, np.nan)
    values[inverse[: len(data.hkl)]] = data.amplitude
    return np.asarray(values[inverse[len(data.hkl) :]])


def _first_model(
    positions: FloatArray,
    heights: FloatArray,
    multiplicity: IntArray,
    known: dict[int, float],
    candidate: CandidateGroup,
    data: MergedData,
) -> AtomModel:
    """Peaks as atoms, their elements by their height."""
    electrons = heights * per_height(heights, multiplicity * len(candidate.lattice), known)
    numbers = nearest_element(electrons, sorted(known) if known else STAND_INS)
    return AtomModel(
        positions=positions,
        numbers=numbers,
        weights=np.clip(electrons / numbers, 0.3, 20.0),
        u_iso=np.full(len(heights), _START_U),
        multiplicity=multiplicity,
        candidate=candidate,
        cell=data.cell,
    )


def _pruned(model: AtomModel, known: dict[int, float], points: int) -> AtomModel:
    electrons = model.electrons
    common, typical = _common_atom(model, known, points)
    keep = (electrons > _LIGHTEST / common * typical) & (model.u_iso < 0.9 * LARGEST_U)
    # Narrow in U and light at once, or wide: noise. A true light atom has the displacement of its neighbours.
    keep &= ~((electrons < 0.55 * typical) & (model.u_iso > 2.5 * np.median(model.u_iso) + 0.02))
    return _subset(model, keep)


def _common_atom(model: AtomModel, known: dict[int, float], points: int) -> tuple[int, float]:
    """The commonest element (carbon without a formula), and how many electrons of the model's scale it has."""
    common = commonest(known)
    among_heavy = float(np.quantile(model.electrons, 0.3))
    by_formula = common / per_height(model.electrons, model.multiplicity * points, known)
    return common, min(among_heavy, by_formula)


def _subset(model: AtomModel, keep: np.ndarray) -> AtomModel:
    return replace(
        model,
        positions=model.positions[keep],
        numbers=model.numbers[keep],
        weights=model.weights[keep],
        u_iso=model.u_iso[keep],
        multiplicity=model.multiplicity[keep],
    )


def _with_more(
    model: AtomModel,
    data: MergedData,
    hkl: IntArray,
    difference: ComplexArray,
    room: tuple[float, float],
    points: int,
    known: dict[int, float],
) -> AtomModel:
    """Peaks of the difference map in the room that is left."""
    waves_hkl, waves = expanded(hkl, difference, model.candidate)
    density = density_on_grid(data, waves_hkl, waves)
    wanted, most = room
    peaks = find_peaks(
        density, model.candidate, data.cell, atoms_in_cell=wanted, most=most, least=4.5, avoid=model.positions
    )
    if not len(peaks.heights):
        return model
    common, electrons = _common_atom(model, known, points)
    count = len(peaks.heights)
    return replace(
        model,
        positions=np.concatenate([model.positions, peaks.positions]),
        numbers=np.concatenate([model.numbers, np.full(count, common)]),
        weights=np.concatenate([model.weights, np.full(count, 0.6 * electrons / common)]),
        u_iso=np.concatenate([model.u_iso, np.full(count, float(np.median(model.u_iso)))]),
        multiplicity=np.concatenate([model.multiplicity, peaks.multiplicity]),
    )


def expanded(hkl: IntArray, waves: ComplexArray, candidate: CandidateGroup) -> tuple[IntArray, ComplexArray]:
    """All equivalents of some F, and their Friedel mates: F(hR) = F(h) exp(−2πi h·t)."""
    every, values = [], []
    for turn, shift in zip(candidate.turns, candidate.shifts, strict=True):
        image, value = hkl @ turn, waves * np.exp(-2j * np.pi * (hkl @ shift))
        every += [image, -image]
        values += [value, np.conj(value)]
    return np.concatenate(every), np.concatenate(values)
