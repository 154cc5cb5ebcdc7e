"""What a manifest of disorder may say: its sections, their fields, the ranges that make sense."""

from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from dsfu.pipeline.manifest.model import Manifest
from dsfu.settings.section import Name, PathText, Section, Share, ordered, refuse, whole
from dsfu.simulate.disorder.fields import PIXELS
from dsfu.simulate.species import SPLITS, Split

MOST_BYTES_PER_PAIR: Final = 2**29
"""Of the planes of one pair as they are stored. A worker holds a pair at a time, some of it more than once."""

_BYTES_PER_PIXEL: Final = 4

_MOST_THRESHOLD: Final = {"appearance": 0.7, "sliced_wasserstein": 0.02, "wasserstein": 0.05}
"""Three of four planes of a pair go at the first two, measured on seven training pairs with 128 planes each. The last
is chosen, not calibrated: half of all pairs of planes of a pair of molecules are nearer than 0.06."""


GroupNumber = Annotated[Literal[0, 1, 2, 3, 4], BeforeValidator(whole)]

Fraction = Annotated[float, Field(gt=0, lt=1)]
Alpha = Annotated[float, Field(ge=-1, le=1)]
Length = Annotated[float, Field(gt=0, le=1000)]
WaveNumber = Annotated[float, Field(gt=0, le=25)]  # as far as the tables of form factors go
Decay = Annotated[float, Field(ge=0, le=100)]
Coefficient = Annotated[float, Field(ge=-100, le=100)]
SetCount = Annotated[int, Field(ge=0, le=10_000)]

FractionRange = Annotated[tuple[Fraction, Fraction], AfterValidator(ordered)]
ShareRange = Annotated[tuple[Share, Share], AfterValidator(ordered)]
AlphaRange = Annotated[tuple[Alpha, Alpha], AfterValidator(ordered)]
WaveNumberRange = Annotated[tuple[WaveNumber, WaveNumber], AfterValidator(ordered)]
DecayRange = Annotated[tuple[Decay, Decay], AfterValidator(ordered)]
CoefficientRange = Annotated[tuple[Coefficient, Coefficient], AfterValidator(ordered)]


class OwnSpecies(Section):
    """A species of the user's own."""

    name: Name = Field(description="Unique among all species.")
    file: PathText | None = Field(
        default=None,
        description="Any file that ASE reads, relative to the manifest; null: a vacancy, which needs cell_lengths.",
    )
    group: GroupNumber = Field(
        description="Shape group: 0 globular, 1 rods, 2 flat, 3 flat rings, 4 perovskite cells. "
        "Only species of one group replace each other."
    )
    split: Split = Field(default="train", description="Which split it belongs to: train or validation.")
    cell_lengths: tuple[Length, Length, Length] | None = Field(
        default=None,
        description="a, b, c in Å; null: from the atoms' extents by the group's rule, or in group 4 from the file.",
    )
    lay: bool = Field(
        default=False,
        description="Lay the molecule's principal axes on the cell's and its centroid on the origin; "
        "false: atoms stay where the file has them.",
    )
    index: Annotated[int, Field(ge=0, le=1_000_000)] | None = Field(
        default=None, description="Which structure of a file that holds several, from 0."
    )

    @model_validator(mode="after")
    def _a_vacancy_needs_a_cell(self) -> Self:
        if self.file is None and self.cell_lengths is None:
            raise refuse(
                "neither file nor cell_lengths",
                expected="a file with atoms, or cell_lengths for a vacancy",
            )
        return self


class SpeciesSection(Section):
    """Which species there are."""

    library: bool = Field(default=True, description="Whether the 127 species that come with dsfu are used.")
    own: tuple[OwnSpecies, ...] = Field(default=(), max_length=5000, description="Species of your own.")

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        seen: set[str] = set()
        for number, name in enumerate(each.name for each in self.own):
            if name in seen:
                raise refuse(f"another species is called {name} too", "own", number, "name", expected="every name once")
            seen.add(name)
        return self


