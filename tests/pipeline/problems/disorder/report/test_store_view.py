from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dsfu.errors import InputError
from dsfu.pipeline.problems.disorder.report.store_view import StoreView
from dsfu.pipeline.store.files import open_files
from dsfu.simulate.disorder.encoding import decode_plane
from dsfu.simulate.disorder.planes import layer
from dsfu.simulate.lattice import Cell
from tests.pipeline.fake_store import PIXELS, FakeStore, fake_store

pytest_plugins = ["tests.s3_server"]


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> FakeStore:
    store = fake_store(tmp_path_factory.mktemp("view") / "store")
    store.close(store.spec(threshold=0.03))
    return store


@pytest.fixture(scope="module")
def view(fake: FakeStore) -> StoreView:
    return StoreView(fake.files.url)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_samples_are_what_xarray_reads(fake: FakeStore, view: StoreView, split: str):
    dataset = fake.open(split).load()
    names = fake.open("species").load()["name"].values
    bits = fake.open("masks").load()["bits"].values
    kinds = fake.open("sro_sets").load()["kind"].values
    assert len(view.splits[split]) == dataset.sizes["sample"]
    for index in range(dataset.sizes["sample"]):
        told, sample = dataset.isel(sample=index), view.splits[split].sample(index)
        np.testing.assert_array_equal(
            sample.form_factor, decode_plane(told.form_factor.values, told.form_factor_scale.values)
        )
        np.testing.assert_array_equal(sample.sro, decode_plane(told.sro.values, told.sro_scale.values))
        np.testing.assert_array_equal(sample.live, np.unpackbits(bits[int(told.mask)], axis=-1, count=PIXELS))
        assert (sample.species_a, sample.species_b) == (names[int(told.species_a)], names[int(told.species_b)])
        assert sample.set_kind == kinds[int(told.sro_set)]
        assert (sample.fraction_a, sample.q_max) == (float(told.fraction_a), float(told.q_max))
        assert (sample.axis, sample.offset) == (int(told.plane_axis), float(told.plane_offset))


def test_scattering_is_the_product(view: StoreView):
    sample = view.splits["train"].sample(2)
    np.testing.assert_array_equal(sample.scattering, sample.form_factor * sample.sro)


def test_names_of_indices_are_those_of_the_axes_of_planes(view: StoreView):
    """x runs along the first and y towards the second of the reciprocal vectors that a sample names."""
    seen = set()
    for index in range(len(view.splits["train"])):
        sample = view.splits["train"].sample(index)
        cell = cell_of(view, index)
        plane = layer(cell, "abc"[sample.axis], sample.offset, sample.q_max)  # type: ignore[arg-type]
        along = cell.hkl_of_q(np.stack([plane.axis_x, plane.axis_y]))
        numbers = ["hkl".index(name) for name in (sample.along_x, sample.along_y, sample.constant)]
        assert np.argmax(np.abs(along), axis=1).tolist() == numbers[:2]
        np.testing.assert_allclose(plane.hkl(cell)[..., numbers[2]], sample.offset, atol=1e-9)
        seen.add(sample.axis)
    assert seen == {0, 1, 2}


def cell_of(view: StoreView, index: int) -> Cell:
    return Cell(*view.splits["train"].column("cell")[index].tolist())


def test_coverage_is_that_of_the_masks(view: StoreView):
    split = view.splits["train"]
    np.testing.assert_allclose(split.coverage(), [split.live(i).mean() for i in range(len(split))], atol=1e-6)


def test_pairs_are_named_in_order(fake: FakeStore, view: StoreView):
    spec = fake.spec()
    expected = [(pair.species_a, pair.species_b) for pair in spec.splits[0].pairs]
    assert view.splits["train"].species_pairs() == expected


def test_planes_that_are_not_stored_are_computed(view: StoreView, tmp_path: Path):
    bare = fake_store(tmp_path, materialise=False)
    bare.close(bare.spec())
    computed = StoreView(tmp_path)
    assert not computed.materialised
    for index in (0, 5, 17):
        one, other = computed.splits["train"].sample(index), view.splits["train"].sample(index)
        for name in ("form_factor", "sro"):
            wanted = getattr(other, name)
            np.testing.assert_allclose(getattr(one, name), wanted, atol=1e-4 * wanted.max())
        np.testing.assert_array_equal(one.live, other.live)


def test_stores_of_one_split_and_without_masks(tmp_path: Path):
    store = fake_store(tmp_path)
    spec = store.spec(validation=())
    store.close(replace(spec, masks=()))
    view = StoreView(tmp_path)
    assert list(view.splits) == ["train"]
    assert view.splits["train"].sample(3).live.all()
    np.testing.assert_array_equal(view.splits["train"].coverage(), 1.0)


def test_stores_in_object_storage(s3_url: str):
    store = FakeStore(open_files(s3_url))
    store.close(store.spec())
    view = StoreView(s3_url)
    assert view.url == s3_url
    assert view.splits["validation"].sample(1).live.shape == (PIXELS, PIXELS)


def test_no_store(tmp_path: Path):
    with pytest.raises(InputError, match="there is no store") as error:
        StoreView(tmp_path / "nowhere")
    assert str(tmp_path / "nowhere") in str(error.value)
    assert "dsfu-pipeline run" in error.value.remedy
    assert not (tmp_path / "nowhere").exists()


def test_a_folder_that_holds_something_else(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("not a store")
    with pytest.raises(InputError, match="there is no store"):
        StoreView(tmp_path)


def test_a_file_is_no_store(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="it is a file"):
        StoreView(tmp_path / "file")


def test_a_store_that_is_not_closed(tmp_path: Path):
    store = fake_store(tmp_path)
    store.spec()
    with pytest.raises(InputError, match="not closed") as error:
        StoreView(tmp_path)
    assert "start it again" in error.value.remedy
