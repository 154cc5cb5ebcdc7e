"""Which species a manifest of disorder has, and which pairs of them are simulated."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from dsfu.settings.section import Name, PathText, Section, refuse, whole
from dsfu.simulate.species import Split

GroupNumber = Annotated[Literal[0, 1, 2, 3, 4], BeforeValidator(whole)]

Length = Annotated[float, Field(gt=0, le=1000)]


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