class PairsOfSplit(Section):
    """Which pairs of species of one split are simulated."""

    groups: tuple[GroupNumber, ...] = Field(
        default=(0, 1, 2, 3, 4), min_length=1, max_length=5, description="Shape groups that pairs are taken from."
    )
    per_group: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        default=None,
        description="At most so many pairs of each group, spread evenly over all of them; null: every pair.",
    )
    only: Annotated[tuple[tuple[Name, Name], ...], Field(min_length=1, max_length=15_000)] | None = Field(
        default=None,
        description="These pairs and no others, by the names of their species; null: as groups and per_group say.",
    )

    @property
    def names_groups(self) -> bool:
        """Whether groups are named one by one, so that each should have pairs."""
        return bool(self.groups != type(self).model_fields["groups"].default)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(set(self.groups)) < len(self.groups):
            raise refuse("a group is there twice", "groups", expected="every group once")
        if self.only is not None:
            self._check_only(self.only)
        return self

    def _check_only(self, only: tuple[tuple[str, str], ...]) -> None:
        for other in ("groups", "per_group"):
            if getattr(self, other) != type(self).model_fields[other].default:
                raise refuse(
                    "only names the pairs; groups and per_group have nothing to choose from",
                    other,
                    remedy="remove either only, or groups and per_group",
                )
        seen: set[frozenset[str]] = set()
        for number, names in enumerate(only):
            if len(set(names)) == 1:
                raise refuse(f"{names[0]} paired with itself scatters nothing", "only", number)
            if frozenset(names) in seen:
                raise refuse(f"the pair {names[0]}, {names[1]} is there twice", "only", number, expected="it once")
            seen.add(frozenset(names))


class PairsSection(Section):
    """Which pairs of species are simulated. Species of one split are never paired with those of the other."""

    train: PairsOfSplit | None = Field(default=PairsOfSplit(), description="Pairs for training; null: none.")
    validation: PairsOfSplit | None = Field(
        default=PairsOfSplit(), description="Pairs never seen in training; null: none."
    )

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.train is None and self.validation is None:
            raise refuse("no pairs at all: train and validation are both null", expected="pairs for one of them")
        return self


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


class MonteCarloPlanes(Section):
    """Planes for Monte Carlo sets: normal to a, b and c, where the intensity is."""

    layers_per_axis: Annotated[int, Field(ge=1, le=64)] = Field(
        default=4, description="Planes normal to each of a, b and c."
    )
    displaced_below: Alpha = Field(
        default=-0.05,
        description="Where α_010 is below this, layers normal to b start at the offset with most intensity.",
    )


class OscillatorPlanes(Section):
    """Planes for symmetry-restricted sets: normal to b."""

    layers: tuple[Coefficient, ...] = Field(
        default=(0.0, 1.0, 2.0, 3.0), min_length=1, max_length=64, description="The layers k that are taken."
    )

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        for number, layer in enumerate(self.layers):
            for before in self.layers[:number]:
                if abs(layer) == abs(before):
                    what = "is there twice" if layer == before else f"is the layer {before:g} turned by 180°"
                    raise refuse(f"{layer:g} {what}", "layers", number, expected="every plane once")
        return self


class PlanesSection(Section):
    """Which planes of a crystal are taken, and their grid."""

    pixels: Annotated[int, Field(ge=8, le=2048, multiple_of=2)] = Field(
        default=PIXELS, description="Pixels along each side."
    )
    q_max: WaveNumberRange = Field(
        default=(6.0, 8.0),
        description="Range of half the side, in 1/Å (2π included); drawn once for every set of a pair.",
    )
    monte_carlo: MonteCarloPlanes = MonteCarloPlanes()
    oscillator: OscillatorPlanes = OscillatorPlanes()


