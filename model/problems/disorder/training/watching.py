"""How a network does on planes while it is trained: square errors, and what is drawn."""

from collections.abc import Callable, Sequence
from typing import Final

import torch
from torch import Tensor

from dsfu.model.problems.disorder.batch import Batch
from dsfu.model.problems.disorder.networks.scaling import measured_to_unit_range, to_unit_range
from dsfu.panels import Image, Panel

SCALES: Final[dict[str, Callable[[Tensor], Tensor]]] = {"linear": torch.square, "sqrt": lambda roots: roots}


def square_errors(form_factor: Tensor, sro: Tensor, batch: Batch) -> dict[str, Tensor]:
    """Mean square errors of planes from −1 to +1, (planes,): ``sro.linear``, ``form_factor.sqrt`` ….

    ``score`` is the sum of the two on the linear scale. Both factors are given as roots.
    """
    found = {}
    for name, roots, truth in (("sro", sro, batch.sro), ("form_factor", form_factor, batch.form_factor)):
        for scale, values in SCALES.items():
            off = to_unit_range(values(roots)) - to_unit_range(values(truth.sqrt()))
            found[f"{name}.{scale}"] = off.double().square().mean((1, 2, 3))
    return {"score": found["sro.linear"] + found["form_factor.linear"], **found}


def panels_of(form_factor: Tensor, sro: Tensor, batch: Batch) -> Sequence[Sequence[Panel]]:
    """Input, answers, truths and differences of each plane, on the square-root scale from −1 to +1."""
    scattering = measured_to_unit_range(batch.intensity, batch.live).masked_fill(~batch.live, float("nan"))
    columns: list[tuple[str, Tensor]] = [("scattering", scattering)]
    factors = (("form factor", form_factor, batch.form_factor), ("short-range order", sro, batch.sro))
    for name, roots, truth in factors:
        ours, its = to_unit_range(roots), to_unit_range(truth.sqrt())
        columns += [(name, ours), ("truth", its), ("difference", ours - its)]
    arrays = [(name, column[:, 0].cpu().numpy()) for name, column in columns]
    return [
        [
            Image(title=name, values=planes[number], low=-1, high=1, signed=name == "difference")
            for name, planes in arrays
        ]
        for number in range(len(batch))
    ]
