"""Compiled loops of the Monte Carlo simulation: swaps of unlike pairs in a box of sites kept as bits.

The box
-------
``rows[x, y]`` is a word whose bit z says whether A is on site (x, y, z); the box is periodic, cubic, with an even
edge of up to 64 sites. ``bonds[i]`` is the number of A–A nearest-neighbour pairs along axis i, kept up to date.

The swap
--------
A *scan* pairs every plane x with another, every row of the one with a row of the other at a random offset in y, and
every site of that row with one at a random offset in z, so that each site is proposed once with a partner from
anywhere in the box. Pairs of unlike species are swapped by a Metropolis rule for the weight
exp(Σ_i coupling_i · bonds_i), a coupling being an A–A attraction in units of kT. The rule is the factorised one: a swap
is accepted with the product over the axes of min(1, exp(coupling_i · change_i)), which obeys detailed balance like the
usual one (the ratio of forward and backward acceptance is the ratio of the weights) and lets the axes be decided
independently, 64 pairs at a time by logic on words. Sites of one parity of z in a row are not neighbours of each other,
so the pairs of half a row are independent; the two halves follow one another.

The couplings are not constants: each is steered by a weak spring on its number of bonds (``Steering``), so that the
box stays at the target of every axis while it is sampled (a Gaussian ensemble, whose configurations of equal bonds are
equally likely: the maximum-entropy ensemble at the targets). They change between pairs of planes only, by an amount
that is small against 1, which is why detailed balance within a plane is enough.

Everything that decides is integer arithmetic, or sums, products and quotients of doubles in a fixed order: no libm,
no fastmath; so a box is the same to the last bit on every machine and for every number of threads.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.site_bits import SHIFT_32, CountArray, WordArray, popcount, rotated
from dsfu.simulate.random_stream import random_word

LARGEST_COUPLING: Final = 25.0
"""Bound on what a coupling can be steered to, in kT: exp(−25) is below the resolution of the random numbers."""

STRONGEST_PULL: Final = 1.5
"""Largest change of a coupling by its spring, in kT."""

FOLLOWING_RATE: Final = 0.1
"""Share of the spring's pull that a coupling takes over after each scan."""

_THRESHOLD_BITS: Final = 32
_TOP_BIT: Final = _THRESHOLD_BITS - 1
_THRESHOLD_ONE: Final = float((1 << _THRESHOLD_BITS) - 1)
_NO_BITS, _ONE = np.uint64(0), np.uint64(1)
_EVEN_BITS = np.uint64(0x5555555555555555)


class Box(NamedTuple):
    """A box of sites and what changes as it is simulated."""

    rows: WordArray
    """(L, L) words: bit z of rows[x, y] says whether A is on site (x, y, z)."""
    bonds: CountArray
    """(3,) numbers of A–A nearest-neighbour pairs along the axes."""
    stream: WordArray
    """Key and counter of the box's stream of random numbers."""
    tally: CountArray
    """Moves proposed (pairs of unlike sites), and accepted."""


class Steering(NamedTuple):
    """What holds a box at its targets: arrays (3,), one number for each axis."""

    target_bonds: FloatArray
    """Numbers of A–A pairs at the targets."""
    couplings: FloatArray
    """A–A attractions in kT (negative: repulsions); they follow the target slowly."""
    stiffness: FloatArray
    """Additional attraction for each pair that is missing, in kT."""
    lowest: FloatArray
    """Lowest value that a coupling may follow to, so that it does not run away while a target is far."""
    highest: FloatArray
    """Highest value."""


class Rule(NamedTuple):
    """Acceptance of swaps at the couplings of the moment."""

    attracts: npt.NDArray[np.bool_]
    """(3,) whether A attracts A along an axis."""
    digits: WordArray
    """(32, 6) binary digits of exp(−|coupling|) and exp(−2 |coupling|) of each axis in turn, highest first; each digit
    is a word of equal bits."""


@njit(inline="always")
def _exponential_of_minus(x: float) -> float:
    """exp(−x) for 0 ≤ x ≤ 50, from products and quotients only: the same bits on every machine."""
    # exp(−x) is exp(−x / 1024) to the power of 2¹⁰: five terms of its series, then ten squares.
    y = x / 1024.0
    result = 1.0 - y * (1.0 - y / 2.0 * (1.0 - y / 3.0 * (1.0 - y / 4.0 * (1.0 - y / 5.0))))
    for _ in range(10):
        result *= result
    return result


@njit(inline="always")
def _write_digits(digits: WordArray, column: int, probability: float) -> None:
    """Write the 32 binary digits of a probability, highest first, each as a word of equal bits."""
    threshold = np.uint64(probability * _THRESHOLD_ONE)
    for k in range(_THRESHOLD_BITS):
        digits[k, column] = _NO_BITS - ((threshold >> np.uint64(_TOP_BIT - k)) & _ONE)


