"""Each kind of shard, made from the demo manifest at a small size."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dsfu.pipeline.manifest.loading import parse_manifest
from dsfu.pipeline.problems.disorder.expected import Expected, expected_shards
from dsfu.pipeline.problems.disorder.pairs import all_pairs, species_of
from dsfu.pipeline.problems.disorder.records import read_masks, read_pair_records, read_sets
from dsfu.pipeline.specs import LedgerEntry, ShardSpec
from dsfu.pipeline.store.files import open_files
from dsfu.pipeline.store.ledger import Ledger
from dsfu.pipeline.tasks import make_shard, remake
from tests.pipeline.fake_store import fault_of

SMALL = """
version: 1
name: small
seed: 3
store: unused
pairs:
  train: {only: [[toluene, aniline], [ethanol, DMSO]]}
  validation: {groups: [0], per_group: 1}
sro:
  monte_carlo: {bank_size: 3, per_pair: {train: 2, validation: 1}, box: 16}
  oscillator: {per_pair: {train: 2, validation: 0}}
planes: {pixels: 32}
dead_zones: {bank_size: 5}
"""


def expected_of(text: str = SMALL) -> Expected:
    loaded = parse_manifest(text)
    return expected_shards(loaded.manifest, all_pairs(loaded, species_of(loaded)))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Expected, dict[str, LedgerEntry]]:
    folder, expected = tmp_path_factory.mktemp("store"), expected_of()
    return folder, expected, {spec.key: make_shard(str(folder), spec) for spec in expected.specs}


def test_every_shard_is_entered_with_objects_that_are_as_recorded(store: Any) -> None:
    folder, expected, entries = store
    ledger = Ledger(open_files(folder))
    assert ledger.entries() == {spec.key for spec in expected.specs}
    for key, entry in entries.items():
        assert ledger.read(key) == entry
        assert fault_of(ledger, entry) is None
        assert entry.made["seconds"] > 0


def test_what_a_shard_holds_is_what_it_declares(store: Any) -> None:
    folder, expected, _ = store
    files = open_files(folder)
    (sets,) = read_sets(files, [expected.sro_sets[0].key])
    assert sets["alpha"].shape == (3, 11, 11, 11)
    assert (sets["kind"] == b"monte_carlo").all()
    (masks,) = read_masks(files, [expected.masks[0].key], 32)
    live = np.unpackbits(masks["bits"], axis=-1)
    assert live.shape == (5, 32, 32)
    np.testing.assert_allclose(live.mean(axis=(1, 2)), masks["live_fraction"])
    for split, planes in (("train", 2 * 12 + 2 * 4), ("validation", 12)):
        shards = [pair.spec for pair in expected.planes[split]]
        assert [spec.items for spec in shards] == [planes] * len(shards)
        for record in read_pair_records(files, [spec.key for spec in shards], planes):
            assert record.fields["q_max"].shape == (planes,)
    assert set(record.set_index.tolist()) < {0, 1, 2}


def test_a_shard_is_the_same_bytes_whenever_it_is_made(store: Any) -> None:
    folder, expected, _ = store
    for spec in (expected.masks[0], expected.sro_sets[0]):
        assert made_again(folder, spec) == made_again(folder, spec)
    spec = expected.planes["train"][0].spec
    files = open_files(folder)
    for name, data in made_again(folder, spec).items():
        assert data == files.read(Ledger(files).locate(spec.key, name)), name


def made_again(folder: Path, spec: ShardSpec) -> dict[str, bytes]:
    return remake(str(folder), spec)


def test_without_planes_the_record_is_the_same(store: Any) -> None:
    folder, expected, _ = store
    with_planes = expected.planes["train"][0].spec
    text = SMALL + "storage: {materialise: false}\n"
    without = expected_of(text).planes["train"][0].spec
    objects = made_again(folder, without)
    assert list(objects) == ["record.npz"]
    assert objects["record.npz"] == made_again(folder, with_planes)["record.npz"]


def test_own_sets_are_oscillators_of_the_groups_lattice(store: Any) -> None:
    folder, expected, _ = store
    (record,) = read_pair_records(open_files(folder), [expected.planes["train"][0].spec.key], 32)
    alpha = record.own_sets["alpha"]
    assert alpha.shape == (2, 11, 11, 11)
    # Toluene and aniline are hexagonal: (1, 0, 0), (0, 0, 1) and (1, 0, 1) are equivalent, (1, 0, -1) is not.
    np.testing.assert_array_equal(alpha[:, 6, 5, 5], alpha[:, 5, 5, 6])
    np.testing.assert_array_equal(alpha[:, 6, 5, 5], alpha[:, 6, 5, 6])
    assert (alpha[:, 6, 5, 5] != alpha[:, 6, 5, 4]).all()
    assert (record.set_source == np.repeat([0, 1], [24, 8])).all()
