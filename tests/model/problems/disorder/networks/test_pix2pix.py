import pytest
import torch
from torch import nn

from dsfu.model.problems.disorder.networks.patchgan import PatchGan
from dsfu.model.problems.disorder.networks.pix2pix import Pix2Pix
from dsfu.model.problems.disorder.networks.unet import UNet

CHANNELS = (4, 6, 8, 8, 8, 8)


def planes(count: int, pixels: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    intensity = torch.rand(count, 1, pixels, pixels, generator=generator) ** 4
    return intensity, torch.rand(intensity.shape, generator=generator) < 0.8


def test_the_published_shape():
    with torch.device("meta"):
        network = Pix2Pix()
    assert len(network.form_factor.down) == 6
    sizes = [each.out_channels for each in network.form_factor.down.modules() if isinstance(each, nn.Conv2d)]
    assert sizes == [64, 128, 256, 512, 512, 512]
    dropouts = [any(isinstance(layer, nn.Dropout) for layer in each.modules()) for each in network.sro.up.children()]
    assert dropouts == [True, True, True, False, False]
    assert {layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)} == {0.5}


def test_from_256_pixels_down_to_4():
    network = UNet(CHANNELS, 0.5, 3).eval()
    seen = []
    network.down[-1].register_forward_hook(lambda layer, given, made: seen.append(made.shape))
    with torch.inference_mode():
        answer = network(torch.rand(1, 1, 256, 256) * 2 - 1)
    assert seen == [torch.Size([1, 8, 4, 4])]
    assert answer.shape == (1, 1, 256, 256)
    assert answer.abs().max() <= 1


def test_no_layer_knows_other_planes():
    kinds = {type(layer).__name__ for layer in [*Pix2Pix(CHANNELS).modules(), *PatchGan(4).modules()]}
    assert not [kind for kind in kinds if "BatchNorm" in kind]
    network = Pix2Pix(CHANNELS).eval()
    intensity, live = planes(3, 128)
    with torch.inference_mode():
        together = network(intensity, live)
        alone = network(50 * intensity[1:2], live[1:2])
    for one, other in zip(together, alone, strict=True):
        torch.testing.assert_close(one[1:2], other, atol=1e-5, rtol=0)


def test_what_stands_where_it_is_dead_is_not_looked_at():
    network = Pix2Pix(CHANNELS).eval()
    intensity, live = planes(1, 128)
    with torch.inference_mode():
        answers = [network(torch.where(live, intensity, stands), live)[0] for stands in (0.0, 1e6, float("nan"))]
    assert torch.equal(answers[0], answers[1])
    assert torch.equal(answers[0], answers[2])


def test_answers_are_from_0_to_1_and_not_the_same_for_both():
    network = Pix2Pix(CHANNELS).eval()
    with torch.inference_mode():
        form_factor, sro = network(*planes(2, 128))
    for answer in (form_factor, sro):
        assert answer.min() >= 0
        assert answer.max() <= 1
    assert not torch.allclose(form_factor, sro)


def test_dropout_is_on_while_training():
    network = Pix2Pix(CHANNELS).train()
    intensity, live = planes(1, 128)
    torch.manual_seed(1)
    one, other = network(intensity, live)[0], network(intensity, live)[0]
    assert not torch.equal(one, other)


@pytest.mark.parametrize(("pixels", "patches"), [(256, 30), (64, 6)])
def test_the_discriminator_judges_patches(pixels, patches):
    judge = PatchGan(4)
    with torch.inference_mode():
        assert judge(*torch.rand(2, 1, 1, pixels, pixels)).shape == (1, 1, patches, patches)


def test_a_patch_has_70_pixels():
    judge = PatchGan(4)
    for layer in judge.modules():  # normalisation would look at the whole plane
        if isinstance(layer, nn.InstanceNorm2d):
            layer.forward = lambda planes: planes  # type: ignore[method-assign, assignment]
    plane = torch.rand(1, 1, 256, 256, requires_grad=True)
    judge(plane, torch.rand(1, 1, 256, 256))[0, 0, 15, 15].backward()
    assert plane.grad is not None
    rows = plane.grad[0, 0].abs().amax(1).nonzero()
    assert int(rows.max() - rows.min()) + 1 == 70
