"""Everything that can be set about a training. docs/training.md explains it to users."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from math import isfinite
from typing import Any, Final, Literal, get_args

from dsfu.errors import InputError, near_miss
from dsfu.model.problems.disorder.training.data_config import DataConfig

RecipeName = Literal["dsfu", "pix2pix"]
Precision = Literal["auto", "fp32", "bf16", "fp16"]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """When a training is done: whichever comes first. 0 is no limit.

    Attributes
    ----------
    epochs, steps
        Passes over the data, and updates of the weights.
    minutes
        Time spent training, all sessions together. What is trained then depends on the speed of the machine.
    session_minutes
        After so many minutes a process keeps a checkpoint and stops, to be continued by the next.
    """

    epochs: int = 0
    steps: int = 0
    minutes: float = 0.0
    session_minutes: float = 0.0

    def __post_init__(self) -> None:
        _whole_numbers(self, "limits", {"epochs": 0, "steps": 0})
        _numbers(self, "limits", {"minutes": (0.0, 1e7), "session_minutes": (0.0, 1e7)})


@dataclass(frozen=True, kw_only=True)
class OptimiserConfig:
    """How weights are updated.

    Attributes
    ----------
    learning_rate
        The highest.
    warm_up_steps
        Steps in which it rises to that, linearly.
    schedule
        "cosine": down to ``final_share`` of it at the end of the training; "constant": as it is.
    clip_norm
        Gradients that are longer are shortened to this; 0: never.
    ema_decay
        Weights that are used are an exponential moving average with this decay; 0: the last ones.
    """

    learning_rate: float = 6e-4
    beta_1: float = 0.9
    beta_2: float = 0.95
    weight_decay: float = 0.02
    warm_up_steps: int = 300
    schedule: Literal["cosine", "constant"] = "cosine"
    final_share: float = 0.01
    clip_norm: float = 1.0
    ema_decay: float = 0.999

    def __post_init__(self) -> None:
        _whole_numbers(self, "optimiser", {"warm_up_steps": 0})
        _choices(self, "optimiser", {"schedule": ("cosine", "constant")})
        ranges = dict.fromkeys(("learning_rate", "beta_1", "beta_2", "final_share", "ema_decay"), (0.0, 1.0))
        _numbers(self, "optimiser", {**ranges, "weight_decay": (0.0, 10.0), "clip_norm": (0.0, 1e6)})


@dataclass(frozen=True, kw_only=True)
class DsfuLoss:
    """Weights of what the recipe ``dsfu`` is trained on; each is a mean over pixels, 0 leaves it out.

    Attributes
    ----------
    root, linear
        Charbonnier distance of each factor on the square-root and on the linear scale.
    linear_squares
        Mean square error on the linear scale.
    product
        Charbonnier distance of the product of both, on the square-root scale, where live.
    form_factor, sro
        Weight of each factor in the first three.
    width
        Where the Charbonnier distance √(x² + width²) − width turns from quadratic to linear.
    """

    root: float = 1.0
    linear: float = 0.5
    linear_squares: float = 1.0
    product: float = 0.25
    form_factor: float = 1.0
    sro: float = 1.0
    width: float = 0.01

    def __post_init__(self) -> None:
        _numbers(self, "dsfu", {each.name: (0.0, 1e6) for each in fields(self)})


@dataclass(frozen=True, kw_only=True)
class Pix2PixLoss:
    """Weights of what the recipe ``pix2pix`` is trained on, and its discriminators.

    Attributes
    ----------
    l1
        Of the mean absolute error beside the adversarial loss.
    product
        Of the product step, in which the smooth L1 loss between products of both factors is followed; 0: no such step.
    discriminator_channels
        Of the discriminators' first level.
    """

    l1: float = 100.0
    product: float = 1.0
    discriminator_channels: int = 64

    def __post_init__(self) -> None:
        _whole_numbers(self, "pix2pix", {"discriminator_channels": 1})
        _numbers(self, "pix2pix", {"l1": (0.0, 1e6), "product": (0.0, 1e6)})


@dataclass(frozen=True, kw_only=True)
class Watching:
    """What is kept and shown while training.

    Attributes
    ----------
    checkpoint_minutes
        Time between checkpoints.
    log_steps
        Losses are logged, and looked at for NaN, every so many steps.
    validation_planes
        Planes of the split ``validation``, drawn once, on which the network is watched; 0: none.
    validation_steps
        Steps between two looks at them; 0: after every epoch.
    pictures
        Of how many of these planes pictures are drawn.
    """

    checkpoint_minutes: float = 10.0
    log_steps: int = 20
    validation_planes: int = 128
    validation_steps: int = 0
    pictures: int = 4

    def __post_init__(self) -> None:
        counts = {"log_steps": 1, "validation_planes": 0, "validation_steps": 0, "pictures": 0}
        _whole_numbers(self, "watching", counts)
        _numbers(self, "watching", {"checkpoint_minutes": (0.0, 1e6)})


@dataclass(frozen=True, kw_only=True)
class Config:
    """A training as a whole.

    Attributes
    ----------
    recipe
        Network and losses: "dsfu" or "pix2pix".
    seed
        Of the initial weights and of the order of the data.
    batch_size
        Planes in a batch of each process.
    network
        Options of the recipe's network.
    device
        "auto": a GPU if there is one; or "cpu", or "cuda".
    precision
        Of the network's products: "auto" is bf16 on GPUs that have it and fp32 elsewhere.
    channels_last
        Keep the channels of a pixel together in memory, which GPUs are faster with.
    compile
        Let torch compile the networks.
    """

    recipe: RecipeName = "dsfu"
    seed: int = 1
    batch_size: int = 16
    network: Mapping[str, Any] = field(default_factory=dict)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Precision = "auto"
    channels_last: bool = True
    compile: bool = False
    limits: Limits = field(default_factory=Limits)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    dsfu: DsfuLoss = field(default_factory=DsfuLoss)
    pix2pix: Pix2PixLoss = field(default_factory=Pix2PixLoss)
    watching: Watching = field(default_factory=Watching)
    data: DataConfig = field(default_factory=DataConfig)

    def __post_init__(self) -> None:
        choices = {
            "recipe": get_args(RecipeName),
            "precision": get_args(Precision),
            "device": ("auto", "cpu", "cuda"),
            "channels_last": (False, True),
            "compile": (False, True),
        }
        _choices(self, "", choices)
        _whole_numbers(self, "", {"seed": 0, "batch_size": 1})
        if not isinstance(self.network, Mapping):
            raise _refused("", "network", self.network, "a section with options of the recipe's network")


DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "dsfu": {"limits": {"epochs": 20}},
    "pix2pix": {
        "batch_size": 64,
        "limits": {"epochs": 200},
        "optimiser": {
            "learning_rate": 2e-4,
            "beta_1": 0.5,
            "beta_2": 0.999,
            "weight_decay": 0.0,
            "warm_up_steps": 0,
            "schedule": "constant",
            "clip_norm": 0.0,
            "ema_decay": 0.0,
        },
    },
}
"""What recipes set differently."""


def _choices(config: Any, where: str, choices: Mapping[str, tuple[Any, ...]]) -> None:
    for name, allowed in choices.items():
        value = getattr(config, name)
        if value not in allowed or isinstance(value, bool) != isinstance(allowed[0], bool):
            words = [str(each).lower() if isinstance(each, bool) else str(each) for each in allowed]
            meant = near_miss(str(value), words)
            raise _refused(where, name, value, " or ".join(words), f"did you mean {meant}?" if meant else "")


def _whole_numbers(config: Any, where: str, least: Mapping[str, int]) -> None:
    for name, low in least.items():
        value = getattr(config, name)
        if isinstance(value, bool) or not isinstance(value, int) or value < low:
            raise _refused(where, name, value, f"a whole number, {low} or more")


def _numbers(config: Any, where: str, ranges: Mapping[str, tuple[float, float]]) -> None:
    for name, (low, high) in ranges.items():
        value = getattr(config, name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise _refused(where, name, value, "a number")
        if not low <= value <= high:
            raise _refused(where, name, value, f"{low:g} to {high:g}")
        object.__setattr__(config, name, float(value))


def _refused(where: str, name: str, value: Any, expected: str, remedy: str = "") -> InputError:
    field_name = f"{where}.{name}" if where else name
    return InputError(f"it is {value!r}", where=field_name, expected=expected, remedy=remedy)
