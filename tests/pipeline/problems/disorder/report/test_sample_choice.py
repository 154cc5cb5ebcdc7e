from pathlib import Path

import numpy as np
import pytest

from dsfu.pipeline.problems.disorder.report.sample_choice import choose_duplicates, choose_samples
from dsfu.pipeline.problems.disorder.report.store_view import StoreView
from tests.pipeline.fake_store import fake_store


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> StoreView:
    store = fake_store(tmp_path_factory.mktemp("choice") / "store")
    store.close(store.spec(threshold=0.03))
    return StoreView(store.files.url)


@pytest.mark.parametrize("count", [1, 2, 5, 1000])
def test_samples_are_kept_ones_and_different(view: StoreView, count: int):
    chosen = choose_samples(view, count)
    kept = sum(int(split.kept.sum()) for split in view.splits.values())
    assert len(set(chosen)) == len(chosen) <= min(count, kept)
    assert count > kept or len(chosen) == count
    assert all(view.splits[each.split].kept[each.index] for each in chosen)
    assert chosen == choose_samples(view, count)


def test_every_split_has_its_turn(view: StoreView):
    assert [each.split for each in choose_samples(view, 2)] == ["train", "validation"]


def test_several_pairs_are_shown(view: StoreView):
    chosen = [each.index for each in choose_samples(view, 6) if each.split == "train"]
    assert len({view.splits["train"].column("pair")[index] for index in chosen}) > 1


def test_duplicates_from_the_nearest_to_the_farthest(view: StoreView):
    split = view.splits["train"]
    chosen = choose_duplicates(split, 3)
    distances = [each.distance for each in chosen]
    removed = split.column("duplicate_distance")[~split.kept]
    assert len(chosen) == 3
    assert (distances[0], distances[-1]) == (np.nanmin(removed), np.nanmax(removed))
    assert distances == sorted(distances)
    for each in chosen:
        assert not split.kept[each.removed]
        assert split.kept[each.repeated]
        assert split.column("duplicate_of")[each.removed] == each.repeated


def test_nothing_was_removed(tmp_path: Path):
    store = fake_store(tmp_path)
    store.close(store.spec(threshold=0.0))
    assert choose_duplicates(StoreView(tmp_path).splits["train"], 3) == []
