"""Monte Carlo sets against exactly solved ensembles, within the standard errors that they claim themselves."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from scipy import stats

from dsfu.simulate.checks import warren_cowley_set
from dsfu.simulate.disorder.equilibrium import LARGEST_DRIFT
from dsfu.simulate.disorder.feasibility import tolerance
from dsfu.simulate.disorder.metropolis import MOST_GAP, MOST_ORDER, draw_monte_carlo_set, generate_set
from dsfu.simulate.disorder.metropolis_starts import disordered_start
from dsfu.simulate.disorder.pair_correlations import alpha_from_counts, mirror_images
from dsfu.simulate.disorder.replica import Replica
from dsfu.simulate.random_stream import RandomStream
from tests.simulate.disorder.ising import coupling_of, diagonal_correlation

# One of each set of equivalent vectors, without the origin and the three targets, which are held.
FREE = np.zeros((11, 11, 11), dtype=bool)
FREE[5:, 5:, 5:] = True
for held in [(5, 5, 5), (6, 5, 5), (5, 6, 5), (5, 5, 6)]:
    FREE[held] = False


def chains(alpha_100):
    """α of independent chains along a: α_n00 = α_100ⁿ, and 0 off the axis."""
    alpha = np.zeros((11, 11, 11))
    alpha[:, 5, 5] = alpha_100 ** np.abs(np.arange(-5, 6))
    return alpha


def misfit(deviation, error, degrees_of_freedom):
    """How many standard deviations χ² over the free shells is above or below what it should be.

    The errors come from few snapshots, so a deviation in units of its error follows Student's distribution; it is
    brought to the normal one with the same probability. Shells are not quite independent: their χ² scatters some 1.5
    times as much as if they were.
    """
    student = deviation[FREE] / error[FREE]
    normal = stats.norm.isf(stats.t.sf(np.abs(student), degrees_of_freedom))
    return ((normal**2).sum() - normal.size) / (1.5 * np.sqrt(2 * normal.size))


def degrees_of_freedom(made):
    """Two runs of four snapshots, or one of eight."""
    return 6 if made.start == "both" else 7


CHAINS = [
    (0.5, 0.3),
    (0.5, -0.3),
    (0.5, 0.6),
    (0.5, -0.6),
    (0.2, 0.3),
    (0.2, 0.6),
    # −0.3 and −0.6 cannot be had at m_A = 0.2, where α ≥ −0.25: the bound itself, and half of it, instead.
    (0.2, -0.25),
    (0.2, -0.125),
]


@pytest.fixture(scope="module")
def chain_sets():
    return {(m, t): [generate_set(m, (t, 0.0, 0.0), seed) for seed in (1, 2)] for m, t in CHAINS}


@pytest.mark.parametrize(("fraction_a", "target"), CHAINS)
def test_one_target_makes_independent_chains(chain_sets, fraction_a, target):
    for made in chain_sets[fraction_a, target]:
        assert abs(misfit(made.alpha - chains(target), made.standard_error, degrees_of_freedom(made))) < 5
        on_axis = (made.alpha - chains(target))[7:, 5, 5] / made.standard_error[7:, 5, 5]
        assert np.abs(on_axis).max() < stats.t.isf(1e-5, degrees_of_freedom(made))
        assert np.abs(np.subtract(made.reached, made.targets)).max() < tolerance(64)


@pytest.mark.parametrize(("fraction_a", "target"), CHAINS)
def test_two_seeds_differ_by_what_the_standard_errors_say(chain_sets, fraction_a, target):
    first, second = chain_sets[fraction_a, target]
    error = np.hypot(first.standard_error, second.standard_error)
    assert abs(misfit(first.alpha - second.alpha, error, 12)) < 5
    assert (first.alpha != second.alpha).sum() > 1300


@pytest.mark.parametrize(("fraction_a", "target"), CHAINS)
def test_the_noise_of_the_intensity_is_a_few_per_cent(chain_sets, fraction_a, target):
    """Root mean square over the zone, by Parseval's theorem."""
    for made in chain_sets[fraction_a, target]:
        noise = np.sqrt((made.standard_error**2).sum() / (made.alpha**2).sum())
        assert 0.005 < noise < 0.04


