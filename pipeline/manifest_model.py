"""What a manifest may say: its sections, their fields, the ranges that make sense. `manifest` reads the file."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from dsfu.simulate.contract import PIXELS
from dsfu.simulate.species import SPLITS, Split

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$", max_length=80)]
Count = Annotated[int, Field(ge=0, le=10_000_000)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, le=1e4, allow_inf_nan=False)]
Finite = Annotated[float, Field(ge=-1e4, le=1e4, allow_inf_nan=False)]


class Section(BaseModel):
    """Base of all sections: immutable, nothing unknown, nothing converted."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _ordered(low: float, high: float) -> None:
    if low > high:
        raise PydanticCustomError(
            "range_reversed", "the lower end {low} is above the upper end {high}", {"low": low, "high": high}
        )


class OwnSpecies(Section):
    """A species of the user's own."""

    name: Name = Field(description="Unique among all species.")
    file: str | None = Field(
        None, min_length=1, description="Any file that ASE reads, relative to the manifest; none: a vacancy."
    )
    group: Literal[0, 1, 2, 3, 4] = Field(description="Shape group; only species of one group replace each other.")
    split: Split = Field("train", description="train or validation.")
    cell_lengths: tuple[Positive, Positive, Positive] | None = Field(
        None, description="a, b, c in Å; without them they follow from the atoms by the group's rule."
    )

    @model_validator(mode="after")
    def _a_vacancy_needs_a_cell(self) -> Self:
        if self.file is None and self.cell_lengths is None:
            raise PydanticCustomError("vacancy_cell", "a species without a file is a vacancy, and needs cell_lengths")
        return self


class SpeciesSection(Section):
    """Which species there are."""

    library: bool = Field(True, description="Whether the 127 species that come with dsfu are used.")
    own: tuple[OwnSpecies, ...] = Field((), max_length=10_000, description="Species of your own, added to the library.")


class PairsOfSplit(Section):
    """Which pairs of species of one split are simulated."""

    groups: tuple[Literal[0, 1, 2, 3, 4], ...] = Field((0, 1, 2, 3, 4), description="Shape groups to take pairs from.")
    per_group: Annotated[int, Field(ge=1)] | None = Field(
        None, description="At most so many pairs of each group, spread evenly over all of them; none: every pair."
    )
    only: tuple[tuple[Name, Name], ...] | None = Field(None, description="These pairs and no others, by name.")


class PairsSection(Section):
    train: PairsOfSplit | None = Field(PairsOfSplit(), description="Pairs for training; null for none.")
    validation: PairsOfSplit | None = Field(PairsOfSplit(), description="Pairs never seen in training; null for none.")


class SetsPerPair(Section):
    train: Annotated[int, Field(ge=0, le=10_000)]
    validation: Annotated[int, Field(ge=0, le=10_000)]


