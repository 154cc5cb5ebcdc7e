"""The search: for each decorated structure type the cell whose lines agree best with the measured pattern."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from dsfu.model.problems.densities.metrics import cell_of, coefficients, metric_of, volumes
from dsfu.model.problems.densities.powder import Signal
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.densities.structure_types import StructureType
from dsfu.simulate.densities.substitutions import expected_volume, metallic_volume, scaled

LINES: Final = 45
"""Lines, counted from the lowest angle, that a search looks at. Chosen: later ones move with the slightest change."""

LENGTH_WINDOW: Final = (0.8, 1.17)
"""How long axes may be compared with what the atoms' volumes say: 98 % of 1112 computed crystals lie within."""

SHAPE_WINDOW: Final = 0.14
"""How far ratios of axes may differ from those of the type. Chosen."""

_MOST_TRIALS: Final = 6000

_WORTH: Final = 0.6
"""Cells that agree less than this share of the best so far are not improved. Chosen: improving adds a quarter or so."""


@dataclass(frozen=True, eq=False)
class Found:
    """A decorated type in the cell that was found for it, and the cosine of the patterns."""

    kind: StructureType
    cell: FloatArray
    cosine: float


@dataclass(frozen=True, eq=False)
class _Target:
    """The measured pattern as the kernel wants it."""

    start: float
    step: float
    values: FloatArray
    wavelength: float


def search(
    kinds: Sequence[StructureType], signal: Signal, wavelength: float, *, until: float = float("inf")
) -> tuple[list[Found], int]:
    """Types that have lines in the pattern, best first, and how many were tried until the clock (process_time) ends."""
    found, tried, best = [], 0, 0.0
    for kind in kinds:
        if tried and until < np.inf and time.process_time() > until:
            break
        tried += 1
        each = search_cell(kind, signal, wavelength, _WORTH * best)
        if each is not None:
            found.append(each)
            best = max(best, each.cosine)
    return sorted(found, key=lambda each: -each.cosine), tried


def search_cell(kind: StructureType, signal: Signal, wavelength: float, least: float = 0.0) -> Found | None:
    """The cell of one decorated type that agrees best; cells with a cosine below ``least`` are not improved."""
    from dsfu.simulate.densities.cell_trials import climb, cosines_of_metrics

    start = scaled(kind, metallic_volume(kind) or expected_volume(kind))
    system = kind.system
    table, weights, metric, last = _lines(start, system, wavelength, signal)
    if len(weights) < 2:
        return None
    target = _target(signal, last, wavelength)
    base = LENGTH_WINDOW[0] * 1.003 ** np.arange(int(np.log(LENGTH_WINDOW[1] / LENGTH_WINDOW[0]) / 0.003) + 1)
    trials = metric / base[:, None] ** 2
    if len(metric) in (2, 3, 4):
        trials = np.concatenate([trials, _assigned(table, weights, metric, system, signal, wavelength, last)])
    scores = np.empty(len(trials))
    cosines_of_metrics(table, weights, trials, wavelength, target.start, target.step, target.values, scores)
    top = int(np.nanargmax(scores))
    if scores[top] < least:
        cell = cell_of(trials[top], system)
        return None if cell is None else Found(kind, cell, float(scores[top]))
    best, best_score = trials[0], -1.0
    for each in _distinct(trials, scores, 10 if len(metric) > 1 else 5):
        improved = each.copy()
        reached = climb(table, weights, improved, wavelength, target.start, target.step, target.values, 0.003, 30)
        if reached > best_score and _sane(improved, metric, system):
            best, best_score = improved, reached
    cell = cell_of(best, system)
    return None if cell is None or best_score <= 0 else Found(kind, cell, best_score)


def _lines(
    kind: StructureType, system: str, wavelength: float, signal: Signal
) -> tuple[FloatArray, FloatArray, FloatArray, float]:
    """Coefficients and weights of the lines, the metric, and the last angle that the search looks at."""
    from dsfu.simulate.densities.pattern import lorentz_polarisation, reflections

    metric = metric_of(np.array(kind.cell), system)
    top = np.sin(np.radians(signal.two_theta[-1] / 2)) / wavelength
    # A sphere that holds some 45 lines: an estimate first, from the volume and the multiplicity of a general hkl.
    several = {"cubic": 48, "hexagonal": 24, "tetragonal": 16, "orthorhombic": 8, "triclinic": 2}.get(system, 4)
    sphere = (LINES * several * 1.6 / (4.19 * kind.volume)) ** (1 / 3) / 2
    s_max = float(min(top * 1.12, max(sphere * 1.3, 0.12), 1.5))
    found = reflections(kind.crystal(), s_max, wavelength=wavelength, b_iso=1.0)
    table = np.round(coefficients(found.hkl, system), 6)
    unique, which = np.unique(table, axis=0, return_inverse=True)
    weights = np.bincount(which.ravel(), found.square)
    squared = unique @ metric
    order = np.argsort(squared)
    unique, weights, squared = unique[order], weights[order], squared[order]
    theta = np.arcsin(np.clip(0.5 * wavelength * np.sqrt(squared), 0, 0.999))
    strength = weights * lorentz_polarisation(theta)
    seen = strength > 2e-3 * strength.max()
    unique, weights, squared = unique[seen], weights[seen], squared[seen]
    last = squared[min(LINES, len(squared)) - 1]
    angle = float(np.degrees(2 * np.arcsin(min(0.5 * wavelength * np.sqrt(last), 0.999))))
    near = squared <= last * 1.3
    return np.ascontiguousarray(unique[near]), weights[near], metric, min(max(angle, signal.two_theta[0] + 5), 178.0)


