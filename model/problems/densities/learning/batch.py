"""A batch of crystals: pattern and composition, and the density that is sought."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dsfu.model.devices import on_device


@dataclass(frozen=True, kw_only=True, eq=False)
class DensityBatch:
    """Some samples.

    Attributes
    ----------
    pattern
        (samples, 1024): the strongest line in each bin, the strongest of all = 1.
    composition
        (samples, 119): shares of the atoms by atomic number, as far as they are told.
    density
        (samples, n, n, n) in e/Å³ at fractional coordinates i/n.
    """

    pattern: Tensor
    composition: Tensor
    density: Tensor

    def __len__(self) -> int:
        return len(self.pattern)

    def to(self, device: torch.device | str) -> "DensityBatch":
        """The same on a device."""
        return on_device(self, device)