@njit(inline="always")
def _draw(
    digits: WordArray, candidates: np.uint64, key: np.uint64, counter: np.uint64
) -> tuple[Any, Any, Any, Any, Any, Any, Any]:
    """For every candidate site and each axis, one uniform number against the axis's two thresholds.

    The numbers are compared digit by digit, all sites at once, until every candidate is decided: a site is below the
    threshold if at the first digit in which they differ the threshold has the 1. Returns the sites below the six
    thresholds of ``Rule.digits`` in their order, and the new counter.
    """
    below_0 = below_1 = below_2 = below_3 = below_4 = below_5 = _NO_BITS
    open_0 = open_1 = open_2 = open_3 = open_4 = open_5 = candidates
    k = 0
    while (open_0 | open_1 | open_2 | open_3 | open_4 | open_5) != _NO_BITS and k < _THRESHOLD_BITS:
        # A site stays open while its number and the threshold agree; where they first differ it is below if the
        # threshold has the 1. Each digit decides half of the open sites, so that few are drawn.
        random = random_word(key, counter)
        below_0, open_0 = below_0 | (open_0 & ~random & digits[k, 0]), open_0 & ~(random ^ digits[k, 0])
        below_1, open_1 = below_1 | (open_1 & ~random & digits[k, 1]), open_1 & ~(random ^ digits[k, 1])
        random = random_word(key, counter + np.uint64(1))
        below_2, open_2 = below_2 | (open_2 & ~random & digits[k, 2]), open_2 & ~(random ^ digits[k, 2])
        below_3, open_3 = below_3 | (open_3 & ~random & digits[k, 3]), open_3 & ~(random ^ digits[k, 3])
        random = random_word(key, counter + np.uint64(2))
        below_4, open_4 = below_4 | (open_4 & ~random & digits[k, 4]), open_4 & ~(random ^ digits[k, 4])
        below_5, open_5 = below_5 | (open_5 & ~random & digits[k, 5]), open_5 & ~(random ^ digits[k, 5])
        counter += np.uint64(3)
        k += 1
    return below_0, below_1, below_2, below_3, below_4, below_5, counter


@njit(inline="always")
def _refused(
    a: np.uint64,
    a_up: np.uint64,
    a_down: np.uint64,
    b_up: np.uint64,
    b_down: np.uint64,
    attracts: bool,
    once: np.uint64,
    twice: np.uint64,
) -> np.uint64:
    """Pairs whose swap one axis refuses. ``a`` and ``b`` are the two sites, ``up`` and ``down`` their neighbours.

    The A of an unlike pair leaves its neighbours at home for those of the other site; what counts is by how many A–A
    pairs (or, where A repels A, by how many fewer) home is better: 0 is free, 1 costs ``once``, 2 ``twice``.
    """
    # Of each pair the A is at a or at b: home are the neighbours of the site that has it, away those of the other.
    # An unlike pair has one A, so that a = ¬b, and one word says both.
    home_up, home_down = (a_up & a) | (b_up & ~a), (a_down & a) | (b_down & ~a)
    away_up, away_down = (b_up & a) | (a_up & ~a), (b_down & a) | (a_down & ~a)
    if not attracts:
        home_up, home_down, away_up, away_down = away_up, away_down, home_up, home_down
    home_both, home_any = home_up & home_down, home_up | home_down
    away_both, away_any = away_up & away_down, away_up | away_down
    # Two neighbours A at home and none away: worse by two. Two and one, or one and none: worse by one.
    by_two = home_both & ~away_any
    by_one = ((home_both & ~away_both) | (home_any & ~away_any)) & ~by_two
    return (by_one & ~once) | (by_two & ~twice)


@njit(inline="always")
def _bonds_gained(
    a: np.uint64, b: np.uint64, a_up: np.uint64, a_down: np.uint64, b_up: np.uint64, b_down: np.uint64
) -> Any:
    """Change of the number of A–A pairs along one axis; ``a`` and ``b`` hold only the A that leave by a swap."""
    # An A that goes from a to b gains the A beside b and loses those beside a: 64 swaps in one word.
    gained = popcount(b_up & a) + popcount(b_down & a) + popcount(a_up & b) + popcount(a_down & b)
    lost = popcount(a_up & a) + popcount(a_down & a) + popcount(b_up & b) + popcount(b_down & b)
    return gained - lost


@njit(inline="always")
def _set_rule(steering: Steering, bonds: CountArray, rule: Rule) -> None:
    """Work out the acceptance of each axis for the couplings as the springs pull them now."""
    for axis in range(3):
        coupling = steering.couplings[axis] + _pull(steering, bonds, axis)
        strength = min(abs(coupling), LARGEST_COUPLING)
        probability = _exponential_of_minus(strength)
        rule.attracts[axis] = coupling > 0.0
        _write_digits(rule.digits, 2 * axis, probability)
        _write_digits(rule.digits, 2 * axis + 1, probability * probability)


