"""What can be set about the data of a training on particles."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dsfu.model.training.config import Count
from dsfu.settings.section import Range, Section, refuse


class ParticleData(Section):
    """Where G(r) comes from, and on which r networks see it.

    Attributes
    ----------
    source
        "store": as it is there. "drawn": of the store's shapes, with b, B, limits of Q, damping and noise drawn anew
        for every batch.
    r_min, r_max, r_step
        In Å. The published network has 2800 points from 2.00 to 29.99. Where r_max is not given and the store ends
        earlier, it is where the store ends.
    bond_length, b_iso, q_min, q_max, q_damp, noise
        Ends between which is drawn; noise is a share of the largest G.
    strangers
        Share of samples that are no particle of any family, if they are drawn.
    batches_ahead
        Batches that are made before they are wanted.
    """

    source: Literal["store", "drawn"] = "store"
    r_min: Annotated[float, Field(ge=0, le=50)] = 2.0
    r_max: Annotated[float, Field(ge=1, le=100)] = 30.0
    r_step: Annotated[float, Field(ge=0.001, le=0.2)] = 0.01
    bond_length: Range = (2.2, 3.4)
    b_iso: Range = (0.2, 1.6)
    q_min: Range = (0.5, 1.3)
    q_max: Range = (15.0, 28.0)
    q_damp: Range = (0.0, 0.05)
    noise: Range = (0.0, 0.05)
    strangers: Annotated[float, Field(ge=0, le=0.9)] = 0.0
    batches_ahead: Count = 2

    @model_validator(mode="after")
    def _there_is_something_to_see(self) -> Self:
        if self.r_max - self.r_min < 5:
            raise refuse(f"r from {self.r_min:g} to {self.r_max:g} Å", "r_max", expected="5 Å or more beyond r_min")
        return self

    @property
    def points(self) -> int:
        """How many values of r there are."""
        return round((self.r_max - self.r_min) / self.r_step)
