"""Watching a network while it is trained: scores on some samples of the split ``validation``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import nn

from dsfu.model.problem import BatchLike, Learner
from dsfu.model.training.distributed import Ranks
from dsfu.model.training.recipes import Recipe, asked
from dsfu.model.training.signals import StopRequests

B = TypeVar("B", bound=BatchLike)


@dataclass(frozen=True, kw_only=True, eq=False)
class Validation(Generic[B]):
    """The samples to watch a network on; those of this process, if there are several.

    Attributes
    ----------
    batches
        On the CPU; the same ones throughout the training.
    recipe
        Knows how a network answers.
    """

    batches: Sequence[B]
    learner: Learner[B]
    recipe: type[Recipe[B]]

    def errors(
        self, network: nn.Module, device: torch.device, ranks: Ranks, requests: StopRequests
    ) -> dict[str, float] | None:
        """Means of the learner's scores over all samples, by name; ``score`` is the one to be made small.

        None if any process was asked to stop meanwhile. Nothing random is used, and nothing is changed.
        """
        sums = requests.unless_asked(lambda: self._sums(network, device))
        told = ranks.gathered(None if sums is None else list(sums))
        if sums is None or None in told:
            return None
        names: list[str] = next((each for each in told if each), [])  # a process without samples does not know them
        samples = sum(len(batch) for batch in self.batches)
        *totals, of_all = ranks.total([*(sums.get(name, 0.0) for name in names), samples])
        return {name: total / of_all for name, total in zip(names, totals, strict=True)}

    def _sums(self, network: nn.Module, device: torch.device) -> dict[str, float]:
        sums: dict[str, float] = {}
        for batch in self.batches:
            moved = batch.to(device)
            answer = asked(self.recipe.answer, network, moved)
            for name, values in self.learner.scores(answer, moved).items():
                sums[name] = sums.get(name, 0.0) + float(values.double().sum())
        return sums
