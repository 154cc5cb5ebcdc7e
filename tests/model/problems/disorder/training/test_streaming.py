"""The samples of a store as batches, held to what the reader of the store gives."""

import threading
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dsfu.model.problems.disorder.batch import Batch
from dsfu.model.problems.disorder.data.shards import open_store
from dsfu.model.problems.disorder.training.augment_draws import draw_effects
from dsfu.model.problems.disorder.training.data_config import AS_MEASURED, AugmentConfig, DataConfig
from dsfu.model.problems.disorder.training.sources import open_source
from dsfu.model.training.draws import AUGMENTATION, Draws
from dsfu.model.training.sources import BatchSource
from dsfu.pipeline.problems.disorder.recompute import Recomputer
from dsfu.simulate.disorder.scattering import sro_of_planes
from dsfu.simulate.lattice import Cell
from tests.model.training.stores import library_store, train

pytest_plugins = ["tests.s3_server"]

SIMILAR = 0.035
"""So that some samples are duplicates, and not most."""

BARE = AugmentConfig(dead_zones=0)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return library_store(tmp_path_factory.mktemp("streaming") / "store", threshold=SIMILAR)


@pytest.fixture(scope="module")
def bare_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return library_store(tmp_path_factory.mktemp("streaming") / "bare", materialise=False, threshold=SIMILAR)


def source(url: str, rank: int = 0, world_size: int = 1, split: str = "train", **settings: Any) -> BatchSource[Any]:
    config = DataConfig(**{"source": "store", "pixels": 16, "buffer_planes": 8, "workers": 0, **settings})
    return open_source(url, split, config, batch_size=4, seed=1, rank=rank, world_size=world_size)


def equal(one: Batch, other: Batch) -> bool:
    return all(torch.equal(getattr(one, each.name), getattr(other, each.name)) for each in fields(Batch))


def relative(planes: np.ndarray) -> np.ndarray:
    return np.asarray(planes / planes.max())


