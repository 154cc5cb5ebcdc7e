"""What can be set about the data of a training on densities."""

from typing import Annotated, Literal

from pydantic import Field

from dsfu.settings.section import Section

Told = Literal["all", "no ratios", "one element missing", "nothing"]
"""What of the composition a network is told: the published ablations."""


class DensityData(Section):
    """Which density is sought, and what is told of the composition.

    Attributes
    ----------
    grid
        Points along each axis. Published: 50.
    electrons
        All of them, or those outside the cores.
    composition
        "all"; "no ratios": equal shares; "one element missing": the rarest is left out (of several the heaviest), and
        the others' shares sum to 1; "nothing": zeros.
    """

    grid: Annotated[int, Field(ge=10, le=128)] = 50
    electrons: Literal["all", "valence"] = "all"
    composition: Told = "all"
