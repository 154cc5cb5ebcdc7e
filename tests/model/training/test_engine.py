import torch

from dsfu.model.training.engine import TrainingEngine
from tests.model.training.made import config_of


def scaled_engine(scale: float) -> TrainingEngine:
    """An engine that scales losses as for fp16, which processors do not train in."""
    engine = TrainingEngine(config_of(), torch.device("cpu"))
    engine._scaler = torch.amp.GradScaler("cpu", init_scale=scale)
    return engine


def test_a_gradient_that_overflows_in_fp16_is_no_broken_loss():
    engine, weight = scaled_engine(2.0**127), torch.nn.Parameter(torch.ones(3))
    optimiser = torch.optim.SGD([weight], lr=1.0)
    norms = [float(engine.update(3 * weight.sum(), optimiser)) for _ in range(2)]
    assert norms[0] == 0.0
    assert norms[1] > 0.0  # the scaler has come down
    assert weight.isfinite().all()


def test_without_scaling_a_gradient_that_is_not_finite_is_told():
    engine, weight = TrainingEngine(config_of(), torch.device("cpu")), torch.nn.Parameter(torch.ones(3))
    norm = engine.update(weight.sum() * torch.inf, torch.optim.SGD([weight], lr=1.0))
    assert not norm.isfinite()
