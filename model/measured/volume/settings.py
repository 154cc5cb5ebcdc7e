"""How to take a volume apart."""

from dataclasses import dataclass
from typing import Final

from dsfu.model.measured.volume.prior import FormFactorPrior
from dsfu.simulate.checks import check_some_axes

FARTHEST: Final = 6
"""Largest |u|, |v|, |w| that is tried where no cut-off is given."""


@dataclass(frozen=True, kw_only=True)
class VolumeSettings:
    """How to take a volume apart.

    Attributes
    ----------
    laue
        Laue class; equivalent vectors have one α.
    cutoff
        Largest |u|, |v|, |w| with an α; None for as far as the data ask for, up to `FARTHEST`.
    no_order_along
        Axes ("c", or several: "bc") along which there is no order.
    background
        Whether to fit one that depends on |Q|.
    bragg
        Whether to look for Bragg peaks.
    box
        Whether each voxel is a mean over its box, and not a point: α far away are damped by it, and it is undone.
    stretch
        Whether to stretch h, k and l to the lattice that the order repeats with; None for where the verdict says it is
        another.
    prior
        That of I_FF, where it is not to be found from the data.
    """

    laue: str = "-1"
    cutoff: int | None = None
    no_order_along: str = ""
    background: bool = True
    bragg: bool = True
    box: bool = False
    stretch: bool | None = None
    prior: FormFactorPrior | None = None

    def __post_init__(self) -> None:
        if self.cutoff is not None and self.cutoff < 1:
            raise ValueError(f"cutoff = {self.cutoff}: expected 1 or more")
        check_some_axes("no_order_along", self.no_order_along)
