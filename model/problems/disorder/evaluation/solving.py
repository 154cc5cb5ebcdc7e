"""Methods that know the lattice as evaluation knows them: the one place where what is learnt meets measured data."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.factorise.factors import Method
from dsfu.model.measured.factorise.methods import Network, factorise
from dsfu.model.measured.solver.settings import SolverSettings
from dsfu.model.problems.disorder.evaluation.planes import EvaluationPlanes
from dsfu.model.problems.disorder.networks.factoriser import Factoriser
from dsfu.simulate.arrays import Float32Array


def with_lattice(
    method: Method, planes: EvaluationPlanes, device: torch.device, trained: tuple[Factoriser, int] | None
) -> Callable[[Tensor, Tensor, Sequence[int]], tuple[Tensor, Tensor]]:
    """A method of ``factorise``, plane by plane, with what an experiment knows of each: its cell and where it lies.

    ``trained`` is the network, and the side of the planes that it was trained on.
    """
    solver = SolverSettings(device=device.type)
    network = None if trained is None else Network(factoriser=trained[0], pixels=trained[1])

    def predict(intensity: Tensor, live: Tensor, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        roots = []
        for number, index in enumerate(indices):
            measured = _as_measured(intensity[number, 0], live[number, 0], index, planes)
            found = factorise([measured], method, network=network, settings=solver).planes[0]
            roots.append(np.stack([_root(found.form_factor), _root(found.sro)]))
        form_factor, sro = torch.from_numpy(np.stack(roots)).to(intensity).unbind(1)
        return form_factor[:, None], sro[:, None]

    return predict


def _as_measured(intensity: Tensor, live: Tensor, index: int, planes: EvaluationPlanes) -> MeasuredPlane:
    """A plane of a sample with its place in reciprocal space and the crystal's cell."""
    crystals, split = planes.crystals, planes.split.name
    return MeasuredPlane(
        intensity=intensity.cpu().numpy(),
        live=live.cpu().numpy(),
        plane=crystals.plane(split, index, planes.pixels),
        cell=crystals.cell(split, index),
        name=f"sample {index}",
    )


def _root(factor: Float32Array) -> Float32Array:
    """The square root of a factor relative to its maximum."""
    return np.asarray(np.sqrt(np.clip(factor, 0, None) / max(float(factor.max()), 1e-30)), np.float32)
