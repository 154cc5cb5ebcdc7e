import json
import os
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import zarr

from dsfu.pipeline.problems.disorder.closing import ClosingSpec, PairShard, UniquenessSettings
from dsfu.pipeline.problems.disorder.groups import masks_of_pair
from dsfu.pipeline.store.placement import PLACEMENT, home_of
from dsfu.simulate.disorder.fields import PLANE_FIELDS, SAMPLE_FIELDS, STORE_FIELDS
from dsfu.simulate.disorder.uniqueness import embedding_distances
from tests.pipeline.fake_store import (
    BANK,
    MASKS,
    OWN_SETS,
    PIXELS,
    SPECIES,
    FakeStore,
    fake_store,
    is_plane,
    mask_objects,
    own_seed,
    pair_objects,
    single_precision_alpha,
    times,
    unpacked,
    with_train,
)

PLANES = 6

pytestmark = pytest.mark.usefixtures("fast_disk")


# What a closed store holds.


@pytest.mark.parametrize("group", ["train", "validation", "species", "sro_sets", "masks"])
def test_xarray_opens_every_group_without_a_warning(closed: tuple[FakeStore, ClosingSpec], group: str):
    dataset = closed[0].open(group)
    assert dataset.variables
    for name, variable in dataset.variables.items():
        assert variable.attrs.get("units"), name
        assert variable.attrs.get("long_name"), name


def test_groups_can_be_opened_as_one_tree(closed: tuple[FakeStore, ClosingSpec]):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tree = xr.open_datatree(closed[0].files.url, engine="zarr")
    assert set(tree.children) == {"train", "validation", "species", "sro_sets", "masks"}
    assert tree.attrs["manifest"] == "seed: 3\n"
    assert tree.attrs["splits"] == ["train", "validation"]


