import threading
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from dsfu.errors import InputError
from dsfu.model.problems.disorder.batch import Batch
from dsfu.model.training.epochs import BatchShare, EpochSource


class Counting(EpochSource[int, Any]):
    """Batches with one number: 100 for each epoch, and 1 for each batch."""

    def __init__(self, batches: int = 5, ahead: int = 0, fails_at: int = -1, part: BatchShare | None = None) -> None:
        super().__init__(part or BatchShare(batch_size=1, rank=0, world_size=1), 3, batches, ahead)
        self.fails_at = fails_at
        self.made: list[int] = []

    def prepared(self, epoch: int, first: int) -> Iterator[int]:
        for number in range(first, self.batches_per_epoch):
            if number == self.fails_at:
                raise OSError("the disk is gone")
            self.made.append(number)
            yield 100 * epoch + number

    def finished(self, prepared: int) -> Batch:
        value = torch.tensor([[[[float(prepared)]]]])
        return Batch(intensity=value, live=value > -1, clean=value, form_factor=value, sro=value)


def number(batch: Batch) -> int:
    return int(batch.intensity.item())


@pytest.mark.parametrize("ahead", [0, 1, 3])
def test_each_call_gives_the_rest_of_an_epoch(ahead: int):
    source = Counting(ahead=ahead)
    assert [number(batch) for batch in source.batches()] == [0, 1, 2, 3, 4]
    batches = source.batches()
    assert [number(next(batches)) for _ in range(2)] == [100, 101]
    batches.close()  # type: ignore[attr-defined]
    assert [number(batch) for batch in source.batches()] == [102, 103, 104]
    assert next(number(batch) for batch in source.batches()) == 200


@pytest.mark.parametrize("ahead", [0, 3])
def test_the_state_is_what_was_taken_and_not_what_was_prepared(ahead: int):
    source = Counting(ahead=ahead)
    batches = source.batches()
    for taken in range(1, 5):
        next(batches)
        assert (source.state_dict()["epoch"], source.state_dict()["batch"]) == (0, taken)
        again = Counting()
        again.load_state_dict(source.state_dict())
        assert [number(batch) for batch in again.batches()] == list(range(taken, 5))
    next(batches)
    assert (source.state_dict()["epoch"], source.state_dict()["batch"]) == (1, 0)


def test_states_survive_a_file_that_is_loaded_safely(tmp_path):
    source = Counting()
    next(source.batches())
    torch.save(source.state_dict(), tmp_path / "state")
    assert torch.load(tmp_path / "state", weights_only=True) == source.state_dict()


def test_another_number_of_processes_goes_on_at_the_same_number_of_samples():
    source = Counting(10, part=BatchShare(batch_size=6, rank=0, world_size=2))
    batches = source.batches()
    for _ in range(3):
        next(batches)
    for batch_size, world_size, expected in ((6, 2, 3), (6, 3, 2), (5, 1, 8), (12, 1, 3), (7, 1, 6)):
        other = Counting(10, part=BatchShare(batch_size=batch_size, rank=0, world_size=world_size))
        other.load_state_dict(source.state_dict())
        assert other.state_dict()["batch"] == expected
    short = Counting(2, part=BatchShare(batch_size=1, rank=0, world_size=1))
    short.load_state_dict(source.state_dict())
    assert (short.state_dict()["epoch"], short.state_dict()["batch"]) == (1, 0)


def test_another_seed_is_refused():
    with pytest.raises(InputError, match="seed 4"):
        Counting().load_state_dict({**Counting().state_dict(), "seed": 4})


@pytest.mark.parametrize("ahead", [0, 2])
def test_errors_arrive_where_batches_are_wanted_in_their_turn(ahead: int):
    batches = Counting(ahead=ahead, fails_at=3).batches()
    assert [number(next(batches)) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(OSError, match="the disk is gone"):
        next(batches)


def test_batches_are_made_ahead_but_not_more_than_asked_for():
    source = Counting(batches=50, ahead=3)
    batches = source.batches()
    next(batches)
    for _ in range(200):
        if len(source.made) >= 4:
            break
        threading.Event().wait(0.01)
    assert 4 <= len(source.made) <= 5
    batches.close()  # type: ignore[attr-defined]


def test_no_thread_is_left_when_batches_are_wanted_no_more():
    source = Counting(batches=50, ahead=3)
    batches = source.batches()
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    assert not [each for each in threading.enumerate() if each.name == "batches ahead"]


def test_parts_that_do_not_exist_are_refused():
    with pytest.raises(InputError, match="it is 0"):
        BatchShare(batch_size=0, rank=0, world_size=1)
    with pytest.raises(ValueError, match="rank = 2"):
        BatchShare(batch_size=1, rank=2, world_size=2)
