"""α of a volume by shell, and as sums where the data know only sums."""

from typing import Final

import numpy as np

from dsfu.model.measured.order.result import WARNED, Shell, SroRefinement, Vector, as_vector
from dsfu.model.measured.volume.look_ahead import FLAT, LEAST_CELLS
from dsfu.model.measured.volume.merging import sentences_of_merging
from dsfu.model.measured.volume.settings import FARTHEST
from dsfu.model.measured.volume.softness import soft_combination
from dsfu.model.measured.volume.solve import STRETCH_REFUSED, VolumeSolution
from dsfu.model.measured.volume.terms import OrderTerms, period_of
from dsfu.model.measured.volume.verdict import VolumeVerdict
from dsfu.simulate.arrays import FloatArray, IntArray
from dsfu.simulate.lattice import Cell

DETERMINED: Final = 0.1
"""Largest standard uncertainty of an α that is given a number: a third of what the prior alone leaves."""


def order_of(solution: VolumeSolution, verdict: VolumeVerdict | None = None) -> SroRefinement:
    """Refined parameters by shell."""
    cell = solution.fit.voxels.cell
    axes = solution.voxels.axes
    spans = solution.voxels.ranges()
    flat = np.array([i for i in range(3) if spans[i] < FLAT and period_of(axes[i]) != 1], np.int64)
    notes: list[str] = []
    if verdict is not None and verdict.judgement == "contradicts":
        notes.append(f"{WARNED} {verdict.sentence}")
    elif verdict is not None and verdict.judgement == "not judged":
        notes.append(verdict.sentence)
    notes += sentences_of_merging(solution.reconstruction)
    if solution.far is not None:
        notes.append(solution.far.sentence(solution.cutoff))
    if solution.stretch is not None:
        notes.append(solution.stretch.sentence())
    if solution.stretch_refused:
        notes.append(STRETCH_REFUSED)
    shared = solution.voxels.noise_sentence()
    if shared:
        notes.append(shared)
    if not solution.scale_known:
        notes.append(
            "These data hardly tell I_FF from a background that falls off like it, so that all α share the uncertainty "
            "of their scale; the standard uncertainties contain it, those of ratios of α are much smaller. A known "
            "background helps: subtract it and use --no-background."
        )
    background = solution.background
    if solution.scale_known and background is not None and background.confused:
        notes.append(background.sentence())
    if len(flat):
        return _sums(solution, cell, flat, notes)
    return _by_shell(solution, cell, notes)


def _by_shell(solution: VolumeSolution, cell: Cell, notes: list[str]) -> SroRefinement:
    terms, symmetry = solution.terms, solution.settings.laue
    members = terms.members()
    deviations = np.sqrt(np.diag(solution.covariance))
    lengths = np.array([np.linalg.norm(each[0] @ cell.vectors) for each in members])
    names = np.array([_name(each) for each in members])
    sequence = sorted(
        range(len(members)), key=lambda i: (round(float(lengths[i]), 6), -names[i][0], *names[i][1:].tolist())
    )
    known = [i for i in sequence if deviations[i] <= DETERMINED] if _settled(solution) else []
    notes += _remarks(solution, known, len(members))
    soft = soft_combination(solution.covariance[np.ix_(known, known)])
    if soft is not None:
        notes.append(soft.text([" ".join(map(str, names[i])) for i in known]))
    together = _together(terms, names)
    shells = tuple(
        Shell(
            vector=as_vector(names[i]),
            length_angstrom=float(lengths[i]),
            multiplicity=len(members[i]),
            alpha=float(solution.alpha[i]),
            uncertainty=float(deviations[i]),
            together_with=together[i],
        )
        for i in known
    )
    return SroRefinement(
        source="volume",
        cell=cell,
        symmetry=symmetry,
        shells=shells,
        members=tuple(members[i] for i in known),
        covariance=solution.covariance[np.ix_(known, known)],
        asymmetry=solution.asymmetry,
        notes=tuple(notes),
    )


def _settled(solution: VolumeSolution) -> bool:
    """Whether a small volume gave one answer: others are judged by their residuals."""
    return solution.fit.converged or solution.voxels.cells_measured() >= LEAST_CELLS


def _together(terms: OrderTerms, names: IntArray) -> list[tuple[tuple[Vector, float], ...]]:
    """What the grid cannot tell from each named vector."""
    place = {tuple(v): i for i, v in enumerate(terms.vectors.tolist())}
    found = []
    for name in names.tolist():
        index = place.get(tuple(name), -1)
        sign = 1 if index >= 0 else -1
        index = index if index >= 0 else place[tuple(-x for x in name)]
        found.append(tuple((as_vector(sign * each), 1.0) for each in terms.together[index][1:]))
    return found


