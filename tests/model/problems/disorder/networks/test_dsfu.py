import numpy as np
import pytest
import torch
from torch import Tensor

from dsfu.model.problems.disorder.networks.dsfu import LEAST, Dsfu, corrected, relative_root
from dsfu.model.problems.disorder.networks.gate import SpectralGate


def tiny(**options: object) -> Dsfu:
    torch.manual_seed(3)
    network = Dsfu(channels=(8, 12), blocks=(1, 1), **options)  # type: ignore[arg-type]
    with torch.no_grad():
        for each in network.parameters():
            each.add_(0.05 * torch.randn_like(each))
    return network.eval()


def planes(number: int = 3, pixels: int = 32) -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(5)
    intensity = torch.tensor(rng.gamma(0.5, size=(number, 1, pixels, pixels)), dtype=torch.float32)
    return intensity, torch.tensor(rng.random(intensity.shape) < 0.8)


@torch.no_grad()
def test_unit_and_neighbours_make_no_difference():
    network = tiny()
    intensity, live = planes()
    together = network(intensity, live)
    for number in range(3):
        alone = network(1e4 * intensity[number : number + 1], live[number : number + 1])
        for one, other in zip(together, alone, strict=True):
            torch.testing.assert_close(one[number : number + 1], other, atol=2e-5, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("filling", [-7.0, 1e9, float("nan")])
def test_what_stands_in_dead_pixels_is_not_looked_at(filling: float):
    network = tiny()
    intensity, live = planes()
    for one, other in zip(network(intensity, live), network(intensity.masked_fill(~live, filling), live), strict=True):
        torch.testing.assert_close(one, other)


@torch.no_grad()
def test_a_measured_zero_is_not_a_hole():
    network = tiny()
    intensity, live = planes()
    zeroed = intensity * live
    assert not torch.allclose(network(zeroed, live)[0], network(zeroed, torch.ones_like(live))[0], atol=1e-3)


@torch.no_grad()
def test_the_correction_brings_the_product_to_the_data():
    """With full trust in one factor, the product of the two is what was measured, up to the damping."""
    generator = torch.Generator().manual_seed(1)
    form_factor, sro = (torch.rand((1, 1, 16, 16), generator=generator) + 0.5 for _ in range(2))
    guess = sro * (1 + 0.1 * torch.randn(sro.shape, generator=generator))
    root, seen = form_factor * sro, torch.ones_like(sro)
    trust = torch.cat([torch.ones_like(sro), torch.zeros_like(sro)], 1)
    same, better = corrected(form_factor, guess, root, seen, trust)
    torch.testing.assert_close(same, form_factor)
    scale = (form_factor * guess * root).sum() / root.square().sum()
    missing = scale * root - form_factor * guess
    left = missing * LEAST**2 / (form_factor.square() + LEAST**2)
    torch.testing.assert_close(scale * root - better * form_factor, left, atol=1e-5, rtol=0)
    assert left.norm() < 0.05 * missing.norm()


@torch.no_grad()
def test_a_correction_never_goes_further_than_a_factor_reaches():
    """However bright one factor is guessed, the other moves by 1 at most."""
    form_factor, sro = torch.full((1, 1, 8, 8), 0.1), torch.full((1, 1, 8, 8), 0.1)
    form_factor[..., 4, 4] = 1e4
    root = torch.rand((1, 1, 8, 8), generator=torch.Generator().manual_seed(1))
    found = corrected(form_factor, sro, root, torch.ones_like(root), torch.ones((1, 2, 8, 8)))
    for new, old in zip(found, (form_factor, sro), strict=True):
        assert float((new - old).abs().max()) == pytest.approx(1.0, abs=1e-3)


def test_live_pixels_are_scaled_by_their_mean_root():
    intensity, live = planes()
    root = relative_root(intensity, live.float())
    for number in range(3):
        assert float(root[number][live[number]].mean()) == pytest.approx(0.25, rel=1e-5)
        assert (root[number][~live[number]] == 0).all()


@torch.no_grad()
def test_empty_planes_give_finite_numbers():
    network = tiny()
    nothing = torch.zeros(2, 1, 32, 32)
    for live in (torch.zeros_like(nothing), torch.ones_like(nothing)):
        assert all(torch.isfinite(each).all() for each in network(nothing, live))


def test_every_parameter_learns():
    network = tiny()
    form_factor, sro = network(*planes())
    (form_factor.square().mean() + sro.square().mean()).backward()
    for name, each in network.named_parameters():
        assert each.grad is not None, name
        assert each.grad.abs().max() > 0, name


def test_it_can_learn_a_plane_by_heart():
    torch.manual_seed(0)
    network = Dsfu(channels=(16, 24), blocks=(1, 1))
    y, x = torch.meshgrid(torch.linspace(-3, 3, 32), torch.linspace(-3, 3, 32), indexing="ij")
    form_factor = torch.exp(-(x.square() + y.square()) / 4)[None, None]
    sro = (torch.cos(4 * x).square() * torch.cos(4 * y).square())[None, None]
    live = torch.ones_like(sro, dtype=torch.bool)
    live[..., 10:13, :] = False
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    losses = []
    for _ in range(150):
        a, b = network(form_factor * sro, live)
        loss = (a - form_factor.sqrt()).square().mean() + (b - sro.sqrt()).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.1 * losses[0]


def test_levels_must_agree():
    with pytest.raises(ValueError, match="as many"):
        Dsfu(channels=(8, 8), blocks=(1,))


@torch.no_grad()
def test_a_network_with_gates_begins_as_the_same_network_without():
    plain = tiny()
    gated = Dsfu(channels=(8, 12), blocks=(1, 1), gates=1).eval()
    gated.load_state_dict({**gated.state_dict(), **plain.state_dict()})
    for one, other in zip(plain(*planes()), gated(*planes()), strict=True):
        assert torch.equal(one, other)


@torch.no_grad()
def test_a_gate_sees_the_whole_plane_and_no_place_in_it():
    """What it adds is moved where the features are moved, and a change in a corner is noticed in the middle."""
    torch.manual_seed(1)
    gate = SpectralGate(8).eval()
    gate.after.weight.normal_()
    features = torch.randn(1, 8, 16, 16)
    moved = gate(features.roll((3, 5), (-2, -1)))
    torch.testing.assert_close(moved, gate(features).roll((3, 5), (-2, -1)), atol=1e-4, rtol=1e-4)
    other = features.clone()
    other[..., 0, 0] += 5
    assert (gate(other) - gate(features))[..., 8, 8].abs().max() > 1e-3


def test_gates_are_on_levels_with_a_way_up():
    with pytest.raises(ValueError, match="gates = 2: expected 0 to 1"):
        Dsfu(channels=(8, 12), blocks=(1, 1), gates=2)
