"""What can be set about the data of a training on phases: the store says nearly all."""

from typing import Annotated

from pydantic import Field

from dsfu.settings.section import Section


class PhaseData(Section):
    """Grids are those of the store: read if it holds them, else computed from its structures.

    Attributes
    ----------
    grid
        Voxels along each axis; 0: as many as the store has. Another number is refused.
    """

    grid: Annotated[int, Field(ge=0, le=512)] = 0