def _remarks(solution: VolumeSolution, known: list[int], count: int) -> list[str]:
    notes = []
    terms = solution.terms
    joined = [
        f"{letter} takes values for which {axis} and {axis} ± {period_of(values)} are the same"
        for letter, axis, values in zip("hkl", "uvw", solution.voxels.axes, strict=True)
        if 0 < period_of(values) <= 2 * solution.cutoff
    ]
    if joined and any(len(each) > 1 for each in terms.together):
        notes.append(
            f"On these data {' and '.join(joined)}: what is given are sums over such vectors, as listed (Σ). "
            "With --no-order-along they are α, if there is no order along that axis."
        )
    if len(terms.at_origin):
        u, v, w = terms.at_origin[0]
        notes.append(f"All values are relative to 1 + the sum of α that look like the origin's, as of {u} {v} {w}.")
    if not _settled(solution):
        notes.append("No values are given: the fit of so few reciprocal cells did not settle.")
    elif len(known) < count:
        notes.append(
            f"{count - len(known)} of {count} parameters are not given: the data leave them a standard "
            f"uncertainty above {DETERMINED}."
        )
    asymmetry = solution.asymmetry
    if asymmetry is not None and asymmetry > 1.5:
        notes.append(
            f"Equivalent vectors differ, χ² per degree of freedom {asymmetry:.2f}: is the Laue class "
            f"{solution.settings.laue} right?"
        )
    values, deviations = solution.alpha[known], np.sqrt(np.diag(solution.covariance)[known])
    over = int((np.abs(values) > 1 + 2 * deviations).sum())
    if over and not any(len(each) > 1 for each in terms.together):
        notes.append(f"{over} values are beyond ±1, which no crystal can have: the model or the scale is wrong.")
    if not solution.cutoff_enough:
        cutoff = solution.settings.cutoff or FARTHEST
        notes.append(f"The order reaches beyond what was fitted, {cutoff} cells: try a larger --cutoff.")
    elif solution.settings.cutoff is None:
        notes.append(f"α up to {solution.cutoff} cells: the data ask for no more.")
    return notes


def _name(orbit: IntArray) -> list[int]:
    """Without minus signs if there is such a vector; of those the largest u, then the smallest indices."""
    return max(orbit.tolist(), key=lambda v: (min(v) >= 0, v[0], -sum(map(abs, v)), v))


def _sums(solution: VolumeSolution, cell: Cell, flat: IntArray, notes: list[str]) -> SroRefinement:
    """Σ α cos(2π h·v) over vectors that differ along axes of which the data span too little."""
    names, transform, kept = _combinations(solution, flat)
    values, covariance = transform @ solution.alpha, transform @ solution.covariance @ transform.T
    deviations = np.sqrt(np.diag(covariance))
    lengths = np.linalg.norm(names @ cell.vectors, axis=1)
    known = [i for i in np.argsort(lengths, kind="stable") if deviations[i] <= DETERMINED]
    letters = ", ".join("hkl"[i] for i in flat)
    notes.append(
        f"The data span less than {FLAT} along {letters}: what is given are sums over vectors that differ along it, "
        "as listed, and the scale that α at the origin sets is not known. A thicker slab or a volume separates them."
    )
    if len(known) < len(kept):
        notes.append(f"{len(kept) - len(known)} of {len(kept)} sums are not given: not determined.")
    shells = tuple(
        Shell(
            vector=as_vector(names[i]),
            length_angstrom=float(lengths[i]),
            multiplicity=2,
            alpha=float(values[i]),
            uncertainty=float(deviations[i]),
            together_with=tuple(
                (as_vector(vector), factor)
                for index, factor in kept[i]
                for vector in solution.terms.together[index]
                if abs(factor) > 1e-9 and as_vector(vector) != as_vector(names[i])
            ),
        )
        for i in known
    )
    return SroRefinement(
        source="volume",
        cell=cell,
        symmetry="-1",
        shells=shells,
        members=tuple(np.array([names[i], -names[i]]) for i in known),
        covariance=covariance[np.ix_(known, known)],
        notes=tuple(notes),
    )


def _combinations(
    solution: VolumeSolution, flat: IntArray
) -> tuple[IntArray, FloatArray, list[list[tuple[int, float]]]]:
    """Sums over vectors that differ along the flat axes alone: their names, what α make of them, and their parts.

    A part is the number of a parameter and its factor.
    """
    axes = solution.fit.voxels.axes
    at = [float(axes[i].mean()) for i in flat]
    rest = [i for i in range(3) if i not in flat]
    classes: dict[tuple[int, ...], list[tuple[int, float]]] = {}
    for index, vector in enumerate(solution.terms.vectors):
        key = vector[rest]
        sign = -1 if tuple(key) < tuple(-key) else 1
        # Where h hardly varies, cos 2π(hu + kv) is cos 2πhu times cos 2πkv once u and −u are added.
        phase = 2 * np.pi * sum(vector[i] * h for i, h in zip(flat, at, strict=True))
        classes.setdefault(tuple((sign * key).tolist()), []).append((index, float(np.cos(phase))))
    kept = {key: parts for key, parts in classes.items() if any(key)}
    transform = np.zeros((len(kept), len(solution.terms)))
    for row, parts in zip(transform, kept.values(), strict=True):
        for index, factor in parts:
            row[index] += factor
    names = np.zeros((len(kept), 3), np.int64)
    names[:, rest] = np.array(list(kept)).reshape(len(kept), len(rest))
    return names, transform, list(kept.values())
