"""What can be chosen about a fit."""

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One run of the optimiser.

    Attributes
    ----------
    tolerance
        τ: how far √I of the model may be from that of the data, relative to the plane's maximum, noise apart.
    every
        Use every n-th pixel along both axes.
    iterations
        At most so many.
    precondition
        Whether to compute curvatures first. It pays where the fit has to be precise.
    """

    tolerance: float
    every: int
    iterations: int
    precondition: bool = False


STAGES: Final = (
    Stage(tolerance=0.1, every=2, iterations=60),
    Stage(tolerance=0.03, every=2, iterations=60),
    Stage(tolerance=0.004, every=1, iterations=60, precondition=True),
)

CAREFUL_STAGES: Final = (
    Stage(tolerance=0.3, every=1, iterations=60),
    Stage(tolerance=0.1, every=1, iterations=60),
    Stage(tolerance=0.03, every=1, iterations=60),
    Stage(tolerance=0.004, every=1, iterations=300, precondition=True),
)
"""For lattice points few pixels apart. Waves of long vectors beat with the pixels there: a fit goes astray unless it
starts gently, and takes long to end."""

JOINT_STAGES: Final = (
    Stage(tolerance=0.1, every=2, iterations=60),
    Stage(tolerance=0.03, every=2, iterations=60, precondition=True),
    Stage(tolerance=0.01, every=1, iterations=60, precondition=True),
    Stage(tolerance=0.004, every=1, iterations=60, precondition=True),
)


@dataclass(frozen=True, kw_only=True)
class SolverSettings:
    """Settings of the solver; the defaults suit planes of molecular crystals with 6 to 8 1/Å to every side.

    Attributes
    ----------
    cutoff
        Largest |u|, |v|, |w| of the lattice vectors in the series of I_SRO. Longer than needed does no harm, shorter
        does.
    widths
        Width of the prior of the Patterson function relative to the cell. The first is tried first; the others, one
        after the other, if the misfit stays above ``widen_above``.
    widen_above
        Structured misfit (`PlaneSolution.misfit`) above which a wider prior is tried.
    again_if_lost
        Whether a fit that went astray is made again on all pixels.
    background
        Whether a flat background is a variable.
    stretch
        Whether the lattice may be stretched along x and along y of each plane, to mend a cell that is a little wrong.
    uncertainty
        Whether to compute covariances and the uncertainty of every pixel.
    stop
        A run ends early when ten iterations have lowered the objective by no more than this share of it.
    stages, joint_stages
        Runs of the optimiser, coarse to fine, for planes by themselves and for several planes of a crystal.
    precision
        Of the arithmetic.
    device
        A torch device, "cpu" or "cuda".
    batch
        How many independent planes are fitted together; None for 1 on a processor and 64 elsewhere.
    """

    cutoff: int = 6
    widths: tuple[float, ...] = (0.42, 0.7, 1.1)
    widen_above: float = 0.003
    again_if_lost: bool = True
    background: bool = False
    stretch: bool = False
    uncertainty: bool = False
    stop: float = 0.01
    stages: tuple[Stage, ...] = STAGES
    joint_stages: tuple[Stage, ...] = JOINT_STAGES
    precision: Literal["float32", "float64"] = "float32"
    device: str = "cpu"
    batch: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.cutoff <= 12:
            raise ValueError(f"cutoff = {self.cutoff}: expected 1 to 12")
        if not self.widths or not all(0.05 <= width <= 5 for width in self.widths):
            raise ValueError(f"widths = {self.widths}: expected one or more numbers from 0.05 to 5")
        for name, stages in (("stages", self.stages), ("joint_stages", self.joint_stages)):
            if not stages or any(s.tolerance <= 0 or s.every < 1 or s.iterations < 1 for s in stages):
                raise ValueError(f"{name} = {stages}: expected at least one, all numbers positive")
        if self.precision not in ("float32", "float64"):
            raise ValueError(f"precision = {self.precision!r}: expected 'float32' or 'float64'")
