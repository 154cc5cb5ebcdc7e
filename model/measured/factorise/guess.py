"""What a network makes of a plane: both factors and how far its answers scatter, for planes of any number of pixels.

A plane turned or reflected is a plane, so the network is asked eight times, and the mean is better than each answer.
Their spread is what it can say of its uncertainty; it knows nothing of errors that all eight share.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from dsfu.model.measured.data.reconstruction import RealArray
from dsfu.model.problems.disorder.networks.factoriser import Factoriser
from dsfu.simulate.arrays import BoolArray, Float32Array

_TURNS: Final = tuple((turns, flipped) for flipped in (False, True) for turns in range(4))


@dataclass(frozen=True, kw_only=True, eq=False)
class Guess:
    """Roots of both factors relative to their maxima, (y, x), and the standard deviation of the answers."""

    form_factor_root: Float32Array
    sro_root: Float32Array
    form_factor_spread: Float32Array
    sro_spread: Float32Array


def guess(network: Factoriser, intensity: RealArray, live: BoolArray, pixels: int, turned: bool = True) -> Guess:
    """Ask a network about one plane.

    Parameters
    ----------
    intensity, live
        (y, x), any number of pixels.
    pixels
        Side of the planes that the network was trained on; others are resampled to it and back.
    turned
        Whether to ask eight times, or once.
    """
    device = next(network.parameters()).device
    seen, mask = _resampled(np.where(live, intensity, 0), live, pixels, device)
    answers = []
    with torch.no_grad():
        for turns, flipped in _TURNS if turned else _TURNS[:1]:
            of_turned = network(_turn(seen, turns, flipped), _turn(mask, turns, flipped))
            answers.append(torch.cat([_turn_back(each.float(), turns, flipped) for each in of_turned], 1))
    every = torch.stack(answers)
    values = torch.cat([every.mean(0).clamp(min=0), every.std(0, correction=0)], 1)
    if live.shape != (pixels, pixels):
        values = functional.interpolate(values, size=live.shape, mode="bilinear", align_corners=False)
    form_factor, sro, form_factor_spread, sro_spread = values[0].cpu().numpy()
    return Guess(
        form_factor_root=form_factor,
        sro_root=sro,
        form_factor_spread=form_factor_spread,
        sro_spread=sro_spread,
    )


def _resampled(intensity: RealArray, live: BoolArray, pixels: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """(1, 1, pixels, pixels): the mean of what is live, and where that is at least half of a pixel."""
    seen = torch.from_numpy(np.ascontiguousarray(intensity, np.float32))[None, None].to(device)
    weight = torch.from_numpy(live.astype(np.float32))[None, None].to(device)
    if live.shape == (pixels, pixels):
        return seen, weight > 0
    summed, covered = (
        functional.interpolate(each, (pixels, pixels), mode="bilinear", align_corners=False, antialias=True)
        for each in (seen * weight, weight)
    )
    return summed / covered.clamp(min=1e-6), covered >= 0.5


def _turn(planes: Tensor, turns: int, flipped: bool) -> Tensor:
    return torch.rot90(planes.flip(-1) if flipped else planes, turns, (-2, -1))


def _turn_back(planes: Tensor, turns: int, flipped: bool) -> Tensor:
    back = torch.rot90(planes, -turns, (-2, -1))
    return back.flip(-1) if flipped else back
