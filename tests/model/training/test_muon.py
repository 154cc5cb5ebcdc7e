import numpy as np
import pytest
import torch
from torch import nn

from dsfu.errors import InputError
from dsfu.model.training.muon import Muon, hidden_convolutions, orthogonalised
from tests.model.training.made import batch_of, config_of, trainer_of


@pytest.mark.parametrize("shape", [(8, 8), (5, 30), (30, 5)])
def test_all_directions_count_nearly_alike(shape):
    torch.manual_seed(1)
    left, _, right = np.linalg.svd(np.random.default_rng(1).normal(size=shape), full_matrices=False)
    sizes = np.geomspace(1, 0.05, min(shape))
    found = orthogonalised(torch.tensor(left * sizes @ right, dtype=torch.float32)).double().numpy()
    values = left.T @ found @ right.T
    assert np.diag(values).min() > 0.5
    assert np.diag(values).max() < 1.3
    assert np.abs(values - np.diag(np.diag(values))).max() < 1e-3


def test_a_step_is_as_long_as_the_rate_says_whatever_the_gradient():
    for scale in (1e-6, 1.0, 1e6):
        weight = nn.Parameter(torch.zeros(6, 4, 3, 3))
        weight.grad = scale * torch.randn(weight.shape, generator=torch.Generator().manual_seed(1))
        Muon([weight], lr=0.1).step()
        assert 0.05 < float(torch.linalg.matrix_norm(weight.detach().flatten(1), 2)) < 0.13


def test_it_updates_hidden_convolutions_and_adamw_the_rest(tmp_path):
    recipe = trainer_of(tmp_path, config_of("dsfu", "optimiser.muon=0.02", "optimiser.learning_rate=1e-3")).recipe
    hidden, others = hidden_convolutions(recipe.network, ("stem", "head"))
    assert {id(each) for each in recipe.optimisers["hidden"].param_groups[0]["params"]} == {id(each) for each in hidden}
    assert len(hidden) + len(others) == len(list(recipe.network.parameters()))
    assert not any(each is recipe.network.stem.weight or each is recipe.network.head.weight for each in hidden)
    first = {id(each): each.detach().clone() for each in hidden}
    recipe.step(batch_of(1), 5e-4, 1)  # half of the highest rate, so Muon's is .01
    for each in hidden:
        matrix = (each.detach() - first[id(each)]).flatten(1)
        ratio = max(1.0, matrix.shape[0] / matrix.shape[1]) ** 0.5
        assert 0.004 < float(torch.linalg.matrix_norm(matrix, 2)) / ratio < 0.0135


def test_recipes_without_it_refuse_it(tmp_path):
    with pytest.raises(InputError, match="pix2pix is not trained by Muon"):
        trainer_of(tmp_path, config_of("pix2pix", "optimiser.muon=0.02"))
