"""Factorising a plane whose lattice is not known: it is found first, or the network's answer has to do."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from dsfu.errors import InputError
from dsfu.model.measured.data.plane import MADE_UP_Q_MAX, MeasuredPlane
from dsfu.model.measured.data.reconstruction import Step
from dsfu.model.measured.factorise.factors import CrystalFactors, Method, Verdict
from dsfu.model.measured.factorise.guess import Guess, guess
from dsfu.model.measured.factorise.methods import Judge, Network, factorise
from dsfu.model.measured.lattice.comparison import GivenLattice, given_lattice
from dsfu.model.measured.lattice.found import FoundLattice, refined
from dsfu.model.measured.lattice.placing import on_lattice, pixels_apart
from dsfu.model.measured.lattice.search import CUTOFFS, find_lattice
from dsfu.model.measured.prepare.cutting import resampled
from dsfu.model.measured.solver.settings import CAREFUL_STAGES, STAGES, SolverSettings
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.fields import PIXELS

LEAST_AGREEMENT: Final = 0.4
"""Correlation of the two I_SRO (as roots) below which the lattice is not believed, if it does not fit well either.

On planes turned by any angle the network shipped is often wrong, so a low correlation alone says nothing.
"""

POOR_MISFIT: Final = 0.025
"""Structured misfit of a coarse fit above which the lattice is in doubt: of 24 planes that were looked at for this, all
that had it had a wrong lattice."""

GOOD_MISFIT: Final = 0.004
"""Structured misfit of a coarse fit that leaves nothing to be bettered."""

LEAST_PIXELS: Final = 3.0
"""From one lattice point to the next, below which nothing is judged: two for a wave, one more for a form factor. On a
wrong lattice of 2.3, a model of noisy data passed all checks."""

_FEW_PIXELS, _CAREFUL_STOP = 10.0, 1e-4
"""From one lattice point to the next, below which a fit is made with `CAREFUL_STAGES`, and where its runs stop. Errors
of α on 9 images of 3.9 to 8 pixels, the lattice given, fell by a factor of 1.5 to 12."""

_ONLY_JUST: Final = 0.8
"""Share of a limit of the verdict beyond which a lattice that was looked for in the same data is not called right. Seen
on images of an independent simulation: right ones that passed all checks came to .3 of a limit, a wrong one to .94."""

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
    voxels_per_q, sought = None, plane
    if not plane.scale_known:
        voxels_per_q = plane.plane.q_max / MADE_UP_Q_MAX
        finer = resampled(plane, PIXELS) if plane.plane.pixels < PIXELS else plane
        sought, plane = on_made_up_scale(finer), on_made_up_scale(plane)
    factors, found = _factorised(plane, sought, network, method, settings, judge, progress)
    return factors, found if found is None else replace(found, voxels_per_q=voxels_per_q)


def _factorised(
    plane: MeasuredPlane,
    sought: MeasuredPlane,
    network: Network | None,
    method: Method | None,
    settings: SolverSettings | None,
    judge: Judge | None,
    progress: Callable[[int, int], None] | None,
) -> tuple[CrystalFactors, FoundLattice | None]:
    settings = settings or SolverSettings()
    own = None if network is None else _guessed(sought, network)
    try:
        found = find_lattice(sought, own, progress)
    except InputError:
        if network is None:
            raise
        return factorise([plane], "network", network=network, judge=judge, on_lattice=False), None
    if network is not None and found.agreement < LEAST_AGREEMENT and found.misfit > POOR_MISFIT:
        return factorise([plane], "network", network=network, judge=judge, on_lattice=False), found
    method = method or ("solver" if network is None else "hybrid")
    chosen = settings_for(plane, found.basis, replace(settings, cutoff=max(settings.cutoff, CUTOFFS[found.kind])))
    factors = factorise([on_lattice(plane, found.basis)], method, network=network, settings=chosen, judge=judge)
    if judge is not None and not factors.verdict.too_little:
        why = _doubt(pixels_apart(plane, found.basis), factors.verdict)
        factors = replace(factors, verdict=replace(factors.verdict, too_little=why))
    return factors, found if factors.axis_scales is None else refined(found, factors.axis_scales[0])


def _doubt(apart: float, verdict: Verdict) -> str:
    """Why a lattice that was found is not to be believed though the fit passes, if so."""
    if apart < LEAST_PIXELS:
        return f"lattice points are only {apart:.1f} pixels apart, and {LEAST_PIXELS:.0f} are needed to compare them"
    worst = max(verdict.checks, key=lambda check: check.value / check.limit, default=None)
    share = 0.0 if worst is None else worst.value / worst.limit
    if worst is None or not _ONLY_JUST < share <= 1:
        return ""
    return f"the lattice was looked for in the same data and fits only just ({worst.name}, {share:.0%} of its limit)"


def settings_for(plane: MeasuredPlane, basis: FloatArray, settings: SolverSettings) -> SolverSettings:
    """Settings for a lattice (2, 2) that was found: its lengths stay variables."""
    settings = replace(settings, stretch=True)
    if settings.stages != STAGES or pixels_apart(plane, basis) >= _FEW_PIXELS:
        return settings
    return replace(settings, stages=CAREFUL_STAGES, stop=_CAREFUL_STOP)


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


def on_made_up_scale(plane: MeasuredPlane) -> MeasuredPlane:
    """What is looked for, and what the solver takes for possible, is in Å."""
    step = Step(name="made-up scale", parameters={"voxels": plane.plane.q_max, "count as 1/Å": MADE_UP_Q_MAX})
    own = plane.plane
    return plane.after(step, plane=replace(own, q_max=MADE_UP_Q_MAX, centre=own.centre * MADE_UP_Q_MAX / own.q_max))


def _guessed(plane: MeasuredPlane, network: Network) -> Guess:
    return guess(network.factoriser, plane.intensity, plane.live, network.pixels)
