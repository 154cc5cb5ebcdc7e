"""Tensors and batches of them, brought to another device."""

from dataclasses import fields, replace
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

D = TypeVar("D")


def on_device(batch: D, device: torch.device | str) -> D:
    """A dataclass of tensors on a device."""
    record: Any = batch
    moved: D = replace(record, **{each.name: getattr(record, each.name).to(device) for each in fields(record)})
    return moved


def real_numbers(values: object, device: torch.device | str) -> Tensor:
    """Numbers, in single precision, on a device."""
    return torch.tensor(np.asarray(values), dtype=torch.float32, device=device)


def through_pinned_memory(tensor: Tensor, device: torch.device) -> Tensor:
    """A tensor on a device; where that is a GPU nobody waits until it is there."""
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)
