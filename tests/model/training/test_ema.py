import torch

from dsfu.model.networks.build import build
from dsfu.model.training.ema import Ema


def test_average_by_hand():
    network = build("dsfu", {"channels": [4], "blocks": [1]})
    ema = Ema(network, 0.9)
    weight, averaged = network.get_parameter("stem.weight"), ema.network.get_parameter("stem.weight")
    expected = weight.detach().clone().double()
    for step in range(1, 200):
        with torch.no_grad():
            weight.add_(torch.randn(weight.shape))
        ema.update(network, step)
        decay = min(0.9, step / (step + 10))
        expected = decay * expected + (1 - decay) * weight.detach().double()
    torch.testing.assert_close(averaged.double(), expected, atol=1e-4, rtol=1e-4)
    assert not averaged.requires_grad


def test_the_random_beginning_is_forgotten_at_once():
    network = build("dsfu", {"channels": [4], "blocks": [1]})
    weight = network.get_parameter("stem.weight")
    with torch.no_grad():
        weight.fill_(1e6)
    ema = Ema(network, 0.9999)
    with torch.no_grad():
        weight.fill_(1.0)
    for step in range(1, 101):
        ema.update(network, step)
    # A plain average would still be 99 % of what it began with.
    assert ema.network.get_parameter("stem.weight").max() < 1.01
