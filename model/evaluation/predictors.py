"""What is evaluated: anything that takes planes apart. Other methods than a network are added to `METHODS`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from dsfu.model.errors import InputError, near_miss
from dsfu.model.evaluation.planes import EvaluationPlanes

Predictor = Callable[[Tensor, Tensor, Sequence[int]], tuple[Tensor, Tensor]]
"""From intensities and masks (planes, 1, y, x), and the indices of the samples, to √I_FF and √I_SRO relative to their
maxima, of the same shape. The indices tell a method that needs it the geometry of the planes; not the truth."""


@dataclass(frozen=True, kw_only=True)
class MethodSettings:
    """What a method is made from.

    Attributes
    ----------
    weights
        A run's folder, or a file of weights.
    planes
        What it will be asked about: `EvaluationPlanes.crystals` knows the cell and the plane of every sample.
    """

    weights: Path
    planes: EvaluationPlanes
    device: torch.device


@dataclass(frozen=True, kw_only=True)
class Method:
    """A way of taking planes apart, and what is known of it."""

    predict: Predictor
    about: Mapping[str, Any] = field(default_factory=dict)


def method_named(name: str, settings: MethodSettings) -> Method:
    """Make a method ready."""
    if name not in METHODS:
        near = near_miss(name, METHODS)
        raise InputError(
            f"method {name!r}: there is none of this name",
            where="--method",
            expected=", ".join(METHODS),
            remedy=f"--method {near}" if near else "",
        )
    return METHODS[name](settings)


def _network(settings: MethodSettings) -> Method:
    from dsfu.model.weights.files import load_weights, weights_file

    file = weights_file(settings.weights)
    network, card = load_weights(file)
    network = network.to(settings.device).eval()

    def predict(intensity: Tensor, live: Tensor, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        with torch.inference_mode():
            form_factor, sro = network(intensity, live)
        return form_factor, sro

    return Method(predict=predict, about={"weights": str(file), **asdict(card)})


METHODS: Final[Mapping[str, Callable[[MethodSettings], Method]]] = {"network": _network}
