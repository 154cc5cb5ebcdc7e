from pathlib import Path
from typing import Any

import pytest
import torch

from dsfu.errors import InputError
from dsfu.model.problems.disorder.evaluation.planes import EvaluationPlanes
from dsfu.model.problems.disorder.evaluation.predictors import MethodSettings, method_named
from dsfu.model.problems.disorder.networks.dsfu import Dsfu
from dsfu.model.weights.card import Card
from dsfu.model.weights.files import save_weights

OPTIONS: dict[str, Any] = {"channels": [8, 16], "blocks": [1, 1]}


def a_run(folder: Path, name: str = "weights.safetensors") -> Path:
    """What a training leaves behind, without the training."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(4)
    save_weights(folder / name, Dsfu(**OPTIONS), Card(recipe="dsfu", network=OPTIONS, more={"pixels": 48}))
    return folder


def test_a_run_gives_its_network(tmp_path: Path, train: EvaluationPlanes):
    run = a_run(tmp_path / "run")
    method = method_named("network", MethodSettings(weights=run, planes=train, device=torch.device("cpu")))
    batch = train.batch([0, 1])
    torch.manual_seed(4)
    expected = Dsfu(**OPTIONS).eval()(batch.intensity, batch.live)
    for ours, its in zip(method.predict(batch.intensity, batch.live, [0, 1]), expected, strict=True):
        torch.testing.assert_close(ours, its)
        assert not ours.requires_grad
    assert (method.about["recipe"], method.about["pixels"]) == ("dsfu", 48)


def test_what_is_not_a_run_or_a_method_is_refused(tmp_path: Path, train: EvaluationPlanes):
    def settings(weights: Path) -> MethodSettings:
        return MethodSettings(weights=weights, planes=train, device=torch.device("cpu"))

    with pytest.raises(InputError, match="no such file"):
        method_named("network", settings(tmp_path / "nothing"))
    with pytest.raises(InputError, match="no weights in this folder"):
        method_named("network", settings(tmp_path))
    with pytest.raises(InputError, match="--method network"):
        method_named("netwrok", settings(tmp_path))


def errors_of(name: str, run: Path, planes: EvaluationPlanes, indices: list[int]) -> tuple[float, torch.Tensor]:
    """Mean square error of I_SRO, and the form factor's roots."""
    method = method_named(name, MethodSettings(weights=run, planes=planes, device=torch.device("cpu")))
    batch = planes.batch(indices)
    form_factor, sro = method.predict(batch.intensity, batch.live, indices)
    assert form_factor.shape == sro.shape == batch.intensity.shape
    return float((sro.square() - batch.sro).square().mean()), form_factor


@pytest.mark.slow
def test_solver_and_hybrid_use_the_lattice_of_each_sample(tmp_path: Path, train: EvaluationPlanes):
    indices = train.indices[:2].tolist()
    run = a_run(tmp_path / "run")
    solver, form_factor = errors_of("solver", tmp_path / "nothing is read here", train, indices)
    hybrid, filled = errors_of("hybrid", run, train, indices)
    network, _ = errors_of("network", run, train, indices)
    batch = train.batch(indices)
    of_solver = method_named("solver", MethodSettings(weights=tmp_path, planes=train, device=torch.device("cpu")))
    swapped = of_solver.predict(batch.intensity, batch.live, indices[::-1])[1]
    wrong = float((swapped.square() - batch.sro).square().mean())
    assert solver == pytest.approx(hybrid)
    assert solver < 0.3 * network
    assert solver < wrong
    assert not torch.equal(form_factor, filled)


def test_a_networks_order_is_put_on_the_lattice_of_each_sample(tmp_path: Path, train: EvaluationPlanes):
    """What comes out repeats with the lattice, which the answer of an untrained network does not."""
    index = int(train.indices[0])
    run = a_run(tmp_path / "run")
    batch = train.batch([index])
    found = {}
    for name in ("network", "projected"):
        method = method_named(name, MethodSettings(weights=run, planes=train, device=torch.device("cpu")))
        found[name] = method.predict(batch.intensity, batch.live, [index])
    assert found["projected"][1].shape == batch.sro.shape
    assert not torch.allclose(found["projected"][1], found["network"][1], atol=1e-3)