def _target(signal: Signal, last: float, wavelength: float) -> _Target:
    """Roots of the net signal in bins as wide as peaks, blurred by one bin, of norm 1."""
    step = max(0.8 * signal.fwhm, 0.07)
    start = float(signal.two_theta[0])
    within = signal.two_theta <= last
    where = ((signal.two_theta[within] - start) / step + 0.5).astype(np.int64)
    number = np.maximum(np.bincount(where), 1)
    mean = np.bincount(where, signal.net[within]) / number
    noise = np.bincount(where, signal.sigma[within]) / number / np.sqrt(number)
    values = np.sqrt(np.maximum(mean - 1.5 * noise, 0))
    values /= max(float(np.linalg.norm(values)), 1e-12)
    return _Target(start, step, np.convolve(values, (0.45, 1, 0.45), "same"), wavelength)


def _assigned(
    table: FloatArray,
    weights: FloatArray,
    metric: FloatArray,
    system: str,
    signal: Signal,
    wavelength: float,
    last: float,
) -> FloatArray:
    """Metrics that put the strongest lines onto measured peaks, in all ways within the windows."""
    size = len(metric)
    keep = np.argsort(-signal.peak_heights)[:45]
    angles = np.sort(signal.peak_angles[keep])
    measured = (2 * np.sin(np.radians(angles[angles <= last + 2] / 2)) / wavelength) ** 2
    squared = table @ metric
    strength = weights / np.maximum(squared, 1e-6)
    strongest = np.argsort(-strength)[:9]
    sets = []
    for chosen in combinations(strongest, size):
        if abs(np.linalg.det(table[list(chosen)])) > 1e-6:
            sets.append(chosen)
        if len(sets) == (8 if size < 4 else 4):
            break
    several = {2: 12, 3: 9, 4: 7}[size]
    out = []
    for chosen in sets:
        lists = []
        for line in chosen:
            ratio = measured / squared[line]
            near = measured[(ratio > LENGTH_WINDOW[1] ** -2.4) & (ratio < LENGTH_WINDOW[0] ** -2.4)]
            closest = np.argsort(np.abs(np.log(near / squared[line]) + 0.05))[:several]
            lists.append(near[closest])
        if all(len(each) for each in lists):
            # 1/d² is linear in the metric: as many lines on peaks as there are parameters, and the cell follows.
            right = np.stack(np.meshgrid(*lists, indexing="ij"), -1).reshape(-1, size)
            out.append(np.linalg.solve(table[list(chosen)], right.T).T)
    if not out:
        return np.empty((0, size))
    trials = np.concatenate(out)
    return np.asarray(trials[_window(trials, metric, system)][:_MOST_TRIALS])


def _window(trials: FloatArray, metric: FloatArray, system: str) -> FloatArray:
    """Which metrics are cells of about the size and shape of the expected one."""
    with np.errstate(invalid="ignore", divide="ignore"):
        size = (volumes(trials, system) / volumes(metric[None], system)) ** (1 / 3)
        good = (size > LENGTH_WINDOW[0]) & (size < LENGTH_WINDOW[1])
        diagonal = min(len(metric), 3) if system != "rhombohedral" else 1
        ratio = np.sqrt(metric[:diagonal] / trials[:, :diagonal]) / size[:, None]
        good &= (np.abs(np.log(ratio)) < SHAPE_WINDOW).all(axis=1)
        if system.startswith("monoclinic"):
            first, second = {"a": (1, 2), "b": (0, 2), "c": (0, 1)}[system[-1]]
            cosine = trials[:, 3] / np.sqrt(trials[:, first] * trials[:, second])
            before = metric[3] / np.sqrt(metric[first] * metric[second])
            good &= np.abs(cosine - before) < 0.12
    return np.asarray(good)


def _sane(trial: FloatArray, metric: FloatArray, system: str) -> bool:
    with np.errstate(invalid="ignore"):
        size = (volumes(trial[None], system)[0] / volumes(metric[None], system)[0]) ** (1 / 3)
    return bool(LENGTH_WINDOW[0] * 0.97 < size < LENGTH_WINDOW[1] * 1.03)


def _distinct(trials: FloatArray, scores: FloatArray, most: int) -> list[FloatArray]:
    """The best of the trials, no two nearly the same."""
    chosen: list[FloatArray] = []
    for i in np.argsort(-scores)[: 40 * most]:
        near = any(np.abs(trials[i] / each - 1).max() < 4e-3 for each in chosen if (each != 0).all())
        if np.isfinite(scores[i]) and not near:
            chosen.append(trials[i])
        if len(chosen) == most:
            break
    return chosen
