from pathlib import Path

import numpy as np
import pytest
import torch

from dsfu.errors import InputError
from dsfu.model.problems.disorder.evaluation.evaluate import open_planes
from dsfu.model.problems.disorder.evaluation.planes import EvaluationPlanes, PlaneSettings
from dsfu.pipeline.problems.disorder.recompute import Recomputer
from tests.model.problems.disorder.evaluation.stores import PIXELS
from tests.pipeline.fake_store import fake_store


def test_a_batch_is_the_truth_under_its_masks(store: str, train: EvaluationPlanes):
    indices = [2, 30, 71]
    batch = train.batch(indices)
    assert batch.intensity.shape == (3, 1, PIXELS, PIXELS)
    for number, index in enumerate(indices):
        truth = Recomputer(store)("train", index)
        live = train.split.sample(index).mask
        for ours, its in (
            (batch.form_factor, truth.form_factor),
            (batch.sro, truth.sro),
            (batch.clean, truth.intensity),
        ):
            np.testing.assert_allclose(ours[number, 0], its / its.max(), atol=2e-5)
        np.testing.assert_array_equal(batch.live[number, 0], live)
        np.testing.assert_array_equal(batch.intensity[number, 0], batch.clean[number, 0].numpy() * live)
        assert 0.3 < live.mean() < 1


def test_stored_planes_are_those_that_are_computed(tmp_path: Path):
    spread = []
    for materialise in (True, False):
        made = fake_store(tmp_path / str(materialise), materialise)
        made.close(made.spec())
        spread.append(open_planes(made.files.url, "train", PlaneSettings(pixels=8)).batch([0, 7, 11]))
    for name in ("form_factor", "sro", "live"):
        stored, computed = (getattr(each, name) for each in spread)
        torch.testing.assert_close(stored.float(), computed.float(), rtol=0, atol=1e-4)


def test_fewer_pixels_are_every_second_one(store: str, train: EvaluationPlanes):
    coarse = open_planes(store, "train", PlaneSettings(pixels=PIXELS // 2)).batch([5, 60])
    fine = train.batch([5, 60])
    assert torch.equal(coarse.live, fine.live[..., ::2, ::2])
    shown = fine.sro[..., ::2, ::2]
    torch.testing.assert_close(coarse.sro, shown / shown.amax((-2, -1), keepdim=True), rtol=0, atol=1e-5)


def test_noise_is_as_large_as_it_is_called(store: str):
    planes = open_planes(store, "train", PlaneSettings(poisson=0.05))
    indices = planes.indices.tolist()[:40]
    batch = planes.batch(indices)
    relative = (batch.intensity - batch.clean)[batch.live]
    mean = batch.clean.mean((-2, -1), keepdim=True)
    expected = (0.05 * torch.sqrt(batch.clean * mean)).expand_as(batch.live)[batch.live]
    bright = expected > 1e-4
    assert (relative[bright] / expected[bright]).square().mean().sqrt() == pytest.approx(1, abs=0.02)
    assert (relative[bright] / expected[bright]).mean() == pytest.approx(0, abs=0.02)
    assert bool((batch.intensity[~batch.live] == 0).all())


def test_a_plane_is_the_same_in_every_batch(store: str):
    planes = open_planes(store, "train", PlaneSettings(poisson=0.1, seed=3))
    whole = planes.batch([1, 20, 50])
    torch.testing.assert_close(planes.batch([20]).intensity[0], whole.intensity[1])
    other = open_planes(store, "train", PlaneSettings(poisson=0.1, seed=4)).batch([20])
    assert not torch.equal(other.intensity[0], whole.intensity[1])


def test_a_limit_chooses_some_of_the_unique_planes(store: str, train: EvaluationPlanes):
    every = train.indices
    assert len(every) < len(train.split)
    some = open_planes(store, "train", PlaneSettings(limit=10, seed=1)).indices
    assert len(some) == 10
    assert set(some) <= set(every)
    assert sorted(some) == some.tolist()
    assert some.tolist() == open_planes(store, "train", PlaneSettings(limit=10, seed=1)).indices.tolist()
    assert some.tolist() != open_planes(store, "train", PlaneSettings(limit=10, seed=2)).indices.tolist()
    np.testing.assert_array_equal(open_planes(store, "train", PlaneSettings(limit=10**6)).indices, every)
    assert [len(batch) for _, batch in open_planes(store, "train", PlaneSettings(limit=10)).batches(4)] == [4, 4, 2]


def test_what_cannot_be_is_refused(store: str):
    with pytest.raises(InputError, match="expected: a divisor, such as 48, 24, 12"):
        open_planes(store, "train", PlaneSettings(pixels=100))
    with pytest.raises(InputError, match="--split validation"):
        open_planes(store, "validaton", PlaneSettings())
    with pytest.raises(InputError, match="no closed store"):
        open_planes(f"{store}/nothing", "train", PlaneSettings())
    with pytest.raises(InputError, match="poisson = -1"):
        PlaneSettings(poisson=-1.0)
