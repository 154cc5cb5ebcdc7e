import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsfu.errors import InputError
from dsfu.model.training.epochs import BatchShare
from dsfu.model.training.streaming_plan import LastBatch, StreamingPlan

PLANES_PER_PAIR = 7


def plan(
    samples: list[int],
    *,
    batch_size: int = 4,
    rank: int = 0,
    world_size: int = 1,
    buffer_samples: int = 10,
    shuffle: bool = True,
    last_batch: LastBatch = "smaller",
    seed: int = 0,
) -> StreamingPlan:
    return StreamingPlan(
        samples=np.array(samples),
        samples_per_shard=PLANES_PER_PAIR,
        buffer_samples=buffer_samples,
        shuffle=shuffle,
        last_batch=last_batch,
        part=BatchShare(batch_size=batch_size, rank=rank, world_size=world_size),
        seed=seed,
    )


some_samples = st.lists(st.integers(0, 400), min_size=1, max_size=120, unique=True).map(sorted)


@given(
    samples=some_samples,
    world_size=st.integers(1, 5),
    batch_size=st.integers(1, 9),
    buffer_samples=st.integers(1, 60),
    shuffle=st.booleans(),
    epoch=st.integers(0, 5),
)
def test_every_sample_comes_once_in_an_epoch_over_all_processes(
    samples: list[int], world_size: int, batch_size: int, buffer_samples: int, shuffle: bool, epoch: int
):
    if len(samples) < world_size:
        with pytest.raises(InputError, match="make no batch"):
            _ = plan(samples, world_size=world_size).batches_per_epoch
        return
    plans = [
        plan(
            samples,
            batch_size=batch_size,
            rank=rank,
            world_size=world_size,
            buffer_samples=buffer_samples,
            shuffle=shuffle,
        )
        for rank in range(world_size)
    ]
    of_ranks = [each.batches(epoch) for each in plans]
    assert sorted(np.concatenate([batch for batches in of_ranks for batch in batches]).tolist()) == samples
    assert {len(batches) for batches in of_ranks} == {plans[0].batches_per_epoch}
    for batches in of_ranks:
        assert all(len(batch) == batch_size for batch in batches[:-1])
        assert 1 <= len(batches[-1]) <= batch_size + 1


@given(samples=some_samples, world_size=st.integers(1, 5), batch_size=st.integers(1, 9))
def test_dropped_last_batches_leave_whole_ones_without_overlap(samples: list[int], world_size: int, batch_size: int):
    if len(samples) < world_size * batch_size:
        return
    plans = [
        plan(samples, batch_size=batch_size, rank=rank, world_size=world_size, last_batch="dropped")
        for rank in range(world_size)
    ]
    batches = [batch for each in plans for batch in each.batches(0)]
    assert {len(batch) for batch in batches} == {batch_size}
    taken = np.concatenate(batches).tolist()
    assert len(set(taken)) == len(taken) > len(samples) - world_size * (batch_size + 1)
    assert set(taken) <= set(samples)


def test_order_differs_between_epochs_and_seeds_and_is_the_same_again():
    samples = list(range(70))
    orders = [np.concatenate(plan(samples, seed=seed).batches(epoch)).tolist() for seed in (0, 1) for epoch in (0, 1)]
    assert len({tuple(order) for order in orders}) == 4
    assert np.concatenate(plan(samples).batches(0)).tolist() == orders[0]


def test_without_shuffling_samples_come_in_order():
    samples = [1, 3, 4, 9, 11, 30]
    for epoch in (0, 1):
        assert [each.tolist() for each in plan(samples, shuffle=False).batches(epoch)] == [[1, 3, 4, 9], [11, 30]]


def test_the_buffer_mixes_pairs_and_holds_no_more_than_it_may():
    """A sample may come late, but not before its pair has entered the buffer, and with few pairs open at once."""
    samples = list(range(100 * PLANES_PER_PAIR))
    for buffer_samples in (1, 50):
        order = np.concatenate(plan(samples, buffer_samples=buffer_samples).batches(0))
        pairs = order // PLANES_PER_PAIR
        first_seen = list(dict.fromkeys(pairs.tolist()))
        waiting = [
            sum(PLANES_PER_PAIR for pair in first_seen[: first_seen.index(pair) + 1]) - position
            for position, pair in enumerate(pairs.tolist())
        ]
        assert max(waiting) <= buffer_samples + PLANES_PER_PAIR
        neighbours = float(np.mean(pairs[1:] == pairs[:-1]))
        assert neighbours > 0.6 if buffer_samples == 1 else neighbours < 0.25


def test_pairs_are_read_by_one_process_but_for_those_that_are_cut():
    samples = list(range(60 * PLANES_PER_PAIR))
    readers: dict[int, set[int]] = {}
    for rank in range(4):
        for batch in plan(samples, rank=rank, world_size=4).batches(0):
            for pair in batch // PLANES_PER_PAIR:
                readers.setdefault(int(pair), set()).add(rank)
    assert sum(len(ranks) > 1 for ranks in readers.values()) <= 3


def test_too_large_a_batch_is_refused():
    with pytest.raises(InputError, match="make no batch of 8"):
        _ = plan(list(range(10)), batch_size=8, world_size=2, last_batch="dropped").batches_per_epoch
