import pytest
import torch

from dsfu.model.errors import InputError
from dsfu.model.training.checkpoint import load_checkpoint
from dsfu.model.training.distributed import Ranks
from dsfu.model.training.train import Job, _begin, _continue
from dsfu.model.weights.files import save_weights
from tests.model.training.made import Notes, assert_equal_weights, config_of, run, trainer_of


def test_weights_to_begin_with(tmp_path):
    other = trainer_of(tmp_path, config_of("dsfu", "seed=5"))
    file = tmp_path / "some.safetensors"
    save_weights(file, other.recipe.factoriser, other.parts.outputs.card(other.progress, {}))
    config = config_of("dsfu")
    trainer = trainer_of(tmp_path, config)
    assert not torch.equal(*(each.recipe.factoriser.get_parameter("stem.weight") for each in (trainer, other)))
    _begin(trainer, Job(store="", run=tmp_path, config=config, start_from=file), Ranks())
    assert_equal_weights(trainer.recipe.factoriser.state_dict(), other.recipe.factoriser.state_dict())


def test_weights_of_another_network_are_refused(tmp_path):
    other = trainer_of(tmp_path, config_of("dsfu", "network.channels=[8,16]"))
    file = tmp_path / "some.safetensors"
    save_weights(file, other.recipe.factoriser, other.parts.outputs.card(other.progress, {}))
    config = config_of("dsfu")
    with pytest.raises(InputError, match=r"its network is dsfu with .*\[8, 16\](.|\n)*\[8, 12\]"):
        _begin(trainer_of(tmp_path, config), Job(store="", run=tmp_path, config=config, start_from=file), Ranks())


def test_settings_that_changed_are_told(tmp_path):
    first = trainer_of(tmp_path, config_of("dsfu", "limits.steps=2"))
    run(first)
    second = trainer_of(tmp_path, config_of("dsfu", "limits.steps=5", "optimiser.learning_rate=1e-5"))
    _continue(second, load_checkpoint(first.checkpoints.last))
    assert isinstance(second.parts.reporter, Notes)
    assert second.parts.reporter.said == ["Going on from step 2, with other limits.steps, optimiser.learning_rate."]
