"""Which targets can be had, what is drawn of them, and that what is drawn is reached."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsfu.simulate.disorder.feasibility import (
    InfeasibleTargetsError,
    feasible_targets,
    sample_targets,
    sites_of_a,
    target_bounds,
    tolerance,
)
from dsfu.simulate.disorder.metropolis import generate_set
from dsfu.simulate.random_stream import RandomStream

fractions = st.floats(0.02, 0.98)
alphas = st.floats(-1.0, 1.0)
triples = st.tuples(alphas, alphas, alphas)
boxes = st.sampled_from([16, 20, 32, 64])
seeds = st.integers(0, 2**64)


def nearest(fraction_a, targets, box):
    """What the check returns, or suggests."""
    try:
        return tuple(feasible_targets(fraction_a, targets, box).tolist())
    except InfeasibleTargetsError as error:
        return error.nearest


@given(fractions)
def test_bounds_are_those_of_the_pair_probabilities(fraction_a):
    low, high = target_bounds(fraction_a)
    product = fraction_a * (1 - fraction_a)
    assert low == pytest.approx(max(-fraction_a / (1 - fraction_a), -(1 - fraction_a) / fraction_a))
    assert min(fraction_a**2 + low * product, (1 - fraction_a) ** 2 + low * product) == pytest.approx(0, abs=1e-12)
    assert product * (1 - high) == 0


@given(fractions, triples, boxes)
def test_what_is_suggested_is_feasible_and_near(fraction_a, targets, box):
    suggested = nearest(fraction_a, targets, box)
    assert feasible_targets(fraction_a, suggested, box).tolist() == list(suggested)
    low, high = target_bounds(sites_of_a(fraction_a, box) / box**3)
    inside = np.clip(targets, low, high)
    moved = np.array(suggested)
    assert (moved <= inside + 1e-12).all()
    assert (moved >= np.minimum(inside, 0.0) - 1e-12).all()
    assert (moved[inside <= 0] == inside[inside <= 0]).all()


@given(fractions, triples)
def test_moderate_targets_are_feasible_at_every_composition_and_combination(fraction_a, targets):
    """In a box of 64³ sites nothing but the bounds of each axis restricts targets up to 0.8."""
    low, _ = target_bounds(sites_of_a(fraction_a, 64) / 64**3)
    wanted = np.clip(targets, low, 0.8)
    assert (feasible_targets(fraction_a, wanted) == wanted).all()


@given(fractions, triples, boxes)
def test_species_may_change_places(fraction_a, targets, box):
    exact = sites_of_a(fraction_a, box) / box**3
    assert nearest(exact, targets, box) == pytest.approx(nearest(1 - exact, targets, box), abs=2e-6)


@given(fractions, st.permutations([0, 1, 2]), triples, boxes)
def test_axes_may_change_places(fraction_a, order, targets, box):
    swapped = nearest(fraction_a, [targets[i] for i in order], box)
    assert swapped == pytest.approx([nearest(fraction_a, targets, box)[i] for i in order], abs=2e-6)


def test_out_of_bounds_is_refused_with_reason_and_remedy():
    with pytest.raises(
        InfeasibleTargetsError, match=r"every α lies in \[-0\.25, 1\]; .* \(-0\.25, 0\.1, 0\)"
    ) as caught:
        feasible_targets(0.2, (-0.3, 0.1, 0.0), box=20)
    assert caught.value.nearest == (-0.25, 0.1, 0.0)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("fraction_a", [0.3, 0.2, 0.47])
@pytest.mark.parametrize("box", [16, 64])
def test_the_bound_itself_is_feasible_though_compositions_are_rounded(fraction_a, box):
    bound = target_bounds(fraction_a)[0]
    assert feasible_targets(fraction_a, (bound, 0.0, 0.0), box)[0] == pytest.approx(bound, abs=2 / box**3)


def test_order_too_long_for_the_box_is_refused_with_reason_and_remedy():
    with pytest.raises(InfeasibleTargetsError, match="too large for a box of 16³ sites of which 410 are A") as caught:
        feasible_targets(0.1, (0.8, 0.85, 0.8), box=16)
    assert all(0 < given < wanted for given, wanted in zip(caught.value.nearest, (0.8, 0.85, 0.8), strict=True))
    feasible_targets(0.1, (0.8, 0.85, 0.8), box=64)


def test_a_run_refuses_before_it_starts():
    with pytest.raises(ValueError, match="nearest feasible targets"):
        generate_set(0.2, (-0.3, 0.0, 0.0), seed=1)


@pytest.mark.parametrize("box", [10, 13, 66, 64.0, True, "64"])
def test_boxes_that_cannot_be_packed_are_refused(box):
    with pytest.raises(ValueError, match="expected an even number of sites from 12 to 64"):
        sites_of_a(0.5, box)


def test_too_few_sites_are_refused():
    with pytest.raises(ValueError, match=r"leaves 35 sites of the rarer species: expected at least 50"):
        sites_of_a(0.98, 12)


def test_the_composition_is_the_nearest():
    assert sites_of_a(0.3, 16) == 1229
    assert tolerance(64) == 1 / 512


@settings(deadline=None)  # the first example compiles
@given(seeds, fractions, fractions, alphas, alphas, boxes)
def test_draws_are_feasible_and_in_range(seed, one, other, low, high, box):
    fraction_range, target_range = tuple(sorted((one, other))), tuple(sorted((low, high)))
    rng = RandomStream(seed, "draw")
    fraction_a, targets = sample_targets(rng, fraction_range=fraction_range, target_range=target_range, box=box)
    assert fraction_range[0] <= fraction_a <= fraction_range[1]
    assert feasible_targets(fraction_a, targets, box).tolist() == list(targets)
    assert max(targets) <= max(target_range[1], target_bounds(fraction_a)[0] + 1e-3)


def test_a_numpy_generator_draws_as_well():
    fraction_a, targets = sample_targets(np.random.default_rng(1))
    assert 0.02 <= fraction_a <= 0.54
    assert max(np.abs(targets)) <= 0.6


def test_draws_fill_their_ranges():
    drawn = [sample_targets(RandomStream(n)) for n in range(400)]
    fractions_drawn = np.array([fraction for fraction, _ in drawn])
    targets = np.array([targets for _, targets in drawn])
    assert fractions_drawn.min() < 0.04
    assert fractions_drawn.max() > 0.52
    assert (targets.max(axis=0) > 0.57).all()
    assert (targets.min(axis=0) < -0.5).all()


def test_ranges_are_checked():
    with pytest.raises(ValueError, match=r"target_range = \(0\.5, -0\.5\): expected the lower end first"):
        sample_targets(RandomStream(1), target_range=(0.5, -0.5))
    with pytest.raises(ValueError, match=r"fraction_range = -0\.1"):
        sample_targets(RandomStream(1), fraction_range=(-0.1, 0.5))


@settings(deadline=None)
@given(seeds)
def test_whatever_is_drawn_is_reached(seed):
    fraction_a, targets = sample_targets(RandomStream(seed, "reach"), target_range=(-1.0, 1.0), box=16)
    made = generate_set(fraction_a, targets, seed, box=16)
    assert made.targets == targets
    assert np.abs(np.subtract(made.reached, targets)).max() <= tolerance(16)
