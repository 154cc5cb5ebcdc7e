"""Networks that take planes apart, as they are written for other programs."""

import numpy as np
import torch
from torch import Tensor, nn

from dsfu.model.problem import OnnxForm


def form_of(network: nn.Module, pixels: int) -> OnnxForm:
    """Inputs are ``intensity``, float32, and ``live``, bool; outputs the roots as `Factoriser.forward` gives them.

    All are (planes, 1, y, x).
    """
    return OnnxForm(
        module=_Plain(network).eval(),
        inputs=("intensity", "live"),
        outputs=("form_factor", "sro"),
        example=lambda planes: example_planes(planes, pixels),
    )


def example_planes(planes: int, pixels: int) -> tuple[Tensor, Tensor]:
    """Intensities with peaks of all heights, and holes."""
    rng = np.random.default_rng(planes)
    intensity = torch.tensor(rng.gamma(0.5, size=(planes, 1, pixels, pixels)), dtype=torch.float32)
    return intensity, torch.tensor(rng.random(intensity.shape) < 0.8)


class _Plain(nn.Module):
    """A network whose inputs are named as the file's are."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, intensity: Tensor, live: Tensor) -> tuple[Tensor, Tensor]:
        form_factor, sro = self.network(intensity, live)
        return form_factor, sro