def test_a_split_has_planes_and_everything_that_is_known_of_them(closed: tuple[FakeStore, ClosingSpec]):
    dataset = closed[0].open()
    for field in PLANE_FIELDS:
        assert dataset[field.name].dims == field.dims
        assert dataset[field.name].shape == (3 * PLANES, PIXELS, PIXELS)
        assert dataset[field.name].chunks is not None  # lazy
        assert dataset[field.name].attrs == {"units": field.units, "long_name": field.long_name}
    for field in (*SAMPLE_FIELDS, *STORE_FIELDS):
        assert field.name in dataset.coords
        assert dataset[field.name].dims == field.dims
        assert dataset[field.name].dtype == field.dtype
        assert dataset[field.name].attrs["long_name"] == field.long_name
    assert "embedding" in dataset.data_vars
    np.testing.assert_array_equal(dataset.x, np.arange(PIXELS) - PIXELS // 2)
    np.testing.assert_array_equal(dataset.y, np.arange(PIXELS) - PIXELS // 2)


def test_samples_are_those_of_the_shards_in_the_order_of_the_spec(closed: tuple[FakeStore, ClosingSpec]):
    dataset = closed[0].open().load()
    for number, (a, b) in enumerate([(0, 1), (0, 2), (1, 2)]):
        rows = slice(number * PLANES, (number + 1) * PLANES)
        record = unpacked(pair_objects(SPECIES[a], SPECIES[b], PLANES, True, 1)["record.npz"])
        for field in SAMPLE_FIELDS:
            np.testing.assert_array_equal(dataset[field.name][rows], record[field.name])
        np.testing.assert_array_equal(dataset.embedding[rows], record["embedding"])
        assert set(dataset.pair[rows].values) == {number}
        assert set(dataset.species_a[rows].values) == {a}
        assert set(dataset.species_b[rows].values) == {b}


def test_planes_are_where_their_samples_are(closed: tuple[FakeStore, ClosingSpec]):
    """Each plane's largest value is at 65535, and its scale is that of the record."""
    from dsfu.simulate.disorder.encoding import decode_plane
    from dsfu.simulate.disorder.uniqueness import embed_planes

    dataset = closed[0].open().load()
    form_factor = decode_plane(dataset.form_factor.values, dataset.form_factor_scale.values)
    sro = decode_plane(dataset.sro.values, dataset.sro_scale.values)
    again = embed_planes(form_factor * sro)
    distances = embedding_distances(again, dataset.embedding.values)
    np.testing.assert_array_equal(distances.argmin(axis=1), np.arange(len(again)))
    assert distances.diagonal().max() < 1e-3


def test_sets_are_found_by_their_numbers(closed: tuple[FakeStore, ClosingSpec]):
    """The bank comes first, then the sets of each pair, those of training before those of validation."""
    sets = closed[0].open("sro_sets").load()
    assert sets.alpha.dtype == np.float32
    assert sets.sizes["set"] == BANK + 4 * OWN_SETS
    assert sets.kind.values.tolist() == ["monte_carlo"] * BANK + ["oscillator"] * 4 * OWN_SETS
    assert np.isnan(sets.decay[:BANK]).all()
    assert np.isnan(sets.target_100[BANK:]).all()
    for split, pairs in {"train": [(0, 1), (0, 2), (1, 2)], "validation": [(4, 5)]}.items():
        dataset = closed[0].open(split).load()
        planes = len(dataset.sro_set) // len(pairs)
        for sample, number in enumerate(dataset.sro_set.values):
            a, _ = pairs[sample // planes]
            record = unpacked(
                pair_objects(SPECIES[a], SPECIES[pairs[sample // planes][1]], planes, True, 1)["record.npz"]
            )
            own, index = record["set_source"][sample % planes], record["set_index"][sample % planes]
            expected = single_precision_alpha(own_seed(SPECIES[a], index) if own else index)
            np.testing.assert_array_equal(sets.alpha[number], expected)
            assert sets.fraction_a[number] == dataset.fraction_a[sample]


def test_species_have_their_atoms(closed: tuple[FakeStore, ClosingSpec]):
    table = closed[0].open("species").load()
    assert table.name.values.tolist() == [species.name for species in SPECIES]
    assert table.split.values.tolist() == [species.split for species in SPECIES]
    for number, species in enumerate(SPECIES):
        first, count = int(table.first_atom[number]), int(table.atoms[number])
        np.testing.assert_array_equal(table.atomic_number[first : first + count], species.atoms.numbers)
        np.testing.assert_array_equal(table.position[first : first + count], species.atoms.positions)
        np.testing.assert_array_equal(table.cell[number], species.cell.constants)


def test_masks_are_bits_along_x(closed: tuple[FakeStore, ClosingSpec]):
    table = closed[0].open("masks").load()
    assert table.bits.shape == (MASKS, PIXELS, PIXELS // 8)
    live = np.unpackbits(table.bits.values, axis=-1, count=table.bits.attrs["pixels"])
    np.testing.assert_allclose(live.mean(axis=(1, 2)), table.live_fraction, rtol=1e-6)
    np.testing.assert_array_equal(table.bits[:4], unpacked(mask_objects(100, 4)["masks.npz"])["bits"])
    assert json.loads(str(table.description.values[1])) == {"mask": 1, "unit": "Å"}


def test_coordinates_are_few_files(closed: tuple[FakeStore, ClosingSpec]):
    chunks = [path for path in closed[0].files.list("train") if path.rpartition("/")[2] != "zarr.json"]
    assert len([path for path in chunks if path.split("/")[1] not in ("form_factor", "sro")]) == len(
        [*SAMPLE_FIELDS, *STORE_FIELDS, "embedding", "x", "y"]
    )


def test_a_store_of_parameters_has_everything_but_planes(tmp_path: Path):
    full, bare = fake_store(tmp_path / "full"), fake_store(tmp_path / "bare", materialise=False)
    for store in (full, bare):
        store.close(store.spec(threshold=0.02))
    with_planes, without = full.open().load(), bare.open().load()
    assert without.identical(with_planes.drop_vars(["form_factor", "sro"]))
    assert xr.open_datatree(bare.files.url, engine="zarr").attrs["materialised"] is False
    for group in ("species", "sro_sets", "masks"):
        assert full.open(group).identical(bare.open(group))


def test_an_incomplete_bank_keeps_its_numbers(store: FakeStore):
    spec = store.spec()
    first, second = spec.sro_sets
    store.close(replace(spec, sro_sets=(replace(first, complete=False), second)))
    sets = store.open("sro_sets").load()
    assert np.isnan(sets.alpha[:3]).all()
    assert sets.kind.values[:5].tolist() == ["", "", "", "monte_carlo", "monte_carlo"]
    np.testing.assert_array_equal(sets.alpha[3], single_precision_alpha(3))


def test_a_store_without_masks_or_bank(store: FakeStore):
    spec = replace(store.spec(), masks=())
    store.close(spec)
    assert (store.open().mask == -1).all()
    assert store.open("masks").bits.shape == (0, PIXELS, PIXELS // 8)


def test_a_split_without_any_pair_is_left_out(closed: tuple[FakeStore, ClosingSpec]):
    store, spec = closed
    train, validation = spec.splits
    store.close(replace(spec, splits=(train, replace(validation, pairs=()))))
    assert xr.open_datatree(store.files.url, engine="zarr").attrs["splits"] == ["train"]
    assert not list(store.files.list("validation"))
    for name in ("form_factor", "sro"):
        assert store.files.exists(home_of(validation.pairs[0].key, name))


def test_a_store_of_nothing(store: FakeStore):
    store.close(ClosingSpec(splits=(), species=()))
    tree = xr.open_datatree(store.files.url, engine="zarr")
    assert tree.attrs["splits"] == []
    assert set(tree.children) == {"species", "sro_sets", "masks"}


# Uniqueness and masks.


def test_duplicates_follow_from_the_embeddings(store: FakeStore):
    store.close(store.spec(threshold=0.02))
    dataset = store.open().load()
    distances = embedding_distances(dataset.embedding.values)
    assert 0 < (~dataset.kept).sum() < len(dataset.kept)
    for sample in range(3 * PLANES):
        before = [other for other in range(sample - sample % PLANES, sample) if dataset.kept[other]]
        nearest = min(before, key=lambda other: distances[sample, other], default=-1)
        repeats = bool(before) and distances[sample, nearest] < 0.02
        assert dataset.kept[sample] == (not repeats)
        assert dataset.duplicate_of[sample] == (nearest if repeats else -1)
        if repeats:
            assert dataset.duplicate_distance[sample] == pytest.approx(distances[sample, nearest])
        else:
            assert np.isnan(dataset.duplicate_distance[sample])


def test_scopes(store: FakeStore):
    spec = store.spec()
    kept = {}
    for scope in ("none", "pair", "store"):
        settings = UniquenessSettings(scope=scope, threshold=0.05)
        summary = store.close(replace(spec, uniqueness=settings))
        dataset = store.open().load()
        kept[scope] = summary.kept["train"]
        assert kept[scope] == dataset.kept.sum()
        crosses = (
            dataset.pair.values[dataset.duplicate_of.values[~dataset.kept.values]]
            != dataset.pair.values[~dataset.kept.values]
        )
        assert crosses.any() == (scope == "store")
    assert kept["none"] == 3 * PLANES
    assert kept["none"] > kept["pair"] > kept["store"] > 0


def test_masks_are_drawn_for_each_plane_on_its_own():
    drawn = masks_of_pair(5, "planes/a+b", 200, 7)
    assert set(drawn) == set(range(7))
    np.testing.assert_array_equal(masks_of_pair(5, "planes/a+b", 20, 7), drawn[:20])
    assert (masks_of_pair(6, "planes/a+b", 200, 7) != drawn).any()
    assert (masks_of_pair(5, "planes/a+c", 200, 7) != drawn).any()
    assert np.bincount(masks_of_pair(5, "planes/a+b", 70_000, 7)).min() > 9_600
    assert drawn[:6].tolist() == MASKS_OF_THE_FIRST_PLANES


MASKS_OF_THE_FIRST_PLANES = [3, 1, 1, 2, 2, 3]
"""Written down, because stores that exist would change with them."""


def test_masks_do_not_depend_on_other_pairs(closed: tuple[FakeStore, ClosingSpec]):
    store, spec = closed
    before = store.open().load().mask.values.reshape(3, PLANES)
    store.close(with_train(spec, [spec.splits[0].pairs[number] for number in (2, 0)]))
    np.testing.assert_array_equal(store.open().load().mask.values.reshape(2, PLANES), before[[2, 0]])


@pytest.mark.parametrize("what", ["threshold", "masks", "mask_seed", "manifest"])
def test_what_concerns_no_plane_moves_no_object(closed: tuple[FakeStore, ClosingSpec], what: str):
    store, spec = closed
    changes: dict[str, Any] = {
        "threshold": {"uniqueness": UniquenessSettings(threshold=0.02)},
        "masks": {"masks": store.masks(version=2)},
        "mask_seed": {"mask_seed": 4},
        "manifest": {"manifest_text": "seed: 4\n"},
    }
    before = times(store)
    summary = store.close(replace(spec, **changes[what]))
    after = times(store)
    touched = {path for path in before if after.get(path) != before[path]}
    assert summary.moved == 0
    assert summary.written > 0
    assert touched
    assert not any(path.startswith(("objects/", "ledger/", PLACEMENT)) or is_plane(path) for path in touched)


# Specs.


def test_specs_that_cannot_be_are_refused(store: FakeStore):
    spec = store.spec()
    train, validation = spec.splits
    with pytest.raises(ValueError, match="twice"):
        replace(spec, splits=(train, train))
    with pytest.raises(ValueError, match="'test'; expected only train and validation"):
        replace(spec, splits=(replace(train, name="test"),))
    with pytest.raises(ValueError, match="one shard"):
        replace(spec, splits=(train, replace(validation, pairs=train.pairs[:1])))
    with pytest.raises(ValueError, match="validation_1"):
        replace(spec, species=SPECIES[:-1])
    with pytest.raises(ValueError, match="scope"):
        UniquenessSettings(scope="planet")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="threshold"):
        UniquenessSettings(threshold=float("nan"))
    with pytest.raises(ValueError, match="metric"):
        UniquenessSettings(metric="taxi")  # type: ignore[arg-type]


def test_the_digest_of_a_spec_tells_specs_apart(store: FakeStore):
    spec = store.spec()
    others = [
        replace(spec, mask_seed=9),
        replace(spec, masks=spec.masks[:1]),
        replace(spec, uniqueness=UniquenessSettings(threshold=0.5)),
        with_train(spec, spec.splits[0].pairs[::-1]),
        with_train(spec, [replace(pair, identity="?") for pair in spec.splits[0].pairs]),
        replace(spec, species=(*SPECIES[:3], replace(SPECIES[3], name="other"), *SPECIES[4:])),
    ]
    assert len({each.digest() for each in (spec, *others)}) == len(others) + 1
    assert spec.digest() == store.spec().digest()


def test_zarr_reads_a_shard_in_its_place(closed: tuple[FakeStore, ClosingSpec]):
    """Object i of an array is the Zarr shard of pair i, byte by byte."""
    store, spec = closed
    objects = pair_objects(SPECIES[0], SPECIES[2], PLANES, True, 1)
    assert store.files.read("train/form_factor/c/1/0/0") == objects["form_factor"]
    array = zarr.open_array(store.files.url, path="train/form_factor", mode="r")
    assert array.shards == (PLANES, PIXELS, PIXELS)
    assert array.chunks == (1, PIXELS, PIXELS)
    assert isinstance(spec.splits[0].pairs[1], PairShard)


def test_moves_are_safe_on_the_disk_before_the_state_says_so(store: FakeStore, monkeypatch: pytest.MonkeyPatch):
    """Power is lost when it is lost: what the state tells of must not be undone by it."""
    done: list[str] = []
    root = Path(store.files.url)

    def fsync(descriptor: int) -> None:
        done.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))

    spec = store.spec()
    monkeypatch.setattr(os, "fsync", fsync)
    store.close(spec)
    last_places = [f"{root}/train/sro/c/{number}/0" for number in range(3)]
    sources = [str((root / home_of(pair.key, "sro")).parent) for pair in spec.splits[0].pairs]
    state_written = max(number for number, path in enumerate(done) if path == str(root))
    for folder in (*last_places, *sources):
        assert folder in done[:state_written]
