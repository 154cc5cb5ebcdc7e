"""A batch of particles: G(r), and what is true of each."""

from dataclasses import dataclass, fields, replace
from typing import Final

import torch
from torch import Tensor

from dsfu.model.devices import on_device
from dsfu.model.problems.particles.learning.families import FAMILIES as _OF_SHAPES
from dsfu.model.problems.particles.learning.families import NONE

FAMILIES: Final = (*_OF_SHAPES, NONE)
"""In the order of the numbers in a batch; "none": no particle of any family."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ParticleBatch:
    """Some samples.

    Attributes
    ----------
    pdf
        (samples, r): G over its largest value.
    positions
        (samples, most atoms, 3) in Å, each axis beginning at 0, in the order of the store; 0 after the last atom.
    atoms, family
        (samples,): whole numbers; the family as in `FAMILIES`.
    bond_length, b_iso
        (samples,) in Å and Å².
    """

    pdf: Tensor
    positions: Tensor
    atoms: Tensor
    family: Tensor
    bond_length: Tensor
    b_iso: Tensor

    def __len__(self) -> int:
        return len(self.pdf)

    def to(self, device: torch.device | str) -> "ParticleBatch":
        """The same on a device."""
        return on_device(self, device)

    def some(self, which: Tensor) -> "ParticleBatch":
        """Those with these numbers."""
        return replace(self, **{each.name: getattr(self, each.name)[which] for each in fields(self)})
