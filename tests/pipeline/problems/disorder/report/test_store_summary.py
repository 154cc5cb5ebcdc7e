import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dsfu.pipeline.problems.disorder.closing import UniquenessSettings
from dsfu.pipeline.problems.disorder.report.store_summary import store_summary
from dsfu.simulate.disorder.fields import PLANE_FIELDS
from tests.pipeline.fake_store import BANK, MASKS, OWN_SETS, FakeStore, fake_store

THRESHOLD = 0.03


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> FakeStore:
    store = fake_store(tmp_path_factory.mktemp("summary") / "store")
    store.close(store.spec(threshold=THRESHOLD))
    return store


def test_counts(fake: FakeStore):
    summary = store_summary(fake.files.url)
    train, validation = summary.splits
    kept = {name: int(fake.open(name)["kept"].sum()) for name in ("train", "validation")}
    assert 0 < kept["train"] < 18  # or else the test shows nothing
    assert (train.name, train.pairs, train.planes_per_pair, train.samples) == ("train", 3, 6, 18)
    assert (validation.pairs, validation.samples, validation.kept) == (1, 4, kept["validation"])
    assert train.kept == kept["train"]
    assert train.share_removed == pytest.approx(1 - kept["train"] / 18)
    assert (train.scope, train.metric, train.threshold) == ("pair", UniquenessSettings().metric, THRESHOLD)
    assert (summary.samples, summary.pairs, summary.kept) == (22, 4, sum(kept.values()))
    assert summary.species == 6
    assert summary.sets == {"monte_carlo": BANK, "oscillator": 4 * OWN_SETS}
    assert summary.masks == MASKS
    assert summary.manifest == "seed: 3\n"
    assert summary.name == Path(fake.files.url).name  # that is no manifest, so there is nothing better
    assert summary.closed_with == {"planes": "1"}


def test_groups(fake: FakeStore):
    train, validation = store_summary(fake.files.url).splits
    (group,) = train.groups
    assert (group.group, group.shape) == (0, "globular")
    assert (group.species, group.pairs, group.samples, group.kept) == (3, 3, 18, train.kept)
    assert [each.species for each in validation.groups] == [2]


def test_sizes_are_those_on_disk(fake: FakeStore):
    sizes = store_summary(fake.files.url).sizes
    root = Path(fake.files.url)
    planes = sum(path.stat().st_size for each in PLANE_FIELDS for path in root.glob(f"*/{each.name}/c/*/0/0"))
    records = sum(path.stat().st_size for path in (root / "objects").rglob("*.npz"))
    groups = [root / name for name in ("train", "validation", "species", "sro_sets", "masks")]
    everything = sum(path.stat().st_size for group in groups for path in group.rglob("*") if path.is_file())
    assert planes > 0
    assert (sizes.planes, sizes.records, sizes.tables) == (planes, records, everything - planes)


def test_it_survives_json(fake: FakeStore):
    values = store_summary(fake.files.url).to_dict()
    again = json.loads(json.dumps(values, allow_nan=False))
    assert again["splits"][0]["removed"] == again["splits"][0]["samples"] - again["splits"][0]["kept"]
    assert again["bytes_per_sample"] == pytest.approx(sum(again["sizes"].values()) / 22, abs=0.1)
    assert {each["name"] for each in again["distributions"]} >= {"alpha_100", "fraction_a", "duplicate_distance"}


def test_a_store_of_parameters_only(tmp_path: Path):
    store = fake_store(tmp_path, materialise=False)
    store.close(store.spec())
    summary = store_summary(tmp_path)
    assert not summary.materialised
    assert summary.sizes.planes == 0
    assert summary.samples == 22


def test_a_store_of_one_split(tmp_path: Path):
    store = fake_store(tmp_path)
    store.close(store.spec(validation=()))
    summary = store_summary(tmp_path)
    assert [split.name for split in summary.splits] == ["train"]
    assert all(set(each.counts) == {"train"} for each in summary.distributions)


def test_a_store_without_any_pair(tmp_path: Path):
    store = fake_store(tmp_path)
    store.close(store.spec(train=(), validation=()))
    summary = store_summary(tmp_path)
    assert (summary.splits, summary.samples, summary.distributions) == ((), 0, ())
    assert summary.bytes_per_sample == 0


def test_planes_that_were_not_compared(tmp_path: Path):
    store = fake_store(tmp_path)
    store.close(replace(store.spec(), uniqueness=UniquenessSettings(scope="none", threshold=0.5)))
    summary = store_summary(tmp_path)
    assert [split.removed for split in summary.splits] == [0, 0]
    assert "duplicate_distance" not in {each.name for each in summary.distributions}
    assert np.isclose(summary.splits[0].threshold, 0.5)
