from pathlib import Path
from typing import Any

import pytest
import torch

from dsfu.errors import InputError
from dsfu.model.problems.disorder.problem import LEARNER
from dsfu.model.problems.disorder.training.losses import dsfu_losses
from dsfu.model.problems.disorder.training.recipe_pix2pix import Pix2PixRecipe
from dsfu.model.training.config_file import config_of as config_from
from dsfu.model.training.config_file import values_of
from dsfu.model.training.distributed import Ranks
from dsfu.model.training.engine import TrainingEngine
from dsfu.model.training.recipes import Recipe, recipe_of
from tests.model.training.made import assert_equal_weights, batch_of, config_of, trainer_of


def made(recipe: str, *overrides: str) -> Recipe[Any]:
    torch.manual_seed(1)
    config = config_of(recipe, *overrides)
    return recipe_of(config, TrainingEngine(config, torch.device("cpu")), Ranks(), LEARNER)


def copies(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


def moved(module: torch.nn.Module, before: dict[str, torch.Tensor]) -> bool:
    return any(not torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_dsfu_step_is_adamw_on_the_sum_of_its_losses():
    recipe = made("dsfu", "optimiser.clip_norm=0")
    other = made("dsfu").network
    config, batch = recipe.config, batch_of(1)
    settings = config.optimiser
    optimiser = torch.optim.AdamW(
        other.parameters(), lr=2e-3, betas=(settings.beta_1, settings.beta_2), weight_decay=settings.weight_decay
    )
    for _ in range(3):
        recipe.step(batch, 2e-3, 1)
        optimiser.zero_grad()
        form_factor, sro = other(batch.intensity, batch.live)
        parts = dsfu_losses(form_factor, sro, batch, config.sections["dsfu"])
        torch.stack(list(parts.values())).sum().backward()
        optimiser.step()
    for name, value in other.state_dict().items():
        torch.testing.assert_close(recipe.network.state_dict()[name], value, atol=1e-5, rtol=1e-4)


def test_gradients_are_clipped():
    recipe = made("dsfu", "optimiser.clip_norm=1e-3")
    norm = recipe.training_step(batch_of(1))["gradient"]
    clipped = torch.stack([each.grad.norm() for each in recipe.network.parameters() if each.grad is not None]).norm()
    assert norm > 1e-2
    assert float(clipped) == pytest.approx(1e-3, rel=1e-3)


def test_pix2pix_trains_generators_and_discriminators():
    recipe = made("pix2pix")
    assert isinstance(recipe, Pix2PixRecipe)
    parts = {"generators": recipe.network, "discriminators": recipe.modules["discriminators"]}
    before = {name: copies(part) for name, part in parts.items()}
    losses = recipe.step(batch_of(1), 2e-4, 1)
    assert set(losses) == {"loss", "discriminators", "adversarial", "l1", "product"}
    assert all(value.isfinite() for value in losses.values())
    for name, part in parts.items():
        assert moved(part, before[name])
    # Untrained, discriminators are undecided about either: log 2 for each of two.
    assert float(losses["discriminators"]) == pytest.approx(2 * 0.693, rel=0.1)


def test_discriminators_see_the_clean_scattering(monkeypatch):
    """What measuring does to a plane must make no difference to them, given the same generated planes."""
    recipe = made("pix2pix")
    assert isinstance(recipe, Pix2PixRecipe)
    seen = []
    judge = recipe.modules["discriminators"].get_submodule("sro")
    judge.register_forward_pre_hook(lambda module, arguments: seen.append(arguments[0].detach().clone()))
    batch = batch_of(1)
    recipe.step(batch, 2e-4, 1)
    roots = batch.clean.sqrt()
    lowest, highest = roots.amin((2, 3), keepdim=True), roots.amax((2, 3), keepdim=True)
    clean = 2 * (roots - lowest) / (highest - lowest) - 1
    assert len(seen) == 2
    torch.testing.assert_close(seen[0], torch.cat([clean, clean]), atol=1e-6, rtol=0)
    torch.testing.assert_close(seen[1], clean, atol=1e-6, rtol=0)


def test_discriminators_are_not_moved_by_the_generators_loss():
    recipe = made("pix2pix", "pix2pix.product=0")
    assert isinstance(recipe, Pix2PixRecipe)
    judges, updates = recipe.modules["discriminators"], []
    update = recipe.engine.update

    def watched(loss: torch.Tensor, *optimisers: torch.optim.Optimizer) -> torch.Tensor:
        before = copies(judges)
        norm = update(loss, *optimisers)
        updates.append((optimisers == (recipe.optimisers["discriminators"],), moved(judges, before)))
        return norm

    recipe.engine.update = watched  # type: ignore[method-assign]
    recipe.step(batch_of(1), 2e-4, 1)
    assert updates == [(True, True), (False, False)]
    assert all(each.requires_grad for each in judges.parameters())


@pytest.mark.parametrize("recipe", ["dsfu", "pix2pix"])
def test_planes_without_order_train_without_harm(recipe):
    batch = batch_of(1)
    flat = type(batch)(
        intensity=batch.form_factor * batch.live,
        live=batch.live,
        clean=batch.form_factor,
        form_factor=batch.form_factor,
        sro=torch.ones_like(batch.sro),
    )
    trained = made(recipe)
    for number in range(3):
        losses = trained.step(flat, 1e-3, number + 1)
    assert all(value.isfinite() for value in losses.values())
    assert all(value.isfinite().all() for value in trained.network.state_dict().values())


@pytest.mark.parametrize("recipe", ["dsfu", "pix2pix"])
def test_bf16_gives_nearly_the_same_gradients(recipe):
    losses = [made(recipe, f"precision={precision}").step(batch_of(1), 0.0, 1) for precision in ("fp32", "bf16")]
    torch.manual_seed(1)
    assert float(losses[0]["loss"]) == pytest.approx(float(losses[1]["loss"]), rel=0.05)


def test_weights_to_begin_with_are_in_the_average_too(tmp_path: Path):
    first, second = (trainer_of(tmp_path, config_of("dsfu", f"seed={seed}")).recipe for seed in (1, 2))
    second.begin_with(first.network)
    for network in (second.network, second.result):
        assert_equal_weights(first.network.state_dict(), network.state_dict())


def test_checkpoints_of_other_networks_are_refused():
    state = made("dsfu").state_dict()
    for other in (made("dsfu", "network.channels=[8,16]"), made("pix2pix")):
        with pytest.raises(InputError, match="of another network"):
            other.load_state_dict(state)


@pytest.mark.parametrize(("recipe", "pixels"), [("dsfu", 36), ("pix2pix", 8)])
def test_a_size_that_the_network_does_not_take(recipe, pixels):
    with pytest.raises(InputError, match=rf"data\.pixels: it is {pixels}"):
        made(recipe, f"data.pixels={pixels}")


def test_a_configuration_comes_back_from_a_checkpoint():
    config = config_of("pix2pix")
    assert values_of(config_from(values_of(config))) == values_of(config)
