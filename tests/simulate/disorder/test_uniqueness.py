"""The metrics under their public names, on planes as they are simulated."""

import subprocess
import sys

import numpy as np
import pytest

from dsfu.simulate.arrays import Float32Array, FloatArray
from dsfu.simulate.disorder.planes import layer
from dsfu.simulate.disorder.scattering import simulate_planes
from dsfu.simulate.disorder.uniqueness import (
    EMBEDDING_DTYPE,
    EMBEDDING_SIZE,
    METRICS,
    TRANSPORT_METRICS,
    MetricName,
    Selection,
    distances_between_planes,
    embed_plane,
    embed_planes,
    embedding_distances,
    select_unique,
)
from dsfu.simulate.disorder.wasserstein import GRID, select_exactly
from dsfu.simulate.species import cell_of_pair, load_library

PAIRS = (("sulfate_R", "norbornene"), ("ethanol", "DMSO_R"), ("benzoate", "naphthalene_R"))
TWO: tuple[MetricName, ...] = ("sliced_wasserstein", "appearance")
metrics = pytest.mark.parametrize("metric", METRICS)


def chains(along_a: float, along_b: float, along_c: float) -> FloatArray:
    """A disorder that is easily written down: α_uvw = t_a^|u| t_b^|v| t_c^|w|."""
    steps = np.abs(np.arange(-5, 6))
    factors = [np.power(t, steps) for t in (along_a, along_b, along_c)]
    return np.asarray(np.einsum("u,v,w->uvw", *factors), dtype=np.float64)


@pytest.fixture(scope="module")
def planes() -> Float32Array:
    """Layers normal to b, at k = −1, 0, 1, 1.5, of three pairs with two kinds of disorder each: (24, 256, 256)."""
    library = load_library()
    found = []
    for a, b in PAIRS:
        one, other = library[a], library[b]
        cell = cell_of_pair(one, other, 0.4)
        for alpha in (chains(0.5, -0.2, 0.3), chains(-0.3, 0.1, 0.4)):
            layers = [layer(cell, "b", k, 7.0) for k in (-1.0, 0.0, 1.0, 1.5)]
            made = simulate_planes(one.atoms, other.atoms, 0.4, cell, alpha, layers)
            found += [scattering.intensity for scattering in made]
    return np.stack(found)


@metrics
def test_identical_planes_and_planes_of_another_scale_are_duplicates(planes: Float32Array, metric: MetricName) -> None:
    vectors = embed_planes(np.concatenate([planes, planes, 1e4 * planes]), metric)
    assert vectors.shape[1] == EMBEDDING_SIZE + (2 * GRID**2 if metric == "wasserstein" else 0)
    assert vectors.dtype == EMBEDDING_DTYPE
    distances = embedding_distances(vectors[: len(planes)], vectors[len(planes) :], metric)
    assert np.diag(distances).max() == 0
    assert np.diag(distances[:, len(planes) :]).max() < 0.01 * METRICS[metric].threshold


