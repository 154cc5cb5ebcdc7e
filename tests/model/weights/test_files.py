import json
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from dsfu.errors import InputError
from dsfu.model.networks.build import build
from dsfu.model.weights import files
from dsfu.model.weights.card import Card
from dsfu.model.weights.files import load_weights, save_weights, shipped, weights_file

OPTIONS = {"channels": [4, 8], "blocks": [1, 1], "corrections": 1}


def network_and_card() -> tuple[nn.Module, Card]:
    torch.manual_seed(1)
    network = build("dsfu", OPTIONS)
    return network, Card(recipe="dsfu", network=OPTIONS, more={"pixels": 32}, metrics={"score": 0.25}, steps=7)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "weights.safetensors"
    save_weights(path, *network_and_card())
    return path


def test_comes_back(written):
    network, card = network_and_card()
    again, its_card = load_weights(written)
    assert its_card == card
    assert not again.training
    ours, its = network.state_dict(), again.state_dict()
    assert ours.keys() == its.keys()
    assert all(torch.equal(value, its[name]) for name, value in ours.items())


def test_half_is_half_and_close(written, tmp_path):
    network, card = network_and_card()
    path = tmp_path / "half.safetensors"
    save_weights(path, network, card, "float16")
    again, its_card = load_weights(path)
    assert its_card.dtype == "float16"
    for name, value in again.state_dict().items():
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, network.state_dict()[name], rtol=1e-3, atol=1e-6)
    # Half as large but for the header, which counts for something in so small a network.
    assert sum(each.nbytes for each in load_file(path).values()) * 2 == sum(
        each.nbytes for each in load_file(written).values()
    )


def test_the_card_is_beside_it_too(written):
    assert json.loads(written.with_suffix(".json").read_text())["metrics"] == {"score": 0.25}


def test_any_truncation_is_told(written, tmp_path):
    whole = written.read_bytes()
    for length in (0, 4, 8, 100, len(whole) // 2, len(whole) - 1):
        cut = tmp_path / "cut.safetensors"
        cut.write_bytes(whole[:length])
        with pytest.raises(InputError, match="damaged"):
            load_weights(cut)


class Evil:
    ran = False

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return setattr, (Evil, "ran", True)


def test_a_pickle_is_refused_and_does_not_run(tmp_path):
    path = tmp_path / "evil.safetensors"
    for write in (lambda: path.write_bytes(pickle.dumps(Evil())), lambda: torch.save(Evil(), path)):
        write()
        with pytest.raises(InputError, match="no safetensors"):
            load_weights(path)
    assert not Evil.ran


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        load_weights(tmp_path / "nothing.safetensors")
    with pytest.raises(InputError, match="no such file"):
        load_weights(tmp_path)


def test_files_of_others(tmp_path):
    path = tmp_path / "other.safetensors"
    save_file({"a": torch.zeros(3)}, path)
    with pytest.raises(InputError, match="no card"):
        load_weights(path)


@pytest.mark.parametrize(
    ("card", "told"),
    [
        ("{", "no JSON"),
        ("[]", "does not say"),
        ('{"recipe": "dsfu"}', "does not say"),
        ('{"recipe": "dsfu", "network": 3}', "options"),
        ('{"recipe": "dsfo", "network": {}}', "did you mean dsfu"),
        ('{"recipe": "dsfu", "network": {"chanels": [4]}}', "channels"),
        ('{"problem": "dissorder", "recipe": "dsfu", "network": {}}', "did you mean disorder"),
    ],
)
def test_cards_that_make_no_sense(written, tmp_path, card, told):
    path = tmp_path / "odd.safetensors"
    save_file(load_file(written), path, metadata={"dsfu card": card})
    with pytest.raises(InputError, match=told):
        load_weights(path)


def test_weights_of_another_network(written, tmp_path):
    path = tmp_path / "wrong.safetensors"
    other = Card(recipe="dsfu", network={**OPTIONS, "channels": [4, 12]})
    save_file(load_file(written), path, metadata={"dsfu card": other.to_json()})
    with pytest.raises(InputError, match=r"coarser\.0\.bias has the shape \[8\]"):
        load_weights(path)


def test_weights_that_are_not_finite(tmp_path):
    network, card = network_and_card()
    network.state_dict()["head.weight"].fill_(1e6)
    with pytest.raises(InputError, match=r"head\.weight are not finite in float16"):
        save_weights(tmp_path / "weights.safetensors", network, card, "float16")
    assert not list(tmp_path.iterdir())


def test_the_best_of_a_run_is_taken(tmp_path):
    with pytest.raises(InputError, match="no weights in this folder"):
        weights_file(tmp_path)
    for name in ("weights.safetensors", "best.safetensors"):
        (tmp_path / name).touch()
        assert weights_file(tmp_path).name == name
    assert weights_file(tmp_path / "other.safetensors") == tmp_path / "other.safetensors"


def test_shipped_weights_load_or_their_absence_is_told(monkeypatch):
    if Path(files.__file__).with_name(files.SHIPPED).exists():
        assert load_weights(shipped())[1].recipe == "dsfu"
    monkeypatch.setattr(files, "SHIPPED", "nothing.safetensors")
    with pytest.raises(InputError, match="dsfu-model train"):
        shipped()
