"""What is evaluated: anything that takes planes apart. `METHODS` are those of ``dsfu-model factorise``; add others.

"projected" is what ``--method network`` is there where the cell is known: its I_SRO put on the lattice.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import torch
from torch import Tensor

from dsfu.errors import InputError, near_miss
from dsfu.model.problems.disorder.evaluation.planes import EvaluationPlanes
from dsfu.model.problems.disorder.networks.factoriser import Factoriser
from dsfu.model.problems.disorder.networks.loading import load_factoriser, pixels_of
from dsfu.model.weights.card import Card
from dsfu.model.weights.files import weights_file

Predictor = Callable[[Tensor, Tensor, Sequence[int]], tuple[Tensor, Tensor]]
"""From intensities and masks (planes, 1, y, x), and the indices of the samples, to √I_FF and √I_SRO relative to their
maxima, of the same shape. The indices tell a method that needs it the geometry of the planes; not the truth."""


@dataclass(frozen=True, kw_only=True)
class MethodSettings:
    """What a method is made from.

    Attributes
    ----------
    weights
        A run's folder, or a file of weights; the solver needs none.
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
    network, _, about = _loaded(settings)

    def predict(intensity: Tensor, live: Tensor, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        with torch.inference_mode():
            form_factor, sro = network(intensity, live)
        return form_factor, sro

    return Method(predict=predict, about=about)


def _solver(settings: MethodSettings) -> Method:
    from dsfu.model.problems.disorder.evaluation.solving import with_lattice

    return Method(predict=with_lattice("solver", settings.planes, settings.device, None))


def _hybrid(settings: MethodSettings) -> Method:
    return _trained_with_lattice("hybrid", settings)


def _projected(settings: MethodSettings) -> Method:
    return _trained_with_lattice("network", settings)


def _trained_with_lattice(name: Literal["hybrid", "network"], settings: MethodSettings) -> Method:
    from dsfu.model.problems.disorder.evaluation.solving import with_lattice

    network, card, about = _loaded(settings)
    trained = (network, pixels_of(card.more))
    return Method(predict=with_lattice(name, settings.planes, settings.device, trained), about=about)


def _loaded(settings: MethodSettings) -> tuple[Factoriser, Card, dict[str, Any]]:
    """The network, its card, and what is told of it."""
    file = weights_file(settings.weights)
    network, card = load_factoriser(file)
    return network.to(settings.device).eval(), card, {"weights": str(file), **card.to_dict()}


METHODS: Final[Mapping[str, Callable[[MethodSettings], Method]]] = {
    "network": _network,
    "solver": _solver,
    "hybrid": _hybrid,
    "projected": _projected,
}
