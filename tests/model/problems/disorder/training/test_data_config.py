import pytest
from pydantic import ValidationError

from dsfu.errors import InputError
from dsfu.model.problems.disorder.training.data_config import AS_MEASURED, AugmentConfig, DataConfig, SynthesisConfig
from dsfu.model.training.config_file import config_of, load_config


@pytest.mark.parametrize(
    ("make", "where"),
    [
        (lambda: DataConfig(pixels=1), "pixels"),
        (lambda: DataConfig(workers=-1), "workers"),
        (lambda: DataConfig(buffer_planes=2.5), "buffer_planes"),  # type: ignore[arg-type]
        (lambda: DataConfig(workers=True), "workers"),
        (lambda: DataConfig(masks="none"), "masks"),  # type: ignore[arg-type]
        (lambda: AugmentConfig(blur=1.5), "blur"),
        (lambda: AugmentConfig(flat_level=(0.2, 0.1)), "flat_level"),
        (lambda: AugmentConfig(flat_level=(0.1,)), "flat_level"),  # type: ignore[arg-type]
        (lambda: AugmentConfig(poisson_counts=(0.0, 10.0)), "poisson_counts"),
        (lambda: AugmentConfig(gaussian=float("nan")), "gaussian"),
        (lambda: SynthesisConfig(no_order=-0.1), "no_order"),
        (lambda: SynthesisConfig(most_layers="6"), "most_layers"),  # type: ignore[arg-type]
    ],
)
def test_what_makes_no_sense_is_refused_by_name(make, where: str):
    with pytest.raises(ValidationError, match=where):
        make()


def test_a_near_miss_is_named():
    with pytest.raises(InputError, match="did you mean synthesis"):
        load_config(overrides=["data.source=sinthesis"])


def test_ranges_may_be_lists_as_yaml_has_them():
    given = config_of({"data": {"augment": {"blur_sigma": [0, 1]}}}).data.augment
    assert given == AugmentConfig(blur_sigma=(0.0, 1.0))
    assert hash(given) == hash(AugmentConfig(blur_sigma=(0.0, 1.0)))


def test_for_evaluation_nothing_is_random():
    config = DataConfig(source="synthesis", pixels=128, augment=AS_MEASURED).for_evaluation()
    assert (config.source, config.shuffle, config.masks, config.pixels) == ("store", False, "stored", 128)
    shares = [name for name, each in AugmentConfig.model_fields.items() if not isinstance(each.default, tuple)]
    assert {name for name in shares if getattr(config.augment, name)} == {"dead_zones"}
    assert all(getattr(AS_MEASURED, name) for name in shares)
