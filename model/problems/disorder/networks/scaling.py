"""`disorder.data.normalise` in torch: planes (planes, 1, y, x) scaled to −1 … +1, each on its own."""

import torch
from torch import Tensor

from dsfu.model.problems.disorder.data.normalise import DEAD


def to_unit_range(planes: Tensor) -> Tensor:
    """Scale each plane linearly so that its minimum is −1 and its maximum +1; a constant one is −1 everywhere."""
    return _between(planes, planes.amin((-2, -1), keepdim=True), planes.amax((-2, -1), keepdim=True))


def roots_to_unit_range(intensity: Tensor) -> Tensor:
    """The square-root scale of intensities in any unit; negative ones count as zero."""
    return to_unit_range(intensity.clamp(min=0).sqrt())


def measured_to_unit_range(intensity: Tensor, live: Tensor) -> Tensor:
    """The square-root scale of what was measured: live pixels set the range, and dead ones are −1.

    What stands in dead pixels is not looked at, so that a plane whose other pixels nobody has seen can be scaled.
    """
    seen = live.to(torch.bool)
    roots = torch.where(seen, intensity, 0.0).clamp(min=0).sqrt()
    lowest = torch.where(seen, roots, torch.inf).amin((-2, -1), keepdim=True)
    scaled = _between(roots, lowest, roots.amax((-2, -1), keepdim=True))
    return torch.where(seen, scaled, DEAD)


def _between(planes: Tensor, lowest: Tensor, highest: Tensor) -> Tensor:
    span = highest - lowest
    return (planes - lowest) / torch.where(span > 0, span, torch.inf) * 2 - 1
