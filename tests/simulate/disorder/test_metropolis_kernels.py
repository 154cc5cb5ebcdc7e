"""The compiled swaps against the same rule written out site by site, and against exactly solved ensembles."""

from math import exp

import numpy as np
import pytest
from scipy.optimize import brentq

from dsfu.simulate.disorder.metropolis_kernels import (
    FOLLOWING_RATE,
    STRONGEST_PULL,
    Box,
    Steering,
    _exponential_of_minus,
    run_scans,
)
from dsfu.simulate.disorder.metropolis_starts import disordered_start
from dsfu.simulate.disorder.site_bits import count_bonds
from dsfu.simulate.random_stream import RandomStream
from tests.simulate.disorder.ising import nearest_neighbour_correlation
from tests.simulate.test_random_stream import splitmix64

AXES = ((1, 0, 0), (0, 1, 0), (0, 0, 1))


def make_box(edge, sites_a, seed):
    rows = disordered_start(edge, sites_a, 0, 0.0, RandomStream(seed, "box"))
    stream = np.array([RandomStream(seed, "moves").key, 0], dtype=np.uint64)
    return Box(rows, count_bonds(rows), stream, np.zeros(2, dtype=np.int64))


def fixed_couplings(couplings):
    """Steering that lets go: couplings stay what they are."""
    held = np.array(couplings, dtype=np.float64)
    return Steering(np.zeros(3), held.copy(), np.zeros(3), held.copy(), held.copy())


def unpacked(rows):
    edge = rows.shape[0]
    return np.array([[[int(row) >> z & 1 for z in range(edge)] for row in plane] for plane in rows], dtype=bool)


