"""What a verdict points at first: numbers that mask voxels, centred cells, order that was cut off."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from dsfu.model.measured.volume.bragg import lattice_points
from dsfu.model.measured.volume.likelier_causes import centring_of, likelier_causes

AXES = tuple(np.linspace(-3.2, 3.2, 65) for _ in range(3))
POINTS = lattice_points(AXES, 9**3)
CONDITIONS = {
    "": np.ones(len(POINTS), bool),
    "C": POINTS[:, :2].sum(axis=1) % 2 == 0,
    "I": POINTS.sum(axis=1) % 2 == 0,
    "F": (POINTS[:, :1] % 2 == POINTS % 2).all(axis=1),
    "R (obverse)": POINTS @ [-1, 1, 1] % 3 == 0,
}


def _solution(strong=None, counts=None, enough=True) -> Any:
    counts = np.full(1000, 20.0) if counts is None else counts
    peaks = None if strong is None else SimpleNamespace(seen=np.ones(len(POINTS), bool), strong=strong)
    voxels = SimpleNamespace(axes=AXES, counts=counts, live=np.ones(counts.shape, bool), gain=0.5)
    return cast(Any, SimpleNamespace(peaks=peaks, voxels=voxels, cutoff_enough=enough, cutoff=6))


@pytest.mark.parametrize("letter", CONDITIONS)
def test_the_centring_is_that_of_the_peaks_though_some_are_weak(letter):
    strong = CONDITIONS[letter] & (np.random.default_rng(1).uniform(size=len(POINTS)) < 0.8)
    assert centring_of(_solution(strong).peaks, POINTS) == letter


def test_few_peaks_say_nothing_of_centring():
    strong = CONDITIONS["C"] & (np.random.default_rng(1).uniform(size=len(POINTS)) < 0.2)
    assert not centring_of(_solution(strong).peaks, POINTS)


@pytest.mark.parametrize(("value", "remedy"), [(0.0, "--zeros dead"), (-2.0, "exactly -1")])
def test_a_number_that_masks_voxels_is_named_in_the_unit_of_the_data(value, remedy):
    counts = np.random.default_rng(3).poisson(20.0, 1000).astype(float)
    assert not likelier_causes(_solution(counts=counts))
    counts[:50] = value
    assert remedy in likelier_causes(_solution(counts=counts))


def test_empty_voxels_of_weak_data_are_no_mask():
    assert not likelier_causes(_solution(counts=np.random.default_rng(3).poisson(1.0, 1000).astype(float)))


def test_a_cut_off_that_is_too_short_is_named():
    assert "--cutoff" in likelier_causes(_solution(enough=False))