def test_a_quench_is_not_the_ensemble():
    """The first box to hit the target, from a random one cooled at once, fails the test that sampled sets pass."""
    target, sites_a = 0.6, 64**3 // 2
    rows = disordered_start(64, sites_a, 0, 0.0, RandomStream(1, "random"))
    quench = Replica(rows, sites_a, np.array([target, 0.0, 0.0]), RandomStream(1, "quench"))
    quench.run(1)
    while quench.alpha_now()[0] < target:
        quench.run(1)
    alpha = alpha_from_counts(mirror_images(quench.pair_counts()), 64**3, sites_a)
    one_box = np.full(alpha.shape, 1 / np.sqrt(2 * 64**3))
    assert misfit(alpha - chains(target), one_box, 1000) > 20


@pytest.mark.parametrize("target", [0.3, 0.45])
@pytest.mark.parametrize(("axes", "sign"), [((0, 1), 1), ((1, 2), -1)])
def test_two_equal_targets_make_square_ising_layers(target, axes, sign):
    """The diagonal neighbour of the square Ising model with that nearest-neighbour correlation; layers independent.

    With both targets negative the diagonal is the same. Below the ordering threshold, 1/√2.
    """
    targets = np.zeros(3)
    targets[list(axes)] = sign * target
    made = generate_set(0.5, targets, seed=3)
    diagonal = tuple(5 + int(axis in axes) for axis in range(3))
    expected = diagonal_correlation(coupling_of(target))
    allowed = stats.t.isf(1e-5, degrees_of_freedom(made)) * made.standard_error
    assert made.alpha[diagonal] == pytest.approx(expected, abs=allowed[diagonal])
    assert allowed[diagonal] < 0.02
    assert np.array(made.couplings)[list(axes)] == pytest.approx(sign * 4 * coupling_of(target), abs=0.06)
    third = next(axis for axis in range(3) if axis not in axes)
    between_layers = FREE & (np.indices(FREE.shape)[third] > 5)
    assert ((made.alpha[between_layers] / made.standard_error[between_layers]) ** 2).mean() < 3


def test_arrays_are_exactly_symmetric_and_normalised():
    made = generate_set(0.3, (0.2, -0.1, 0.05), seed=5, box=16)
    assert made.alpha.shape == made.standard_error.shape == (11, 11, 11)
    assert made.alpha.dtype == np.float64
    assert made.alpha[5, 5, 5] == 1.0
    assert (made.alpha == made.alpha[::-1, ::-1, ::-1]).all()
    assert (made.alpha == made.alpha[::-1]).all()
    assert made.standard_error[5, 5, 5] == 0.0
    assert warren_cowley_set("alpha", made.alpha) is made.alpha
    assert made.fraction_a == 1229 / 4096
    assert made.targets == (0.2, -0.1, 0.05)
    assert made.reached == (made.alpha[6, 5, 5], made.alpha[5, 6, 5], made.alpha[5, 5, 6])


def test_what_is_reported_is_consistent():
    made = generate_set(0.4, (0.3, 0.1, -0.2), seed=2, box=32)
    assert made.settled == (made.drift <= LARGEST_DRIFT)
    assert 0 < made.moves_accepted < made.moves_proposed
    unlike_pairs_of_a_scan = 0.4 * 0.6 * 32**3
    scans_of_both = 2 * made.scans + (0 if made.start == "both" else made.scans / 2)
    assert made.moves_proposed == pytest.approx(scans_of_both * unlike_pairs_of_a_scan, rel=0.05)
    record = made.record()
    assert record.kind == "monte_carlo"
    assert record.alpha is made.alpha
    assert record.parameters["target_c"] == -0.2
    assert record.parameters["reached_a"] == made.reached[0]
    assert all(isinstance(value, float) for value in record.parameters.values())


