"""What can be set about any training, whatever it learns. docs/training.md explains it to users."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Literal, get_args

from dsfu.errors import InputError, near_miss

Precision = Literal["auto", "fp32", "bf16", "fp16"]


@dataclass(frozen=True, kw_only=True)
class TrainingLimits:
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
        check_whole_numbers(self, "limits", {"epochs": 0, "steps": 0})
        check_numbers(self, "limits", {"minutes": (0.0, 1e7), "session_minutes": (0.0, 1e7)})


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
        check_whole_numbers(self, "optimiser", {"warm_up_steps": 0})
        check_choices(self, "optimiser", {"schedule": ("cosine", "constant")})
        ranges = dict.fromkeys(("learning_rate", "beta_1", "beta_2", "final_share", "ema_decay"), (0.0, 1.0))
        check_numbers(self, "optimiser", {**ranges, "weight_decay": (0.0, 10.0), "clip_norm": (0.0, 1e6)})


@dataclass(frozen=True, kw_only=True)
class Watching:
    """What is kept and shown while training.

    Attributes
    ----------
    checkpoint_minutes
        Time between checkpoints.
    log_steps
        Losses are logged, and looked at for NaN, every so many steps.
    validation_samples
        Samples of the split ``validation``, drawn once, on which the network is watched; 0: none.
    validation_steps
        Steps between two looks at them; 0: after every epoch.
    pictures
        Of how many of these samples pictures are drawn.
    """

    checkpoint_minutes: float = 10.0
    log_steps: int = 20
    validation_samples: int = 128
    validation_steps: int = 0
    pictures: int = 4

    def __post_init__(self) -> None:
        counts = {"log_steps": 1, "validation_samples": 0, "validation_steps": 0, "pictures": 0}
        check_whole_numbers(self, "watching", counts)
        check_numbers(self, "watching", {"checkpoint_minutes": (0.0, 1e6)})


@dataclass(frozen=True, kw_only=True)
class Config:
    """A training as a whole.

    Attributes
    ----------
    recipe
        Network and losses, by their name in the problem's table.
    seed
        Of the initial weights and of the order of the data.
    batch_size
        Samples in a batch of each process.
    network
        Options of the recipe's network.
    device
        "auto": a GPU if there is one; or "cpu", or "cuda".
    precision
        Of the network's products: "auto" is bf16 on GPUs that have it and fp32 elsewhere.
    channels_last
        Keep the channels of a point of a grid together in memory, which GPUs are faster with.
    compile
        Let torch compile the networks.
    data
        Settings of the data, as the problem has them.
    sections
        Settings of the problem's recipes by their names, as far as they have any.
    """

    recipe: str
    seed: int = 1
    batch_size: int = 16
    network: Mapping[str, Any] = field(default_factory=dict)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Precision = "auto"
    channels_last: bool = True
    compile: bool = False
    limits: TrainingLimits = field(default_factory=TrainingLimits)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    watching: Watching = field(default_factory=Watching)
    data: Any
    sections: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        choices = {
            "precision": get_args(Precision),
            "device": ("auto", "cpu", "cuda"),
            "channels_last": (False, True),
            "compile": (False, True),
        }
        check_choices(self, "", choices)
        check_whole_numbers(self, "", {"seed": 0, "batch_size": 1})
        if not isinstance(self.network, Mapping):
            raise _refused("", "network", self.network, "a section with options of the recipe's network")


def check_choices(config: Any, where: str, choices: Mapping[str, tuple[Any, ...]]) -> None:
    """Make sure that settings have one of the values that they can have; ``where`` is their section."""
    for name, allowed in choices.items():
        value = getattr(config, name)
        if value not in allowed or isinstance(value, bool) != isinstance(allowed[0], bool):
            words = [str(each).lower() if isinstance(each, bool) else str(each) for each in allowed]
            meant = near_miss(str(value), words)
            raise _refused(where, name, value, " or ".join(words), f"did you mean {meant}?" if meant else "")


def check_whole_numbers(config: Any, where: str, least: Mapping[str, int]) -> None:
    """Make sure that settings are whole numbers, and not below the least."""
    for name, low in least.items():
        value = getattr(config, name)
        if isinstance(value, bool) or not isinstance(value, int) or value < low:
            raise _refused(where, name, value, f"a whole number, {low} or more")


def check_numbers(config: Any, where: str, ranges: Mapping[str, tuple[float, float]]) -> None:
    """Make sure that settings are numbers within their ranges, and make floats of them."""
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