class SlowBox:
    """The rule of ``metropolis_kernels``, one site after the other."""

    def __init__(self, occupied, key, steering):
        self.occupied, self.key, self.counter, self.steering = occupied, key, 0, steering
        self.edge = occupied.shape[0]
        self.proposed = self.accepted = 0

    def word(self):
        self.counter += 1
        return splitmix64(self.key, self.counter - 1)

    def bonds(self):
        return [int((self.occupied & np.roll(self.occupied, -1, axis)).sum()) for axis in range(3)]

    def pulls(self):
        pulls = self.steering.stiffness * (self.steering.target_bonds - self.bonds())
        return np.clip(pulls, -STRONGEST_PULL, STRONGEST_PULL)

    def neighbours(self, site, axis):
        ends = [tuple((np.array(site) + sign * np.array(AXES[axis])) % self.edge) for sign in (1, -1)]
        return sum(int(self.occupied[end]) for end in ends)

    def scan(self):
        edge = self.edge
        mirror = 2 * (self.word() % (edge // 2)) + 1
        for x in range(edge):
            x2 = (mirror - x) % edge
            if x2 < x:
                continue
            couplings = self.steering.couplings + self.pulls()
            for y in range(edge):
                word = self.word()
                y2, dz = (y + word % edge) % edge, (word >> 32) % edge
                if y2 == y and (x2 - x) % edge in (1, edge - 1):
                    continue
                self.swap_rows([((x, y, z), (x2, y2, (z + dz) % edge)) for z in range(edge)], couplings)
        moved = self.steering.couplings + FOLLOWING_RATE * self.pulls()
        self.steering.couplings[:] = np.clip(moved, self.steering.lowest, self.steering.highest)

    def swap_rows(self, pairs, couplings):
        unlike = [z for z, (one, other) in enumerate(pairs) if self.occupied[one] != self.occupied[other]]
        if not unlike:
            return
        thresholds = [[int(exp(-n * abs(c)) * (2**32 - 1)) for n in (0, 1, 2)] for c in couplings]
        numbers = self.random_numbers(unlike, thresholds)
        for parity in (0, 1):
            swaps = [z for z in unlike if z % 2 == parity and self.accepts(pairs[z], couplings, thresholds, numbers[z])]
            self.proposed += sum(z % 2 == parity for z in unlike)
            self.accepted += len(swaps)
            for z in swaps:
                one, other = pairs[z]
                self.occupied[one], self.occupied[other] = self.occupied[other], self.occupied[one]

    def random_numbers(self, candidates, thresholds):
        """32-digit numbers of each candidate for each axis, drawn digit by digit until each comparison is decided."""
        numbers = {z: [0, 0, 0] for z in candidates}
        for digit in range(31, -1, -1):
            decided = all(
                numbers[z][axis] >> (digit + 1) != thresholds[axis][n] >> (digit + 1)
                for z in candidates
                for axis in range(3)
                for n in (1, 2)
            )
            if decided:
                break
            for axis in range(3):
                word = self.word()
                for z in candidates:
                    numbers[z][axis] |= (word >> z & 1) << digit
        return numbers

    def accepts(self, pair, couplings, thresholds, numbers):
        home, away = pair if self.occupied[pair[0]] else pair[::-1]
        for axis in range(3):
            lost = self.neighbours(home, axis) - self.neighbours(away, axis)
            worse = lost if couplings[axis] > 0 else -lost
            if worse > 0 and numbers[axis] >= thresholds[axis][worse]:
                return False
        return True


@pytest.mark.parametrize(
    ("edge", "sites_a", "targets", "stiffness"),
    [(12, 400, (0.5, -0.2, 0.1), 8.0), (14, 1372, (-0.9, 0.6, 0.0), 40.0), (12, 1500, (0.3, 0.3, 0.3), 0.0)],
)
def test_bits_and_sites_give_the_same_box(edge, sites_a, targets, stiffness):
    box = make_box(edge, sites_a, seed=edge)
    sites = edge**3
    target_bonds = sites_a**2 / sites + np.array(targets) * sites_a * (sites - sites_a) / sites
    steering = Steering(
        target_bonds,
        np.array(targets) * 3,
        np.full(3, stiffness * 10 / sites),
        np.array([-1.0, -1.0, -1.0]),
        np.array([1.0, 2.0, 3.0]),
    )
    slow = SlowBox(unpacked(box.rows), int(box.stream[0]), Steering(*(np.copy(part) for part in steering)))
    summed = np.zeros(3, dtype=np.int64)
    expected_sum = np.zeros(3, dtype=np.int64)
    for _ in range(4):
        run_scans(box, steering, 1, summed)
        slow.scan()
        expected_sum += slow.bonds()
        assert (unpacked(box.rows) == slow.occupied).all()
        assert box.stream[1] == slow.counter
    assert box.bonds.tolist() == slow.bonds() == count_bonds(box.rows).tolist()
    assert summed.tolist() == expected_sum.tolist()
    assert box.tally.tolist() == [slow.proposed, slow.accepted]
    assert steering.couplings.tolist() == slow.steering.couplings.tolist()
    assert slow.occupied.sum() == sites_a
    assert 0 < slow.accepted < slow.proposed


def mean_alpha(couplings, fraction_a, seed, scans=600):
    """α of the nearest neighbours at fixed couplings, and its standard error from blocks of scans."""
    box = make_box(64, round(fraction_a * 64**3), seed)
    steering = fixed_couplings(couplings)
    sites_a, sites = int(unpacked(box.rows).sum()), 64**3
    run_scans(box, steering, scans // 4, np.zeros(3, dtype=np.int64))
    blocks = []
    for _ in range(12):
        bonds = np.zeros(3, dtype=np.int64)
        run_scans(box, steering, scans // 12, bonds)
        blocks.append((sites * bonds / (scans // 12) - sites_a**2) / (sites_a * (sites - sites_a)))
    assert steering.couplings.tolist() == list(couplings)
    return np.mean(blocks, axis=0), np.std(blocks, axis=0, ddof=1) / np.sqrt(12)


@pytest.mark.parametrize(
    ("fraction_a", "coupling", "axis"), [(0.5, 1.8, 0), (0.5, -2.5, 2), (0.2, 2.0, 1), (0.2, -3.0, 2), (0.7, 1.0, 1)]
)
def test_one_coupling_makes_independent_chains(fraction_a, coupling, axis):
    """exp(J) = P^AA P^BB / (P^AB)² exactly, and no order along the other axes."""

    def excess(alpha):
        product = fraction_a * (1 - fraction_a)
        like = (fraction_a**2 + alpha * product) * ((1 - fraction_a) ** 2 + alpha * product)
        return like - exp(coupling) * (product * (1 - alpha)) ** 2

    lowest = max(-fraction_a / (1 - fraction_a), -(1 - fraction_a) / fraction_a)
    expected = np.zeros(3)
    expected[axis] = brentq(excess, lowest, 1.0)
    couplings = [0.0, 0.0, 0.0]
    couplings[axis] = coupling
    alpha, error = mean_alpha(couplings, fraction_a, seed=4)
    assert np.abs((alpha - expected) / error).max() < 5
    assert error.max() < 1e-3


@pytest.mark.parametrize(("first", "second", "sign"), [(0, 1, 1), (1, 2, -1), (0, 2, 1)])
def test_two_couplings_make_square_ising_layers(first, second, sign):
    """K = J/4 for spins ±1; with both couplings negative, α changes sign and nothing else."""
    couplings = [0.0, 0.0, 0.0]
    couplings[first] = couplings[second] = sign * 4 * 0.34
    expected = np.zeros(3)
    expected[first] = expected[second] = sign * nearest_neighbour_correlation(0.34)
    alpha, error = mean_alpha(couplings, 0.5, seed=6)
    assert np.abs((alpha - expected) / error).max() < 5
    assert error.max() < 1.5e-3


@pytest.mark.parametrize("x", [0.0, 1e-9, 0.1, 1.0, 7.3, 25.0, 50.0])
def test_the_exponential_is_the_exponential(x):
    assert _exponential_of_minus(x) == pytest.approx(exp(-x), rel=1e-11)