@njit(inline="always")
def _pull(steering: Steering, bonds: CountArray, axis: int) -> Any:
    pull = steering.stiffness[axis] * (steering.target_bonds[axis] - bonds[axis])
    return min(max(pull, -STRONGEST_PULL), STRONGEST_PULL)


@njit(inline="always")
def _swap_rows(box: Box, rule: Rule, x: int, y: int, x2: int, y2: int, dz: int) -> None:
    """Propose every pair of a site of row (x, y) with the one dz higher in row (x2, y2). The rows must not touch."""
    rows, bonds = box.rows, box.bonds
    edge = rows.shape[0]
    back = (edge - dz) % edge
    # The partner's row is moved by −dz, so that partners stand at the same bit, and moved back at the end.
    a, b = rows[x, y], rotated(rows[x2, y2], back, edge)
    if a == b:
        return
    ax_up, ax_down = rows[(x + 1) % edge, y], rows[(x - 1) % edge, y]
    ay_up, ay_down = rows[x, (y + 1) % edge], rows[x, (y - 1) % edge]
    bx_up = rotated(rows[(x2 + 1) % edge, y2], back, edge)
    bx_down = rotated(rows[(x2 - 1) % edge, y2], back, edge)
    by_up = rotated(rows[x2, (y2 + 1) % edge], back, edge)
    by_down = rotated(rows[x2, (y2 - 1) % edge], back, edge)
    once_x, twice_x, once_y, twice_y, once_z, twice_z, counter = _draw(rule.digits, a ^ b, box.stream[0], box.stream[1])
    box.stream[1] = counter
    for parity in range(2):
        # Neighbours along z lie in the row itself and have the other parity: what the first half swaps, the second
        # sees.
        az_up, az_down = rotated(a, edge - 1, edge), rotated(a, 1, edge)
        bz_up, bz_down = rotated(b, edge - 1, edge), rotated(b, 1, edge)
        unlike = (a ^ b) & (_EVEN_BITS << np.uint64(parity))
        # Accepted if no axis refuses: the product of the axes' probabilities is that of independent refusals.
        swap = unlike & ~(
            _refused(a, ax_up, ax_down, bx_up, bx_down, rule.attracts[0], once_x, twice_x)
            | _refused(a, ay_up, ay_down, by_up, by_down, rule.attracts[1], once_y, twice_y)
            | _refused(a, az_up, az_down, bz_up, bz_down, rule.attracts[2], once_z, twice_z)
        )
        box.tally[0] += popcount(unlike)
        box.tally[1] += popcount(swap)
        bonds[0] += _bonds_gained(a & swap, b & swap, ax_up, ax_down, bx_up, bx_down)
        bonds[1] += _bonds_gained(a & swap, b & swap, ay_up, ay_down, by_up, by_down)
        bonds[2] += _bonds_gained(a & swap, b & swap, az_up, az_down, bz_up, bz_down)
        a ^= swap
        b ^= swap
    rows[x, y] = a
    rows[x2, y2] = rotated(b, dz, edge)


@njit(inline="always")
def _next_word(stream: WordArray) -> Any:
    word = random_word(stream[0], stream[1])
    stream[1] += _ONE
    return word


@njit(inline="always")
def _scan(box: Box, steering: Steering, rule: Rule) -> None:
    """Propose every site once, except rows that would touch their partner (2 of L², in 2 of L planes)."""
    edge = box.rows.shape[0]
    size = np.uint64(edge)
    # Odd, while the edge is even: x and mirror − x are never the same plane.
    mirror = 2 * int(_next_word(box.stream) % np.uint64(edge // 2)) + 1
    for x in range(edge):
        x2 = (mirror - x) % edge
        if x2 < x:
            continue
        _set_rule(steering, box.bonds, rule)
        next_to_each_other = x2 == x + 1 or (x == 0 and x2 == edge - 1)
        for y in range(edge):
            word = _next_word(box.stream)
            y2 = (y + int(word % size)) % edge
            if not (next_to_each_other and y2 == y):
                _swap_rows(box, rule, x, y, x2, y2, int((word >> SHIFT_32) % size))


@njit(nogil=True, cache=True)
def run_scans(box: Box, steering: Steering, scans: int, summed_bonds: CountArray) -> None:
    """Run scans, let the couplings follow the targets after each, and add the bonds after each to ``summed_bonds``."""
    rule = Rule(np.zeros(3, np.bool_), np.zeros((_THRESHOLD_BITS, 6), np.uint64))
    for _ in range(scans):
        _scan(box, steering, rule)
        for axis in range(3):
            moved = steering.couplings[axis] + FOLLOWING_RATE * _pull(steering, box.bonds, axis)
            steering.couplings[axis] = min(max(moved, steering.lowest[axis]), steering.highest[axis])
            summed_bonds[axis] += box.bonds[axis]
