"""Which of two boxes is taken, and when: with made-up boxes that settle, drift, or miss their targets."""

import numpy as np
import pytest

from dsfu.simulate.disorder.equilibrium import FIRST_ROUND, sample_equilibrium
from dsfu.simulate.disorder.pair_correlations import pair_counts

TARGETS = np.zeros(3)


class MadeUpBox:
    """A box whose order along c and whose distance from the targets are given functions of the scans made."""

    def __init__(self, order=lambda scans: 0.0, error=lambda scans: 0.0, seed=0, edge=40):
        self.order, self.error, self.scans = order, error, 0
        self.rng = np.random.default_rng(seed)
        self.edge, self.sites, self.sites_a = edge, edge**3, edge**3 // 2

    def run(self, scans):
        self.scans += scans
        return TARGETS + self.error(self.scans)

    def pair_counts(self):
        shape = (self.edge,) * 3
        layers = np.arange(self.edge) % 2 == 0
        share = self.order(self.scans)
        preferred = np.broadcast_to(layers, shape) * share + 0.5 * (1 - share)
        ranks = np.argsort((preferred - self.rng.random(shape)).ravel())
        occupied = np.zeros(self.sites, dtype=bool)
        occupied[ranks[-self.sites_a :]] = True
        return pair_counts(occupied.reshape(shape))


def sample(disordered, ordered, most_scans=512):
    return sample_equilibrium({"disordered": disordered, "ordered": ordered}, TARGETS, most_scans)


def test_two_that_agree_are_both_taken_at_once():
    taken = sample(MadeUpBox(seed=1), MadeUpBox(seed=2))
    assert set(taken.rounds) == {"disordered", "ordered"}
    assert taken.scans == FIRST_ROUND
    assert all(each.counts.shape == (4, 4, 11, 11, 11) for each in taken.rounds.values())


def test_rounds_go_on_until_order_has_melted():
    taken = sample(MadeUpBox(seed=1), MadeUpBox(lambda scans: 0.9 * np.exp(-scans / 25), seed=2))
    assert len(taken.rounds) == 2
    assert 64 < taken.scans <= 256


@pytest.mark.parametrize("still", ["disordered", "ordered"])
def test_the_one_that_stands_still_is_taken_when_the_other_does_not(still):
    moving = MadeUpBox(lambda scans: 0.9 * min(scans / 400, 1.0), seed=1)
    standing = MadeUpBox(lambda scans: 0.9, seed=2)
    taken = sample(standing, moving) if still == "disordered" else sample(moving, standing)
    assert list(taken.rounds) == [still]
    assert taken.scans == 2 * FIRST_ROUND
    assert taken.rounds[still].counts.shape[0] == 8
    assert taken.gap > 0.3


def test_of_two_that_stand_still_apart_the_ordered_one_is_taken():
    taken = sample(MadeUpBox(seed=1), MadeUpBox(lambda scans: 0.9, seed=2))
    assert list(taken.rounds) == ["ordered"]
    assert taken.scans == 512


def test_one_that_misses_its_targets_is_not_taken():
    taken = sample(MadeUpBox(seed=1), MadeUpBox(error=lambda scans: 0.5, seed=2), most_scans=128)
    assert list(taken.rounds) == ["disordered"]


def test_more_scans_are_spent_to_reach_the_targets():
    late = {"error": lambda scans: 0.5 if scans < 700 else 0.0, "edge": 16}
    taken = sample(MadeUpBox(**late, seed=1), MadeUpBox(**late, seed=2), most_scans=64)
    (only,) = taken.rounds.values()
    assert only.reached
    assert only.counts.shape[0] == 8


def test_targets_that_are_never_reached_are_given_up():
    never = {"error": lambda scans: 0.5, "edge": 12}
    first, second = MadeUpBox(**never), MadeUpBox(**never)
    with pytest.raises(RuntimeError, match=r"still off by 0\.5 when given up"):
        sample(first, second, most_scans=64)
    assert max(first.scans, second.scans) < 100 * 64
