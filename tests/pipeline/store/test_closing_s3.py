"""Closing, reading and recomputing in object storage, against a real S3 API on loopback."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import xarray as xr
from moto.server import ThreadedMotoServer

from dsfu.model.shards import open_store
from dsfu.pipeline.problems.disorder.recompute import Recomputer
from dsfu.pipeline.store.closing import MissingObjects
from dsfu.pipeline.store.files import open_files
from dsfu.pipeline.store.state import damaged_files
from tests.pipeline.fake_store import FakeStore, fake_store, with_train

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def options() -> Iterator[dict[str, Any]]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield {"key": "test", "secret": "test", "endpoint_url": f"http://{host}:{port}"}
    server.stop()


@pytest.fixture
def store(options: dict[str, Any], request: pytest.FixtureRequest) -> FakeStore:
    import s3fs

    bucket = request.node.name.replace("_", "-")[:60]
    s3fs.S3FileSystem(**options).mkdir(bucket)
    return FakeStore(open_files(f"s3://{bucket}/sets/store", storage_options=options))


def contents(store: FakeStore) -> dict[str, bytes]:
    return {path: store.files.read(path) for path in store.files.list() if not path.startswith("ledger/")}


def test_a_store_is_the_same_as_on_a_disk(store: FakeStore, tmp_path: Any):
    local = fake_store(tmp_path)
    for each in (local, store):
        each.close(each.spec())
    assert contents(store) == contents(local)
    summary = store.close(store.spec())
    assert (summary.moved, summary.written, summary.removed) == (0, 0, 0)


def test_it_changes_and_heals(store: FakeStore):
    spec = store.spec()
    store.close(spec)
    before = contents(store)
    store.close(with_train(spec, spec.splits[0].pairs[::-1][:2]))
    assert store.files.exists("train/sro/c/1/0/0")
    assert not store.files.exists("train/sro/c/2/0/0")
    store.files.remove("train/kept/c/0")
    assert damaged_files(store.files) == ["train/kept/c/0"]
    store.close(spec)
    assert contents(store) == before
    store.files.remove("train/sro/c/1/0/0")
    with pytest.raises(MissingObjects):
        store.close(spec)


def test_anybody_can_read_it(store: FakeStore, options: dict[str, Any]):
    store.close(store.spec())
    url = store.files.url
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dataset = xr.open_zarr(url, group="train", storage_options=options)
    split = open_store(url, storage_options=options).split("train")
    np.testing.assert_array_equal(split.coordinates["kept"], dataset.kept)
    np.testing.assert_array_equal(split.shard(1).sro, dataset.sro[6:12])
    recomputed = Recomputer(url, storage_options=options)("train", 7)
    np.testing.assert_allclose(recomputed.sro, split.planes(7).sro, atol=1e-3)
