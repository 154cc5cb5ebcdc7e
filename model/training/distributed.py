"""The processes of one training: what they tell each other, and on what they agree."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """This process among all. Alone, nothing has to be agreed on."""

    rank: int = 0
    world_size: int = 1
    local_rank: int = 0

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def highest(self, values: Sequence[float]) -> list[float]:
        """The highest of what the processes say, number by number. Goes between CPUs: no GPU has to wait for it."""
        if self.world_size == 1:
            return list(values)
        told = torch.tensor(values, dtype=torch.float64)
        distributed.all_reduce(told, distributed.ReduceOp.MAX)
        highest: list[float] = told.tolist()
        return highest

    def total(self, values: Sequence[float]) -> list[float]:
        """The sum of what the processes say, number by number."""
        if self.world_size == 1:
            return list(values)
        told = torch.tensor(values, dtype=torch.float64)
        distributed.all_reduce(told)
        total: list[float] = told.tolist()
        return total

    def gathered(self, value: Any) -> list[Any]:
        """What each process says, in their order."""
        if self.world_size == 1:
            return [value]
        told: list[Any] = [None] * self.world_size
        distributed.all_gather_object(told, value)
        return told

    def wrapped(self, module: nn.Module) -> nn.Module:
        """The module, with gradients that are the mean over all processes."""
        if self.world_size == 1:
            return module
        device = next(module.parameters()).device
        devices = [device.index] if device.type == "cuda" else None
        return DistributedDataParallel(module, device_ids=devices, gradient_as_bucket_view=True)


def ranks_of_environment() -> Ranks:
    """What torchrun tells its processes; alone if it was not used."""
    names = {"rank": "RANK", "world_size": "WORLD_SIZE", "local_rank": "LOCAL_RANK"}
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return Ranks()
    return Ranks(**{name: int(os.environ[variable]) for name, variable in names.items()})


@contextmanager
def connected(ranks: Ranks, device: torch.device) -> Iterator[Ranks]:
    """Connect the processes of a training. Tensors of GPUs go through NCCL, others through gloo."""
    if ranks.world_size == 1:
        yield ranks
        return
    distributed.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
    try:
        yield ranks
    finally:
        distributed.destroy_process_group()
