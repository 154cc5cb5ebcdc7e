"""What a manifest of disorder may say: its sections, their fields, the ranges that make sense."""

from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from dsfu.pipeline.manifest.model import Manifest
from dsfu.pipeline.problems.disorder.settings.order import SroSection
from dsfu.pipeline.problems.disorder.settings.planes import DeadZones, PlanesSection, Uniqueness
from dsfu.pipeline.problems.disorder.settings.species import PairsOfSplit, PairsSection, SpeciesSection
from dsfu.settings.section import Section, refuse
from dsfu.simulate.disorder.fields import PIXELS
from dsfu.simulate.species import SPLITS, Split

MOST_BYTES_PER_PAIR: Final = 2**29
"""Of the planes of one pair as they are stored. A worker holds a pair at a time, some of it more than once."""

_BYTES_PER_PIXEL: Final = 4


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
