"""Whether data can be taken for a product of two factors at all, and if not, what speaks against it.

Noise does not count (see `verdict_measures`): a noisy plane of the right kind passes, and a clean one of the wrong kind
does not. A wrong plane is rarely one that no product fits: the solver widens the form factor until one does. So the
main question is whether the form factor still is what molecules make: they fit into the cell, and nothing in it can
vary faster over reciprocal space than the longest vector in the cell makes it.

Limits are from simulated planes with and without what breaks the assumptions: tests/benchmarks/verdict.py.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from dsfu.model.measured.factorise.factors import Check, CrystalFactors, PlaneFactors, Verdict
from dsfu.model.measured.factorise.verdict_measures import RelativeParts
from dsfu.simulate.arrays import FloatArray

MISFIT_LIMIT: Final = 0.0025
FINENESS_LIMIT: Final = 0.025
PERIODICITY_LIMIT: Final = 0.15
BRAGG_LIMIT: Final = 0.025
RING_LIMIT: Final = 0.005
"""Above all of 121 good planes of 128 × 128 pixels, with 0 to 30 % of noise, by a tenth at least. They are for the
solver's own factors: a form factor whose prior was learnt from the data bends to nearly anything."""

STRETCH_LIMIT: Final = 0.008
"""Chosen, not calibrated."""

LEAST_CELLS: Final = 6
"""As for volumes; chosen, not calibrated."""

LARGEST_ORDER: Final = 1.05
"""A series that is nowhere negative has no |α| above 1. Fits of 40 good planes with up to 20 % of noise came to .86."""

NETWORK_MISFIT_LIMIT: Final = 0.01
SPREAD_LIMIT: Final = 0.35
"""Above all of 48 good planes. Planes that break the assumptions, even pure noise, are below as well: what a network is
trained to do is to find two factors, and it finds them in anything."""


def judge(factors: CrystalFactors) -> Verdict:
    """All checks that the method allows; each looks at the plane that is worst."""
    parts = [RelativeParts.of(plane) for plane in factors.planes]
    if factors.method == "network":
        checks = [_of_product(parts, NETWORK_MISFIT_LIMIT), _of_spread(factors.planes)]
    else:
        checks = [_of_product(parts, MISFIT_LIMIT), *_of_lattice(parts)]
    if factors.axis_scales is not None and factors.stretched:
        checks.append(_of_stretch(factors.axis_scales))
    return Verdict(checks=tuple(checks), tells=factors.method != "network", too_little=_too_little(factors, parts))


def _too_little(factors: CrystalFactors, parts: Sequence[RelativeParts]) -> str:
    """Why the planes cannot be judged; empty if one of them can."""
    largest = _largest_order(factors)
    if largest > LARGEST_ORDER:
        return f"α come to {largest:.2f}, and no crystal has any beyond ±1: lattice or data do not determine them"
    cells = max((each.cells() for each in parts if each.cell is not None), default=np.inf)
    if cells < LEAST_CELLS:
        return f"only {cells:.1f} reciprocal cells were measured, and {LEAST_CELLS} are needed to compare them"
    return ""


def _largest_order(factors: CrystalFactors) -> float:
    if factors.alpha is None or factors.alpha_vectors is None:
        return 0.0
    sines = 0.0 if factors.alpha_sines is None else factors.alpha_sines
    sizes = np.hypot(factors.alpha, sines)[(factors.alpha_vectors != 0).any(axis=1)]
    return float(sizes.max(initial=0.0))


def _worst(parts: Sequence[RelativeParts], measure: Callable[[RelativeParts], float]) -> float:
    return max((measure(each) for each in parts), default=0.0)


def _check(name: str, value: float, limit: float, meaning: str) -> Check:
    return Check(name=name, value=value, limit=limit, passed=bool(value <= limit), meaning=meaning)


def _of_product(parts: Sequence[RelativeParts], limit: float) -> Check:
    return _check(
        "what the product cannot explain",
        _worst(parts, RelativeParts.unexplained),
        limit,
        "no product of a form factor and an order on this lattice explains them (several disordered sites, "
        "displacements, Bragg peaks that were left in, or another lattice)",
    )


def _of_lattice(parts: Sequence[RelativeParts]) -> list[Check]:
    parts = [each for each in parts if each.cell is not None]
    if not parts:
        return []
    return [
        _check(
            "form factor finer than the cell allows",
            _worst(parts, RelativeParts.fineness),
            FINENESS_LIMIT,
            "they fit only with a form factor that varies faster than molecules in this cell can make it "
            "(displacements such as a size effect or thermal motion, several disordered sites, Bragg peaks, "
            "or another lattice)",
        ),
        _check(
            "what of I_D / I_FF is not periodic",
            _worst(parts, RelativeParts.not_periodic),
            PERIODICITY_LIMIT,
            "their ratio to a form factor that fits into the cell does not repeat from one reciprocal cell to the next",
        ),
        _check(
            "excess at Bragg points",
            _worst(parts, RelativeParts.at_bragg_points),
            BRAGG_LIMIT,
            "something is concentrated at points of the reciprocal lattice and differs from one to the next "
            "(Bragg peaks that were left in, thermal diffuse scattering, or a size effect)",
        ),
        _check(
            "rings",
            _worst(parts, RelativeParts.in_rings),
            RING_LIMIT,
            "something depends on |Q| alone (a powder, glass or air)",
        ),
    ]


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
        max((_spread(plane) for plane in planes), default=0.0),
        SPREAD_LIMIT,
        "the network answers differently for the plane turned or reflected: it has not seen its like",
    )


def _spread(plane: PlaneFactors) -> float:
    if plane.sigma_sro is None:
        return 0.0
    return float(np.sqrt(np.square(plane.sigma_sro).mean() / max(np.square(plane.sro).mean(), 1e-30)))