class MonteCarlo(Section):
    """Sets of Warren–Cowley parameters from Metropolis simulations, made once and drawn from."""

    bank_size: Annotated[int, Field(ge=0, le=10_000_000)] = Field(12_000, description="Sets in the bank.")
    per_pair: SetsPerPair = Field(SetsPerPair(train=12, validation=12), description="Sets that each pair draws.")
    fraction_a: tuple[Share, Share] = Field((0.02, 0.54), description="Range of the mole fraction m_A.")
    targets: tuple[Annotated[float, Field(ge=-1, le=1)], Annotated[float, Field(ge=-1, le=1)]] = Field(
        (-0.6, 0.6), description="Range of the targets α_100, α_010 and α_001; infeasible ones are never drawn."
    )
    box: Annotated[int, Field(ge=12, le=64)] = Field(
        64, description="Edge of the periodic box in sites: an even number."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        _ordered(*self.fraction_a)
        _ordered(*self.targets)
        if not 0 < self.fraction_a[0] <= self.fraction_a[1] < 1:
            raise PydanticCustomError("fraction", "fraction_a: both ends must lie between 0 and 1, neither included")
        if self.box % 2:
            raise PydanticCustomError("box", "box = {box}: must be even", {"box": self.box})
        most = max(self.per_pair.train, self.per_pair.validation)
        if most > self.bank_size:
            raise PydanticCustomError(
                "bank",
                "per_pair asks for {most} different sets, but bank_size is {size}",
                {"most": most, "size": self.bank_size},
            )
        return self


class Oscillator(Section):
    """Symmetry-restricted sets: α_x = A exp(−d x) cos(ω x) over shells in the plane normal to b; m_A = 0.5."""

    per_pair: SetsPerPair = Field(SetsPerPair(train=14, validation=0), description="Sets that each pair is given.")
    amplitude: tuple[Finite, Finite] = Field((0.6, 1.5), description="Range of A.")
    decay: tuple[Positive, Positive] = Field((0.2, 1.2), description="Range of d.")
    frequency: tuple[Finite, Finite] = Field((1.0, 2.0), description="Range of ω.")
    most_clipped: Share = Field(
        0.3, description="Largest share of the zone on which I_SRO may be negative; more: redrawn."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        for ends in (self.amplitude, self.decay, self.frequency):
            _ordered(*ends)
        return self


class SroSection(Section):
    """Short-range order."""

    monte_carlo: MonteCarlo = MonteCarlo()
    oscillator: Oscillator = Oscillator()


class MonteCarloPlanes(Section):
    layers_per_axis: Annotated[int, Field(ge=1, le=64)] = Field(4, description="Planes normal to each of a, b and c.")
    displaced_below: Finite = Field(
        -0.05, description="Below this α_010, layers normal to b start where intensity is highest."
    )


class OscillatorPlanes(Section):
    layers: tuple[Finite, ...] = Field(
        (0.0, 1.0, 2.0, 3.0), min_length=1, max_length=64, description="Layers normal to b."
    )


class PlanesSection(Section):
    """Which planes of a crystal are taken, and their grid."""

    pixels: Annotated[int, Field(ge=8, le=2048, multiple_of=2)] = Field(PIXELS, description="Pixels along each side.")
    q_max: tuple[Positive, Positive] = Field((6.0, 8.0), description="Range of half the side, in 1/Å.")
    monte_carlo: MonteCarloPlanes = MonteCarloPlanes()
    oscillator: OscillatorPlanes = OscillatorPlanes()

    @model_validator(mode="after")
    def _check(self) -> Self:
        _ordered(*self.q_max)
        return self


class DeadZones(Section):
    """Masks of what a detector does not see, made once and assigned to samples at random."""

    bank_size: Annotated[int, Field(ge=0, le=1_000_000)] = Field(1024, description="Masks in the bank; 0 for none.")
    live_fraction: tuple[Share, Share] = Field((0.45, 0.95), description="Least and greatest share of live pixels.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        _ordered(*self.live_fraction)
        return self


class Uniqueness(Section):
    """Which planes repeat others. Decided when the store is closed: a new scope or threshold makes no plane again."""

    scope: Literal["pair", "store", "none"] = Field(
        "pair", description="Compare within a pair, within a split, or not."
    )
    metric: Literal["sliced_wasserstein", "appearance"] = Field(
        "sliced_wasserstein", description="Distance between planes; what it needs is kept with each plane."
    )
    threshold: Annotated[float, Field(ge=0, le=1)] | None = Field(
        None, description="Distance below which a plane repeats another; none: the one calibrated for the metric."
    )


class Storage(Section):
    materialise: bool = Field(True, description="Store planes; false: parameters only, planes are computed when read.")


class Manifest(Section):
    """A data set, declared."""

    version: Literal[1] = Field(description="Format of the manifest.")
    problem: Literal["binary_substitutional"] = Field("binary_substitutional", description="What is simulated.")
    name: Name = Field(description="What the data set is called.")
    seed: Annotated[int, Field(ge=0, lt=2**63)] = Field(description="All random numbers derive from it.")
    store: str = Field(
        min_length=1, description="Folder or URL (s3://…) where the data set goes, unless --store says otherwise."
    )
    species: SpeciesSection = SpeciesSection()
    pairs: PairsSection = PairsSection()
    sro: SroSection = SroSection()
    planes: PlanesSection = PlanesSection()
    dead_zones: DeadZones = DeadZones()
    uniqueness: Uniqueness = Uniqueness()
    storage: Storage = Storage()

    def pairs_of(self, split: Split) -> PairsOfSplit | None:
        return self.pairs.train if split == SPLITS[0] else self.pairs.validation

    def monte_carlo_sets(self, split: Split) -> int:
        """Sets of the bank that a pair of this split draws."""
        return getattr(self.sro.monte_carlo.per_pair, split)  # type: ignore[no-any-return]

    def oscillator_sets(self, split: Split) -> int:
        """Sets of its own that a pair of this split is given."""
        return getattr(self.sro.oscillator.per_pair, split)  # type: ignore[no-any-return]

    def planes_per_pair(self, split: Split) -> int:
        planes = self.planes
        from_bank = self.monte_carlo_sets(split) * 3 * planes.monte_carlo.layers_per_axis
        return from_bank + self.oscillator_sets(split) * len(planes.oscillator.layers)
