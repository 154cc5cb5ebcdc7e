"""Watching a network while it is trained: errors on some planes of the split ``validation``."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dsfu.model.problems.disorder.batch import Batch
from dsfu.model.problems.disorder.networks.factoriser import Factoriser
from dsfu.model.problems.disorder.networks.scaling import to_unit_range
from dsfu.model.training.distributed import Ranks

SCALES: dict[str, Callable[[Tensor], Tensor]] = {"linear": torch.square, "sqrt": lambda roots: roots}


@dataclass(frozen=True, kw_only=True, eq=False)
class Validation:
    """The planes to watch a network on; those of this process, if there are several.

    Attributes
    ----------
    batches
        On the CPU; the same ones throughout the training.
    """

    batches: Sequence[Batch]

    def errors(self, network: Factoriser, device: torch.device, ranks: Ranks) -> dict[str, float]:
        """Mean square errors of planes from −1 to +1, on average over all: ``sro.linear``, ``form_factor.sqrt`` ….

        ``score`` is the sum of the two on the linear scale. Nothing random is used, and nothing is changed.
        """
        names = [f"{factor}.{scale}" for factor in ("sro", "form_factor") for scale in SCALES]
        sums = dict.fromkeys(names, 0.0)
        for batch in self.batches:
            for name, value in _sums(network, batch.to(device)).items():
                sums[name] += value
        *totals, planes = ranks.total([*sums.values(), sum(len(batch) for batch in self.batches)])
        means = {name: total / planes for name, total in zip(names, totals, strict=True)}
        return {"score": means["sro.linear"] + means["form_factor.linear"], **means}


def predicted(network: Factoriser, batch: Batch) -> tuple[Tensor, Tensor]:
    """√I_FF and √I_SRO as a network gives them when it is used: full precision, no dropout, not negative."""
    was_training = network.training
    network.eval()
    try:
        with torch.inference_mode():
            form_factor, sro = network(batch.intensity, batch.live)
    finally:
        network.train(was_training)
    return form_factor.clamp(min=0), sro.clamp(min=0)


def _sums(network: Factoriser, batch: Batch) -> dict[str, float]:
    form_factor, sro = predicted(network, batch)
    sums = {}
    for name, roots, truth in (("sro", sro, batch.sro), ("form_factor", form_factor, batch.form_factor)):
        for scale, values in SCALES.items():
            off = to_unit_range(values(roots)) - to_unit_range(values(truth.sqrt()))
            sums[f"{name}.{scale}"] = float(off.double().square().mean((1, 2, 3)).sum())
    return sums
