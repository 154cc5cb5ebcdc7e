"""α of a volume by shell: averaged over the Laue class with their covariance, and as sums where only sums are known."""

from typing import Final

import numpy as np
import scipy.linalg as linalg

from dsfu.model.measured.order.result import Shell, SroRefinement, as_vector
from dsfu.model.measured.symmetry.groups import laue_operators
from dsfu.model.measured.volume.solve import VolumeSolution
from dsfu.model.measured.volume.verdict import VolumeVerdict
from dsfu.simulate.arrays import FloatArray, IntArray
from dsfu.simulate.lattice import Cell

DETERMINED: Final = 0.1
"""Largest standard uncertainty of an α that is given a number: a third of what the prior alone leaves."""

_FLAT: Final = 0.5
"""An index that spans less than this cannot tell vectors apart that differ along its axis."""


def order_of(solution: VolumeSolution, symmetry: str = "-1", verdict: VolumeVerdict | None = None) -> SroRefinement:
    """Refined parameters by shell."""
    cell = solution.fit.voxels.cell
    flat = np.flatnonzero(solution.fit.voxels.ranges() < _FLAT)
    notes: list[str] = []
    if verdict is not None and verdict.judgement == "contradicts":
        notes.append(f"DO NOT RELY ON THESE VALUES. {verdict.sentence}")
    elif verdict is not None and verdict.judgement == "not judged":
        notes.append(verdict.sentence)
    if not solution.scale_known:
        notes.append(
            "These data hardly tell I_FF from a background that falls off like it, so that all α share the uncertainty "
            "of their scale; the standard uncertainties contain it, those of ratios of α are much smaller. A known "
            "background helps: subtract it and use --no-background."
        )
    if len(flat):
        return _sums(solution, cell, flat, notes)
    return _by_symmetry(solution, cell, symmetry, notes)


def _by_symmetry(solution: VolumeSolution, cell: Cell, symmetry: str, notes: list[str]) -> SroRefinement:
    """Means over orbits, weighted by the whole covariance."""
    group = laue_operators(symmetry, cell)
    orbit, members = _orbits(solution.vectors, group)
    averages = np.zeros((len(solution.vectors), len(members)))
    averages[np.arange(len(orbit)), orbit] = 1.0
    factor = linalg.cho_factor(solution.covariance, lower=True)
    precision = averages.T @ linalg.cho_solve(factor, averages)
    covariance = np.asarray(linalg.inv(precision))
    values = covariance @ (averages.T @ linalg.cho_solve(factor, solution.alpha))
    rest = solution.alpha - averages @ values
    freedom = len(orbit) - len(members)
    asymmetry = float(rest @ linalg.cho_solve(factor, rest)) / freedom if freedom else None
    deviations = np.sqrt(np.diag(covariance))
    lengths = np.array([np.linalg.norm(each[0] @ cell.vectors) for each in members])
    names = np.array([_name(each) for each in members])
    sequence = sorted(
        range(len(members)), key=lambda i: (round(float(lengths[i]), 6), -names[i][0], *names[i][1:].tolist())
    )
    known = [i for i in sequence if deviations[i] <= DETERMINED]
    if len(known) < len(members):
        notes.append(
            f"{len(members) - len(known)} of {len(members)} parameters are not given: the data leave them a standard "
            f"uncertainty above {DETERMINED}."
        )
    if asymmetry is not None and asymmetry > 1.5:
        notes.append(
            f"Equivalent vectors differ, χ² per degree of freedom {asymmetry:.2f}: is the Laue class {symmetry} right?"
        )
    over = [i for i in known if abs(values[i]) > 1 + 2 * deviations[i]]
    if over:
        notes.append(f"{len(over)} values are beyond ±1, which no crystal can have: the model or the scale is wrong.")
    shells = tuple(
        Shell(
            vector=as_vector(names[i]),
            length_angstrom=float(lengths[i]),
            multiplicity=len(members[i]),
            alpha=float(values[i]),
            uncertainty=float(deviations[i]),
        )
        for i in known
    )
    return SroRefinement(
        source="volume",
        cell=cell,
        symmetry=symmetry,
        shells=shells,
        members=tuple(members[i] for i in known),
        covariance=covariance[np.ix_(known, known)],
        asymmetry=asymmetry,
        notes=tuple(notes),
    )


def _orbits(vectors: IntArray, group: IntArray) -> tuple[IntArray, list[IntArray]]:
    """The orbit of each vector, and all members of each orbit."""
    number: dict[tuple[int, ...], int] = {}
    members: list[IntArray] = []
    orbit = np.empty(len(vectors), np.int64)
    for index, vector in enumerate(vectors):
        key = tuple(vector.tolist())
        if key not in number:
            images = np.unique(np.concatenate([group @ vector, -(group @ vector)]), axis=0)
            number |= {tuple(each): len(members) for each in images.tolist()}
            members.append(images)
        orbit[index] = number[key]
    return orbit, members


def _name(orbit: IntArray) -> list[int]:
    """Without minus signs if there is such a vector; of those the largest u, then the smallest indices."""
    return max(orbit.tolist(), key=lambda v: (min(v) >= 0, v[0], -sum(map(abs, v)), v))


def _sums(solution: VolumeSolution, cell: Cell, flat: IntArray, notes: list[str]) -> SroRefinement:
    """Σ α cos(2π h·v) over vectors that differ along axes of which the data span too little."""
    axes = solution.fit.voxels.axes
    at = [float(axes[i].mean()) for i in flat]
    rest = [i for i in range(3) if i not in flat]
    classes: dict[tuple[int, ...], list[tuple[int, float]]] = {}
    for index, vector in enumerate(solution.vectors):
        key = vector[rest]
        sign = -1 if tuple(key) < tuple(-key) else 1
        phase = 2 * np.pi * sum(vector[i] * h for i, h in zip(flat, at, strict=True))
        classes.setdefault(tuple((sign * key).tolist()), []).append((index, float(np.cos(phase))))
    rows: list[FloatArray] = []
    kept: list[tuple[tuple[int, ...], list[tuple[int, float]]]] = []
    for key, parts in classes.items():
        if not any(key):
            continue
        row = np.zeros(len(solution.vectors))
        for index, factor in parts:
            row[index] = factor
        rows.append(row)
        kept.append((key, parts))
    transform = np.array(rows)
    values, covariance = transform @ solution.alpha, transform @ solution.covariance @ transform.T
    deviations = np.sqrt(np.diag(covariance))
    names = np.zeros((len(kept), 3), np.int64)
    names[:, rest] = [key for key, _ in kept]
    lengths = np.linalg.norm(names @ cell.vectors, axis=1)
    known = [i for i in np.argsort(lengths, kind="stable") if deviations[i] <= DETERMINED]
    letters = ", ".join("hkl"[i] for i in flat)
    notes.append(
        f"The data span less than {_FLAT} along {letters}: what is given are sums over vectors that differ along it, "
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
                (as_vector(solution.vectors[index]), factor)
                for index, factor in kept[i][1]
                if abs(factor) > 1e-9 and as_vector(solution.vectors[index]) != as_vector(names[i])
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
