import json

import numpy as np
import pytest
from scipy.ndimage import binary_closing

from dsfu.simulate.disorder.random_masks import (
    DEFAULT_SETTINGS,
    RandomSettings,
    described_mask,
    random_experiment,
    random_mask,
)


@pytest.fixture(scope="module")
def masks() -> list[np.ndarray]:
    return [random_mask((11, number))[0] for number in range(200)]


def test_the_same_seed_gives_the_same_mask_whatever_was_drawn_before():
    first, description = random_mask((3, 5))
    random_mask((3, 4))
    again, same = random_mask([3, 5])
    np.testing.assert_array_equal(first, again)
    assert description == same
    assert random_experiment(9) == random_experiment((9, 0))
    assert random_experiment(9) != random_experiment((9, 1))


def test_seeds_have_the_values_that_they_had_when_this_was_written():
    """The generator is counter-based and its doubles are fixed by its definition: stores depend on them."""
    experiment = random_experiment((2024, 7))
    assert experiment.detector.name == "PILATUS 2M"
    assert len(experiment.positions) == 1
    assert experiment.distance_m == pytest.approx(0.241502596, abs=1e-9)
    assert experiment.wavelength_angstrom == pytest.approx(0.668243975, abs=1e-9)
    assert experiment.phi_range_deg == 360.0


def test_a_description_survives_json_and_makes_the_mask_again():
    for number in range(20):
        live, description = random_mask((1, number))
        np.testing.assert_array_equal(described_mask(json.loads(json.dumps(description))), live)
        assert description["live_share"] == live.mean()
        assert description["seed"] == [1, number]


def test_shares_of_live_pixels_are_spread_over_the_wanted_range(masks):
    shares = np.array([live.mean() for live in masks])
    low, high = DEFAULT_SETTINGS.live_share
    assert low <= shares.min() < low + 0.03
    assert high - 0.05 < shares.max() <= high
    assert np.histogram(shares, np.linspace(low, high, 6))[0].min() >= 0.05 * len(shares)


def test_most_masks_have_thin_gaps(masks):
    def thin(live: np.ndarray) -> float:
        closed = binary_closing(np.pad(live, 4), np.ones((5, 5), dtype=bool))[4:-4, 4:-4]
        return float((closed & ~live).mean())

    assert np.mean([thin(live) > 0.005 for live in masks]) > 0.7


def test_masks_differ_from_one_another(masks):
    packed = {np.packbits(live).tobytes() for live in masks}
    assert len(packed) == len(masks)


def test_orientations_are_uniform():
    """Every direction, and every pair of them, has the averages that it has over all rotations."""
    matrices = np.array([random_experiment((5, number)).orientation for number in range(2000)])
    np.testing.assert_allclose(matrices.mean(axis=0), 0, atol=0.06)
    np.testing.assert_allclose((matrices**2).mean(axis=0), 1 / 3, atol=0.04)
    assert np.trace(matrices, axis1=1, axis2=2).mean() == pytest.approx(0, abs=0.1)


def test_settings_are_followed():
    settings = RandomSettings(
        detectors=("eiger_16m",),
        edge_pixels=(4, 4),
        distance_m=(0.21, 0.22),
        wavelength_angstrom=(0.5, 0.5),
        share_of_two_positions=1.0,
        share_of_full_turns=0.0,
        share_of_friedel_averages=1.0,
        phi_range_deg=(100.0, 110.0),
        live_share=(0.7, 0.75),
    )
    live, description = random_mask(1, settings=settings, pixels=64)
    experiment = description["experiment"]
    assert live.shape == (64, 64)
    assert 0.7 <= live.mean() <= 0.75
    assert experiment["detector"]["name"] == "EIGER 16M"
    assert experiment["detector"]["edge_pixels"] == 4
    assert 0.21 <= experiment["distance_m"] <= 0.22
    assert experiment["wavelength_angstrom"] == 0.5
    assert len(experiment["positions"]) == 2
    assert 100 <= experiment["phi_range_deg"] <= 110
    assert description["friedel_average"]


@pytest.mark.parametrize("seed", [-1, 2**64, (1, 2, 3), (), 0.5, "1", None, (1, -1)])
def test_impossible_seeds_are_refused(seed):
    with pytest.raises(ValueError, match="expected one or two whole numbers"):
        random_experiment(seed)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"detectors": ("pilatus",)}, r"unknown \['pilatus'\]; expected names out of"),
        ({"detectors": ()}, "expected names out of"),
        ({"share_of_full_turns": 1.1}, "share_of_full_turns = 1.1"),
        ({"off_centre_m": -0.01}, "off_centre_m = -0.01: expected a number in"),
        ({"spindle_error_deg": float("nan")}, "spindle_error_deg = nan"),
        ({"q_max": (8.0, 6.0)}, r"q_max = \(8.0, 6.0\): expected a pair of numbers, the lower first"),
        ({"q_max": 7.0}, "q_max = 7.0: expected a pair"),
        ({"distance_m": (0.2, float("nan"))}, "distance_m = .*: expected a pair"),
        ({"layers": (0, 2.5)}, r"layers = \(0, 2.5\): expected a pair of whole numbers"),
    ],
)
def test_impossible_settings_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        RandomSettings(**change)


def test_settings_that_never_fit_end_with_an_error():
    settings = RandomSettings(detectors=("pilatus_2m",), distance_m=(1.0, 1.0), live_share=(0.9, 0.95))
    with pytest.raises(ValueError, match=r"none of \d+ draws .* in \[0.9, 0.95\]"):
        random_mask(1, settings=settings, pixels=16)
