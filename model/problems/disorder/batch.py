"""What a training step is given, wherever it comes from: a store, or planes made on the fly."""

from dataclasses import dataclass, fields
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """Planes as they would be measured, and the truth about them; all (planes, 1, y, x), intensities as float32.

    Attributes
    ----------
    intensity
        I_D as measured: with noise, background and the like, if any; 0 where dead. Its unit is arbitrary.
    live
        bool, True where measured.
    clean
        The product of the two factors, everywhere and without noise, relative to its maximum.
    form_factor, sro
        I_FF and I_SRO relative to their maxima on the plane.
    """

    intensity: Tensor
    live: Tensor
    clean: Tensor
    form_factor: Tensor
    sro: Tensor

    def __len__(self) -> int:
        return self.intensity.shape[0]

    def to(self, device: torch.device | str) -> Self:
        """The same on another device, without waiting for it where memory is pinned."""
        return type(self)(
            **{each.name: getattr(self, each.name).to(device, non_blocking=True) for each in fields(self)}
        )

    def pin_memory(self) -> Self:
        return type(self)(**{each.name: getattr(self, each.name).pin_memory() for each in fields(self)})
