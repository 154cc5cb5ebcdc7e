"""What can be set about the data of a training on particles."""

from dataclasses import dataclass
from typing import Literal

from dsfu.errors import InputError
from dsfu.model.training.config import check_choices, check_numbers

Ends = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class ParticleData:
    """Where G(r) comes from, and on which r networks see it.

    Attributes
    ----------
    source
        "store": as it is there. "drawn": of the store's shapes, with b, B, limits of Q, damping and noise drawn anew
        for every batch.
    r_min, r_max, r_step
        In Å. The published network has 2800 points from 2.00 to 29.99.
    bond_length, b_iso, q_min, q_max, q_damp, noise
        Ends between which is drawn; noise is a share of the largest G.
    strangers
        Share of samples that are no particle of any family, if they are drawn.
    batches_ahead
        Batches that are made before they are wanted.
    """

    source: Literal["store", "drawn"] = "store"
    r_min: float = 2.0
    r_max: float = 30.0
    r_step: float = 0.01
    bond_length: Ends = (2.2, 3.4)
    b_iso: Ends = (0.2, 1.6)
    q_min: Ends = (0.5, 1.3)
    q_max: Ends = (15.0, 28.0)
    q_damp: Ends = (0.0, 0.05)
    noise: Ends = (0.0, 0.05)
    strangers: float = 0.0
    batches_ahead: int = 2

    def __post_init__(self) -> None:
        check_choices(self, "data", {"source": ("store", "drawn")})
        ranges = {"r_min": (0.0, 50.0), "r_max": (1.0, 100.0), "r_step": (0.001, 0.2), "strangers": (0.0, 0.9)}
        check_numbers(self, "data", ranges)
        if self.r_max - self.r_min < 5:
            raise InputError(
                f"r from {self.r_min:g} to {self.r_max:g} Å", where="data.r_max", expected="5 Å or more beyond r_min"
            )
        for name in ("bond_length", "b_iso", "q_min", "q_max", "q_damp", "noise"):
            ends = tuple(getattr(self, name))
            if len(ends) != 2 or not 0 <= ends[0] <= ends[1]:
                raise InputError(f"it is {list(ends)}", where=f"data.{name}", expected="two numbers, the lower first")
            object.__setattr__(self, name, (float(ends[0]), float(ends[1])))

    @property
    def points(self) -> int:
        """How many values of r there are."""
        return round((self.r_max - self.r_min) / self.r_step)
