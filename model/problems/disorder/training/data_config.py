"""What a training is fed with: where samples come from, how they are drawn, and what is done to them."""

from dataclasses import dataclass, field, fields, replace
from math import isfinite
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

from dsfu.errors import InputError, near_miss
from dsfu.model.training.streaming_plan import LastBatch

Range = tuple[float, float]
Source = Literal["auto", "store", "synthesis"]
Masks = Literal["stored", "drawn"]


@dataclass(frozen=True, kw_only=True)
class AugmentConfig:
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

    dead_zones: float = 1.0
    debye_waller: float = 0.0
    debye_waller_u: Range = (0.0, 0.05)
    strain: float = 0.0
    strain_size: Range = (0.0, 0.02)
    bragg: float = 0.0
    bragg_strength: Range = (0.1, 3.0)
    bragg_width: Range = (0.5, 1.2)
    blur: float = 0.0
    blur_sigma: Range = (0.2, 1.0)
    flat: float = 0.0
    flat_level: Range = (0.0, 0.2)
    radial: float = 0.0
    radial_level: Range = (0.0, 0.5)
    radial_centre: Range = (0.0, 3.0)
    radial_width: Range = (0.5, 2.0)
    poisson: float = 0.0
    poisson_counts: Range = (30.0, 30_000.0)
    gaussian: float = 0.0
    gaussian_sigma: Range = (0.0, 0.1)

    def __post_init__(self) -> None:
        _check_all(self, "data.augment")
        for name in ("bragg_strength", "poisson_counts"):
            if getattr(self, name)[0] <= 0:
                raise _refused(f"data.augment.{name}", getattr(self, name), "a range above 0, as it is log-uniform")


@dataclass(frozen=True, kw_only=True)
class SynthesisConfig:
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
    """

    rotated: float = 0.75
    no_order: float = 0.02
    oscillators: float = 0.25
    fresh_oscillators: float = 0.5
    permuted: float = 0.75
    random_offsets: float = 0.2
    most_layers: float = 6.0
    flipped: float = 0.5
    transposed: float = 0.25

    def __post_init__(self) -> None:
        _check_all(self, "data.synthesis", counted=("most_layers",))


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Where samples come from.

    Attributes
    ----------
    source
        "store": the samples that the store has, read where planes are stored and else computed from what is recorded.
        "synthesis": fresh samples, made from the store's species, sets and masks. "auto": the store's where planes are
        stored, else fresh ones.
    pixels
        Pixels along each side; a divisor of the store's, such as 128, takes every second one.
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
    pixels: int = 256
    workers: int = 2
    buffer_planes: int = 2048
    batches_ahead: int = 3
    shuffle: bool = True
    last_batch: LastBatch = "smaller"
    masks: Masks = "drawn"
    samples_per_epoch: int = 0
    synthesis: SynthesisConfig = field(default_factory=SynthesisConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)

    def __post_init__(self) -> None:
        least = {"pixels": 2, "workers": 0, "buffer_planes": 1, "batches_ahead": 1, "samples_per_epoch": 0}
        for name, low in least.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < low:
                raise _refused(f"data.{name}", value, f"a whole number, {low} or more")
        for name, kind in get_type_hints(DataConfig).items():
            value = getattr(self, name)
            if get_origin(kind) is Literal and value not in get_args(kind):
                near = near_miss(str(value), get_args(kind))
                raise _refused(
                    f"data.{name}", value, f"one of {', '.join(get_args(kind))}", f"{name}={near}" if near else ""
                )

    def for_evaluation(self) -> "DataConfig":
        """The store's own samples, each once, in their order, with their own masks and nothing else done to them."""
        return replace(
            self, source="store", shuffle=False, last_batch="smaller", masks="stored", augment=AugmentConfig()
        )


def _check_all(config: AugmentConfig | SynthesisConfig, where: str, counted: tuple[str, ...] = ()) -> None:
    """Numbers are probabilities unless they are counted, pairs of numbers are ranges."""
    for each in fields(config):
        name, value = f"{where}.{each.name}", getattr(config, each.name)
        if isinstance(each.default, tuple):
            object.__setattr__(config, each.name, _range(name, value))
        elif not _is_number(value) or value < 0 or (each.name not in counted and value > 1):
            expected = "a number, 0 or more" if each.name in counted else "a probability from 0 to 1"
            raise _refused(name, value, expected)


def _range(name: str, value: Any) -> Range:
    is_pair = isinstance(value, tuple | list) and len(value) == 2 and all(_is_number(each) for each in value)
    if not is_pair or not 0 <= value[0] <= value[1]:
        raise _refused(name, value, "two numbers, 0 or more, the smaller first")
    return float(value[0]), float(value[1])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _refused(where: str, value: Any, expected: str, remedy: str = "") -> InputError:
    return InputError(f"it is {value!r}", where=where, expected=expected, remedy=remedy)


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
