"""Losses of the last steps: their means, and whether one of them is NaN. GPUs are only waited for when asked."""

from collections.abc import Mapping

import torch
from torch import Tensor

from dsfu.model.training.distributed import Ranks
from dsfu.model.training.schedule import Progress


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
        first = self._first_bad()
        # Minus, as the highest is agreed on, and the earliest is wanted.
        step, rank = (-each for each in self._ranks.highest([-first, -self._rank_of(first)]))
        if step == float("inf"):
            return
        epoch, batch = next(((e, b) for number, e, b in self._places if number == step), (0, 0))
        where = f"rank {int(rank)}, " if self._ranks.world_size > 1 else ""
        raise LossNotFinite(f"the loss of step {int(step)} is not finite ({where}batch {batch} of epoch {epoch})")

    def _first_bad(self) -> float:
        if not self._rows:
            return float("inf")
        finite = torch.stack(self._rows).isfinite().all(1).tolist()
        return next((float(self._places[row][0]) for row, is_good in enumerate(finite) if not is_good), float("inf"))

    def _rank_of(self, first: float) -> float:
        return float(self._ranks.rank) if first < float("inf") else float("inf")
