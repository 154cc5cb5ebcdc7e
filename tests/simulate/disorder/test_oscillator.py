"""Damped oscillator sets: shells, symmetry, and what is rejected."""

from math import cos, exp

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsfu.simulate.checks import warren_cowley_set
from dsfu.simulate.disorder.oscillator import (
    PAPER_DECAYS,
    PAPER_FREQUENCIES,
    clipped_share,
    draw_oscillator_set,
    oscillator_alpha,
    shells,
)
from dsfu.simulate.lattice import Cell

CELLS = {"hexagonal": Cell(5.0, 4.0, 5.0, beta=120.0), "tetragonal": Cell(5.0, 4.0, 5.0), "cubic": Cell(5.0, 5.0, 5.0)}
ROTATIONS = {"hexagonal": 60.0, "tetragonal": 90.0, "cubic": 90.0}
lattices = st.sampled_from(sorted(CELLS))
amplitudes, decays, frequencies = st.floats(-2.0, 2.0), st.floats(0.0, 2.0), st.floats(0.0, 3.0)
u, w = np.indices((11, 11)) - 5


def lengths(lattice):
    """Length of every vector of the plane, from the cell."""
    vectors = np.stack([u, np.zeros_like(u), w], axis=-1) @ CELLS[lattice].vectors
    return np.linalg.norm(vectors, axis=-1)


def test_hexagonal_shells():
    found = shells("hexagonal")
    assert len(found) == 15
    assert all(len(shell) == 6 for shell in found)
    assert set(found[0]) == {(1, 0), (1, 1), (0, 1), (-1, 0), (-1, -1), (0, -1)}
    assert (2, 1) in found[1]
    assert (3, 1) in found[3]
    assert (3, 2) in found[4]


def test_square_shells():
    found = shells("tetragonal")
    assert found == shells("cubic")
    assert len(found) == 20
    assert sorted({len(shell) for shell in found}) == [4, 8]
    assert sum(len(shell) for shell in found) == 120
    assert set(found[0]) == {(1, 0), (-1, 0), (0, 1), (0, -1)}
    assert len(found[3]) == 8


@pytest.mark.parametrize("lattice", sorted(CELLS))
def test_shells_are_in_order_of_length_and_closed_under_rotation(lattice):
    length = lengths(lattice)
    per_shell = [[length[i + 5, j + 5] for i, j in shell] for shell in shells(lattice)]
    assert all(np.ptp(one) < 1e-9 for one in per_shell)
    assert (np.diff([one[0] for one in per_shell]) > -1e-9).all()
    cell, angle = CELLS[lattice], np.radians(ROTATIONS[lattice])
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    for shell in shells(lattice):
        turned = np.array([(i, 0, j) for i, j in shell]) @ cell.vectors @ turn.T @ np.linalg.inv(cell.vectors)
        assert {tuple(row) for row in np.rint(turned[:, ::2]).astype(int)} == set(shell)
        assert np.abs(turned - np.rint(turned)).max() < 1e-9


@pytest.mark.parametrize("lattice", sorted(CELLS))
def test_shells_whose_equivalents_leave_the_set_are_left_out(lattice):
    inside = {vector for shell in shells(lattice) for vector in shell}
    assert len(inside) == sum(len(shell) for shell in shells(lattice))
    assert ((5, -5) in inside) == (lattice != "hexagonal")
    assert max(max(map(abs, vector)) for vector in inside) == 5


@given(lattices, amplitudes, decays, frequencies)
def test_values_follow_the_formula(lattice, amplitude, decay, frequency):
    alpha = oscillator_alpha(lattice, amplitude, decay, frequency)
    warren_cowley_set("alpha", alpha)
    for x, shell in enumerate(shells(lattice), start=1):
        values = [alpha[i + 5, 5, j + 5] for i, j in shell]
        assert values == pytest.approx([amplitude * exp(-decay * x) * cos(frequency * x)] * len(shell), rel=1e-12)
    assert alpha[5, 5, 5] == 1.0
    assert np.count_nonzero(alpha) <= 1 + sum(len(shell) for shell in shells(lattice))
    assert not alpha[:, np.arange(11) != 5].any()


