"""Losses of the last steps: their means, and whether one of them is NaN. GPUs are only waited for when asked."""

from collections.abc import Mapping, Sequence
from typing import Final

import torch
from torch import Tensor

from dsfu.model.training.distributed import Ranks
from dsfu.model.training.schedule import Progress

GRADIENT: Final = "gradient"
"""Name of the norm of the gradient, which is looked at like a loss, but belongs to all processes."""


class LossNotFinite(Exception):
    """A loss became NaN or infinite, and the weights with it; the last checkpoint is from before."""


class LossLog:
    """The losses since they were last asked for."""

    def __init__(self, ranks: Ranks) -> None:
        self._ranks = ranks
        self._names: list[str] = []
        self._rows: list[Tensor] = []
        self._places: list[tuple[int, int, int]] = []

    def add(self, losses: Mapping[str, Tensor], progress: Progress) -> None:
        """Losses of the step with which the progress came where it is."""
        self._names = list(losses)
        self._rows.append(torch.stack([value.detach().float() for value in losses.values()]))
        self._places.append((progress.step, progress.epoch + 1, progress.batch))

    def checked_means(self) -> dict[str, float]:
        """Means since the last time, of this process."""
        self.check()
        rows = torch.stack(self._rows)
        self._rows, self._places = [], []
        return dict(zip(self._names, rows.mean(0).tolist(), strict=True))

    def check(self) -> None:
        """Raise `LossNotFinite` in every process if one of them has such a loss."""
        finite = torch.stack(self._rows).isfinite().tolist() if self._rows else []
        bad = {place[0]: row for place, row in zip(self._places, finite, strict=True) if not all(row)}
        first = -self._ranks.highest([-min(bad, default=float("inf"))])[0]
        if first == float("inf"):
            return
        rank = self._culprit(bad.get(int(first)))
        epoch, batch = next(place[1:] for place in self._places if place[0] == first)
        where = f"rank {rank}, " if self._ranks.world_size > 1 else ""
        raise LossNotFinite(f"the loss of step {int(first)} is not finite ({where}batch {batch} of epoch {epoch})")

    def _culprit(self, row: Sequence[bool] | None) -> int:
        """The first process with a loss that is not finite; all have such a gradient then, as it is shared."""
        count = self._ranks.world_size
        if row is None:
            claim = 2 * count
        else:
            has_bad_loss = not all(good for name, good in zip(self._names, row, strict=True) if name != GRADIENT)
            claim = self._ranks.rank + (0 if has_bad_loss else count)
        return int(-self._ranks.highest([-claim])[0]) % count
