from pathlib import Path

import numpy as np
import pytest
import zarr

from dsfu.pipeline.problems.disorder.recompute import Recomputer, recompute
from dsfu.simulate.disorder.encoding import LEVELS, encode_plane
from tests.pipeline.fake_store import FakeStore, fake_store

HALF_A_STEP = 0.5 / LEVELS
ROUNDING = 0.01 / LEVELS
"""√I · 65535 is worked out in single precision, whose step is 1/256 there, before it becomes a whole number."""


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> FakeStore:
    store = fake_store(tmp_path_factory.mktemp("recompute") / "store")
    store.close(store.spec())
    return store


@pytest.mark.parametrize("split", ["train", "validation"])
def test_planes_are_as_stored_within_half_a_step_of_the_root(fake: FakeStore, split: str):
    dataset = fake.open(split).load()
    recomputer = Recomputer(fake.files.url)
    for index in range(dataset.sizes["sample"]):
        again = recomputer(split, index)
        for name, plane in {"form_factor": again.form_factor, "sro": again.sro}.items():
            scale = float(dataset[f"{name}_scale"][index])
            assert plane.max() == pytest.approx(scale, rel=1e-6)
            deviation = np.abs(np.sqrt(plane.astype(np.float64) / scale) - dataset[name].values[index] / LEVELS)
            assert deviation.max() <= HALF_A_STEP + ROUNDING
        assert again.clipped_fraction == pytest.approx(float(dataset.clipped_fraction[index]))


def test_planes_are_the_same_to_the_last_bit(fake: FakeStore):
    """On the machine that made them: nothing is lost between parameters and store."""
    dataset = fake.open().load()
    for index in range(dataset.sizes["sample"]):
        again = recompute(fake.files.url, "train", index)
        for name, plane in {"form_factor": again.form_factor, "sro": again.sro}.items():
            stored, scale = encode_plane(plane)
            np.testing.assert_array_equal(stored, dataset[name].values[index])
            assert scale == dataset[f"{name}_scale"][index]


def test_an_open_group_or_a_path_will_do(fake: FakeStore):
    expected = recompute(fake.files.url, "validation", 2)
    for store in (Path(fake.files.url), zarr.open_group(fake.files.url, mode="r")):
        found = recompute(store, "validation", 2)
        np.testing.assert_array_equal(found.sro, expected.sro)
        np.testing.assert_array_equal(found.form_factor, expected.form_factor)


def test_species_without_atoms_stay_without(fake: FakeStore):
    """The second species is a vacancy, in both splits."""
    dataset = fake.open().load()
    vacant = int(np.flatnonzero(dataset.species_b.values == 1)[0])
    assert recompute(fake.files.url, "train", vacant).form_factor.max() > 0


def test_planes_lie_where_the_record_says(fake: FakeStore):
    dataset = fake.open().load()
    recomputer = Recomputer(fake.files.url)
    for index in (0, 5, 17):
        plane = recomputer.plane("train", index)
        step = 2 * float(dataset.q_max[index]) / dataset.sizes["x"]
        q = (
            dataset.centre.values[index]
            + step * dataset.x.values[None, :, None] * dataset.axis_x.values[index]
            + step * dataset.y.values[:, None, None] * dataset.axis_y.values[index]
        )
        np.testing.assert_allclose(plane.q, q, atol=1e-12)
