"""Weights of a network that takes planes apart."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from dsfu.errors import InputError
from dsfu.model.problems.disorder.networks.factoriser import Factoriser
from dsfu.model.weights.card import Card
from dsfu.model.weights.files import load_weights

PIXELS: Final = 256
"""Side of the planes that weights were trained on whose card does not say."""


def load_factoriser(path: Path | str) -> tuple[Factoriser, Card]:
    """The network that a file of weights is of, as `load_weights` gives it; those of other problems are refused."""
    network, card = load_weights(path)
    if not isinstance(network, Factoriser):
        raise InputError(
            f"it has learnt the problem {card.problem}",
            where=str(path),
            expected="weights of a network that takes diffuse scattering apart",
        )
    return network, card


def pixels_of(more: Mapping[str, Any]) -> int:
    """Side of the planes that a network was trained on, from what its card says beside what all cards say."""
    return int(more.get("pixels", PIXELS))
