from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsfu.pages.scales import round_up
from dsfu.pipeline.problems.disorder.report.distributions import distributions
from dsfu.pipeline.problems.disorder.report.store_view import StoreView
from dsfu.pipeline.report.histograms import QUANTILES, bins_for, histogram_edges
from tests.pipeline.fake_store import FakeStore, fake_store

numbers = st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: 0.0 if abs(value) < 1e-6 else value)


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> FakeStore:
    store = fake_store(tmp_path_factory.mktemp("distributions") / "store")
    store.close(store.spec(threshold=0.03))
    return store


@given(low=numbers, high=numbers, bins=st.integers(12, 48), centred=st.booleans())
def test_edges_hold_everything_in_equal_bins(low: float, high: float, bins: int, centred: bool):
    low, high = min(low, high), max(low, high)
    edges = histogram_edges(low, high, bins, centred=centred)
    slack = 1e-9 * (abs(low) + abs(high) + 1)
    assert edges[0] <= low + slack
    assert edges[-1] >= high - slack
    assert 3 <= len(edges) <= bins + 9
    np.testing.assert_allclose(np.diff(edges), edges[1] - edges[0], rtol=1e-4)


def test_whole_numbers_are_in_the_middle_of_centred_bins():
    edges = histogram_edges(0.0, 3.0, 12, centred=True)
    width = edges[1] - edges[0]
    for number in range(4):
        inside = np.flatnonzero((edges[:-1] < number) & (number < edges[1:]))
        assert edges[inside[0]] + width / 2 == pytest.approx(number)


@given(st.floats(1e-12, 1e12))
def test_rounding_up_gives_one_two_or_five(value: float):
    rounded = round_up(value)
    assert value * (1 - 1e-8) <= rounded <= 2.5 * value * (1 + 1e-8)
    assert float(f"{rounded:e}".partition("e")[0]) in (1.0, 2.0, 5.0)


def test_more_values_more_bins():
    assert [bins_for(n) for n in (1, 126, 10**6)] == [12, 20, 48]


def test_every_kept_plane_is_counted_once(fake: FakeStore):
    found = {each.name: each for each in distributions(StoreView(fake.files.url))}
    for split in ("train", "validation"):
        dataset = fake.open(split).load()
        kept = int(dataset.kept.sum())
        for name in ("alpha_100", "alpha_010", "alpha_001", "fraction_a", "q_max", "coverage", "clipped"):
            assert sum(found[name].counts[split]) == kept, name
        offsets = [sum(found[f"offset_{index}"].counts.get(split, ())) for index in "hkl" if f"offset_{index}" in found]
        assert sum(offsets) == kept
        assert sum(found["duplicate_distance"].counts[split]) == dataset.sizes["sample"] - kept


def test_quantiles_are_those_of_the_kept_planes(fake: FakeStore):
    found = {each.name: each for each in distributions(StoreView(fake.files.url))}
    dataset = fake.open("train").load()
    for name, column, factor in (("fraction_a", "fraction_a", 1), ("clipped", "clipped_fraction", 100)):
        values = np.sort(factor * dataset[column].values[dataset.kept.values].astype(np.float64))
        wanted = np.quantile(values, QUANTILES, method="inverted_cdf")
        np.testing.assert_allclose(found[name].quantiles["train"], wanted)


def test_alpha_counts_with_the_planes_that_use_it(fake: FakeStore):
    found = {each.name: each for each in distributions(StoreView(fake.files.url))}
    dataset, sets = fake.open("train").load(), fake.open("sro_sets").load()
    alpha = sets.alpha.values[dataset.sro_set.values[dataset.kept.values]].astype(np.float64)
    nearest = alpha[:, 6, 5, 5]
    np.testing.assert_allclose(
        found["alpha_100"].quantiles["train"], np.quantile(nearest, QUANTILES, method="inverted_cdf")
    )
    vectors = alpha.reshape(len(alpha), -1)[:, 666:]
    assert sum(found["alpha_all"].counts["train"]) == vectors.size
    wanted = np.quantile(vectors, QUANTILES, method="inverted_cdf")
    np.testing.assert_allclose(found["alpha_all"].quantiles["train"], wanted, atol=0.00051)


def test_pieces_make_no_difference(fake: FakeStore, monkeypatch: pytest.MonkeyPatch):
    whole = distributions(StoreView(fake.files.url))
    monkeypatch.setattr("dsfu.pipeline.problems.disorder.report.distributions._SETS_AT_ONCE", 2)
    assert distributions(StoreView(fake.files.url)) == whole


def test_without_masks_there_is_no_coverage(tmp_path: Path):
    store = fake_store(tmp_path)
    store.close(replace(store.spec(), masks=()))
    assert "coverage" not in {each.name for each in distributions(StoreView(tmp_path))}