def test_beyond_an_ordering_transition_the_ordered_box_is_taken():
    """α = 0.6 in three directions is past the separation into A and B (0.33): no shell decays to 0."""
    made = generate_set(0.5, (0.6, 0.6, 0.6), seed=1, box=32)
    assert made.start == "ordered"
    assert made.gap > 0.2
    assert made.order_at_cutoff > 0.3
    assert generate_set(0.5, (0.2, 0.2, 0.2), seed=1, box=32).order_at_cutoff < 0.01


def test_opposite_starts_meet():
    """Near the transition at 0.33, it takes them long; more scans bring the gap down."""
    few = generate_set(0.5, (0.3, 0.3, 0.3), seed=4, box=32, most_scans=64)
    many = generate_set(0.5, (0.3, 0.3, 0.3), seed=4, box=32, most_scans=1024)
    assert few.gap > 3 * many.gap


def digest(made):
    return hashlib.sha256(np.ascontiguousarray(made.alpha).tobytes()).hexdigest()[:16]


def test_a_set_is_the_same_on_every_machine():
    """Change this value only together with the version of the science."""
    assert digest(generate_set(0.3, (0.4, -0.2, 0.1), seed=1, box=16)) == "1066d778fed0d342"


def test_a_set_does_not_depend_on_threads_or_order():
    seeds = range(6)
    alone = [digest(generate_set(0.3, (0.4, -0.2, 0.1), seed, box=16)) for seed in seeds]
    with ThreadPoolExecutor(3) as pool:
        together = list(
            pool.map(lambda seed: digest(generate_set(0.3, (0.4, -0.2, 0.1), seed, box=16)), [*seeds][::-1])
        )
    assert together[::-1] == alone
    assert len(set(alone)) == 6


def test_a_drawn_set_is_a_function_of_its_seed():
    first, again, other = (draw_monte_carlo_set(seed, box=16) for seed in (7, 7, 8))
    assert (first.alpha == again.alpha).all()
    assert dict(first.parameters) == dict(again.parameters)
    assert first.fraction_a != other.fraction_a
    assert first.seed == 7


def test_ranges_of_a_drawn_set_are_kept():
    for seed in range(5):
        drawn = draw_monte_carlo_set(seed, fraction_range=(0.3, 0.4), target_range=(0.1, 0.2), box=16)
        assert 0.3 <= drawn.fraction_a <= 0.4
        assert all(0.1 <= drawn.parameters[f"target_{axis}"] <= 0.2 for axis in "abc")


def test_a_set_that_is_none_of_equilibrium_is_drawn_again():
    """Beyond a transition boxes remember their start; with milder targets in the range another draw does not."""
    wide: dict[str, Any] = {"fraction_range": (0.45, 0.5), "target_range": (-0.5, 0.9), "box": 16, "most_scans": 64}
    plain = draw_monte_carlo_set(3, **wide)
    assert plain.parameters["gap"] >= MOST_GAP or plain.parameters["order_at_cutoff"] >= MOST_ORDER
    settled = draw_monte_carlo_set(3, equilibrium=True, **wide)
    assert settled.parameters["gap"] < MOST_GAP
    assert settled.parameters["order_at_cutoff"] < MOST_ORDER
    again = draw_monte_carlo_set(settled.seed, **wide)
    assert (again.alpha == settled.alpha).all()
    mild: dict[str, Any] = {"fraction_range": (0.3, 0.4), "target_range": (0.05, 0.1), "box": 16}
    first, same = draw_monte_carlo_set(1, **mild), draw_monte_carlo_set(1, equilibrium=True, **mild)
    assert (first.alpha == same.alpha).all()


def test_too_few_scans_are_refused():
    with pytest.raises(ValueError, match="most_scans = 10: expected at least 64"):
        generate_set(0.5, (0.1, 0.1, 0.1), seed=1, box=16, most_scans=10)
