"""The moving average of a network's weights, which is what is used of it."""

from copy import deepcopy

import torch
from torch import nn

_FIRST_STEPS = 10
"""In the beginning the average goes over a tenth of the steps so far, and not over random weights."""


class Ema:
    """Exponential moving average of a network's weights: with decay d, the last 1/(1 − d) steps or so."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = deepcopy(network).eval().requires_grad_(False)
        self._decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Count in the weights after step number ``step``, the first being 1."""
        decay = min(self._decay, step / (step + _FIRST_STEPS))
        ours = [each.data for each in self.network.parameters()]
        its = [each.data for each in network.parameters()]
        torch._foreach_lerp_(ours, its, 1 - decay)
        for mine, buffer in zip(self.network.buffers(), network.buffers(), strict=True):
            mine.copy_(buffer)
