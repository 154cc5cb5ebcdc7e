"""Networks for other programs: ONNX, checked against what torch computes."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from dsfu.errors import InputError
from dsfu.files import write_whole
from dsfu.model.problems.disorder.networks.factoriser import Factoriser
from dsfu.model.weights.card import Card

TOLERANCE: Final = 1e-4
"""How far onnxruntime may be from torch, where factors go from 0 to 1."""

_OPSET: Final = 18


def export_onnx(path: Path, network: Factoriser, card: Card) -> float:
    """Write a network as ONNX, for any number of planes of the size that it was trained on.

    Inputs are ``intensity``, float32, and ``live``, bool; outputs are ``form_factor`` and ``sro``, the roots as
    `Factoriser.forward` gives them; all (planes, 1, y, x). The card is in the model's metadata as ``card``.

    Returns
    -------
    The largest difference between onnxruntime and torch on one plane and on three.
    """
    network = network.cpu().float().eval()
    model = _converted(network, card)
    write_whole(path, lambda file: file.write(model))
    return _check(path, network, card.pixels)


def example_planes(planes: int, pixels: int) -> tuple[Tensor, Tensor]:
    """Intensities with peaks of all heights, and holes."""
    rng = np.random.default_rng(planes)
    intensity = torch.tensor(rng.gamma(0.5, size=(planes, 1, pixels, pixels)), dtype=torch.float32)
    return intensity, torch.tensor(rng.random(intensity.shape) < 0.8)


def _converted(network: Factoriser, card: Card) -> bytes:
    import onnx

    planes = torch.export.Dim("planes")
    with _quiet():
        program: Any = torch.onnx.export(
            _Plain(network).eval(),
            example_planes(2, card.pixels),  # not one, which would be taken for the only number there can be
            dynamo=True,
            verbose=False,
            opset_version=_OPSET,
            input_names=["intensity", "live"],
            output_names=["form_factor", "sro"],
            dynamic_shapes=({0: planes}, {0: planes}),
        )
    model = program.model_proto
    onnx.helper.set_model_props(model, {"card": card.to_json()})
    onnx.checker.check_model(model)
    converted: bytes = model.SerializeToString()
    return converted


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's remarks on itself."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)


class _Plain(nn.Module):
    """A network whose inputs are named as the file's are."""

    def __init__(self, network: Factoriser) -> None:
        super().__init__()
        self.network = network

    def forward(self, intensity: Tensor, live: Tensor) -> tuple[Tensor, Tensor]:
        form_factor, sro = self.network(intensity, live)
        return form_factor, sro


def _check(path: Path, network: Factoriser, pixels: int) -> float:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    worst = 0.0
    for planes in (1, 3):
        intensity, live = example_planes(planes, pixels)
        with torch.inference_mode():
            ours = network(intensity, live)
        its = session.run(["form_factor", "sro"], {"intensity": intensity.numpy(), "live": live.numpy()})
        worst = max(worst, *(float(np.abs(a.numpy() - b).max()) for a, b in zip(ours, its, strict=True)))
    if not worst <= TOLERANCE:
        path.unlink()
        raise InputError(
            f"onnxruntime computes something else than torch, by up to {worst:.2g}",
            where=str(path),
            expected=f"{TOLERANCE:g} at most",
            remedy="try other releases of torch, onnxscript and onnxruntime",
        )
    return worst
