from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dsfu.errors import InputError
from dsfu.model.training.checkpoint import load_checkpoint
from dsfu.model.training.distributed import Ranks
from dsfu.model.training.loop import Outcome
from dsfu.model.training.signals import StopRequests
from dsfu.model.training.train import Job, _begin, _continue, train
from dsfu.model.weights.files import save_weights
from tests.model.training.made import Notes, assert_equal_weights, config_of, run, trainer_of
from tests.model.training.stores import library_store


def test_weights_to_begin_with(tmp_path):
    other = trainer_of(tmp_path, config_of("dsfu", "seed=5"))
    file = tmp_path / "some.safetensors"
    save_weights(file, other.recipe.network, other.parts.outputs.card(other.progress, {}))
    config = config_of("dsfu")
    trainer = trainer_of(tmp_path, config)
    assert not torch.equal(*(each.recipe.network.get_parameter("stem.weight") for each in (trainer, other)))
    _begin(trainer, Job(store="", run=tmp_path, config=config, start_from=file), Ranks())
    assert_equal_weights(trainer.recipe.network.state_dict(), other.recipe.network.state_dict())


def test_weights_to_begin_with_may_lack_gates(tmp_path):
    other = trainer_of(tmp_path, config_of("dsfu", "seed=5"))
    card = other.parts.outputs.card(other.progress, {})
    older = {name: value for name, value in card.network.items() if name != "gates"}  # of a release without them
    for number, options in enumerate((card.network, older)):
        file = tmp_path / f"{number}.safetensors"
        save_weights(file, other.recipe.network, replace(card, network=options))
        config = config_of("dsfu", "network.gates=1")
        trainer = trainer_of(tmp_path, config)
        _begin(trainer, Job(store="", run=tmp_path, config=config, start_from=file), Ranks())
        taken = trainer.recipe.network.state_dict()
        assert_equal_weights(
            {name: taken[name] for name in other.recipe.network.state_dict()}, other.recipe.network.state_dict()
        )
    save_weights(file, trainer.recipe.network, trainer.parts.outputs.card(trainer.progress, {}))
    config = config_of("dsfu")
    with pytest.raises(InputError, match="gates"):
        _begin(trainer_of(tmp_path, config), Job(store="", run=tmp_path, config=config, start_from=file), Ranks())


def test_weights_of_another_network_are_refused(tmp_path):
    other = trainer_of(tmp_path, config_of("dsfu", "network.channels=[8,16]"))
    file = tmp_path / "some.safetensors"
    save_weights(file, other.recipe.network, other.parts.outputs.card(other.progress, {}))
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


def files_in(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_refused_changes_nothing(tmp_path):
    small = ("data.pixels=16", "data.workers=0", "watching.validation_samples=2")

    def session(*settings: str) -> Outcome:
        config = config_of("dsfu", *small, *settings)
        with StopRequests() as requests:
            return train(Job(store=store, run=tmp_path / "run", config=config), requests)

    store = library_store(tmp_path / "store")
    assert session("limits.steps=1") is Outcome.DONE
    before = files_in(tmp_path / "run")
    assert tmp_path / "run" / "config.yaml" in before
    with pytest.raises(InputError, match="of another network"):
        session("limits.steps=2", "network.channels=[8,16]")
    with pytest.raises(InputError, match="drawn with seed 1"):
        session("limits.steps=2", "seed=5")
    assert files_in(tmp_path / "run") == before


def test_another_data_set_is_told(tmp_path):
    first = trainer_of(tmp_path, config_of("dsfu", "limits.steps=1"))
    run(first)
    second = trainer_of(tmp_path, config_of("dsfu", "limits.steps=1"))
    _continue(second, {**load_checkpoint(first.checkpoints.last), "data": {"manifest_sha256": "of another"}})
    assert isinstance(second.parts.reporter, Notes)
    assert "another data set than before" in second.parts.reporter.said[0]
