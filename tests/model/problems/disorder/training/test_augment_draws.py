from dataclasses import fields

import numpy as np
import pytest

from dsfu.model.problems.disorder.training.augment_draws import Effects, EffectsOfBatch, draw_effects
from dsfu.model.problems.disorder.training.data_config import AS_MEASURED, AugmentConfig
from dsfu.model.training.draws import AUGMENTATION, Draws

NAMES = {
    "debye_waller": "debye_waller_u",
    "strain": "strain",
    "bragg": "bragg_strength",
    "blur": "blur_sigma",
    "flat": "flat_level",
    "radial": "radial_level",
    "poisson": "poisson_counts",
    "gaussian": "gaussian_sigma",
}
"""Each effect, and what is 0 for samples that do not have it."""


def drawn(config: AugmentConfig, count: int = 600, **given: int) -> EffectsOfBatch:
    every = [draw_effects(Draws(1, AUGMENTATION, number), config, 70, **given) for number in range(count)]
    return EffectsOfBatch.of(every)


def test_each_effect_comes_in_its_share_and_range():
    effects = drawn(AS_MEASURED)
    for name, parameter in NAMES.items():
        assert len(effects.where(parameter)) / 600 == pytest.approx(getattr(AS_MEASURED, name), abs=0.07)
    for name, each in AugmentConfig.model_fields.items():
        if isinstance(each.default, tuple) and name != "strain_size":
            low, high = getattr(AS_MEASURED, name)
            values = effects.columns[name]
            values = values[values != 0]
            assert low <= values.min() < values.max() <= high
            assert values.max() - values.min() > 0.8 * (high - low)
    strains = effects.of_samples("strain", effects.where("strain"))
    assert np.abs(strains).max() <= 0.02
    assert (strains > 0).mean() == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("name", NAMES)
def test_each_effect_is_on_and_off_on_its_own(name: str):
    only = drawn(AugmentConfig(**{name: 1.0, "dead_zones": 0.0}), 20)  # type: ignore[arg-type]
    for each, parameter in NAMES.items():
        assert len(only.where(parameter)) == (20 if each == name else 0)
    assert (only.whole("mask") == -1).all()


def test_switching_one_effect_leaves_the_others_as_they_were():
    one, other = drawn(AugmentConfig(flat=1.0, blur=1.0), 50), drawn(AugmentConfig(flat=1.0), 50)
    changed = {
        each.name for each in fields(Effects) if not np.array_equal(one.columns[each.name], other.columns[each.name])
    }
    assert changed == {"blur_sigma"}


def test_counts_are_drawn_by_their_logarithm():
    effects = drawn(AugmentConfig(poisson=1.0, poisson_counts=(10.0, 1000.0)))
    counts = effects.of_samples("poisson_counts", effects.where("poisson_counts"))
    assert float(np.median(counts)) == pytest.approx(100, rel=0.25)


def test_masks_are_drawn_from_all_and_turned_unless_they_are_given():
    every = drawn(AugmentConfig())
    assert set(every.whole("mask").tolist()) == set(range(70))
    assert set(every.whole("mask_turn").tolist()) == set(range(8))
    given = drawn(AugmentConfig(), 20, stored_mask=4)
    assert set(given.whole("mask").tolist()) == {4}
    assert set(given.whole("mask_turn").tolist()) == {0}


def test_a_store_without_masks_has_none():
    assert draw_effects(Draws(0, AUGMENTATION, 0), AugmentConfig(), 0).mask == -1
