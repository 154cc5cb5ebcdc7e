import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dsfu.errors import InputError
from dsfu.model.problem import learner_of
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
        ("optimizer.learning_rate=1", r"command line: optimizer: unknown key(.|\n)*did you mean optimiser"),
        ("optimiser.learning_rates=1", r"optimiser\.learning_rates: unknown key(.|\n)*did you mean learning_rate"),
        ("data.augment.poison=1", r"data\.augment\.poison: unknown key(.|\n)*did you mean poisson"),
        ("epochs=3", r"epochs: unknown key(.|\n)*epochs belongs in limits"),
        ("recipe=pix2pax", r'recipe = "pix2pax"(.|\n)*did you mean pix2pix'),
        ("batch_size=0", r"batch_size = 0(.|\n)*a whole number from 1"),
        ("batch_size=2.5", r"batch_size = 2\.5(.|\n)*a whole number from 1"),
        ("batch_size=true", r"batch_size = true"),
        ("optimiser.learning_rate=fast", r'optimiser\.learning_rate = "fast"(.|\n)*a number from 0 to 1'),
        ("optimiser.ema_decay=1.5", r"optimiser\.ema_decay = 1\.5(.|\n)*0 to 1"),
        ("optimiser.learning_rate=.nan", r"optimiser\.learning_rate: '\.nan' is no value(.|\n)*finite"),
        ("compile=1", r"compile = 1(.|\n)*true or false"),
        ("precision=bf32", r'precision = "bf32"(.|\n)*fp32'),
        ("limits=3", r"limits = 3(.|\n)*a section with keys such as epochs"),
        ("network=3", r"network = 3(.|\n)*a section"),
        ("limits.epochs", r"'limits\.epochs' sets nothing"),
        ("data.pixels=[", r"data\.pixels: '\[' is no value"),
        ("data.augment.flat_level=[0.2, 0.1]", r"flat_level: the lower end 0\.2 is above(.|\n)*write \[0\.1, 0\.2\]"),
        ("data.augment.flat_level=[0.1]", r"flat_level = \[0\.1\](.|\n)*\[low, high\], each a number from 0"),
        ("channels_last=yes", r'channels_last = "yes"(.|\n)*write true'),
        ("seed=017", r"seed: '017' is no value(.|\n)*no zeros in front"),
    ],
)
def test_mistakes_are_told(override, told):
    with pytest.raises(InputError, match=told):
        load_config(None, None, [override])


def test_all_mistakes_of_a_file_are_told_with_their_lines(tmp_path):
    file = tmp_path / "some.yaml"
    file.write_text("optimiser:\n  beta_1: 2\nchannels_last: yes\nseed: 017\nbatch_size: 8\nlimits: {epoch: 3}\n")
    with pytest.raises(InputError) as caught:
        load_config(None, file, ["batch_size=none"])
    told = str(caught.value)
    assert "5 mistakes" in told
    for line, what in (
        (2, "optimiser.beta_1 = 2"),
        (3, 'channels_last = "yes"'),
        (4, "seed = 017"),
        (6, "limits.epoch"),
    ):
        assert f"{file}, line {line}: {what}" in told
    assert 'command line: batch_size = "none"' in told
    assert "  3 | channels_last: yes\n    |                ^^^" in told


def test_settings_of_several_sources_are_checked_together(tmp_path):
    """What one of them says alone would be refused."""
    file = tmp_path / "some.yaml"
    file.write_text("data: {r_max: 6}\n")
    particles = learner_of("particles")
    with pytest.raises(InputError, match=r"line 1: data\.r_max: r from 2 to 6 Å"):
        load_config(None, file, learner=particles)
    assert load_config(None, file, ["data.r_min=0.5"], learner=particles).data.r_max == 6


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
    assert changed.data.augment == AS_MEASURED.model_copy(update={"poisson": 1.0})
    assert changed.data.pixels == 64
    assert load_config(file=file, overrides=["data.augment=dead_zones"]).data.augment == AugmentConfig()
    with pytest.raises(InputError, match=r'data\.augment = "as_mesured"(.|\n)*did you mean as_measured'):
        load_config(overrides=["data.augment=as_mesured"])
