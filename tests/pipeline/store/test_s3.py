"""Stores in object storage: a real S3 server on this machine."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from dsfu.errors import InputError
from dsfu.pipeline.store.closing import close_store
from dsfu.pipeline.store.files import Files, StorageError, open_files
from dsfu.pipeline.store.gc import collect_garbage
from dsfu.pipeline.store.ledger import entry_path
from dsfu.pipeline.store.locks import StoreLocked, live_writers, writer_lock
from dsfu.pipeline.store.placement import home_of, read_placement
from dsfu.pipeline.store.verify import verify_store
from tests.pipeline.fake_store import FakeStore, contents, fake_store, with_train
from tests.pipeline.files_contract import FilesContract

pytest_plugins = ["tests.s3_server"]


@pytest.fixture
def files(s3_url: str) -> Files:
    return open_files(s3_url)


@pytest.fixture
def store(files: Files) -> FakeStore:
    return FakeStore(files)


class TestS3(FilesContract):
    """On S3."""


def test_neighbours_are_not_ours(files: Files) -> None:
    assert list(files.list()) == []
    files.write("a", b"x")
    files.remove("a")
    assert files._storage.exists(f"{files._root}-of-others/file")  # type: ignore[attr-defined]


def test_a_bucket_that_is_not_there(s3_endpoint: str) -> None:
    files = open_files("s3://no-such-bucket/store")
    with pytest.raises(FileNotFoundError):
        files.write("a", b"x")
    assert list(files.list()) == []
    assert files.stat("a") is None


def test_a_bucket_that_is_not_there_is_refused_before_any_work(s3_endpoint: str, s3_url: str) -> None:
    with pytest.raises(InputError, match=r"there is no bucket nowhere(.|\n)*AWS_ENDPOINT_URL"):
        open_files("s3://nowhere/store").check_reachable()
    open_files(s3_url).check_reachable()


def test_a_server_that_does_not_answer() -> None:
    files = open_files(
        "s3://bucket/store",
        {
            "client_kwargs": {"endpoint_url": "http://127.0.0.1:9"},
            "config_kwargs": {"retries": {"max_attempts": 1}, "connect_timeout": 1},
        },
    )
    with pytest.raises(StorageError, match="s3://bucket/store/a: the storage says: .*127.0.0.1:9") as caught:
        files.write("a", b"x")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_options_are_taken_along(s3_url: str) -> None:
    files = pickle.loads(pickle.dumps(open_files(s3_url, {"anon": True})))
    assert files._options == {"anon": True}
    with pytest.raises(ValueError):
        open_files("/tmp/store", {"anon": True})


def test_a_large_file_is_summed_piece_by_piece(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dsfu.pipeline.store.object_files._PIECE_BYTES", 1000)
    data = np.random.default_rng(0).bytes(2500)
    assert files.write("a", data).crc32c == files.checksum("a")


def test_a_closed_store(store: FakeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local = fake_store(tmp_path / "store")
    for each in (store, local):
        close_store(each.files, each.ledger, each.spec(train=[(0, 1)]))
    ours = {path: store.files.read(path) for path in store.files.list() if not path.startswith("ledger/")}
    assert ours == contents(tmp_path / "store")
    assert verify_store(store.files).findings == ()
    group = xr.open_zarr(store.files.zarr_store(read_only=True), group="train")
    assert group.form_factor.shape == (6, 16, 16)
    assert group.form_factor[5].load().max() == 65535
    entries = list(store.ledger.intact_entries())
    monkeypatch.setattr(type(store.files), "checksum", lambda *_: pytest.fail("a quick check reads"))
    assert [store.ledger.check_quickly(entry) for entry in entries] == [None] * 6


def test_damage_is_found_and_healed_and_garbage_goes(store: FakeStore) -> None:
    files, pairs = store.files, [(0, 1), (0, 2), (1, 2)]
    spec = store.spec(pairs, validation=[])
    close_store(files, store.ledger, spec)
    first, second, third = (pair.key for pair in spec.splits[0].pairs)
    place = read_placement(files).path_of(first, "sro")
    assert place is not None
    data = bytearray(files.read(place))
    data[100] ^= 1
    files.write(place, bytes(data))
    files.write(home_of(second, "record.npz"), b"short")
    files.write(entry_path(third), files.read(entry_path(third))[:-20])
    assert "5 bytes" in (store.ledger.check_quickly(store.ledger.read(second)) or "")
    report = verify_store(files, mark=True)
    assert {finding.key for finding in report.damage} == {first, second, third} == set(report.set_aside)

    shorter = with_train(store.spec(pairs, validation=[]), spec.splits[0].pairs[1:])
    close_store(files, store.ledger, shorter)
    nobody = home_of("ab" + 30 * "0", "sro")
    files.write(nobody, b"x")
    files.write("objects/photos/a.jpg", b"somebody's")
    removed = collect_garbage(files, store.ledger.entries() - {first})
    assert {file.path for file in removed.files if not file.path.startswith("ledger/damaged")} == {
        entry_path(first),
        *(home_of(first, name) for name in ("form_factor", "sro", "record.npz")),
        nobody,
    }
    assert [(each.kind, each.path) for each in verify_store(files).findings] == [("foreign", "objects/photos/a.jpg")]


def test_one_writer_at_a_time(files: Files) -> None:
    with writer_lock(files, heartbeat_seconds=0.05) as lock:
        with pytest.raises(StoreLocked, match="writes to this store"), writer_lock(files):
            pass
        assert [holder.token for holder in live_writers(files)] == [lock.token]
        lock.check()
    assert list(files.list()) == []


def test_a_storage_without_conditional_writes_tells_all_but_one(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = files._storage  # type: ignore[attr-defined]
    write = storage.pipe_file

    def write_and_be_overtaken(path: str, data: bytes, mode: str = "overwrite") -> None:
        write(path, data)
        write(path, b"another's")

    monkeypatch.setattr(storage, "pipe_file", write_and_be_overtaken)
    assert not files.write_new("locks/run.json", b"mine")


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr("fsspec.filesystem", missing)
    with pytest.raises(InputError, match="pip install s3fs"):
        open_files("s3://bucket/store")
