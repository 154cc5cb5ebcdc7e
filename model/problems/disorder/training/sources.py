"""Where batches come from, whatever they are made of."""

from collections.abc import Iterator
from typing import Any, Protocol

import torch

from dsfu.errors import InputError
from dsfu.model.problems.disorder.batch import Batch
from dsfu.model.problems.disorder.data.shards import Split, open_store
from dsfu.model.problems.disorder.data.store_parameters import StoreParameters
from dsfu.model.problems.disorder.training.data_config import DataConfig
from dsfu.model.problems.disorder.training.streaming import StreamingSource
from dsfu.model.problems.disorder.training.synthesis import SynthesisSource
from dsfu.model.training.epochs import Part


class BatchSource(Protocol):
    """Batches for one process of a training, epoch after epoch; the same ones whenever the seed is the same."""

    batches_per_epoch: int
    """How many batches an epoch has; the same in every process."""

    def batches(self) -> Iterator[Batch]:
        """The rest of the current epoch, from the current position; the next call begins the next epoch.

        Batches are on the device. What was prefetched and not taken is made again by the next call.
        """
        ...

    def state_dict(self) -> dict[str, Any]:
        """The position after the batches that were taken; whole numbers and texts only. After an epoch's last batch
        it is the beginning of the next."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there: the same next batches, bit for bit on the same kind of machine.

        A state from another number of processes, or another batch size, is taken for a number of samples, rounded up
        to whole batches.
        """
        ...


def open_source(
    store_url: str,
    split: str,
    config: DataConfig,
    *,
    batch_size: int,
    seed: int,
    rank: int = 0,
    world_size: int = 1,
    device: torch.device | str = "cpu",
) -> BatchSource:
    """Open the source of batches of one process.

    Parameters
    ----------
    store_url
        A closed store: a folder, or a URL that fsspec knows.
    split
        The name of a split, "train" or "validation".
    batch_size
        Planes in a batch of each process.
    seed
        Another seed, another order and other draws.
    rank, world_size
        The number of this process, and of all; no two get the same sample in one epoch.
    device
        Where batches are wanted, and made where they are computed.
    """
    opened = open_store(store_url).split(split)
    _check_pixels(opened, config)
    part = Part(batch_size=batch_size, rank=rank, world_size=world_size)
    parameters, on = StoreParameters(opened), torch.device(device)
    is_fresh = config.source == "synthesis" or (config.source == "auto" and not opened.materialised)
    if is_fresh:
        return SynthesisSource(parameters, config, part, seed, on)
    return StreamingSource(parameters, config, part, seed, on)


def _check_pixels(split: Split, config: DataConfig) -> None:
    if split.pixels % config.pixels:
        divisors = [str(split.pixels // n) for n in (1, 2, 4, 8) if split.pixels % n == 0]
        raise InputError(
            f"it is {config.pixels}, and the planes of {split.store.url} have {split.pixels} along each side",
            where="data.pixels",
            expected=f"a divisor: {', '.join(divisors)}",
        )
