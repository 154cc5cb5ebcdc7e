"""How good maps are, over all shifts on the grid and inversion: |F| knows neither the origin nor the hand."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import max_pool3d, pad

from dsfu.model.problems.phases.learning.batch import PhaseBatch
from dsfu.panels import Image, Panel, VolumePanel

_AXES: Final = (1, 2, 3)
_SOLVED: Final = 0.8
_NEAR: Final = 1.5
"""Voxels within which a peak counts as found."""


def scores_of(answer: Tensor, batch: PhaseBatch) -> Mapping[str, Tensor]:
    """Correlation at the best shift, that in place, and the share of atoms found; ``score`` is 1 − correlation."""
    truth = batch.density
    best, laid_over = laid_over_truth(answer, truth)
    in_place = (_unit(answer) * _unit(truth)).sum(dim=_AXES)
    found = [_share_found(a, t, int(n)) for a, t, n in zip(laid_over, truth, batch.atoms, strict=True)]
    return {
        "score": 1 - best,
        "correlation": best,
        "correlation_in_place": in_place,
        "above_0.8": (best > _SOLVED).float(),
        "peaks_found": torch.tensor(found, dtype=torch.float32, device=truth.device),
    }


def laid_over_truth(answer: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """The best correlation over shifts and inversion, (samples,), and the maps there, (samples, n, n, n)."""
    shape = truth.shape[1:]
    waves, wanted = torch.fft.rfftn(_unit(answer), dim=_AXES), torch.fft.rfftn(_unit(truth), dim=_AXES)
    both = []
    for each in (waves, waves.conj()):
        overlap = torch.fft.irfftn(wanted * each.conj(), s=shape, dim=_AXES).flatten(1)
        both.append(overlap.max(dim=1))
    best = torch.maximum(both[0].values, both[1].values)
    maps = []
    for number, own in enumerate(answer):
        turned = both[1].values[number] > both[0].values[number]
        place = np.unravel_index(int(both[int(turned)].indices[number]), tuple(shape))
        if turned:
            own = torch.roll(own.flip(0, 1, 2), (1, 1, 1), (0, 1, 2))
        maps.append(torch.roll(own, [int(i) for i in place], (0, 1, 2)))
    return best, torch.stack(maps)


def panels_of(answer: Tensor, batch: PhaseBatch) -> Sequence[Sequence[Panel]]:
    """The layer l = 0, the map at its best shift, and the truth."""
    _, maps = laid_over_truth(answer, batch.density)
    return [
        [
            Image(title="|F|² of the layer l = 0, relative", values=np.fft.fftshift(_numbers(given[:, :, 0]))),
            VolumePanel(title="found, at its best shift", values=_numbers(own / own.max().clamp(min=1e-12))),
            VolumePanel(title="true", values=_numbers(true)),
        ]
        for given, own, true in zip(batch.given, maps, batch.sought, strict=True)
    ]


def _unit(maps: Tensor) -> Tensor:
    centred = maps - maps.mean(dim=_AXES, keepdim=True)
    return centred / centred.square().sum(dim=_AXES, keepdim=True).sqrt().clamp(min=1e-12)


def _share_found(answer: Tensor, truth: Tensor, atoms: int) -> float:
    """Of the true map's largest peaks, the share with one of the answer's as many largest peaks near it."""
    ours, theirs = _peaks(answer, atoms), _peaks(truth, atoms)
    if not len(ours) or not len(theirs):
        return 0.0
    side = truth.shape[0]
    apart = (theirs[:, None] - ours[None] + side / 2) % side - side / 2
    return float((apart.norm(dim=2).min(dim=1).values <= _NEAR).float().mean())


def _peaks(density: Tensor, count: int) -> Tensor:
    """Places of the largest maxima, (peaks, 3), periodic."""
    around = max_pool3d(pad(density[None, None], (1,) * 6, mode="circular"), 3, stride=1)[0, 0]
    heights = torch.where((density == around) & (density > density.mean()), density, -torch.inf).flatten()
    top = heights.topk(min(count, len(heights)))
    places = np.unravel_index(top.indices[torch.isfinite(top.values)].cpu().numpy(), tuple(density.shape))
    return torch.tensor(np.stack(places, axis=1), dtype=torch.float32, device=density.device)


def _numbers(values: Tensor) -> np.ndarray:
    return values.detach().cpu().double().numpy()
