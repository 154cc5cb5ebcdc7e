from dataclasses import fields

import pytest

from dsfu.errors import InputError
from dsfu.model.problems.disorder.training.data_config import AS_MEASURED, AugmentConfig, DataConfig, SynthesisConfig


@pytest.mark.parametrize(
    ("make", "where"),
    [
        (lambda: DataConfig(pixels=1), "data.pixels"),
        (lambda: DataConfig(workers=-1), "data.workers"),
        (lambda: DataConfig(buffer_planes=2.5), "data.buffer_planes"),  # type: ignore[arg-type]
        (lambda: DataConfig(workers=True), "data.workers"),
        (lambda: DataConfig(masks="none"), "data.masks"),  # type: ignore[arg-type]
        (lambda: AugmentConfig(blur=1.5), "data.augment.blur"),
        (lambda: AugmentConfig(flat_level=(0.2, 0.1)), "data.augment.flat_level"),
        (lambda: AugmentConfig(flat_level=(0.1,)), "data.augment.flat_level"),  # type: ignore[arg-type]
        (lambda: AugmentConfig(poisson_counts=(0.0, 10.0)), "data.augment.poisson_counts"),
        (lambda: AugmentConfig(gaussian=float("nan")), "data.augment.gaussian"),
        (lambda: SynthesisConfig(no_order=-0.1), "data.synthesis.no_order"),
        (lambda: SynthesisConfig(most_layers="6"), "data.synthesis.most_layers"),  # type: ignore[arg-type]
    ],
)
def test_what_makes_no_sense_is_refused_by_name(make, where: str):
    with pytest.raises(InputError) as refused:
        make()
    assert refused.value.where == where
    assert refused.value.expected


def test_a_near_miss_is_named():
    with pytest.raises(InputError, match="source=synthesis"):
        DataConfig(source="sinthesis")  # type: ignore[arg-type]


def test_ranges_may_be_lists_as_yaml_has_them():
    given = AugmentConfig(blur_sigma=[0, 1])  # type: ignore[arg-type]
    assert given == AugmentConfig(blur_sigma=(0.0, 1.0))
    assert hash(given) == hash(AugmentConfig(blur_sigma=(0.0, 1.0)))


def test_for_evaluation_nothing_is_random():
    config = DataConfig(source="synthesis", pixels=128, augment=AS_MEASURED).for_evaluation()
    assert (config.source, config.shuffle, config.masks, config.pixels) == ("store", False, "stored", 128)
    shares = [each.name for each in fields(AugmentConfig) if not isinstance(each.default, tuple)]
    assert {name for name in shares if getattr(config.augment, name)} == {"dead_zones"}
    assert all(getattr(AS_MEASURED, name) for name in shares)
