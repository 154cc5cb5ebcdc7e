"""Run two boxes with opposite starts until their short-range order may be taken for that of the equilibrium."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from dsfu.simulate.arrays import FloatArray, IntArray
from dsfu.simulate.disorder.convergence import drift, gap
from dsfu.simulate.disorder.feasibility import tolerance
from dsfu.simulate.disorder.fields import SHELL_CUTOFF
from dsfu.simulate.disorder.pair_correlations import alpha_from_counts, mirror_images
from dsfu.simulate.disorder.replica import Replica

Start = Literal["disordered", "ordered"]

LARGEST_DRIFT: Final = 0.05
LARGEST_GAP: Final = 0.05
"""Relative changes of I_SRO within a box, and between the two, up to which they count as settled, and as agreeing."""

FIRST_ROUND: Final = 64
"""Scans of the first round; each further one ends at twice as many."""

_SNAPSHOTS: Final = 4
"""Snapshots of each box in each round."""

_PATIENCE: Final = 32
"""How many times the scans of all rounds may be spent once more to reach the targets, before it is given up."""


@dataclass(frozen=True, eq=False)
class Round:
    """What one box gave in the second half of a round."""

    counts: IntArray
    """(K, 4, 11, 11, 11) A–A pairs in each snapshot and its mirror images."""
    alpha: FloatArray
    """(K, 11, 11, 11) Warren–Cowley parameters of each snapshot, averaged over the mirror images."""
    error: float
    """Largest deviation of a target, averaged over the time of the snapshots."""
    reached: bool
    """Whether that is within the tolerance."""
    drift: float
    """Relative change of I_SRO within the time of the snapshots."""

    @property
    def settled(self) -> bool:
        return self.reached and self.drift <= LARGEST_DRIFT


@dataclass(frozen=True, eq=False)
class EquilibriumSample:
    """The rounds that are taken for the equilibrium."""

    rounds: dict[Start, Round]
    """One round of each box that is taken, all with the same number of snapshots."""
    gap: float
    """Relative difference of I_SRO between the two boxes in the last round that both made."""
    scans: int
    """Proposals for every site of each box, without the prolongation of one."""


def sample_equilibrium(replicas: dict[Start, Replica], targets: FloatArray, most_scans: int) -> EquilibriumSample:
    """Run rounds until both boxes are settled and agree; or until only one is, twice in a row; or for ``most_scans``.

    A single box is taken for as many snapshots as two.

    Raises
    ------
    RuntimeError
        Neither box reached the targets.
    """
    for replica in replicas.values():
        replica.run(FIRST_ROUND // 2)
    scans, settled_before = FIRST_ROUND, dict.fromkeys(replicas, False)
    while True:
        rounds = {start: _round(replica, targets, _spacing(scans)) for start, replica in replicas.items()}
        settled = {start: each.settled for start, each in rounds.items()}
        difference = gap(rounds["disordered"].alpha, rounds["ordered"].alpha)
        if all(settled.values()) and difference <= LARGEST_GAP:
            return EquilibriumSample(rounds, difference, scans)
        alone = sum(settled.values()) == 1 and any(settled[start] and settled_before[start] for start in replicas)
        if alone or 2 * scans > most_scans:
            break
        scans, settled_before = 2 * scans, settled
    better = _better(rounds)
    prolonged = _prolonged(replicas[better], rounds[better], targets, _spacing(scans))
    return EquilibriumSample({better: prolonged}, difference, scans)


def nearest_neighbours(alpha: FloatArray) -> FloatArray:
    """α_100, α_010 and α_001 of sets (..., 11, 11, 11)."""
    c = SHELL_CUTOFF
    return np.stack([alpha[..., c + 1, c, c], alpha[..., c, c + 1, c], alpha[..., c, c, c + 1]], axis=-1)


def _spacing(scans: int) -> int:
    """Scans between snapshots in the second half of a round that ends at ``scans``."""
    return scans // (2 * _SNAPSHOTS)


def _round(replica: Replica, targets: FloatArray, spacing: int) -> Round:
    held, counts = [], []
    for _ in range(_SNAPSHOTS):
        held.append(replica.run(spacing))
        counts.append(mirror_images(replica.pair_counts()))
    error = float(np.abs(np.mean(held, axis=0) - targets).max())
    return _summary(np.stack(counts), replica, error)


def _summary(counts: IntArray, replica: Replica, error: float) -> Round:
    alpha = np.stack([alpha_from_counts(each, replica.sites, replica.sites_a) for each in counts])
    return Round(counts, alpha, error, error <= tolerance(replica.edge), drift(alpha))


def _better(rounds: dict[Start, Round]) -> Start:
    """The box that reached its targets and drifts less; if neither drifts, the ordered one.

    (Where both stand still and differ, disorder is the one that may be waiting for a nucleus.)
    """

    def badness(start: Start) -> tuple[bool, float, float]:
        each = rounds[start]
        if not each.reached:
            return True, each.error, 0.0
        return False, max(each.drift, LARGEST_DRIFT), float(start == "disordered")

    return min(rounds, key=badness)


def _prolonged(replica: Replica, last: Round, targets: FloatArray, spacing: int) -> Round:
    """The last round (or, where it did not reach the targets, the first that does) and another of the same length."""
    tries = 0
    while not last.reached:
        tries += 1
        if tries > 2 * _PATIENCE:
            raise RuntimeError(
                f"targets {tuple(targets.tolist())} with {replica.sites_a} A sites of {replica.sites}: still off by "
                f"{last.error:.3g} when given up; a larger most_scans may help, or targets less extreme"
            )
        last = _round(replica, targets, spacing)
    more = _round(replica, targets, spacing)
    return _summary(np.concatenate([last.counts, more.counts]), replica, max(last.error, more.error))
