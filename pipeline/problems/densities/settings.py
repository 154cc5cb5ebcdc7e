"""What a manifest of densities may say: which crystals, how many, and what the splits have none of in common."""

from typing import Annotated, Literal

from pydantic import Field

from dsfu.pipeline.manifest.model import Manifest
from dsfu.settings.section import Section
from dsfu.simulate.densities.samples import SplitBy, System


class CrystalSettings(Section):
    """From which structure types crystals are made."""

    systems: Annotated[tuple[System, ...], Field(min_length=1)] = Field(
        default=("cubic",), description="Crystal systems of the structure types that come with dsfu."
    )
    most_atoms: Annotated[int, Field(ge=2, le=200)] = Field(
        default=64, description="Types with more atoms in the conventional cell are left out."
    )
    split_by: SplitBy = Field(
        default="formula",
        description="What no two splits have in common: formulas, anonymous formulas (A2BC3) or structure types.",
    )


class SampleSettings(Section):
    """How many crystals each split has."""

    train: Annotated[int, Field(ge=0, le=10_000_000)] = Field(default=1000, description="Crystals to train on.")
    validation: Annotated[int, Field(ge=0, le=10_000_000)] = Field(default=100, description="Crystals to watch with.")
    test: Annotated[int, Field(ge=0, le=10_000_000)] = Field(default=100, description="Crystals to evaluate on.")


class DensitiesManifest(Manifest):
    """Powder patterns of crystals, of which electron densities are sought."""

    problem: Literal["densities"] = Field(default="densities", description="From pattern and formula to density.")
    crystals: CrystalSettings = Field(default=CrystalSettings(), description="Which crystals.")
    samples: SampleSettings = Field(default=SampleSettings(), description="How many of them.")