class DeadZones(Section):
    """Masks of what a detector does not see, assigned to samples at random: a bank of them, or your own."""

    bank_size: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        default=1024, description="Masks in the bank; 0: none."
    )
    live_fraction: ShareRange = Field(default=(0.45, 0.95), description="Least and greatest share of live pixels.")
    file: PathText | None = Field(
        default=None,
        description="Masks of your own instead: a .npy, .npz or HDF5 file of planes with as many pixels, where NaN or "
        "0 is dead; relative to the manifest; null: masks of random experiments.",
    )
    dataset: Annotated[str, Field(min_length=1, max_length=400)] | None = Field(
        default=None, description="Which array of the file; null: the only one that fits."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.dataset is not None and self.file is None:
            raise refuse("dataset names an array of a file, and there is no file", "dataset", remedy="write file: too")
        return self


class Uniqueness(Section):
    """Which planes repeat others. Decided when the store is closed: a new scope or threshold makes no plane again."""

    scope: Literal["pair", "store", "none"] = Field(
        default="pair",
        description="What a plane is compared with: planes of its pair, of its whole split (store), or none.",
    )
    metric: Literal["appearance", "sliced_wasserstein", "wasserstein"] = Field(
        default="appearance", description="Distance between planes; what it needs is kept with each plane."
    )
    threshold: Share | None = Field(
        default=None,
        description="Distance below which a plane repeats another; null: the one calibrated for the metric.",
    )

    @model_validator(mode="after")
    def _threshold_suits_metric(self) -> Self:
        if self.metric == "wasserstein" and self.scope == "store":
            raise refuse(
                "wasserstein takes too long for more than the planes of a pair",
                "scope",
                expected="pair or none for this metric",
                remedy="metric: sliced_wasserstein compares a whole split in a second",
            )
        most = _MOST_THRESHOLD[self.metric]
        if self.scope != "none" and self.threshold is not None and self.threshold > most:
            raise refuse(
                f"by {self.metric}, most planes of a pair are nearer to one another than {self.threshold:g}",
                "threshold",
                expected=f"at most {most:g} for this metric",
                remedy="write null, or remove the key, for the threshold calibrated for the metric",
            )
        return self


class Storage(Section):
    """How planes are kept."""

    materialise: bool = Field(
        default=True, description="Store planes; false: parameters only, and planes are computed when read."
    )


class DisorderManifest(Manifest):
    """A data set of diffuse scattering, declared."""

    problem: Annotated[Literal["disorder", "binary_substitutional"], AfterValidator(lambda _: "disorder")] = Field(
        default="disorder",
        description="What is simulated: a site in every cell that holds one of two species. "
        "binary_substitutional is its older name.",
    )
    species: SpeciesSection = SpeciesSection()
    pairs: PairsSection = PairsSection()
    sro: SroSection = SroSection()
    planes: PlanesSection = PlanesSection()
    dead_zones: DeadZones = DeadZones()
    uniqueness: Uniqueness = Uniqueness()
    storage: Storage = Storage()

    @model_validator(mode="after")
    def _check(self) -> Self:
        for split in SPLITS:
            if self.pairs_of(split) is None:
                continue
            planes = self.planes_per_pair(split)
            self._check_bank(split)
            if planes == 0:
                raise refuse(
                    f"{split} pairs get neither Monte Carlo nor oscillator sets, and so no planes",
                    "sro",
                    remedy=f"raise per_pair.{split} of one of them, or write `{split}: null` under pairs",
                )
            size = planes * self.planes.pixels**2 * _BYTES_PER_PIXEL
            if size > MOST_BYTES_PER_PAIR:
                raise refuse(
                    f"a {split} pair has {planes} planes of {self.planes.pixels}² pixels, {size / 2**30:.1f} GiB",
                    *(("planes", "pixels") if self.planes.pixels > PIXELS else ("sro",)),
                    expected=f"at most {MOST_BYTES_PER_PAIR / 2**30:g} GiB, so that a pair fits in a worker's memory",
                    remedy="take fewer pixels, fewer sets a pair, or fewer layers",
                )
        self._check_that_the_bank_is_used()
        return self

    def _check_bank(self, split: Split) -> None:
        bank, drawn = self.sro.monte_carlo.bank_size, self.monte_carlo_sets(split)
        if drawn > bank:
            raise refuse(
                f"a pair cannot draw {drawn} different sets from a bank of {bank}",
                *("sro", "monte_carlo", "per_pair", split),
                expected=f"at most bank_size = {bank}",
                remedy="draw fewer, or enlarge the bank",
            )

    def _check_that_the_bank_is_used(self) -> None:
        wanted = [split for split in SPLITS if self.pairs_of(split) is not None]
        if self.sro.monte_carlo.bank_size and not any(map(self.monte_carlo_sets, wanted)):
            raise refuse(
                f"a bank of {self.sro.monte_carlo.bank_size} sets would be made, and no pair draws from it",
                *("sro", "monte_carlo", "bank_size"),
                remedy="write `bank_size: 0`, or let pairs draw from it: per_pair",
            )

    def pairs_of(self, split: Split) -> PairsOfSplit | None:
        return self.pairs.train if split == SPLITS[0] else self.pairs.validation

    def monte_carlo_sets(self, split: Split) -> int:
        """Sets of the bank that a pair of this split draws."""
        return getattr(self.sro.monte_carlo.per_pair, split)  # type: ignore[no-any-return]

    def oscillator_sets(self, split: Split) -> int:
        """Sets of its own that a pair of this split is given."""
        return getattr(self.sro.oscillator.per_pair, split)  # type: ignore[no-any-return]

    def planes_per_pair(self, split: Split) -> int:
        """Planes of a pair of this split, duplicates included."""
        from_bank = self.monte_carlo_sets(split) * 3 * self.planes.monte_carlo.layers_per_axis
        return from_bank + self.oscillator_sets(split) * len(self.planes.oscillator.layers)