@given(lattices, amplitudes, decays, frequencies)
def test_the_clipped_share_is_that_of_the_cosine_sum(lattice, amplitude, decay, frequency):
    alpha = oscillator_alpha(lattice, amplitude, decay, frequency)
    grid = np.arange(48) / 48
    along_a, along_c = np.meshgrid(grid, grid, indexing="ij")
    total = np.zeros_like(along_a)
    for i, j in np.argwhere(alpha[:, 5] != 0):
        total += alpha[i, 5, j] * np.cos(2 * np.pi * (along_a * (i - 5) + along_c * (j - 5)))
    low, high = (total < -1e-9).mean(), (total < 1e-9).mean()
    assert low <= clipped_share(alpha) <= high


@settings(deadline=None)  # the first example compiles
@given(st.integers(), lattices, st.floats(0.05, 1.0))
def test_draws_keep_what_they_promise(seed, lattice, most_clipped):
    drawn = draw_oscillator_set(
        seed, lattice, decay=PAPER_DECAYS, frequency=PAPER_FREQUENCIES, most_clipped=most_clipped
    )
    numbers = drawn.parameters
    assert np.abs(drawn.alpha).max() == 1.0
    assert clipped_share(drawn.alpha) == numbers["clipped_share"] <= most_clipped
    assert 0.6 <= numbers["amplitude"] < 1.5
    assert 0.1 <= numbers["decay"] < 1.2
    assert 0.0 <= numbers["frequency"] < 1.0
    again = oscillator_alpha(lattice, numbers["amplitude"], numbers["decay"], numbers["frequency"])
    assert (again == drawn.alpha).all()
    assert numbers["attempts"] >= 1
    assert (drawn.kind, drawn.fraction_a, drawn.seed) == ("oscillator", 0.5, seed)
    assert not drawn.standard_error.any()


def test_a_draw_is_a_function_of_seed_and_lattice():
    first, again = (draw_oscillator_set(4, "hexagonal") for _ in range(2))
    assert dict(first.parameters) == dict(again.parameters)
    assert first.parameters["amplitude"] != draw_oscillator_set(5, "hexagonal").parameters["amplitude"]
    assert first.parameters["amplitude"] != draw_oscillator_set(4, "tetragonal").parameters["amplitude"]


def test_alpha_above_one_is_never_drawn():
    """The paper's ranges allow A = 1.5, d = 0.1, ω = 0, which gives 1.36."""
    assert oscillator_alpha("hexagonal", 1.5, 0.1, 0.0).max() == pytest.approx(1.357, abs=1e-3)
    with pytest.raises(ValueError, match=r"none of 10000 draws .* expected ranges"):
        draw_oscillator_set(1, "hexagonal", amplitude=(1.4, 1.5), decay=(0.1, 0.1), frequency=(0.0, 0.1))


def test_rejection_costs_attempts():
    attempts = [draw_oscillator_set(n, "hexagonal", most_clipped=0.01).parameters["attempts"] for n in range(30)]
    accepted_at_once = [draw_oscillator_set(n, "hexagonal", most_clipped=1.0).parameters["attempts"] for n in range(30)]
    assert np.mean(attempts) > 2
    assert set(accepted_at_once) == {1.0}


def test_mistakes_are_named():
    with pytest.raises(ValueError, match="lattice = 'trigonal': expected one of hexagonal, tetragonal, cubic"):
        shells("trigonal")
    with pytest.raises(ValueError, match=r"decay = \(1\.2, 0\.2\): expected a range"):
        draw_oscillator_set(1, "cubic", decay=(1.2, 0.2))
    with pytest.raises(ValueError, match="most_clipped = 1.5"):
        draw_oscillator_set(1, "cubic", most_clipped=1.5)
    with pytest.raises(ValueError, match="decay = -1"):
        oscillator_alpha("cubic", 1.0, -1.0, 0.0)