@metrics
def test_twins_are_duplicates_and_other_layers_and_other_disorder_are_not(
    planes: Float32Array, metric: MetricName
) -> None:
    vectors = embed_planes(planes, metric)
    distances = embedding_distances(vectors, metric=metric)
    threshold = METRICS[metric].threshold
    twins = np.array([[4 * n, 4 * n + 2] for n in range(len(planes) // 4)])
    assert distances[twins[:, 0], twins[:, 1]].max() < 0.2 * threshold
    distances[twins[:, 0], twins[:, 1]] = distances[twins[:, 1], twins[:, 0]] = np.inf
    np.fill_diagonal(distances, np.inf)
    if metric == "wasserstein":  # of which these distances are a lower bound
        found: Selection = select_exactly(vectors, threshold)
    else:
        assert distances.min() > threshold
        found = select_unique(vectors, metric=metric)
    assert found.duplicate_of[2::4].tolist() == twins[:, 0].tolist()
    assert (~found.kept).sum() == len(twins)


@metrics
def test_a_turn_is_what_the_layer_at_minus_k_is(planes: Float32Array, metric: MetricName) -> None:
    turned = np.roll(planes[:, ::-1, ::-1], (1, 1), (1, 2))
    difference = np.abs(turned[0] - planes[2])[1:, 1:].max()
    assert difference < 1e-4 * planes[2].max()
    assert np.abs(turned[0] - planes[0]).max() > 0.1 * planes[0].max()
    assert np.diag(embedding_distances(embed_planes(planes, metric), embed_planes(turned, metric), metric)).max() == 0


@metrics
@pytest.mark.parametrize("noise", ["of each pixel", "of the mean"])
def test_planes_that_differ_by_one_per_cent_of_noise_are_duplicates(
    planes: Float32Array, metric: MetricName, noise: str
) -> None:
    size = planes if noise == "of each pixel" else planes.mean(axis=(1, 2), keepdims=True)
    noisy = np.maximum(planes + 0.01 * size * np.random.default_rng(1).normal(size=planes.shape), 0)
    distances = np.diag(embedding_distances(embed_planes(planes, metric), embed_planes(noisy, metric), metric))
    assert distances.min() > 0
    assert distances.max() < 0.5 * METRICS[metric].threshold


def test_an_intensity_that_moves_is_further_in_sliced_wasserstein_the_further_it_moves() -> None:
    y, x = np.mgrid[-128:128, -128:128]
    spots = np.stack([np.exp(-((x - shift) ** 2 + y**2) / 200) for shift in (0, 4, 8, 40)])
    found = embedding_distances(embed_planes(spots))[0]
    np.testing.assert_allclose(found, np.array([0, 4, 8, 40]) / 256 / np.sqrt(2), rtol=1e-3, atol=1e-9)


def test_appearance_sees_spots_turn_into_rings_and_not_a_slope_of_brightness() -> None:
    y, x = np.mgrid[-128:128, -128:128].astype(float)
    distance = np.hypot((x + 8) % 16 - 8, (y + 8) % 16 - 8)
    envelope = np.exp(-(x**2 + y**2) / 5000)
    spots, rings = np.exp(-(distance**2) / 4) * envelope, np.exp(-((distance - 4) ** 2) / 4) * envelope
    sloping = spots * (1 + 0.1 * x / 128)
    planes = np.stack([spots, rings, sloping])
    sliced, appearance = (embedding_distances(embed_planes(planes, m), metric=m)[0] for m in TWO)
    assert sliced[1] < sliced[2]
    assert appearance[1] > 10 * appearance[2]


@metrics
def test_no_planes_are_no_vectors_and_nothing_is_selected(metric: MetricName) -> None:
    vectors = embed_planes(np.empty((0, 16, 16)), metric)
    assert len(vectors) == 0
    assert vectors.shape[1] >= EMBEDDING_SIZE
    assert embedding_distances(vectors, metric=metric).shape == (0, 0)
    found = select_unique(vectors, metric=metric)
    assert found.kept.shape == found.duplicate_of.shape == found.distance.shape == (0,)
    assert found.share_removed == 0


@metrics
def test_planes_of_three_pixels_are_told_apart(metric: MetricName) -> None:
    distances = embedding_distances(embed_planes(np.random.default_rng(1).random((4, 3, 3)), metric), metric=metric)
    assert distances[~np.eye(4, dtype=bool)].min() > METRICS[metric].threshold


def test_metrics_and_planes_that_do_not_exist_are_refused(planes: Float32Array) -> None:
    with pytest.raises(ValueError, match=r"metric = 'euclidean': expected one of sliced_wasserstein, appearance, wass"):
        embed_plane(planes[0], "euclidean")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"metric = 'ot': expected one of sliced, sliced_pot, sinkhorn, emd"):
        distances_between_planes(planes[:2], "ot")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"threshold = -1.0: expected a number in \[0.0, inf\]"):
        select_unique(embed_planes(planes), -1.0)


def test_every_transport_metric_finds_identical_planes_and_twins_and_orders_others(planes: Float32Array) -> None:
    small = planes[:8].reshape(8, 64, 4, 64, 4).sum(axis=(2, 4))
    small = np.concatenate([small[1:3], small[1:2], np.roll(small[2:3, ::-1, ::-1], (1, 1), (1, 2))])
    for metric in TRANSPORT_METRICS:
        distances = distances_between_planes(small, metric, grid=9)
        assert distances[0, 2] == pytest.approx(0, abs=1e-6), metric
        assert distances[1, 3] == pytest.approx(0, abs=1e-6), metric
        assert distances[0, 1] > 0.003, metric


def test_pot_loads_neither_torch_nor_other_array_libraries() -> None:
    program = """
import os, sys
import numpy as np
from dsfu.simulate.disorder.uniqueness import distances_between_planes
assert "ot" not in sys.modules
distances_between_planes(np.ones((2, 8, 8)), "emd", grid=4)
assert "ot" in sys.modules and not {"torch", "jax", "tensorflow", "cupy"} & set(sys.modules)
assert not any(name.startswith("POT_BACKEND") for name in os.environ)
"""
    subprocess.run([sys.executable, "-c", program], check=True)
