"""The boxes that simulations start from."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsfu.simulate.disorder.metropolis_starts import disordered_start, ordered_start
from dsfu.simulate.disorder.pair_correlations import alpha_of_box
from dsfu.simulate.random_stream import RandomStream

edges = st.sampled_from([12, 16, 22, 64])
shares = st.floats(0.0, 1.0)


def unpacked(rows):
    octets = rows.view(np.uint8).reshape(*rows.shape, 8)
    return np.unpackbits(octets, axis=2, bitorder="little").view(np.bool_)


def box_of(rows):
    bits = unpacked(rows)
    assert not bits[:, :, rows.shape[0] :].any()
    return bits[:, :, : rows.shape[0]]


def neighbours(box):
    alpha = alpha_of_box(box)
    return np.array([alpha[6, 5, 5], alpha[5, 6, 5], alpha[5, 5, 6]])


@settings(deadline=None)
@given(edges, st.floats(0.01, 0.99), st.integers(0, 2), st.floats(-0.9, 0.95), st.integers())
def test_disorder_has_the_composition(edge, fraction, axis, alpha, seed):
    count = round(fraction * edge**3)
    assert box_of(disordered_start(edge, count, axis, alpha, RandomStream(seed))).sum() == count


@settings(deadline=None)
@given(edges, st.floats(0.01, 0.99), st.tuples(*[st.floats(-1, 1)] * 3), st.tuples(*[shares] * 3), st.integers())
def test_order_has_the_composition(edge, fraction, targets, order, seed):
    count = round(fraction * edge**3)
    rows = ordered_start(edge, count, np.array(targets), np.array(order), RandomStream(seed))
    assert box_of(rows).sum() == count


@pytest.mark.parametrize(("fraction", "alpha"), [(0.5, 0.7), (0.2, 0.4), (0.2, -0.25), (0.54, -0.8)])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_disorder_is_chains_along_one_axis(fraction, alpha, axis):
    box = box_of(disordered_start(64, round(fraction * 64**3), axis, alpha, RandomStream(1)))
    measured = np.moveaxis(alpha_of_box(box), axis, 0)[5:, 5, 5]
    assert measured == pytest.approx(alpha ** np.arange(6), abs=0.03)
    others = np.delete(neighbours(box), axis)
    assert np.abs(others).max() < 0.012


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, 1, 1), (1, -1, -1), (-1, -1, -1)])
def test_full_order_is_one_domain(fraction, signs):
    """Every α is at its bound but for the surface of the domain."""
    rare = min(fraction, 1 - fraction)
    bounds = np.where(np.array(signs) > 0, 1.0, -rare / (1 - rare))
    rows = ordered_start(64, round(fraction * 64**3), bounds, np.ones(3), RandomStream(2))
    assert neighbours(box_of(rows)) == pytest.approx(bounds, abs=0.08)


def test_order_is_disturbed_to_the_anisotropy_of_the_targets():
    order = np.array([0.2, 0.8, 0.4])
    box = box_of(ordered_start(64, 64**3 // 2, order, order, RandomStream(3)))
    along_c, along_b, along_a = neighbours(box)[[2, 1, 0]]
    assert along_b == pytest.approx(1.0)
    assert along_c == pytest.approx(0.5, abs=0.06)
    assert along_a == pytest.approx(0.25, abs=0.06)


def test_few_planes_are_stacked_as_the_targets_want():
    """Full planes cannot be rearranged by swaps: whatever the seed, their order is near the target at once."""
    order = np.array([0.97, 0.97, 0.1])
    for seed in range(10):
        box = box_of(ordered_start(64, 24 * 64**2, order, order, RandomStream(seed)))
        assert neighbours(box)[2] == pytest.approx(0.1, abs=0.06)
