"""Which sets of Warren–Cowley parameters a manifest of disorder asks for."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from dsfu.settings.section import Section, Share, ordered, refuse

Fraction = Annotated[float, Field(gt=0, lt=1)]

Alpha = Annotated[float, Field(ge=-1, le=1)]

Decay = Annotated[float, Field(ge=0, le=100)]

Coefficient = Annotated[float, Field(ge=-100, le=100)]

SetCount = Annotated[int, Field(ge=0, le=10_000)]

FractionRange = Annotated[tuple[Fraction, Fraction], AfterValidator(ordered)]

AlphaRange = Annotated[tuple[Alpha, Alpha], AfterValidator(ordered)]

DecayRange = Annotated[tuple[Decay, Decay], AfterValidator(ordered)]

CoefficientRange = Annotated[tuple[Coefficient, Coefficient], AfterValidator(ordered)]


class SetsPerPair(Section):
    """How many sets of Warren–Cowley parameters a pair of each split gets."""

    train: SetCount = Field(description="For each training pair.")
    validation: SetCount = Field(description="For each validation pair.")


class MonteCarlo(Section):
    """Sets of Warren–Cowley parameters from Metropolis simulations: a bank of them, which every pair draws from."""

    bank_size: Annotated[int, Field(ge=0, le=10_000_000)] = Field(default=12_000, description="Sets in the bank.")
    per_pair: SetsPerPair = Field(
        default=SetsPerPair(train=12, validation=12), description="Sets that a pair draws, all different."
    )
    fraction_a: FractionRange = Field(default=(0.02, 0.54), description="Range of the mole fraction m_A.")
    targets: AlphaRange = Field(
        default=(-0.6, 0.6),
        description="Range of the targets α_100, α_010 and α_001; what no crystal can have is not drawn.",
    )
    box: Annotated[int, Field(ge=12, le=64, multiple_of=2)] = Field(
        default=64, description="Edge of the periodic box, sites."
    )
    equilibrium: bool = Field(
        default=False,
        description="Whether sets that depend on how their box began, or go on beyond the cut-off, are drawn again.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        self._check_box()
        self._check_targets()
        return self

    def _check_box(self) -> None:
        from dsfu.simulate.disorder.feasibility import FEWEST_SITES  # late, as it loads numba

        low, high = self.fraction_a
        rarest = min(low, 1 - high)
        if rarest * self.box**3 < FEWEST_SITES:
            least = FEWEST_SITES / self.box**3
            raise refuse(
                f"a box of {self.box}³ sites has only {rarest * self.box**3:.1f} of the rarer species",
                "fraction_a",
                expected=f"[low, high] from {least:.2g} to {1 - least:.6g}, so that there are {FEWEST_SITES} sites",
                remedy="narrow fraction_a, or enlarge box",
            )

    def _check_targets(self) -> None:
        """At every composition there must be something in the range of targets that a crystal can have."""
        low, high = self.fraction_a
        rarest = min(low, 1 - high)
        lowest = -rarest / (1 - rarest)
        if self.targets[1] < lowest:
            needed = self.targets[1] / (self.targets[1] - 1)
            raise refuse(
                f"no crystal with m_A = {low if low <= 1 - high else high:g} has an α below {lowest:.3g}",
                "targets",
                expected=f"an upper end of at least {lowest:.3g}",
                remedy=f"raise it, or bring fraction_a within [{needed:.3g}, {1 - needed:.3g}]",
            )


class Oscillator(Section):
    """Symmetry-restricted sets: α_x = A exp(−d x) cos(ω x) over the shells x of the plane normal to b; m_A = 0.5."""

    per_pair: SetsPerPair = Field(
        default=SetsPerPair(train=14, validation=0), description="Sets that a pair is given, its own."
    )
    amplitude: CoefficientRange = Field(default=(0.6, 1.5), description="Range of A.")
    decay: DecayRange = Field(default=(0.2, 1.2), description="Range of d.")
    frequency: CoefficientRange = Field(default=(1.0, 2.0), description="Range of ω, in radians per shell.")
    most_clipped: Share = Field(
        default=0.3,
        description="Largest share of the zone over which I_SRO may be negative; a set with more is drawn again.",
    )


class SroSection(Section):
    """Short-range order: which sets of Warren–Cowley parameters there are."""

    monte_carlo: MonteCarlo = MonteCarlo()
    oscillator: Oscillator = Oscillator()
