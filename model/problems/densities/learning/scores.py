"""How good drawn densities are: the best of all draws and rotations, as published, and the first draw alone."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from dsfu.model.problems.densities.density_scores import best_over_rotations
from dsfu.model.problems.densities.learning.batch import DensityBatch
from dsfu.model.problems.densities.learning.recipe_crystalnet import DrawnDensities
from dsfu.panels import Curve, Panel, VolumePanel
from dsfu.simulate.arrays import FloatArray


def scores_of(answer: DrawnDensities, batch: DensityBatch) -> Mapping[str, Tensor]:
    """SSIM and PSNR, each the largest over draws and 24 rotations; SSIM of the first draw; ``score`` is 1 − SSIM."""
    rows = []
    for draws, truth in zip(_numbers(answer.densities), _numbers(batch.density), strict=True):
        scores = [best_over_rotations(truth, each)[:2] for each in draws]
        rows.append((max(s for s, _ in scores), max(p for _, p in scores), scores[0][0]))
    best, signal, first = torch.tensor(rows, dtype=torch.float32, device=batch.density.device).T
    return {
        "score": 1 - best,
        "ssim": best,
        "psnr": signal,
        "ssim_first_draw": first,
        "ssim_above_0.9": (best > 0.9).float(),
    }


def panels_of(answer: DrawnDensities, batch: DensityBatch) -> Sequence[Sequence[Panel]]:
    """The pattern, the first draw as it is turned best, and the truth."""
    return [_panels(answer, batch, number) for number in range(len(batch))]


def _panels(answer: DrawnDensities, batch: DensityBatch, number: int) -> Sequence[Panel]:
    pattern = batch.pattern[number].cpu().double().numpy()
    angles = (np.arange(len(pattern)) + 0.5) * 180 / len(pattern)
    strip = Curve(title="pattern, Mo Kα", x=angles, lines={"root of intensity": np.sqrt(pattern)}, x_label="2θ (°)")
    truth = _numbers(batch.density)[number]
    found = best_over_rotations(truth, _numbers(answer.densities)[number, 0])[2]
    return [
        strip, VolumePanel(title="drawn (e/Å³)", values=found), VolumePanel(title="true (e/Å³)", values=truth)
    ]  # fmt: skip


def _numbers(values: Tensor) -> FloatArray:
    return np.asarray(values.detach().cpu().numpy(), np.float64)
