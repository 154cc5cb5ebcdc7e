"""Muon: momentum whose directions all count alike, for weights of hidden layers that are matrices.

After K. Jordan and others, "Muon: an optimizer for hidden layers in neural networks" (2024): an update is the momentum
with all its singular values brought near 1, by five steps of a Newton–Schulz iteration. A convolution is taken for the
matrix (channels out) × (channels in · kernel).
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

_COEFFICIENTS: Final = (3.4445, -4.7750, 2.0315)
"""Of the odd polynomial of degree five that brings singular values from 0 … 1 to some .7 … 1.2, as published."""

_ITERATIONS: Final = 5
_TINY: Final = 1e-7


class Muon(Optimizer):
    """Parameters
    ----------
    weights
        Matrices, or convolutions' weights.
    lr
        By how much the weights change in a step, in the spectral norm.
    momentum
        Share of the average gradient that a step keeps; Nesterov's.
    """

    def __init__(self, weights: Iterable[Tensor], lr: float, momentum: float = 0.95) -> None:
        super().__init__(weights, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    _update(weight, weight.grad, self.state[weight], group["lr"], group["momentum"])
        return loss


def orthogonalised(matrix: Tensor) -> Tensor:
    """A matrix with the same singular vectors whose singular values are all near 1."""
    is_tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.mT if is_tall else matrix
    x = x / (x.norm() + _TINY)
    first, third, fifth = _COEFFICIENTS
    for _ in range(_ITERATIONS):
        squared = x @ x.mT
        x = first * x + (third * squared + fifth * squared @ squared) @ x
    found: Tensor = x.mT if is_tall else x
    return found


def hidden_convolutions(network: nn.Module, outer: Iterable[str]) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Weights of convolutions, but those of the modules ``outer`` by name; and all other weights."""
    outer = tuple(outer)
    hidden: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, weight in network.named_parameters():
        is_hidden = weight.ndim == 4 and name.partition(".")[0] not in outer
        (hidden if is_hidden else others).append(weight)
    return hidden, others


def _update(weight: Tensor, gradient: Tensor, state: dict[str, Any], rate: float, momentum: float) -> None:
    average: Tensor = state.setdefault("momentum", torch.zeros_like(weight))
    average.lerp_(gradient, 1 - momentum)
    ahead = gradient.lerp(average, momentum).flatten(1)
    step = orthogonalised(ahead) * max(1.0, ahead.shape[0] / ahead.shape[1]) ** 0.5
    weight.sub_(step.view_as(weight), alpha=rate)
