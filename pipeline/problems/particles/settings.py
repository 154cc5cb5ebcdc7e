"""What a manifest of particles may say."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from dsfu.pipeline.manifest.model import Manifest
from dsfu.settings.section import Section, ordered, refuse
from dsfu.simulate.particles.shapes import BOND_LENGTHS

Collection = Literal["published", "thousand", "faults", "extended_faults"]
Length = Annotated[float, Field(ge=1.5, le=6.0)]


def _range(low: float, high: float) -> object:
    value = Annotated[float, Field(ge=low, le=high)]
    return Annotated[tuple[value, value], AfterValidator(ordered)]


class ShapesSection(Section):
    """Which particles there are: every shape of the collections at every bond length."""

    collections: Annotated[tuple[Collection, ...], Field(min_length=1, max_length=4)] = Field(
        default=("published",),
        description="published: 197 shapes up to 200 atoms; thousand: 809 up to 1000; faults: 709 of stacked layers; "
        "extended_faults: 1739. A shape that is in two of them is taken once.",
    )
    bond_lengths: Annotated[tuple[Length, ...], Field(min_length=1, max_length=1000)] | None = Field(
        default=None, description="In Å; null: the 19 of the published data set."
    )
    copies: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=1, description="Samples of each shape at each bond length; they differ in what is drawn."
    )
    most_atoms: Annotated[int, Field(ge=5, le=1000)] | None = Field(
        default=None, description="Larger shapes are left out; null: none is."
    )

    @property
    def lengths(self) -> tuple[float, ...]:
        """Bond lengths in Å."""
        return BOND_LENGTHS if self.bond_lengths is None else self.bond_lengths

    @model_validator(mode="after")
    def _all_differ(self) -> Self:
        for name, values in (("collections", self.collections), ("bond_lengths", self.bond_lengths or ())):
            if len(set(values)) < len(values):
                raise refuse("a value is there twice", name, expected="every value once")
        return self


class SplitSection(Section):
    """Which samples are for training, validation and test."""

    by: Literal["random", "shape", "size"] = Field(
        default="random",
        description="random: as published, so that every shape is in all of them; shape: no shape (and no sequence of "
        "layers) is in two; size: the large ones are for testing.",
    )
    validation: Annotated[float, Field(ge=0, lt=1)] = Field(default=0.2, description="Share for validation.")
    test: Annotated[float, Field(ge=0, lt=1)] = Field(default=0.2, description="Share for testing; not by size.")
    most_atoms: Annotated[int, Field(ge=5, le=1000)] = Field(
        default=120, description="By size: shapes with more atoms are for testing."
    )

    @model_validator(mode="after")
    def _something_is_left(self) -> Self:
        if self.validation + self.test >= 1:
            raise refuse("nothing is left to train on", "test", expected="validation + test below 1")
        return self


class ExperimentSection(Section):
    """How G(r) is measured, the same for all samples."""

    q_min: Annotated[float, Field(ge=0, le=5)] = Field(default=0.7, description="Lower limit of Q in 1/Å.")
    q_max: Annotated[float, Field(ge=6, le=60)] = Field(default=25.0, description="Upper limit of Q in 1/Å.")
    q_damp: Annotated[float, Field(ge=0, le=0.5)] = Field(default=0.0, description="Damping in 1/Å.")
    r_step: Annotated[float, Field(ge=0.002, le=0.2)] = Field(default=0.01, description="Step of r in Å.")
    points: Annotated[int, Field(ge=50, le=100_000)] = Field(default=3000, description="Values of r, the first is 0.")


class DrawnSection(Section):
    """What is drawn for each sample, uniformly between two ends."""

    b_iso: _range(0.0, 10.0) = Field(default=(0.3, 0.3), description="B in Å².")  # type: ignore[valid-type]
    delta2: Annotated[float, Field(ge=0, le=20)] = Field(default=0.0, description="δ₂ in Å², not drawn.")
    noise: _range(0.0, 1.0) = Field(  # type: ignore[valid-type]
        default=(0.0, 0.0), description="White noise: standard deviation over the maximum of G."
    )
    baseline: _range(0.0, 1.0) = Field(  # type: ignore[valid-type]
        default=(0.0, 0.0), description="Slow baseline: its largest value over the maximum of G."
    )


class ParticlesManifest(Manifest):
    """Pair distribution functions of metal nanoparticles."""

    problem: Literal["particles"] = Field(description="What is simulated.")
    shapes: ShapesSection = Field(default=ShapesSection(), description="Which particles.")
    split: SplitSection = Field(default=SplitSection(), description="Which of them are for what.")
    experiment: ExperimentSection = Field(default=ExperimentSection(), description="How they are measured.")
    drawn: DrawnSection = Field(default=DrawnSection(), description="What varies from sample to sample.")
    samples_per_shard: Annotated[int, Field(ge=1, le=100_000)] = Field(
        default=256, description="Samples that are made and kept together."
    )
