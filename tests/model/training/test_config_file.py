from dataclasses import replace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dsfu.errors import InputError
from dsfu.model.problems.disorder.training.data_config import AS_MEASURED, AugmentConfig
from dsfu.model.training.config_file import config_of, differences, load_config, save_config, values_of


def test_what_comes_later_counts_more(tmp_path):
    file = tmp_path / "some.yaml"
    file.write_text("recipe: pix2pix\nbatch_size: 8\noptimiser:\n  learning_rate: 1e-3\n  beta_1: 0.7\n")
    config = load_config(None, file, ["optimiser.learning_rate=3e-4", "data.augment.poisson_counts=[10, 20]"])
    assert config.recipe == "pix2pix"
    assert config.batch_size == 8
    assert config.optimiser.learning_rate == 3e-4
    assert config.optimiser.beta_1 == 0.7
    assert config.optimiser.beta_2 == 0.999  # the recipe's
    assert config.data.augment.poisson_counts == (10.0, 20.0)
    assert load_config("dsfu", file).recipe == "dsfu"


def test_the_published_settings():
    config = load_config("pix2pix")
    optimiser = config.optimiser
    assert (optimiser.learning_rate, optimiser.beta_1, optimiser.beta_2) == (2e-4, 0.5, 0.999)
    assert (optimiser.weight_decay, optimiser.schedule, optimiser.clip_norm) == (0, "constant", 0)
    assert (config.batch_size, config.sections["pix2pix"].l1) == (64, 100)


def test_a_limit_replaces_that_of_the_recipe():
    assert load_config("dsfu").limits.epochs > 0
    given_minutes = load_config("dsfu", None, ["limits.minutes=30"]).limits
    assert (given_minutes.minutes, given_minutes.epochs) == (30, 0)
    assert load_config("dsfu", None, ["limits.session_minutes=30"]).limits.epochs > 0


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("optimizer.learning_rate=1", r"optimizer: there is no such setting(.|\n)*'optimiser'"),
        ("optimiser.learning_rates=1", r"optimiser\.learning_rates: there is no(.|\n)*'learning_rate'"),
        ("data.augment.poison=1", r"data\.augment\.poison: there is no(.|\n)*'poisson'"),
        ("recipe=pix2pax", r"recipe: it is 'pix2pax'(.|\n)*pix2pix"),
        ("batch_size=0", r"batch_size: it is 0(.|\n)*1 or more"),
        ("batch_size=2.5", r"batch_size: it is 2\.5"),
        ("batch_size=true", r"batch_size: it is True"),
        ("optimiser.learning_rate=fast", r"optimiser\.learning_rate: it is 'fast'(.|\n)*a number"),
        ("optimiser.ema_decay=1.5", r"optimiser\.ema_decay: it is 1\.5(.|\n)*0 to 1"),
        ("optimiser.learning_rate=.nan", r"optimiser\.learning_rate: '\.nan' is no value(.|\n)*finite"),
        ("compile=1", r"compile: it is 1(.|\n)*false or true"),
        ("precision=bf32", r"precision: it is 'bf32'(.|\n)*fp32"),
        ("limits=3", r"limits: it is 3(.|\n)*section"),
        ("network=3", r"network: it is 3(.|\n)*section"),
        ("limits.epochs", r"'limits\.epochs' sets nothing"),
        ("data.pixels=[", r"data\.pixels: '\[' is no value"),
        ("channels_last=yes", r"channels_last: it is 'yes'"),
        ("seed=017", r"seed: '017' is no value(.|\n)*no zeros in front"),
    ],
)
def test_mistakes_are_told(override, told):
    with pytest.raises(InputError, match=told):
        load_config(None, None, [override])


@pytest.mark.parametrize(("text", "told"), [("a: [", "not valid YAML"), ("- 3", "holds a list"), ("\xff", "not UTF-8")])
def test_files_that_are_none(tmp_path, text, told):
    file = tmp_path / "some.yaml"
    file.write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match=told):
        load_config(None, file)
    with pytest.raises(InputError, match="cannot be read"):
        load_config(None, tmp_path / "nothing.yaml")


@given(
    st.floats(0, 1), st.integers(1, 1000), st.sampled_from(["dsfu", "pix2pix"]), st.lists(st.integers(1, 9), min_size=1)
)
def test_saved_and_read_again_it_is_the_same(tmp_path_factory, rate, batch_size, recipe, channels):
    values = {
        "recipe": recipe,
        "batch_size": batch_size,
        "optimiser": {"learning_rate": rate},
        "network": {"channels": tuple(channels)},
    }
    config = config_of(values)
    path = tmp_path_factory.mktemp("config") / "config.yaml"
    save_config(config, path)
    assert load_config(None, path) == config_of(yaml.safe_load(path.read_text()))
    assert values_of(load_config(None, path)) == values_of(config)


def test_differences_are_named():
    one = values_of(load_config())
    other = values_of(load_config("dsfu", None, ["limits.epochs=3", "network.channels=[4]"]))
    assert differences(one, one) == []
    assert sorted(differences(one, other)) == ["limits.epochs", "network.channels"]


def test_named_augmentations(tmp_path):
    file = tmp_path / "some.yaml"
    file.write_text("data: {augment: as_measured, pixels: 64}\n")
    assert load_config(file=file).data.augment == AS_MEASURED
    changed = load_config(file=file, overrides=["data.augment.poisson=1"])
    assert changed.data.augment == replace(AS_MEASURED, poisson=1)
    assert changed.data.pixels == 64
    assert load_config(file=file, overrides=["data.augment=dead_zones"]).data.augment == AugmentConfig()
    with pytest.raises(InputError, match=r"data\.augment: it is 'as_mesured'(.|\n)*did you mean 'as_measured'"):
        load_config(overrides=["data.augment=as_mesured"])
