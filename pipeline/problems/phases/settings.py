"""What a manifest of the phase problem may say: which crystals, on which grid, and how they are kept."""

from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from dsfu.pipeline.manifest.model import Manifest
from dsfu.settings.section import PathText, Section, ordered, refuse
from dsfu.simulate.phases.packing import GROUPS_OF_MOLECULES
from dsfu.simulate.phases.random_crystals import ELEMENTS

Source = Literal["random", "symmetric", "molecules", "table", "prototypes"]

COMMON_GROUPS: Final = ("P -1", "P 1 21/c 1", "P n m a", "I 4/m m m", "R -3 m:H", "P 63/m m c", "F m -3 m")
"""One of every crystal system, the most frequent among inorganic crystals or near it."""

MOST_ATOMS: Final = 1000
_LARGEST_GRID: Final = 128

Atoms = Annotated[int, Field(ge=1, le=MOST_ATOMS)]
Element = Annotated[int, Field(ge=1, le=98)]
Symbol = Annotated[str, Field(min_length=3, max_length=24)]


class PhaseSamples(Section):
    """How many crystals each split has."""

    train: Annotated[int, Field(ge=0, le=10_000_000)] = Field(default=10_000, description="To learn from.")
    validation: Annotated[int, Field(ge=0, le=10_000_000)] = Field(default=1000, description="To watch learning.")
    test: Annotated[int, Field(ge=0, le=10_000_000)] = Field(
        default=1000, description="To judge by. Of a table, no formula is in two splits."
    )

    @model_validator(mode="after")
    def _there_are_some(self) -> Self:
        if not self.train + self.validation + self.test:
            raise refuse("no crystals at all", "train", expected="one or more in at least one split")
        return self


class Crystals(Section):
    """Where crystals come from."""

    source: Source = Field(
        default="random",
        description="random: atoms that keep their distance, P1; symmetric: the same with a space group; molecules: "
        "those of the species library, packed; table: a CSV of CIFs; prototypes: AFLOW's, from pymatgen.",
    )
    atoms: Annotated[tuple[Atoms, Atoms], AfterValidator(ordered)] = Field(
        default=(2, 16), description="Range of the number of atoms in a cell; crystals outside it are left out."
    )
    elements: tuple[Element, ...] = Field(
        default=ELEMENTS, min_length=1, max_length=98, description="Atomic numbers that random crystals draw from."
    )
    space_groups: tuple[Symbol, ...] = Field(
        default=(),
        max_length=230,
        description="Hermann–Mauguin symbols for symmetric and molecules; empty: a common one of every system, or the "
        "six most frequent of molecular crystals.",
    )
    file: PathText | None = Field(default=None, description="CSV for table, plain or gzipped, beside the manifest.")
    column: str = Field(default="cif", max_length=200, description="Column of the CSV that holds the CIFs.")

    @model_validator(mode="after")
    def _a_table_has_a_file(self) -> Self:
        if (self.source == "table") != (self.file is not None):
            raise refuse(
                "a table without a file" if self.source == "table" else f"a file for the source {self.source}",
                "file",
                expected="a CSV of CIFs with source: table, and none with other sources",
            )
        return self

    @property
    def groups(self) -> tuple[str, ...]:
        """Symbols of the space groups that are drawn from."""
        return self.space_groups or (GROUPS_OF_MOLECULES if self.source == "molecules" else COMMON_GROUPS)


class GridSection(Section):
    """What is measured, and what is sought."""

    n: Annotated[int, Field(ge=4, le=_LARGEST_GRID)] = Field(
        default=20, description="Indices along each axis, and voxels."
    )
    form: Literal["Z", "IT92"] = Field(
        default="Z", description="Z: atoms are points of Z electrons; IT92: form factors and displacements."
    )
    grid: Literal["centred", "octant"] = Field(
        default="centred", description="Indices from −n/2 to n/2−1, or from 0 to n−1 as in the published data set."
    )
    sigma: Annotated[float, Field(ge=0, le=10)] = Field(
        default=1.0, description="Width of the atoms of the density, in voxels."
    )
    sharpness: Annotated[float, Field(ge=0, le=10)] = Field(
        default=0.0, description="Width in voxels of the Gaussian atoms that the amplitudes are of; 0: points."
    )
    d_min: Annotated[float, Field(ge=0, le=100)] = Field(
        default=0.0, description="Reflections of smaller d, in Å, are not known; 0: none is left out."
    )
    completeness: Annotated[float, Field(gt=0, le=1)] = Field(
        default=1.0, description="Share of the pairs ±h that is known."
    )
    noise: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.0, description="Standard deviation of |F|, relative to itself."
    )


class PhasesStorage(Section):
    """How samples are kept."""

    grids: bool = Field(
        default=False, description="Store amplitudes and densities; false: structures only, some 500 bytes a crystal."
    )


class PhasesManifest(Manifest):
    """A data set of the phase problem, declared."""

    problem: Literal["phases"] = Field(description="What is simulated: |F|² of crystals, and the density behind it.")
    samples: PhaseSamples = PhaseSamples()
    crystals: Crystals = Crystals()
    grid: GridSection = GridSection()
    storage: PhasesStorage = PhasesStorage()
