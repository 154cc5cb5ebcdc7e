"""A store of fake shards, as it is before and after it is closed."""

import os
from pathlib import Path

import pytest

from dsfu.pipeline.problems.disorder.closing import ClosingSpec
from tests.pipeline.fake_store import FakeStore, fake_store


@pytest.fixture
def fast_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody pulls the plug during these tests."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def store(tmp_path: Path) -> FakeStore:
    return fake_store(tmp_path / "store")


@pytest.fixture
def closed(store: FakeStore) -> tuple[FakeStore, ClosingSpec]:
    spec = store.spec()
    store.close(spec)
    return store, spec
