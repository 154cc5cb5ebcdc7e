"""Factorising a plane whose lattice is not known: it is found first, or the network's answer has to do."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from dsfu.errors import InputError
from dsfu.model.measured.data.plane import MADE_UP_Q_MAX, MeasuredPlane
from dsfu.model.measured.data.reconstruction import Step
from dsfu.model.measured.factorise.factors import CrystalFactors, Method
from dsfu.model.measured.factorise.guess import Guess, guess
from dsfu.model.measured.factorise.methods import Judge, Network, factorise
from dsfu.model.measured.lattice.comparison import GivenLattice, given_lattice
from dsfu.model.measured.lattice.found import FoundLattice, refined
from dsfu.model.measured.lattice.refinement import OrderSeries
from dsfu.model.measured.lattice.search import CUTOFFS, coarser, find_lattice, on_lattice
from dsfu.model.measured.solver.settings import SolverSettings

LEAST_AGREEMENT: Final = 0.4
"""Correlation of the two I_SRO (as roots) below which the lattice is not believed, if it does not fit well either.

On planes turned by any angle the network shipped is often wrong, so a low correlation alone says nothing.
"""

POOR_MISFIT: Final = 0.025
"""Structured misfit of a coarse fit above which the lattice is in doubt: of 24 planes that were looked at for this, all
that had it had a wrong lattice."""

GOOD_MISFIT: Final = 0.004
"""Structured misfit of a coarse fit that leaves nothing to be bettered."""

CLEARLY_BETTER: Final = 0.7
"""A lattice that fits with less than this share of the misfit is another one, not a better version of the same."""


def factorise_blind(
    plane: MeasuredPlane,
    network: Network | None,
    *,
    method: Method | None = None,
    settings: SolverSettings | None = None,
    judge: Judge | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[CrystalFactors, FoundLattice | None]:
    """Find the lattice of a plane, and factorise it with that.

    Where the solver's order and the network's contradict one another and the lattice does not fit well, the answer is
    the network's: its `CrystalFactors.method` says so. Without a network the solver's is given, whatever it is.

    Parameters
    ----------
    method
        What the lattice is found for: "network" puts its I_SRO on it. None: "hybrid", or "solver" without a network.

    Returns
    -------
    The factors, and the lattice with the lengths that the solver has found, if it was asked; None if none is seen.
    Of a plane without a scale both are on a made-up one, on which Q_max is `MADE_UP_Q_MAX`.
    """
    voxels_per_q = None
    if not plane.scale_known:
        voxels_per_q = plane.plane.q_max / MADE_UP_Q_MAX
        plane = _on_made_up_scale(plane)
    factors, found = _factorised(plane, network, method, settings, judge, progress)
    return factors, found if found is None else replace(found, voxels_per_q=voxels_per_q)


def _factorised(
    plane: MeasuredPlane,
    network: Network | None,
    method: Method | None,
    settings: SolverSettings | None,
    judge: Judge | None,
    progress: Callable[[int, int], None] | None,
) -> tuple[CrystalFactors, FoundLattice | None]:
    settings = settings or SolverSettings()
    own = None if network is None else _guessed(plane, network)
    try:
        found = find_lattice(plane, own, progress)
    except InputError:
        if network is None:
            raise
        return factorise([plane], "network", network=network, judge=judge, on_lattice=False), None
    if network is not None and found.agreement < LEAST_AGREEMENT and found.misfit > POOR_MISFIT:
        return factorise([plane], "network", network=network, judge=judge, on_lattice=False), found
    method = method or ("solver" if network is None else "hybrid")

    def fit(found: FoundLattice) -> CrystalFactors:
        chosen = replace(settings, stretch=True, cutoff=max(settings.cutoff, CUTOFFS[found.kind]))
        return factorise([on_lattice(plane, found.basis)], method, network=network, settings=chosen, judge=judge)

    factors = fit(found)
    better = _coarser(plane, found, factors)
    if better is not None:
        factors, found = fit(better), better
    return factors, found if factors.axis_scales is None else refined(found, factors.axis_scales[0])


def _coarser(plane: MeasuredPlane, found: FoundLattice, factors: CrystalFactors) -> FoundLattice | None:
    """The coarser lattice that a full fit shows; none where a network has answered."""
    if factors.alpha_vectors is None or factors.alpha is None or factors.alpha_sines is None:
        return None
    return coarser(plane, found, OrderSeries.of(factors.alpha_vectors, factors.alpha, factors.alpha_sines))


def better_lattice(
    plane: MeasuredPlane, network: Network | None, progress: Callable[[int, int], None] | None = None
) -> tuple[FoundLattice | None, GivenLattice]:
    """A lattice that a plane shows and that is not the one of its cell, None if none; and how the latter fits."""
    given = given_lattice(plane)
    try:
        found = find_lattice(plane, None if network is None else _guessed(plane, network), progress)
    except InputError:  # none is seen, so none is better
        return None, given
    is_another = found.misfit < CLEARLY_BETTER * given.misfit and given.misfit > GOOD_MISFIT
    return found if is_another else None, given


def _on_made_up_scale(plane: MeasuredPlane) -> MeasuredPlane:
    """What is looked for, and what the solver takes for possible, is in Å."""
    step = Step(name="made-up scale", parameters={"voxels": plane.plane.q_max, "count as 1/Å": MADE_UP_Q_MAX})
    return plane.after(step, plane=replace(plane.plane, q_max=MADE_UP_Q_MAX))


def _guessed(plane: MeasuredPlane, network: Network) -> Guess:
    return guess(network.factoriser, plane.intensity, plane.live, network.pixels)
