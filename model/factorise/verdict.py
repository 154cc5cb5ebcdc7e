"""Whether data can be taken for a product of two factors at all, and if not, what speaks against it.

All checks look at what neighbouring pixels have in common, so that noise does not count: a noisy plane of the right
kind passes, and a clean one of the wrong kind does not. Limits are from planes simulated with and without what breaks
the assumptions; tests/benchmarks/verdict.py has the distributions.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from dsfu.model.factorise.factors import Check, Factors, PlaneFactors, Verdict
from dsfu.model.solver.noise import structured_misfit
from dsfu.simulate.contract import BoolArray, FloatArray

MISFIT_LIMIT: Final = 0.01
PERIODICITY_LIMIT: Final = 0.15
GROWTH_LIMIT: Final = 0.05
STRETCH_LIMIT: Final = 0.008
SPREAD_LIMIT: Final = 0.25

_WEAK: Final = 0.05
"""Share of the largest form factor below which I_D / I_FF is not looked at."""

_SHORTEST: Final = 4
"""So many lattice vectors, the shortest ones, are looked at for an order that grows with Q."""


def judge(factors: Factors) -> Verdict:
    """All checks that the method allows."""
    checks = [_of_misfit(factors.planes)]
    with_lattice = [plane for plane in factors.planes if plane.cell is not None]
    if with_lattice:
        checks += [_of_periodicity(with_lattice), _of_growth(with_lattice)]
    if factors.axis_scales is not None:
        checks.append(_of_stretch(factors.axis_scales))
    if factors.method == "network":
        checks.append(_of_spread(factors.planes))
    return Verdict(checks=tuple(checks))


def _check(name: str, value: float, limit: float, meaning: str) -> Check:
    return Check(name=name, value=value, limit=limit, passed=bool(value <= limit), meaning=meaning)


def _of_misfit(planes: Sequence[PlaneFactors]) -> Check:
    return _check(
        "what the product cannot explain",
        max(_structured(plane) for plane in planes),
        MISFIT_LIMIT,
        "no product of a form factor and an order on this lattice explains them (several disordered sites, "
        "displacements, Bragg peaks that were left in, or another lattice)",
    )


def _structured(plane: PlaneFactors) -> float:
    """Root mean square of what √I lacks, relative to the brightest, as far as neighbours share it."""
    scale = float(np.quantile(plane.measured.intensity[plane.live], 0.999)) if plane.live.any() else 1.0
    scale = scale if scale > 0 else 1.0
    difference, model = (np.asarray(each / scale, np.float64) for each in (plane.difference, plane.model))
    return structured_misfit(difference, model, plane.live)


def _of_periodicity(planes: Sequence[PlaneFactors]) -> Check:
    return _check(
        "what of I_D / I_FF is not periodic",
        max(_not_periodic(plane) for plane in planes),
        PERIODICITY_LIMIT,
        "their ratio to the form factor does not repeat from one reciprocal cell to the next",
    )


def _not_periodic(plane: PlaneFactors) -> float:
    ratio, used = _ratio(plane)
    if not used.any():
        return 0.0
    left = np.where(used, ratio - plane.sro, 0.0)
    shared = _shared(left, used)
    return float(np.sqrt(max(shared, 0.0) / np.square(ratio[used]).mean()))


def _of_growth(planes: Sequence[PlaneFactors]) -> Check:
    return _check(
        "asymmetry that grows with Q",
        max(_growth(plane) for plane in planes),
        GROWTH_LIMIT,
        "around lattice points the order is lopsided, the more so the larger Q: atoms are displaced (a size effect)",
    )


def _growth(plane: PlaneFactors) -> float:
    """Share of the variation of I_D / I_FF that (Q·g) sin(Q·v) explains for the shortest lattice vectors v."""
    assert plane.cell is not None
    ratio, used = _ratio(plane)
    used &= _every_second(used.shape)
    if used.sum() < 500:
        return 0.0
    q = plane.plane.q[used]
    vectors = _in_plane_vectors(plane)
    sines = np.sin(q @ vectors.T)
    along = np.stack([q @ plane.plane.axis_x, q @ plane.plane.axis_y], axis=1)
    terms = (sines[:, :, np.newaxis] * along[:, np.newaxis, :]).reshape(len(q), -1)
    left = (ratio - plane.sro)[used]
    weight = np.sqrt(np.maximum(plane.form_factor[used], 0))
    coefficients, *_ = np.linalg.lstsq(terms * weight[:, np.newaxis], left * weight, rcond=None)
    explained = np.square((terms @ coefficients) * weight).sum()
    varied = np.square((plane.sro[used] - plane.sro[used].mean()) * weight).sum()
    return float(np.sqrt(explained / max(varied + np.square(left * weight).sum(), 1e-30)))


def _in_plane_vectors(plane: PlaneFactors) -> FloatArray:
    """The shortest lattice vectors, of those that differ along the plane, in Å."""
    assert plane.cell is not None
    steps = np.arange(-2, 3)
    indices = np.array(np.meshgrid(steps, steps, steps)).reshape(3, -1).T
    vectors = indices[len(indices) // 2 + 1 :] @ plane.cell.vectors
    along = np.stack([vectors @ plane.plane.axis_x, vectors @ plane.plane.axis_y], axis=1)
    lengths = np.linalg.norm(along, axis=1)
    chosen: list[int] = []
    for number in np.argsort(lengths, kind="stable"):
        new = all(min(_apart(along[number], along[i])) > 0.1 for i in chosen)
        if lengths[number] > 0.1 and new:
            chosen.append(int(number))
        if len(chosen) == _SHORTEST:
            break
    return np.asarray(vectors[chosen], np.float64)


def _apart(one: FloatArray, other: FloatArray) -> tuple[float, float]:
    return float(np.linalg.norm(one - other)), float(np.linalg.norm(one + other))


def _of_stretch(axis_scales: FloatArray) -> Check:
    return _check(
        "lattice stretched by",
        float(np.abs(axis_scales - 1).max()),
        STRETCH_LIMIT,
        "the lattice fits only after it was stretched: the cell may be wrong",
    )


def _of_spread(planes: Sequence[PlaneFactors]) -> Check:
    """Out of distribution, a network's answers to one plane in eight positions differ."""
    return _check(
        "spread of the network's answers",
        max(_spread(plane) for plane in planes),
        SPREAD_LIMIT,
        "the network answers differently for the plane turned or reflected: it has not seen its like",
    )