def test_batches_hold_the_planes_of_the_store(url: str):
    split = train(url)
    config = DataConfig(pixels=16, workers=0).for_evaluation()
    batches = list(open_source(url, "train", config, batch_size=4, seed=1).batches())
    assert [len(batch) for batch in batches] == [4] * (len(split.kept_indices) // 4) + [len(split.kept_indices) % 4]
    for name in ("clean", "form_factor", "sro", "intensity", "live"):
        got = torch.cat([getattr(batch, name) for batch in batches])[:, 0].numpy()
        for plane, index in zip(got, split.kept_indices, strict=True):
            physical, live = split.planes(index), split.sample(index).mask
            truth = {
                "clean": relative(physical.intensity),
                "form_factor": relative(physical.form_factor),
                "sro": relative(physical.sro),
                "intensity": relative(physical.intensity) * live,
                "live": live,
            }
            assert plane.dtype == (np.bool_ if name == "live" else np.float32)
            np.testing.assert_allclose(plane, truth[name], atol=2e-6)


def content(batch: Batch) -> list[bytes]:
    return [plane.numpy().tobytes() for plane in batch.sro * 3 + batch.form_factor]


@pytest.mark.parametrize("world_size", [1, 2, 3])
def test_every_kept_sample_comes_once_in_an_epoch(url: str, world_size: int):
    split = train(url)
    assert 15 < len(split.kept_indices) < len(split)
    expected = sorted(each for batch in source(url, shuffle=False, augment=BARE).batches() for each in content(batch))
    sources = [source(url, rank, world_size, augment=BARE) for rank in range(world_size)]
    for _ in range(2):
        found = [each for one in sources for batch in one.batches() for each in content(batch)]
        assert found != expected
        assert sorted(found) == expected
    assert len({one.batches_per_epoch for one in sources}) == 1


@pytest.mark.parametrize("workers", [1, 3])
def test_workers_change_nothing(url: str, workers: int):
    settings: dict[str, Any] = {"augment": AS_MEASURED, "buffer_planes": 5}
    one, other = source(url, **settings), source(url, workers=workers, **settings)
    for _ in range(2):
        pairs = list(zip(one.batches(), other.batches(), strict=True))
        assert len(pairs) == one.batches_per_epoch
        assert all(equal(*pair) for pair in pairs)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("taken", [2, 5])
@pytest.mark.parametrize("stored", [True, False])
def test_resuming_gives_the_same_next_batches(url: str, bare_url: str, stored: bool, taken: int, workers: int):
    which = url if stored else bare_url
    whole = source(which, workers=workers, augment=AS_MEASURED)
    per_epoch = whole.batches_per_epoch
    batches = [*whole.batches(), *whole.batches()]
    interrupted = source(which, workers=workers, augment=AS_MEASURED)
    stream = interrupted.batches()
    for _ in range(taken):
        next(stream)
    state = interrupted.state_dict()
    stream.close()  # type: ignore[attr-defined]
    resumed = source(which, workers=workers, augment=AS_MEASURED)
    resumed.load_state_dict(state)
    rest = [*resumed.batches(), *resumed.batches()]
    assert len(rest) >= 2 * per_epoch - taken
    assert all(equal(one, other) for one, other in zip(rest, batches[taken:], strict=False))


def test_computed_samples_are_those_that_are_stored(url: str, bare_url: str):
    for one, other in zip(source(url).batches(), source(bare_url).batches(), strict=True):
        assert torch.equal(one.live, other.live)
        for name in ("intensity", "clean", "form_factor", "sro"):
            stored, computed = getattr(one, name), getattr(other, name)
            # √I is stored in 65535 steps, so that each factor is off by 1.5e-5 of its maximum, and maxima are too.
            torch.testing.assert_close(computed, stored, rtol=0, atol=7e-5)


@pytest.mark.parametrize("stored", [True, False])
def test_fewer_pixels_are_every_second_one(url: str, bare_url: str, stored: bool):
    which = url if stored else bare_url
    config: dict[str, Any] = {"augment": AugmentConfig(), "masks": "stored"}
    for one, half in zip(source(which, **config).batches(), source(which, pixels=8, **config).batches(), strict=True):
        assert half.sro.shape[-2:] == (8, 8)
        assert torch.equal(half.live, one.live[..., ::2, ::2])
        for name in ("clean", "form_factor", "sro"):
            expected = getattr(one, name)[..., ::2, ::2]
            torch.testing.assert_close(
                getattr(half, name), expected / expected.amax((2, 3), keepdim=True), rtol=0, atol=1e-5
            )


@pytest.mark.parametrize("stored", [True, False])
def test_a_strained_lattice_has_its_own_order_and_the_same_molecules(url: str, bare_url: str, stored: bool):
    augment = AugmentConfig(strain=1, strain_size=(0.02, 0.02))
    split = train(url)
    settings: dict[str, Any] = {"shuffle": False, "masks": "stored"}
    strained = list(source(url if stored else bare_url, augment=augment, **settings).batches())
    plain = list(source(url, **settings).batches())
    signs = set()
    for number, index in enumerate(split.kept_indices[:4].tolist()):
        effects = draw_effects(Draws(1, AUGMENTATION, index), augment, 7, 0)
        a, b, c, *angles = split.coordinates["cell"][index].tolist()
        lengths = [length * (1 + share) for length, share in zip((a, b, c), effects.strain, strict=True)]
        recomputer = Recomputer(url)
        cell, alpha = Cell(*lengths, *angles), recomputer.alpha("train", index)
        ((truth, _),) = sro_of_planes(cell, alpha, [recomputer.plane("train", index)])
        np.testing.assert_allclose(strained[0].sro[number, 0], relative(truth), atol=2e-5)
        torch.testing.assert_close(strained[0].form_factor[number], plain[0].form_factor[number], rtol=0, atol=4e-5)
        signs |= {share > 0 for share in effects.strain}
    assert signs == {True, False}
    assert not torch.allclose(strained[0].sro, plain[0].sro, atol=0.01)


def test_masks_are_those_of_the_samples_or_any_of_the_store_turned(url: str):
    def masks(**settings) -> set[bytes]:
        return {mask.numpy().tobytes() for batch in source(url, **settings).batches() for mask in batch.live}

    split = train(url)
    own = {split.sample(index).mask.tobytes() for index in split.kept_indices}
    assert masks(masks="stored") == own
    drawn = masks(masks="drawn")
    assert not drawn & own or len(drawn - own) > len(drawn) / 2
    assert masks(augment=BARE) == {np.ones((16, 16), bool).tobytes()}
    partly = [
        bool(mask.all())
        for batch in source(url, augment=AugmentConfig(dead_zones=0.5)).batches()
        for mask in batch.live
    ]
    assert 0 < sum(partly) < len(partly)


def test_dead_pixels_are_zero_whatever_is_added(url: str):
    augment = AS_MEASURED.model_copy(update={"dead_zones": 1.0, "flat": 1.0, "gaussian": 1.0})
    for batch in source(url, augment=augment).batches():
        assert (batch.intensity[~batch.live] == 0).all()
        assert (batch.intensity[batch.live] != 0).float().mean() > 0.99


@pytest.mark.slow
def test_from_object_storage(url: str, s3_url: str):
    there = library_store(s3_url, threshold=SIMILAR)
    for workers in (0, 2):
        pairs = zip(source(url).batches(), source(there, workers=workers).batches(), strict=True)
        assert all(equal(one, other) for one, other in pairs)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_missing_object_is_said(tmp_path: Path, workers: int):
    there = library_store(tmp_path / "store")
    (tmp_path / "store/train/sro/c/2/0/0").unlink()
    with pytest.raises(FileNotFoundError, match="c/2/0/0 is missing"):
        list(source(there, workers=workers).batches())


def test_no_thread_is_left_behind(url: str):
    stream = source(url, workers=2).batches()
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert not [each for each in threading.enumerate() if each.name.startswith(("batches ahead", "planes"))]


def test_validation_has_its_own_samples(url: str):
    split = open_store(url).split("validation")
    batches = list(source(url, split="validation", shuffle=False, augment=BARE).batches())
    assert sum(map(len, batches)) == len(split.kept_indices)
    first = relative(split.planes(split.kept_indices[0]).sro)
    np.testing.assert_allclose(batches[0].sro[0, 0].numpy(), first, atol=2e-6)
