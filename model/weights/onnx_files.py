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
from dsfu.model.problem import OnnxForm, learner_of
from dsfu.model.weights.card import Card

TOLERANCE: Final = 1e-4
"""How far onnxruntime may be from torch, in outputs of the order of 1."""

_OPSET: Final = 18


def export_onnx(path: Path, network: nn.Module, card: Card) -> float:
    """Write a network as ONNX, for any number of samples of the size that it was trained on.

    Names of inputs and outputs are those that its problem gives them. The card is in the model's metadata as ``card``.

    Returns
    -------
    The largest difference between onnxruntime and torch on one sample and on three.
    """
    form = learner_of(card.problem).onnx(network.cpu().float().eval(), card.more)
    if form is None:
        raise InputError(f"networks of the problem {card.problem} are not written as ONNX", expected="--weights FILE")
    model = _converted(form, card)
    write_whole(path, lambda file: file.write(model))
    return _check(path, form)


def _converted(form: OnnxForm, card: Card) -> bytes:
    import onnx

    samples = torch.export.Dim("samples")
    with _quiet():
        program: Any = torch.onnx.export(
            form.module.eval(),
            form.example(2),  # not one, which would be taken for the only number there can be
            dynamo=True,
            verbose=False,
            opset_version=_OPSET,
            input_names=list(form.inputs),
            output_names=list(form.outputs),
            dynamic_shapes=tuple({0: samples} for _ in form.inputs),
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


def _check(path: Path, form: OnnxForm) -> float:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    worst = 0.0
    for samples in (1, 3):
        inputs = form.example(samples)
        with torch.inference_mode():
            ours = form.module(*inputs)
        its = session.run(
            list(form.outputs), {name: each.numpy() for name, each in zip(form.inputs, inputs, strict=True)}
        )
        both = zip([ours] if isinstance(ours, Tensor) else ours, its, strict=True)
        worst = max(worst, *(float(np.abs(a.numpy() - b).max()) for a, b in both))
    if not worst <= TOLERANCE:
        path.unlink()
        raise InputError(
            f"onnxruntime computes something else than torch, by up to {worst:.2g}",
            where=str(path),
            expected=f"{TOLERANCE:g} at most",
            remedy="try other releases of torch, onnxscript and onnxruntime",
        )
    return worst
