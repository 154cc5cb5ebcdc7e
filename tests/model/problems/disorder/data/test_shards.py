import multiprocessing
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dsfu.model.problems.disorder.data.normalise import Scale, normalise
from dsfu.model.problems.disorder.data.plane_reader import PlaneReader
from dsfu.model.problems.disorder.data.shards import COORDINATES, Split, Store, open_store
from dsfu.pipeline.problems.disorder.recompute import Recomputer
from dsfu.simulate.disorder.encoding import decode_plane
from tests.pipeline.fake_store import PIXELS, FakeStore, fake_store

PLANES = 6


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> FakeStore:
    store = fake_store(tmp_path_factory.mktemp("reader") / "store")
    store.close(store.spec(threshold=0.02))
    return store


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The same store, with parameters only."""
    store = fake_store(tmp_path_factory.mktemp("reader") / "bare", materialise=False)
    store.close(store.spec(threshold=0.02))
    return open_store(store.files.url, planes_from=Recomputer(store.files.url))


@pytest.fixture
def train(fake: FakeStore) -> Split:
    return open_store(fake.files.url).split("train")


def test_a_store_tells_what_it_is(fake: FakeStore):
    store = open_store(Path(fake.files.url))
    assert store.splits == ("train", "validation")
    assert store.attributes["manifest"] == "seed: 3\n"
    assert (len(store.split("train")), len(store.split("validation"))) == (18, 4)
    assert repr(store.split("train")).startswith("Split('train'")


def test_coordinates_are_those_that_xarray_reads(fake: FakeStore, train: Split):
    dataset = fake.open().load()
    assert set(train.coordinates) == set(COORDINATES)
    for name in COORDINATES:
        np.testing.assert_array_equal(train.coordinates[name], dataset[name])
        assert train.coordinates[name] is train.coordinates[name]
    np.testing.assert_array_equal(train.kept_indices, np.flatnonzero(dataset.kept))
    assert 0 < len(train.kept_indices) < len(train)
    with pytest.raises(KeyError, match="form_factor_scale"):
        train.coordinates["colour"]


def test_planes_are_physical(fake: FakeStore, train: Split):
    dataset = fake.open().load()
    form_factor = decode_plane(dataset.form_factor.values, dataset.form_factor_scale.values)
    sro = decode_plane(dataset.sro.values, dataset.sro_scale.values)
    for index in range(len(train)):
        planes = train.planes(index)
        np.testing.assert_array_equal(planes.form_factor, form_factor[index])
        np.testing.assert_array_equal(planes.sro, sro[index])
        np.testing.assert_array_equal(planes.intensity, form_factor[index] * sro[index])
        assert planes.form_factor.max() == pytest.approx(dataset.form_factor_scale[index])


@pytest.mark.parametrize("scale", ["sqrt", "linear"])
def test_samples_are_normalised_as_the_physics_says(train: Split, scale: Scale):
    for index in range(len(train)):
        sample, planes = train.sample(index, scale), train.planes(index)
        assert sample.mask.dtype == np.bool_
        assert 0.5 < sample.mask.mean() < 0.9
        expected = {
            "scattering": normalise(planes.intensity, scale, sample.mask),
            "form_factor": normalise(planes.form_factor, scale),
            "sro": normalise(planes.sro, scale),
        }
        for name, plane in expected.items():
            found = getattr(sample, name)
            assert found.dtype == np.float32
            assert found.shape == (PIXELS, PIXELS)
            np.testing.assert_allclose(found, plane, atol=1e-6)
        assert (sample.scattering[~sample.mask] == -1).all()
        for plane in (sample.form_factor, sample.sro):
            assert (plane.min(), plane.max()) == (-1, 1)


def test_masks_are_those_of_the_store(fake: FakeStore, train: Split):
    live = np.unpackbits(fake.open("masks").bits.values, axis=-1).astype(bool)
    for index in range(len(train)):
        np.testing.assert_array_equal(train.sample(index).mask, live[train.coordinates["mask"][index]])


def test_a_shard_is_all_planes_of_a_pair(train: Split):
    for pair in range(train.pairs):
        shard = train.shard(pair)
        samples = train.samples_of_shard(pair, "linear")
        assert shard.form_factor.dtype == np.uint16
        for number in range(PLANES):
            index = pair * PLANES + number
            planes, sample = train.planes(index), train.sample(index, "linear")
            np.testing.assert_array_equal(shard.physical().form_factor[number], planes.form_factor)
            np.testing.assert_array_equal(shard.physical().sro[number], planes.sro)
            for name in ("scattering", "form_factor", "sro", "mask"):
                np.testing.assert_array_equal(getattr(samples, name)[number], getattr(sample, name))


def test_indices_count_from_the_end_too_and_end_there(train: Split):
    np.testing.assert_array_equal(train.sample(-1).sro, train.sample(17).sro)
    np.testing.assert_array_equal(train.shard(-3).sro, train.shard(0).sro)
    for index in (18, -19):
        with pytest.raises(IndexError, match="18"):
            train.sample(index)
        with pytest.raises(IndexError, match="18"):
            train.planes(index)
    with pytest.raises(IndexError, match="3"):
        train.shard(3)


def test_without_masks_every_pixel_is_live(tmp_path: Path):
    store = fake_store(tmp_path)
    store.close(replace(store.spec(), masks=()))
    sample = open_store(tmp_path).split("train").sample(0)
    assert sample.mask.all()
    assert sample.scattering.max() == 1


def test_a_store_of_parameters_offers_the_same_samples(train: Split, bare: Store):
    computed = bare.split("train")
    assert not computed.materialised
    for index in range(0, len(train), 5):
        for name in ("scattering", "form_factor", "sro", "mask"):
            np.testing.assert_array_equal(getattr(computed.sample(index), name), getattr(train.sample(index), name))
        np.testing.assert_array_equal(computed.planes(index).intensity, train.planes(index).intensity)
    np.testing.assert_array_equal(computed.shard(1).form_factor, train.shard(1).form_factor)
    np.testing.assert_array_equal(computed.shard(1).sro_scale, train.shard(1).sro_scale)


def test_a_store_of_parameters_says_what_it_needs(bare: Store):
    with pytest.raises(ValueError, match="planes_from"):
        open_store(bare.url).split("train").sample(0)


def test_what_is_not_there_is_said(tmp_path: Path, fake: FakeStore):
    with pytest.raises(FileNotFoundError, match="no closed store"):
        open_store(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="train, validation"):
        open_store(fake.files.url).split("test")


@pytest.mark.parametrize("remote", [False, True])
def test_a_missing_object_is_no_zeros(tmp_path: Path, remote: bool, monkeypatch: pytest.MonkeyPatch):
    store = fake_store(tmp_path)
    store.close(store.spec())
    (tmp_path / "train/sro/c/1/0/0").unlink()
    monkeypatch.setattr(PlaneReader, "_is_of_known_make", lambda _: not remote)
    split = open_store(tmp_path).split("train")
    split.sample(5)
    for read in (lambda: split.sample(6), lambda: split.planes(6), lambda: split.shard(1)):
        with pytest.raises(FileNotFoundError, match="missing"):
            read()


def test_an_interrupted_closing_is_no_store(tmp_path: Path):
    store = fake_store(tmp_path)
    store.spec()
    with pytest.raises(FileNotFoundError, match="interrupted"):
        open_store(tmp_path)


def test_splits_travel_between_processes(train: Split, bare: Store):
    for split in (train, bare.split("validation")):
        split.sample(0)
        again = pickle.loads(pickle.dumps(split))
        np.testing.assert_array_equal(again.sample(1).scattering, split.sample(1).scattering)
    assert len(pickle.dumps(train)) < 1000


def _mean_in_child(split: Split, index: int) -> float:
    return float(split.sample(index).scattering.mean())


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_of_a_loader_read_on_their_own(train: Split, method: str):
    expected = _mean_in_child(train, 3)
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.apply_async(_mean_in_child, (train, 3)).get(timeout=60) == expected


def test_reading_needs_neither_the_pipeline_nor_dask_nor_numba(fake: FakeStore):
    program = f"""
import sys
from dsfu.model.problems.disorder.data.plane_reader import PlaneReader
from dsfu.model.problems.disorder.data.shards import open_store
open_store({fake.files.url!r}).split("train").sample(0)
loaded = {{name.split(".")[0] for name in sys.modules}} & {{"dask", "numba", "torch", "xarray", "ase", "scipy"}}
loaded |= {{name for name in sys.modules if name.startswith(("dsfu.pipeline", "dsfu.cluster"))}}
sys.exit(f"loaded {{sorted(loaded)}}" if loaded else 0)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
