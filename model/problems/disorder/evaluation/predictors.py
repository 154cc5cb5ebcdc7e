"""What is evaluated: anything that takes planes apart. `METHODS` are those of ``dsfu-model factorise``; add others."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import torch
from torch import Tensor

from dsfu.errors import InputError, near_miss
from dsfu.model.problems.disorder.evaluation.planes import EvaluationPlanes
from dsfu.simulate.arrays import Float32Array

if TYPE_CHECKING:
    from dsfu.model.measured.data.plane import MeasuredPlane
    from dsfu.model.measured.factorise.methods import Network

Predictor = Callable[[Tensor, Tensor, Sequence[int]], tuple[Tensor, Tensor]]
"""From intensities and masks (planes, 1, y, x), and the indices of the samples, to √I_FF and √I_SRO relative to their
maxima, of the same shape. The indices tell a method that needs it the geometry of the planes; not the truth."""


@dataclass(frozen=True, kw_only=True)
class MethodSettings:
    """What a method is made from.

    Attributes
    ----------
    weights
        A run's folder, or a file of weights; the solver needs none.
    planes
        What it will be asked about: `EvaluationPlanes.crystals` knows the cell and the plane of every sample.
    """

    weights: Path
    planes: EvaluationPlanes
    device: torch.device


@dataclass(frozen=True, kw_only=True)
class Method:
    """A way of taking planes apart, and what is known of it."""

    predict: Predictor
    about: Mapping[str, Any] = field(default_factory=dict)


def method_named(name: str, settings: MethodSettings) -> Method:
    """Make a method ready."""
    if name not in METHODS:
        near = near_miss(name, METHODS)
        raise InputError(
            f"method {name!r}: there is none of this name",
            where="--method",
            expected=", ".join(METHODS),
            remedy=f"--method {near}" if near else "",
        )
    return METHODS[name](settings)


def _network(settings: MethodSettings) -> Method:
    network, about = _loaded(settings)

    def predict(intensity: Tensor, live: Tensor, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        with torch.inference_mode():
            form_factor, sro = network.factoriser(intensity, live)
        return form_factor, sro

    return Method(predict=predict, about=about)


def _solver(settings: MethodSettings) -> Method:
    return Method(predict=_with_lattice(settings, None))


def _hybrid(settings: MethodSettings) -> Method:
    network, about = _loaded(settings)
    return Method(predict=_with_lattice(settings, network), about=about)


def _loaded(settings: MethodSettings) -> tuple["Network", dict[str, Any]]:
    """The network, and what its card says."""
    from dsfu.model.measured.factorise.methods import Network
    from dsfu.model.problems.disorder.networks.loading import load_factoriser, pixels_of
    from dsfu.model.weights.files import weights_file

    file = weights_file(settings.weights)
    network, card = load_factoriser(file)
    loaded = Network(factoriser=network.to(settings.device).eval(), pixels=pixels_of(card.more))
    return loaded, {"weights": str(file), **card.to_dict()}


def _with_lattice(settings: MethodSettings, network: "Network | None") -> Predictor:
    """The solver, or the hybrid if there is a network: plane by plane, with what an experiment knows of each."""
    from dsfu.model.measured.factorise.methods import factorise
    from dsfu.model.measured.solver.settings import Settings

    solver = Settings(device=settings.device.type)

    def predict(intensity: Tensor, live: Tensor, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        roots = []
        for number, index in enumerate(indices):
            measured = _as_measured(intensity[number, 0], live[number, 0], index, settings.planes)
            method: Literal["solver", "hybrid"] = "solver" if network is None else "hybrid"
            found = factorise([measured], method, network=network, settings=solver).planes[0]
            roots.append(np.stack([_root(found.form_factor), _root(found.sro)]))
        form_factor, sro = torch.from_numpy(np.stack(roots)).to(intensity).unbind(1)
        return form_factor[:, None], sro[:, None]

    return predict


def _as_measured(intensity: Tensor, live: Tensor, index: int, planes: EvaluationPlanes) -> "MeasuredPlane":
    """A plane of a sample with its place in reciprocal space and the crystal's cell."""
    from dsfu.model.measured.data.plane import MeasuredPlane

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


METHODS: Final[Mapping[str, Callable[[MethodSettings], Method]]] = {
    "network": _network,
    "solver": _solver,
    "hybrid": _hybrid,
}
