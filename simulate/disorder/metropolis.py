"""Warren–Cowley sets of the maximum-entropy disorder at three nearest-neighbour targets, by Monte Carlo.

Of all crystals with given α_100, α_010 and α_001, those with no other preference are the maximum-entropy ensemble,
which is the lattice gas with nearest-neighbour interactions. A box of sites is brought to the targets by swapping
unlike sites, with interactions that follow the targets (``metropolis_kernels``), and is sampled there.

When is it sampled long enough? Two boxes are run, one from disorder and one from order (``metropolis_starts``): the
order of the one grows to that of the equilibrium, that of the other melts to it. In rounds of doubling length, the
second half of a round is sampled, and it is asked whether each box still drifts and whether the two agree. If they
agree, the set is the average over both. Near and beyond an ordering transition one of the two needs far longer than the
other (domains must grow, or melt); then the one that has settled is taken, and the gap between them is reported.

``alpha`` is the average over the snapshots of the last round, eight boxes of 64³ sites by default, and over the mirror
images of each vector, which are equivalent in this ensemble. Read off a single box, the noise of I_SRO (1331 α with an
error of 1/√sites each) would be 0.07 in the units in which I_SRO is 1 on average; eight boxes reduce it to 0.025, and
the mirrors to 0.013. The scatter of the snapshots gives the standard errors.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.convergence import drift, standard_error
from dsfu.simulate.disorder.equilibrium import (
    FIRST_ROUND,
    LARGEST_DRIFT,
    Start,
    nearest_neighbours,
    sample_equilibrium,
)
from dsfu.simulate.disorder.feasibility import LARGEST_BOX, feasible_targets, sample_targets, sites_of_a, target_bounds
from dsfu.simulate.disorder.metropolis_starts import disordered_start, ordered_start
from dsfu.simulate.disorder.pair_correlations import alpha_from_counts
from dsfu.simulate.disorder.replica import Replica
from dsfu.simulate.disorder.site_bits import WordArray
from dsfu.simulate.disorder.sro_set import SroSet, order_at_cutoff
from dsfu.simulate.random_stream import RandomStream, stream_key

__all__ = ["MonteCarloSet", "draw_monte_carlo_set", "generate_set", "sample_targets"]

MOST_SCANS: Final = 256
"""Scans (proposals for every site) of each box at the most, unless the caller says otherwise."""

MOST_GAP: Final = 0.2
"""Gap between the starts below which a set is one of equilibrium. Of sets drawn within ±0.6, 31 % have more, near all
of them below an ordering transition."""

MOST_ORDER: Final = 0.02
"""Order at the cut-off below which the series holds nearly all of it."""

_MOST_DRAWS: Final = 50


@dataclass(frozen=True, eq=False)
class MonteCarloSet:
    """Warren–Cowley parameters of a simulated crystal, and how the simulation went.

    Attributes
    ----------
    alpha
        (11, 11, 11); ``alpha[5, 5, 5] == 1`` and ``alpha[-v] == alpha[v]`` exactly.
    standard_error
        (11, 11, 11) standard error of each α as an estimate of the ensemble's; 0 at the origin, small for the three
        nearest neighbours, which are held.
    fraction_a
        Mole fraction in the box, with which α is normalised.
    targets, reached
        α_100, α_010, α_001 asked for, and in ``alpha``.
    couplings
        Effective A–A attractions along a, b, c in kT (negative: repulsion) that hold the box at the targets.
    drift
        Relative change of I_SRO between the two halves of the time over which α was averaged.
    gap
        Relative difference of I_SRO between the box that started from disorder and the one that started from order.
        The equilibrium lies between them, so with the drift this bounds what is left of the start.
    settled
        Whether the drift is within ``LARGEST_DRIFT``.
    start
        Which of the boxes ``alpha`` is averaged over: "both", "disordered" or "ordered".
    scans
        Proposals for every site of each box.
    moves_proposed, moves_accepted
        Swaps of unlike sites, over all boxes.
    box, seed
        Edge of the box in sites, and seed.
    """

    alpha: FloatArray
    standard_error: FloatArray
    fraction_a: float
    targets: tuple[float, float, float]
    reached: tuple[float, float, float]
    couplings: tuple[float, float, float]
    drift: float
    gap: float
    settled: bool
    start: str
    scans: int
    moves_proposed: int
    moves_accepted: int
    box: int
    seed: int

    @property
    def order_at_cutoff(self) -> float:
        """Root mean square of α over the outermost vectors, see `dsfu.simulate.disorder.sro_set.order_at_cutoff`."""
        return order_at_cutoff(self.alpha)

    @property
    def is_equilibrium(self) -> bool:
        """Whether the box forgot how it began, and its order ends within the vectors of the set."""
        return self.gap < MOST_GAP and self.order_at_cutoff < MOST_ORDER

    def record(self) -> SroSet:
        """What a bank keeps of it."""
        by_axis = {"target": self.targets, "reached": self.reached, "coupling": self.couplings}
        numbers = {
            **{f"{name}_{axis}": values[i] for name, values in by_axis.items() for i, axis in enumerate("abc")},
            "order_at_cutoff": self.order_at_cutoff,
            "drift": self.drift,
            "gap": self.gap,
            "scans": float(self.scans),
            "box": float(self.box),
        }
        return SroSet("monte_carlo", self.fraction_a, self.alpha, self.standard_error, numbers, self.seed)


def generate_set(
    fraction_a: float,
    targets: npt.ArrayLike,
    seed: int,
    box: int = LARGEST_BOX,
    *,
    most_scans: int = MOST_SCANS,
) -> MonteCarloSet:
    """Simulate a crystal with m_A = ``fraction_a`` at the targets (α_100, α_010, α_001).

    The same arguments give the same ``alpha`` to the last bit, on any machine and any number of threads.

    Parameters
    ----------
    box
        Edge of the periodic box: even, 12 to 64 sites.
    most_scans
        After so many scans the better of the two boxes is taken as it is, settled or not.

    Raises
    ------
    InfeasibleTargetsError
        A ValueError that says why the targets cannot be had, and the nearest that can.
    """
    wanted = feasible_targets(fraction_a, targets, box)
    sites_a = sites_of_a(fraction_a, box)
    if most_scans < FIRST_ROUND:
        raise ValueError(f"most_scans = {most_scans}: expected at least {FIRST_ROUND}")
    replicas = starting_replicas(wanted, sites_a, box, RandomStream(seed, "short-range order"))
    sample = sample_equilibrium(replicas, wanted, most_scans)
    alpha = alpha_from_counts(np.concatenate([each.counts for each in sample.rounds.values()]), box**3, sites_a)
    snapshots = np.stack([each.alpha for each in sample.rounds.values()])
    remaining_drift = drift(snapshots.mean(axis=0))
    proposed, accepted = (sum(numbers) for numbers in zip(*(r.moves for r in replicas.values()), strict=True))
    return MonteCarloSet(
        alpha=alpha,
        standard_error=standard_error(snapshots),
        fraction_a=sites_a / box**3,
        targets=_three(wanted),
        reached=_three(nearest_neighbours(alpha)),
        couplings=_three(np.mean([replicas[start].couplings for start in sample.rounds], axis=0)),
        drift=remaining_drift,
        gap=sample.gap,
        settled=remaining_drift <= LARGEST_DRIFT,
        start="both" if len(sample.rounds) == 2 else next(iter(sample.rounds)),
        scans=sample.scans,
        moves_proposed=proposed,
        moves_accepted=accepted,
        box=box,
        seed=seed,
    )


def draw_monte_carlo_set(
    seed: int,
    *,
    fraction_range: tuple[float, float] = (0.02, 0.54),
    target_range: tuple[float, float] = (-0.6, 0.6),
    box: int = LARGEST_BOX,
    most_scans: int = MOST_SCANS,
    equilibrium: bool = False,
) -> SroSet:
    """Draw a composition and feasible targets (see ``sample_targets``), simulate them, and return the bank's record.

    Parameters
    ----------
    equilibrium
        Whether a set that is none of equilibrium (see ``MonteCarloSet.is_equilibrium``) is drawn again, targets and
        all. Its record has the seed that makes it, which is then another one.
    """
    for attempt in range(_MOST_DRAWS):
        own = stream_key(seed, "drawn again", attempt) if attempt else seed
        rng = RandomStream(own, "short-range order targets")
        fraction_a, targets = sample_targets(rng, fraction_range=fraction_range, target_range=target_range, box=box)
        found = generate_set(fraction_a, targets, own, box, most_scans=most_scans)
        if not equilibrium or found.is_equilibrium:
            return found.record()
    raise ValueError(
        f"target_range = {target_range}, box = {box}: none of {_MOST_DRAWS} sets was of equilibrium; expected targets "
        "nearer to 0, or a larger box"
    )


def starting_replicas(targets: FloatArray, sites_a: int, box: int, stream: RandomStream) -> dict[Start, Replica]:
    """The two boxes of a simulation, by their start."""
    order = np.where(targets < 0, targets / target_bounds(sites_a / box**3)[0], targets)
    strongest = int(np.argmax(order))
    starts: dict[Start, WordArray] = {
        "disordered": disordered_start(box, sites_a, strongest, float(targets[strongest]), stream.child("disordered")),
        "ordered": ordered_start(box, sites_a, targets, order, stream.child("ordered")),
    }
    return {start: Replica(rows, sites_a, targets, stream.child(start, "moves")) for start, rows in starts.items()}


def _three(values: FloatArray) -> tuple[float, float, float]:
    first, second, third = (float(v) for v in values)
    return first, second, third
