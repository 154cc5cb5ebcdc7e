"""Which planes a manifest of disorder takes of a crystal, their dead zones, and which of them count as repeated."""

from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from dsfu.pipeline.problems.disorder.settings.order import Alpha, Coefficient
from dsfu.settings.section import PathText, Section, Share, ordered, refuse
from dsfu.simulate.disorder.fields import PIXELS

_MOST_THRESHOLD: Final = {"appearance": 0.7, "sliced_wasserstein": 0.02, "wasserstein": 0.05}
"""Three of four planes of a pair go at the first two, measured on seven training pairs with 128 planes each. The last
is chosen, not calibrated: half of all pairs of planes of a pair of molecules are nearer than 0.06."""

WaveNumber = Annotated[float, Field(gt=0, le=25)]  # as far as the tables of form factors go

ShareRange = Annotated[tuple[Share, Share], AfterValidator(ordered)]

WaveNumberRange = Annotated[tuple[WaveNumber, WaveNumber], AfterValidator(ordered)]


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
