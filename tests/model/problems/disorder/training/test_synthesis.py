"""Fresh samples, held to the simulation, and to their numbers."""

from dataclasses import fields

import numpy as np
import pytest
import torch
from ase import Atoms

from dsfu.errors import InputError
from dsfu.model.problems.disorder.batch import Batch
from dsfu.model.problems.disorder.data.store_parameters import StoreParameters
from dsfu.model.problems.disorder.training.augment import relative
from dsfu.model.problems.disorder.training.data_config import AS_MEASURED, AugmentConfig, DataConfig, SynthesisConfig
from dsfu.model.problems.disorder.training.sampling import Sampler
from dsfu.model.problems.disorder.training.synthesis import Packed, SynthesisSource
from dsfu.model.training.draws import SAMPLE, Draws
from dsfu.model.training.epochs import BatchShare
from dsfu.simulate.disorder.scattering import simulate_plane
from tests.model.training.stores import library_store, train

MIXED = SynthesisConfig(no_order=0.1, oscillators=0.4, random_offsets=0.4, turned=0.5)


@pytest.fixture(scope="module")
def parameters(tmp_path_factory: pytest.TempPathFactory) -> StoreParameters:
    return StoreParameters(train(library_store(tmp_path_factory.mktemp("synthesis") / "store", materialise=False)))


def source(
    parameters: StoreParameters, rank: int = 0, world_size: int = 1, size: int = 4, **settings
) -> SynthesisSource:
    config = DataConfig(**{"pixels": 16, "workers": 0, "samples_per_epoch": 24, **settings})
    part = BatchShare(batch_size=size, rank=rank, world_size=world_size)
    return SynthesisSource(parameters, config, part, 3, torch.device("cpu"))


def equal(one: Batch, other: Batch) -> bool:
    return all(torch.equal(getattr(one, each.name), getattr(other, each.name)) for each in fields(Batch))


def test_planes_are_those_of_the_simulation(parameters: StoreParameters):
    sampler = Sampler(parameters, MIXED, 32)
    specimens = [sampler.draw(Draws(9, SAMPLE, number), (0.01, 0.0, -0.01)) for number in range(40)]
    form_factors, orders = Packed.of(specimens).factors()
    for each, form_factor, order in zip(specimens, form_factors.numpy(), orders.numpy(), strict=True):
        of_a, of_b = (
            Atoms(numbers=numbers, positions=positions)
            for numbers, positions in ((each.numbers_a, each.positions_a), (each.numbers_b, each.positions_b))
        )
        truth = simulate_plane(of_a, of_b, each.fraction_a, each.cell, each.alpha, each.plane)
        np.testing.assert_allclose(form_factor, truth.form_factor, atol=2e-5 * truth.form_factor.max())
        np.testing.assert_allclose(order, truth.sro, atol=2e-5 * truth.sro.max())


def test_batches_hold_those_planes_relative_to_their_maxima(parameters: StoreParameters):
    batch = next(source(parameters, synthesis=MIXED, augment=AugmentConfig(dead_zones=0)).batches())
    sampler = Sampler(parameters, MIXED, 16)
    form_factor, order = Packed.of([sampler.draw(Draws(3, SAMPLE, number)) for number in range(4)]).factors()
    assert torch.equal(batch.form_factor[:, 0], relative(form_factor))
    assert torch.equal(batch.sro[:, 0], relative(order))
    torch.testing.assert_close(batch.clean[:, 0], relative(form_factor * order))
    assert batch.live.all()
    assert torch.equal(batch.intensity, batch.clean)


def test_nothing_repeats(parameters: StoreParameters):
    one = source(parameters)
    planes = [plane.numpy().tobytes() for _ in range(3) for batch in one.batches() for plane in batch.form_factor]
    assert len(set(planes)) == len(planes) == 72


def test_workers_change_nothing(parameters: StoreParameters):
    one, other = (source(parameters, workers=workers, augment=AS_MEASURED) for workers in (0, 2))
    assert all(equal(*pair) for pair in zip(one.batches(), other.batches(), strict=True))


@pytest.mark.parametrize("workers", [0, 1])
def test_resuming_gives_the_same_next_batches(parameters: StoreParameters, workers: int):
    whole = source(parameters, augment=AS_MEASURED)
    batches = [*whole.batches(), *whole.batches()]
    assert len(batches) == 12
    for taken in (2, 6):
        interrupted = source(parameters, workers=workers, augment=AS_MEASURED)
        stream = interrupted.batches()
        for _ in range(taken):
            next(stream)
        resumed = source(parameters, workers=workers, augment=AS_MEASURED)
        resumed.load_state_dict(interrupted.state_dict())
        stream.close()  # type: ignore[attr-defined]
        assert all(equal(one, other) for one, other in zip(resumed.batches(), batches[taken:], strict=False))


def test_processes_share_the_samples_of_one_without_overlap(parameters: StoreParameters):
    alone = source(parameters, size=6)
    ranks = [source(parameters, rank, 3, size=2) for rank in range(3)]
    assert {one.batches_per_epoch for one in ranks} == {alone.batches_per_epoch} == {4}
    for whole, *parts in zip(alone.batches(), *(one.batches() for one in ranks), strict=True):
        for name in ("intensity", "form_factor", "sro", "live"):
            together = torch.cat([getattr(part, name) for part in parts])
            # How many planes are computed at once changes the rounding, and nothing else.
            torch.testing.assert_close(together.float(), getattr(whole, name).float(), rtol=0, atol=1e-5)


def test_numbers_of_samples_do_not_depend_on_the_number_of_processes(parameters: StoreParameters):
    for world_size in (1, 2, 3):
        numbers = [
            number
            for epoch in range(2)
            for batch in range(4 // world_size)
            for rank in range(world_size)
            for number in source(parameters, rank, world_size, size=2, samples_per_epoch=8).numbers(epoch, batch)
        ]
        assert len(set(numbers)) == len(numbers)
        assert min(numbers) == 0
        assert max(numbers) < 16


def test_an_epoch_is_as_long_as_the_split_unless_it_is_said(parameters: StoreParameters):
    assert source(parameters, samples_per_epoch=0).batches_per_epoch == len(parameters.split.kept_indices) // 4
    assert source(parameters, samples_per_epoch=0, size=1000).batches_per_epoch == 1
    with pytest.raises(InputError, match="3 samples"):
        source(parameters, samples_per_epoch=3)


def test_without_order_the_scattering_is_the_form_factor(parameters: StoreParameters):
    batch = next(source(parameters, synthesis=SynthesisConfig(no_order=1)).batches())
    assert torch.equal(batch.sro, torch.ones_like(batch.sro))
    torch.testing.assert_close(batch.clean, batch.form_factor)


@pytest.mark.gpu
def test_on_a_gpu_samples_are_the_same_within_rounding(parameters: StoreParameters):
    config = DataConfig(pixels=16, samples_per_epoch=24)
    part = BatchShare(batch_size=8, rank=0, world_size=1)
    here, there = (SynthesisSource(parameters, config, part, 3, torch.device(name)) for name in ("cpu", "cuda"))
    for one, other in zip(here.batches(), there.batches(), strict=True):
        assert torch.equal(one.live, other.live.cpu())
        for name in ("form_factor", "sro", "clean"):
            torch.testing.assert_close(getattr(other, name).cpu(), getattr(one, name), rtol=0, atol=2e-5)
