from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import zarr

from dsfu.errors import InputError
from dsfu.model.problems.disorder.data.shards import Split
from dsfu.model.problems.disorder.data.store_parameters import Rules, StoreParameters
from dsfu.model.store import ClosedStore
from dsfu.simulate.species import load_library
from tests.model.training.stores import TRAIN, VALIDATION, library_store, train
from tests.pipeline.fake_store import MASKS, single_precision_alpha

ROOT = Path(__file__).parents[5]


@pytest.fixture(scope="module")
def parameters(tmp_path_factory: pytest.TempPathFactory) -> StoreParameters:
    return StoreParameters(train(library_store(tmp_path_factory.mktemp("parameters") / "store", materialise=False)))


def test_species_are_those_that_went_in(parameters: StoreParameters):
    library = load_library()
    assert [each.name for each in parameters.species] == [*TRAIN, *VALIDATION]
    for each in parameters.species:
        its = library[each.name]
        np.testing.assert_array_equal(each.positions, its.atoms.positions)
        np.testing.assert_array_equal(each.numbers, its.atoms.numbers)
        assert each.group == its.group
        assert each.cell.constants == pytest.approx(its.cell.constants)


def test_pairs_are_those_of_the_split(parameters: StoreParameters):
    assert parameters.pairs.tolist() == [[0, 1], [2, 3], [4, 5], [6, 7]]
    validation = StoreParameters(parameters.split.store.split("validation"))
    assert validation.pairs.tolist() == [[8, 9]]


def test_sets_are_those_that_samples_of_the_split_have(parameters: StoreParameters):
    sets, numbers = parameters.sets, parameters.split.coordinates["sro_set"]
    assert sets.number.tolist() == sorted(set(numbers.tolist()))
    places = sets.place(numbers)
    np.testing.assert_array_equal(sets.number[places], numbers)
    np.testing.assert_array_equal(sets.fraction_a[places], parameters.split.coordinates["fraction_a"])
    first = sets.alpha[places[np.flatnonzero(~sets.is_oscillator[places])]]
    bank = [single_precision_alpha(number) for number in range(5)]
    assert all(any(np.array_equal(alpha, one) for one in bank) for alpha in first)
    assert 0 < sets.is_oscillator.sum() < len(sets.number)


def test_masks_are_counted(parameters: StoreParameters):
    assert parameters.masks == MASKS


def rules_of(manifest: str) -> Rules:
    with TemporaryDirectory() as folder:
        zarr.open_group(folder, mode="w").attrs.update({"format_version": 1, "manifest": manifest})
        split = SimpleNamespace(store=ClosedStore(folder))
        return StoreParameters(cast(Split, cast(Any, split))).rules


def test_rules_are_those_of_the_manifest():
    assert rules_of((ROOT / "data_manifest.yaml").read_text()) == Rules()
    own = rules_of(
        "planes: {q_max: [5, 5.5], monte_carlo: {layers_per_axis: 2, displaced_below: -0.2}}\n"
        "sro: {oscillator: {amplitude: [0.7, 0.8], decay: [0, 1], frequency: [0.5, 1], most_clipped: 0.1}}\n"
    )
    assert own == Rules(
        q_max=(5.0, 5.5),
        layers=2,
        displaced_below=-0.2,
        amplitude=(0.7, 0.8),
        decay=(0.0, 1.0),
        frequency=(0.5, 1.0),
        most_clipped=0.1,
    )


@pytest.mark.parametrize("manifest", ["", "seed: 3\n", "sro: {oscillator: null}\nplanes: {pixels: 16}\n"])
def test_what_a_manifest_leaves_out_is_as_published(manifest: str):
    assert rules_of(manifest) == Rules()


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        ("a0: &a0 [x, x]\na1: &a1 [*a0, *a0]\nplanes: {q_max: *a1}\n", "an alias"),
        ("planes: {q_max: [1]}\n", "expected: a range"),
        ("planes: {q_max: 7}\n", "expected: a range"),
        ("planes: {monte_carlo: {displaced_below: [1, 2]}}\n", "expected: a number"),
        ("planes: !!python/object:os.system x\n", "the tag"),
    ],
)
def test_a_manifest_in_a_store_of_others_is_not_believed(manifest: str, told: str):
    with pytest.raises(InputError, match=told):
        rules_of(manifest)
