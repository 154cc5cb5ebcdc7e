"""Where batches of planes come from: a store, or planes made on the fly."""

import torch

from dsfu.errors import InputError
from dsfu.model.problems.disorder.batch import Batch
from dsfu.model.problems.disorder.data.shards import Split, open_store
from dsfu.model.problems.disorder.data.store_parameters import StoreParameters
from dsfu.model.problems.disorder.training.data_config import DataConfig
from dsfu.model.problems.disorder.training.streaming import StreamingSource
from dsfu.model.problems.disorder.training.synthesis import SynthesisSource
from dsfu.model.training.epochs import BatchShare
from dsfu.model.training.sources import BatchSource


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
) -> BatchSource[Batch]:
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
    config = config.of_store(opened.pixels)
    _check_pixels(opened, config)
    part = BatchShare(batch_size=batch_size, rank=rank, world_size=world_size)
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
