"""What a training is fed with: where samples come from, how they are drawn, and what is done to them."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from dsfu.model.training.config import AtLeastOne, Count
from dsfu.model.training.streaming_plan import LastBatch
from dsfu.settings.section import NotNegative, PositiveRange, Range, Section, Share

Source = Literal["auto", "store", "synthesis"]
Masks = Literal["stored", "drawn"]


def _not_one(pixels: int) -> int:
    if pixels == 1:
        raise ValueError("expected 2 or more, or 0 for those of the store")
    return pixels


class AugmentConfig(Section):
    """What is done to the scattering of a plane before a network sees it.

    Each effect has a share, the probability with which a sample has it (0: never), and ranges from which its parameters
    are drawn for that sample, uniformly unless told. docs/data.md has the formulas.

    Attributes
    ----------
    dead_zones
        Share of the samples that get a mask, if the store has masks.
    debye_waller_u
        Mean square displacement in Å², the same for all atoms.
    strain_size
        Largest relative change of a lattice vector's length.
    bragg_strength
        Height of a typical residual Bragg spot relative to the plane's maximum; drawn log-uniformly.
    bragg_width
        Standard deviation of a spot, in pixels.
    blur_sigma
        Standard deviation of the resolution, in pixels.
    flat_level
        Flat background relative to the plane's mean intensity.
    radial_level, radial_centre, radial_width
        Height of a ring of background relative to the mean intensity, its |Q| and its standard deviation in 1/Å.
    poisson_counts
        Counts at the plane's mean intensity; drawn log-uniformly.
    gaussian_sigma
        Standard deviation of the noise relative to the mean intensity.
    """

    dead_zones: Share = 1.0
    debye_waller: Share = 0.0
    debye_waller_u: Range = (0.0, 0.05)
    strain: Share = 0.0
    strain_size: Range = (0.0, 0.02)
    bragg: Share = 0.0
    bragg_strength: PositiveRange = (0.1, 3.0)
    bragg_width: Range = (0.5, 1.2)
    blur: Share = 0.0
    blur_sigma: Range = (0.2, 1.0)
    flat: Share = 0.0
    flat_level: Range = (0.0, 0.2)
    radial: Share = 0.0
    radial_level: Range = (0.0, 0.5)
    radial_centre: Range = (0.0, 3.0)
    radial_width: Range = (0.5, 2.0)
    poisson: Share = 0.0
    poisson_counts: PositiveRange = (30.0, 30_000.0)
    gaussian: Share = 0.0
    gaussian_sigma: Range = (0.0, 0.1)


class SynthesisConfig(Section):
    """How samples are drawn where they are made on the fly.

    Attributes
    ----------
    rotated
        Probability that a species is turned at random, each of the two on its own; otherwise it lies as in the store.
    no_order
        Share of the samples without short-range order: I_SRO = 1, and I_D = I_FF.
    oscillators
        Share of the rest that has a symmetry-restricted set. The others have a Monte Carlo set of the store.
    fresh_oscillators
        Probability that a symmetry-restricted set is drawn afresh and not one of the store's.
    permuted
        Probability that the axes of a Monte Carlo set are permuted and reversed at random.
    random_offsets
        Share of the planes at any offset. The others are at whole layers, or half-way between where α along the
        plane's normal says that maxima are there.
    most_layers
        Random offsets go from 0 to this many layers.
    flipped, transposed
        Probabilities of x reversed, of y reversed, and of x and y exchanged.
    turned
        Share of the planes whose axes are turned within the plane by any angle; the scattering is computed there.
    """

    rotated: Share = 0.75
    no_order: Share = 0.02
    oscillators: Share = 0.25
    fresh_oscillators: Share = 0.5
    permuted: Share = 0.75
    random_offsets: Share = 0.2
    most_layers: NotNegative = 6.0
    flipped: Share = 0.5
    transposed: Share = 0.25
    turned: Share = 0.0


class DataConfig(Section):
    """Where samples come from.

    Attributes
    ----------
    source
        "store": the samples that the store has, read where planes are stored and else computed from what is recorded.
        "synthesis": fresh samples, made from the store's species, sets and masks. "auto": the store's where planes are
        stored, else fresh ones.
    pixels
        Pixels along each side; 0: as many as the store has. A divisor of the store's, such as 128 of 256, takes every
        second one.
    workers
        Threads that read ahead; 0: everything is done when it is asked for. They change no number.
    buffer_planes
        Size of the buffer in which the planes of several pairs are shuffled, for each process.
    batches_ahead
        How many batches are kept ready, if there are workers.
    shuffle
        Whether the order of the store's samples is random, and another one in every epoch.
    last_batch
        What an epoch of the store's samples ends with: a smaller batch, or none.
    masks
        The mask that the store gave each sample, or one drawn from all of the store's, turned and reflected at random.
        Fresh samples always have drawn ones.
    samples_per_epoch
        Length of an epoch of fresh samples; 0: as many as the split has.
    """

    source: Source = "auto"
    pixels: Annotated[int, Field(ge=0), AfterValidator(_not_one)] = 0
    workers: Count = 2
    buffer_planes: AtLeastOne = 2048
    batches_ahead: AtLeastOne = 3
    shuffle: bool = True
    last_batch: LastBatch = "smaller"
    masks: Masks = "drawn"
    samples_per_epoch: Count = 0
    synthesis: SynthesisConfig = SynthesisConfig()
    augment: AugmentConfig = AugmentConfig()

    def of_store(self, pixels: int) -> "DataConfig":
        """The same with the number of pixels, for a store whose planes have so many."""
        return self if self.pixels else self.model_copy(update={"pixels": pixels})

    def for_evaluation(self) -> "DataConfig":
        """The store's own samples, each once, in their order, with their own masks and nothing else done to them."""
        others = {"source": "store", "shuffle": False, "last_batch": "smaller", "masks": "stored"}
        return self.model_copy(update={**others, "augment": AugmentConfig()})


AS_MEASURED: Final = AugmentConfig(
    dead_zones=0.97,
    debye_waller=0.5,
    strain=0.5,
    bragg=0.3,
    blur=0.5,
    flat=0.5,
    radial=0.3,
    poisson=0.5,
    gaussian=0.3,
)
"""Everything at once, as in measurements; for networks that are to be used on such."""

NAMED_AUGMENTATIONS: Final = {"as_measured": AS_MEASURED, "dead_zones": AugmentConfig()}
"""What ``data.augment`` may be instead of a section."""
