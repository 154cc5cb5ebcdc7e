"""A store at the front door, and ``ds.dsfu``, against the reader that trainings use."""

from pathlib import Path

import numpy as np
import pytest

import dsfu
from dsfu.errors import InputError
from tests.model.front_door.test_front_door import shows_itself
from tests.model.problems.disorder.evaluation.stores import small_store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory):
    return dsfu.open_store(small_store(tmp_path_factory.mktemp("door") / "store", materialise=True))


def test_it_says_what_is_in_it(store, tmp_path: Path) -> None:
    shows_itself(store, "disorder", "train")
    assert store.save(tmp_path / "copy").joinpath("zarr.json").is_file()


def test_intensities_are_those_of_the_reader(store) -> None:
    dataset, split = store.to_xarray("train"), store.split("train")
    for sample in (0, len(split) - 1):
        expected = split.planes(sample)
        np.testing.assert_array_equal(dataset.dsfu.form_factor(sample).values, expected.form_factor)
        np.testing.assert_array_equal(dataset.dsfu.intensity(sample).values, expected.intensity)
        live = split.sample(sample).mask
        np.testing.assert_array_equal(dataset.dsfu.live(sample).values, live)
        np.testing.assert_array_equal(np.isnan(dataset.dsfu.intensity(sample, masked=True).values), ~live)


def test_axes_are_scattering_vectors_and_indices(store) -> None:
    dataset = store.to_xarray("train")
    one = dataset.isel(sample=1)
    plane = dataset.dsfu.intensity(1)
    assert plane.qx.attrs["units"] == "1/Å"
    assert float(plane.qx.min()) == pytest.approx(-float(one.q_max))
    middle = dataset.dsfu.hkl(1)[one.sizes["y"] // 2, one.sizes["x"] // 2]
    axis, offset = int(one.plane_axis), float(one.plane_offset)
    assert float(middle[axis]) == pytest.approx(offset, abs=1e-6)
    others = [i for i in range(3) if i != axis]
    assert np.abs(dataset.dsfu.hkl(1).values[..., others]).max() > 1


def test_selection_by_name_and_range(store) -> None:
    dataset = store.to_xarray("train")
    kept = dataset.dsfu.select()
    assert kept.sizes["sample"] == int(dataset.kept.sum())
    name = dataset.dsfu.species[int(dataset.species_a[0])]
    of_it = dataset.dsfu.select(species_a=name)
    assert 0 < of_it.sizes["sample"] <= kept.sizes["sample"]
    assert set(of_it.species_a.values) == {int(dataset.species_a[0])}
    middle = float(np.median(kept.fraction_a))
    assert dataset.dsfu.select(fraction_a=slice(middle, None)).fraction_a.min() >= middle


def test_mistakes_are_told(store) -> None:
    dataset = store.to_xarray("train")
    with pytest.raises(InputError, match="did you mean fraction_a"):
        dataset.dsfu.select(fraction_b=0.3)
    with pytest.raises(InputError, match="no species 'toluen'"):
        dataset.dsfu.select(species_a="toluen")
    with pytest.raises(InputError, match="sample 100000"):
        dataset.dsfu.intensity(100_000)
    with pytest.raises(InputError, match="split 'test'"):
        store.to_xarray("test")
    with pytest.raises(InputError, match="no closed store"):
        dsfu.open_store("/nowhere/at/all")