def _spread(plane: PlaneFactors) -> float:
    assert plane.sigma_sro is not None
    return float(np.sqrt(np.square(plane.sigma_sro).mean() / max(np.square(plane.sro).mean(), 1e-30)))


def _ratio(plane: PlaneFactors) -> tuple[FloatArray, BoolArray]:
    """I_D / I_FF, and where there is enough of both to look at it."""
    used = plane.live & (plane.form_factor > _WEAK * plane.form_factor[plane.live].max(initial=0.0))
    observed = plane.measured.intensity - plane.background
    return np.where(used, observed / np.where(used, plane.form_factor, 1), 0.0), used


def _shared(values: FloatArray, used: BoolArray) -> float:
    """Mean product of neighbours along x and y: noise, which they do not share, drops out."""
    total, count = 0.0, 0
    first, last, whole = slice(None, -1), slice(1, None), slice(None)
    for one, other in (((first, whole), (last, whole)), ((whole, first), (whole, last))):
        both = used[one] & used[other]
        total += float((values[one] * values[other])[both].sum())
        count += int(both.sum())
    return total / max(count, 1)


def _every_second(shape: tuple[int, ...]) -> BoolArray:
    chosen = np.zeros(shape, np.bool_)
    chosen[::2, ::2] = True
    return chosen
