"""First guesses of the couplings."""

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsfu.simulate.disorder.couplings import initial_steering, natural_logarithm, pair_probabilities
from dsfu.simulate.disorder.metropolis_kernels import LARGEST_COUPLING


@given(st.floats(1e-12, 1e12))
def test_the_logarithm_is_the_logarithm(x):
    assert natural_logarithm(x) == pytest.approx(log(x), rel=1e-14, abs=1e-15)


@given(st.floats(0.01, 0.99), st.floats(-0.01, 1.0))
def test_pair_probabilities_are_consistent(fraction_a, alpha):
    p_aa, p_bb, p_ab = pair_probabilities(fraction_a, alpha)
    assert p_aa + p_ab == pytest.approx(fraction_a)
    assert p_bb + p_ab == pytest.approx(1 - fraction_a)
    assert 1 - p_ab / (fraction_a * (1 - fraction_a)) == pytest.approx(alpha, abs=1e-12)


def test_at_equal_composition_the_guess_is_the_ising_chain():
    """tanh(J/4) = α."""
    targets = np.array([0.6, -0.3, 0.0])
    steering = initial_steering(64**3, 64**3 // 2, targets)
    assert np.tanh(steering.couplings / 4) == pytest.approx(targets, abs=1e-12)
    assert steering.target_bonds == pytest.approx(64**3 * (0.25 + 0.25 * targets))
    assert (steering.lowest < steering.couplings).all()
    assert (steering.couplings < steering.highest).all()


def test_the_bounds_of_alpha_have_finite_couplings():
    steering = initial_steering(16**3, 16**3 // 5, np.array([-0.25, 1.0, 0.0]))
    assert np.abs(steering.couplings).max() <= LARGEST_COUPLING
    assert np.isfinite(steering.stiffness).all()
