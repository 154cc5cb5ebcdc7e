"""A batch of crystals: moduli on a grid of hkl, and the density that is sought."""

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class PhaseBatch:
    """Some samples.

    Attributes
    ----------
    amplitude
        |F| on the grid, (samples, n, n, n), 0 where it is not known.
    density
        (samples, n, n, n), atoms as Gaussians.
    atoms
        How many there are in the cell, (samples,).
    """

    amplitude: Tensor
    density: Tensor
    atoms: Tensor

    def __len__(self) -> int:
        return len(self.amplitude)

    def to(self, device: torch.device | str) -> "PhaseBatch":
        """The same on a device."""
        return replace(self, **{each.name: getattr(self, each.name).to(device) for each in fields(self)})

    @property
    def given(self) -> Tensor:
        """|F|² relative to the largest of each sample, which is F(000) where that is known."""
        intensity = self.amplitude**2
        return intensity / intensity.amax(dim=(1, 2, 3), keepdim=True).clamp(min=1e-12)

    @property
    def sought(self) -> Tensor:
        """The density relative to its maximum."""
        return self.density / self.density.amax(dim=(1, 2, 3), keepdim=True).clamp(min=1e-12)
