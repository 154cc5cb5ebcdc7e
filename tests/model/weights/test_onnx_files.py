import json
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from dsfu.errors import InputError
from dsfu.model.networks.build import build
from dsfu.model.problems.disorder.networks.onnx_form import example_planes
from dsfu.model.weights import onnx_files
from dsfu.model.weights.card import Card
from dsfu.model.weights.onnx_files import export_onnx

OPTIONS: dict[str, dict[str, Any]] = {
    "dsfu": {"channels": [8, 12], "blocks": [1, 1], "gates": 1},
    "pix2pix": {"channels": [4, 8, 8]},
}


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["dsfu", "pix2pix"])
def test_onnxruntime_computes_the_same(tmp_path, recipe):
    torch.manual_seed(1)
    network = build(recipe, OPTIONS[recipe])
    with torch.no_grad():  # what a network begins with hides mistakes, such as of a head that is nearly zero
        for each in network.parameters():
            each.add_(0.05 * torch.randn_like(each))
    path = tmp_path / "network.onnx"
    card = Card(recipe=recipe, network=OPTIONS[recipe], more={"pixels": 32})
    assert export_onnx(path, network, card) < 1e-4

    intensity, live = example_planes(5, 32)
    with torch.inference_mode():
        ours = network(100 * intensity, live)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    its = session.run(None, {"intensity": 100 * intensity.numpy(), "live": live.numpy()})
    for one, other in zip(ours, its, strict=True):
        np.testing.assert_allclose(other, one.numpy(), atol=1e-4)
        assert np.ptp(other) > 0.01

    properties = {each.key: each.value for each in onnx.load(path).metadata_props}
    assert json.loads(properties["card"])["recipe"] == recipe


@pytest.mark.slow
def test_a_file_that_computes_something_else_is_not_left_there(tmp_path, monkeypatch):
    torch.manual_seed(1)
    network = build("dsfu", OPTIONS["dsfu"])
    card = Card(recipe="dsfu", network=OPTIONS["dsfu"], more={"pixels": 16})
    monkeypatch.setattr(onnx_files, "TOLERANCE", -1.0)
    path = tmp_path / "network.onnx"
    with pytest.raises(InputError, match="something else"):
        export_onnx(path, network, card)
    assert not path.exists()
