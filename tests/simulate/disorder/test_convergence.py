"""Drift, gap and standard errors of made-up snapshots whose truth is known."""

import numpy as np
import pytest

from dsfu.simulate.disorder.convergence import drift, gap, standard_error

SHAPE = (11, 11, 11)


def runs_of_noise(rng, groups, count, correlation=0.0, sigma=0.01):
    """Snapshots (groups, count, 11, 11, 11) with errors that decay as a power of the distance."""
    runs = np.empty((groups, count, *SHAPE))
    runs[:, 0] = rng.normal(size=(groups, *SHAPE))
    for k in range(1, count):
        fresh = rng.normal(size=(groups, *SHAPE))
        runs[:, k] = correlation * runs[:, k - 1] + np.sqrt(1 - correlation**2) * fresh
    return sigma * runs


def signal():
    """A set with Σ α² = 1 + 3: an I_SRO of root mean square 2."""
    alpha = np.zeros(SHAPE)
    alpha[5, 5, 5] = 1.0
    alpha[6:9, 5, 5] = 1.0
    return alpha


@pytest.mark.parametrize(("groups", "count"), [(2, 4), (1, 8)])
@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.6, 0.8])
def test_standard_errors_are_right_on_average(groups, count, correlation):
    rng = np.random.default_rng(1)
    true, claimed = [], []
    for _ in range(40):
        runs = runs_of_noise(rng, groups, count, correlation)
        true.append((runs.mean(axis=(0, 1)) ** 2).mean())
        claimed.append((standard_error(runs) ** 2).mean())
    assert np.mean(claimed) / np.mean(true) == pytest.approx(1.0, abs=0.12)


def test_standard_errors_tell_shells_apart():
    rng = np.random.default_rng(2)
    sigma = np.where(rng.random(SHAPE) < 0.5, 1.0, 3.0)
    claimed = standard_error(runs_of_noise(rng, 2, 4) * sigma)
    assert claimed[sigma == 3].mean() / claimed[sigma == 1].mean() == pytest.approx(3.0, abs=0.2)


def test_standard_errors_grow_where_two_runs_disagree():
    rng = np.random.default_rng(3)
    runs = runs_of_noise(rng, 2, 4)
    apart = runs + np.array([-0.02, 0.02])[:, None, None, None, None]
    assert np.sqrt((standard_error(apart) ** 2).mean()) == pytest.approx(0.02, rel=0.1)


def test_without_noise_there_is_no_error():
    runs = np.broadcast_to(signal(), (2, 4, *SHAPE))
    assert (standard_error(runs) == 0).all()
    assert drift(runs[0]) == 0
    assert gap(runs[0], runs[1]) == 0


@pytest.mark.parametrize("change", [0.02, 0.1, 0.5])
def test_a_drift_is_measured_in_shares_of_the_intensity(change):
    """From the first to the second pair of snapshots I_SRO changes by ``change`` of its root mean square, 2."""
    snapshots = np.stack([signal()] * 4) + runs_of_noise(np.random.default_rng(4), 1, 4, sigma=0.001)[0]
    snapshots[2:, 5, 7, 7] += 2 * change
    assert drift(snapshots) == pytest.approx(change, rel=0.15)


@pytest.mark.parametrize("change", [0.02, 0.1, 0.5])
def test_a_gap_is_measured_in_shares_of_the_intensity(change):
    noise = runs_of_noise(np.random.default_rng(5), 2, 4, sigma=0.001)
    noise[1, :, 5, 7, 7] += 2 * change
    assert gap(noise[0] + signal(), noise[1] + signal()) == pytest.approx(change, rel=0.15)


def test_noise_alone_is_neither_drift_nor_gap():
    """Eight hundred times smaller variance than the noise would give it if it were not taken off."""
    rng = np.random.default_rng(6)
    measured = []
    for _ in range(50):
        runs = runs_of_noise(rng, 2, 4, sigma=0.002) + signal()
        measured.append((drift(runs[0]), drift(runs[1]), gap(*runs)))
    noise = 0.002 * np.sqrt(11**3) / 2
    assert np.mean(measured) < 0.25 * noise


def test_a_slow_trend_is_a_drift_however_small_its_steps():
    trend = np.linspace(0, 0.3, 4)[:, None, None, None] * np.eye(1, 1331, 100).reshape(SHAPE)
    assert drift(np.stack([signal()] * 4) + trend) == pytest.approx(0.1, rel=0.1)
