from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dsfu.pipeline.manifest.loading import load_manifest, parse_manifest
from dsfu.pipeline.problems.disorder.expected import Expected, expected_shards
from dsfu.pipeline.problems.disorder.kinds import SCIENCE
from dsfu.pipeline.problems.disorder.pairs import all_pairs, species_of

ROOT = Path(__file__).resolve().parents[4]
DEMO = (ROOT / "examples" / "demo.yaml").read_text()


def expected_of(text: str = DEMO, change: Callable[[dict[str, Any]], None] | None = None) -> Expected:
    loaded = parse_manifest(text)
    species = species_of(loaded)
    if change is not None:
        change(species)
    return expected_shards(loaded.manifest, all_pairs(loaded, species))


def keys(expected: Expected) -> dict[str, str]:
    return {spec.identity: spec.key for spec in expected.specs}


def changed(text: str = DEMO, change: Callable[[dict[str, Any]], None] | None = None) -> set[str]:
    """Kinds of shards, or species in pairs, whose keys are others than those of the demo manifest."""
    before, after = keys(expected_of()), keys(expected_of(text, change))
    return {identity for identity in before.keys() | after.keys() if before.get(identity) != after.get(identity)}


def kinds(identities: set[str]) -> set[str]:
    return {identity.split("/")[0] for identity in identities}


def test_the_papers_data_set_is_all_there() -> None:
    loaded = load_manifest(ROOT / "data_manifest.yaml")
    expected = expected_shards(loaded.manifest, all_pairs(loaded, species_of(loaded)))
    assert {split: len(pairs) for split, pairs in expected.planes.items()} == {"train": 1049, "validation": 98}
    planes = {split: sum(pair.spec.items for pair in pairs) for split, pairs in expected.planes.items()}
    assert planes == {"train": 209_800, "validation": 14_112}
    assert sum(spec.items for spec in expected.sro_sets) == 12_000
    assert sum(spec.items for spec in expected.masks) == 1_024
    assert len({spec.key for spec in expected.specs}) == len(expected.specs)


def test_keys_are_the_same_in_every_run() -> None:
    assert keys(expected_of()) == keys(expected_of())


def test_the_key_of_a_shard_is_known_by_heart() -> None:
    """A change here makes everybody's stores again: it must be meant, and go with a raised version in SCIENCE."""
    loaded = load_manifest(ROOT / "data_manifest.yaml")
    expected = expected_shards(loaded.manifest, all_pairs(loaded, species_of(loaded)))
    assert expected.masks[0].key == KNOWN_KEYS["masks"]
    assert expected.sro_sets[0].key == KNOWN_KEYS["sro_sets"]
    assert expected.planes["train"][0].spec.key == KNOWN_KEYS["planes"]


@pytest.mark.parametrize(
    ("old", "new", "made_again"),
    [
        ("name: demo", "name: other", set()),
        ("store: out/demo/store", "store: elsewhere", set()),
        ("bank_size: 64", "bank_size: 64\n  live_fraction: [0.5, 0.9]", {"masks"}),
        ("name: demo", "name: demo\nuniqueness: {threshold: 0.01}", set()),
        ("name: demo", "name: demo\nuniqueness: {scope: store}", set()),
        ("name: demo", "name: demo\nuniqueness: {metric: sliced_wasserstein}", {"planes"}),
        ("box: 32", "box: 64", {"sro_sets", "planes"}),
        ("seed: 7", "seed: 8", {"sro_sets", "masks", "planes"}),
        ("name: demo", "name: demo\nplanes: {q_max: [5.0, 8.0]}", {"planes"}),
        ("name: demo", "name: demo\nplanes: {pixels: 128}", {"masks", "planes"}),
        ("name: demo", "name: demo\nstorage: {materialise: false}", {"planes"}),
    ],
)
def test_a_change_costs_what_it_must(old: str, new: str, made_again: set[str]) -> None:
    assert old in DEMO
    assert kinds(changed(DEMO.replace(old, new, 1))) == made_again


def test_a_larger_bank_keeps_the_shards_it_has() -> None:
    again = changed(DEMO.replace("bank_size: 64", "bank_size: 128", 1))
    assert again == {"masks/0001"}


def test_a_moved_atom_costs_the_pairs_of_its_species() -> None:
    pair = expected_of().planes["train"][0]

    def move(species: dict[str, Any]) -> None:
        moved = species[pair.species_a]
        atoms = moved.atoms.copy()
        atoms.translate([0.01, 0.0, 0.0])
        species[pair.species_a] = type(moved)(moved.name, moved.group, moved.split, atoms, moved.cell_lengths)

    with_it = {
        each.spec.identity
        for pairs in expected_of().planes.values()
        for each in pairs
        if pair.species_a in (each.species_a, each.species_b)
    }
    assert changed(change=move) == with_it


@pytest.mark.parametrize(
    ("kind", "made_again"),
    [("masks", {"masks"}), ("sro_sets", {"sro_sets", "planes"}), ("planes", {"planes"})],
)
def test_a_raised_version_of_the_science_makes_what_it_covers(
    kind: str, made_again: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = keys(expected_of())
    monkeypatch.setitem(SCIENCE, kind, 2)
    after = keys(expected_of())
    assert kinds({identity for identity in before if before[identity] != after[identity]}) == made_again


def test_sets_of_a_pair_are_all_different_and_differ_between_pairs() -> None:
    drawn = [tuple(pair.spec.parameters["bank_numbers"]) for pair in expected_of().planes["train"]]
    assert all(len(set(numbers)) == len(numbers) == 3 for numbers in drawn)
    assert len(set(drawn)) > len(drawn) / 2


KNOWN_KEYS = {
    "masks": "15f18900e1cfb2a535e21f12964de268",
    "sro_sets": "f43f3f9fbc692409ed734b9fc19ea93e",
    "planes": "cab239e90954851fec436df718188a1e",
}


def test_what_a_store_takes_follows_from_what_is_kept_of_a_plane() -> None:
    """In the data sets made so far: 169 kB a plane of 256 × 256 pixels, and 1.7 kB of parameters only."""

    def a_plane(old: str, new: str) -> float:
        specs = [spec for spec in expected_of(DEMO.replace(old, new)).specs if spec.kind == "planes"]
        return sum(spec.bytes_expected for spec in specs) / sum(spec.items for spec in specs)

    assert a_plane("", "") == pytest.approx(169_350, rel=0.1)
    assert a_plane("seed:", "storage: {materialise: false}\nseed:") == pytest.approx(1690, rel=0.1)
