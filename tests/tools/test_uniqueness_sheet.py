from pathlib import Path

import numpy as np
import pytest

from dsfu.simulate.disorder.uniqueness import METRICS, EmbeddingArray, MetricName, embed_planes
from dsfu.simulate.species import load_library, pairs
from tools.uniqueness_sheet import (
    MONTE_CARLO_SETS,
    PairPlanes,
    borderline_cases,
    draw_borderline,
    draw_distances,
    simulate_planes_of,
)


def spots(shifts: list[float]) -> PairPlanes:
    """Planes with a spot each, at different places."""
    y, x = np.mgrid[-16:16, -16:16]
    planes = np.stack([np.exp(-((x - shift) ** 2 + y**2) / 8) for shift in shifts])
    vectors: dict[MetricName, EmbeddingArray] = {metric: embed_planes(planes, metric) for metric in METRICS}
    pictures, labels = (255 * planes).astype(np.uint8), [str(shift) for shift in shifts]
    return PairPlanes(name="spots", pictures=pictures, labels=labels, vectors=vectors)


def test_cases_on_either_side_are_the_nearest_to_the_threshold_of_each_pair() -> None:
    near, both, far = spots([0, 1]), spots([0, 1, 5, 11]), spots([0, 11])
    one_pixel = 1 / 32 / np.sqrt(2)
    under, over = borderline_cases([near, both, far], "sliced_wasserstein", 5.5 * one_pixel)
    assert [(case.pair is both, case.first, case.second) for case in under] == [(True, 0, 2), (False, 0, 1)]
    assert [(case.pair is both, case.first, case.second) for case in over] == [(True, 2, 3), (False, 0, 1)]
    assert under[0].distance == pytest.approx(5 * one_pixel, rel=0.01)
    assert over[0].distance == pytest.approx(6 * one_pixel, rel=0.02)


def test_pictures_are_written(tmp_path: Path) -> None:
    planes = [spots([0, 1, 5, 11]), spots([0, 2, 3, 11])]
    draw_borderline(tmp_path / "borderline.png", planes, "sliced_wasserstein", 0.1)
    draw_distances(tmp_path / "distances.png", planes)
    assert all((tmp_path / name).stat().st_size > 10_000 for name in ("borderline.png", "distances.png"))


def test_a_validation_pair_is_simulated_at_the_planes_of_its_sets() -> None:
    pair = pairs(load_library(), "validation")[3]
    planes = simulate_planes_of(pair, 3)
    assert len(planes.labels) == len(planes.pictures) == 12 * MONTE_CARLO_SETS
    assert planes.pictures.max(axis=(1, 2)).min() == 255
    assert planes.labels[0].startswith("set 0, k = ")
    for metric in METRICS:
        assert (planes.distances(metric) + np.eye(len(planes.labels))).min() > 0
