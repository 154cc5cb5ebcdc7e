"""What a worker does: make one shard and put it into the store, its ledger entry last."""

import platform
import socket
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, version
from time import perf_counter

from dsfu.pipeline.kinds import RECORD, every_kind
from dsfu.pipeline.making import Arrays, ReadNeeded, Stopwatch
from dsfu.pipeline.specs import LedgerEntry, ShardSpec
from dsfu.pipeline.store.files import open_files
from dsfu.pipeline.store.ledger import Ledger
from dsfu.pipeline.store.placement import home_of
from dsfu.pipeline.store.processes import user_name
from dsfu.pipeline.store.records import archive, read_record
from dsfu.pipeline.store.shard_format import encode_shard

Objects = dict[str, bytes]


def make_shard(store_url: str, spec: ShardSpec) -> LedgerEntry:
    """Make a shard, write its objects, and enter it into the ledger. The same spec always gives the same objects."""
    start, watch = perf_counter(), Stopwatch()
    files = open_files(store_url)
    objects = make_objects(spec, _reader(store_url), watch)
    with watch.step("write"):
        stored = {name: files.write(home_of(spec.key, name), data) for name, data in objects.items()}
    made = {
        "when": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "host": socket.gethostname(),
        "user": user_name(),
        "seconds": round(perf_counter() - start, 4),
        "steps": {name: round(seconds, 4) for name, seconds in watch.seconds.items()},
        "versions": versions(),
    }
    entry = LedgerEntry(
        key=spec.key,
        kind=spec.kind,
        identity=spec.identity,
        inputs=spec.inputs,
        items=spec.items,
        objects=stored,
        made=made,
    )
    Ledger(files).write(entry)
    return entry


def make_objects(spec: ShardSpec, read: ReadNeeded, watch: Stopwatch) -> Objects:
    """The objects of a shard, in memory: one for each array of the store that it is a part of, and one for the rest."""
    kind, arrays = every_kind()[spec.kind], arrays_of(spec, read, watch)
    parts = {name: arrays.pop(name) for name in kind.arrays if name in arrays}
    record = {kind.record: archive(arrays)}
    if not parts:
        return record
    with watch.step("compress"):
        encoded = {name: encode_shard(values, kind.compression_of(name)) for name, values in parts.items()}
    return encoded | record


def arrays_of(spec: ShardSpec, read: ReadNeeded, watch: Stopwatch) -> Arrays:
    """What the maker of its kind makes of a shard."""
    return dict(every_kind()[spec.kind].maker()(spec.parameters, read, watch))


def remake(store_url: str, spec: ShardSpec) -> Objects:
    """The objects of a shard, made in memory from what the store holds; nothing is written."""
    return make_objects(spec, _reader(store_url), Stopwatch())


@lru_cache(maxsize=1)
def versions() -> Mapping[str, str]:
    """Versions of what the numbers depend on."""
    found = {"python": platform.python_version()}
    for package in ("dsfu", "numpy", "numba", "scipy", "ase", "gemmi", "numcodecs", "zarr"):
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


@lru_cache(maxsize=4)
def _reader(store_url: str) -> ReadNeeded:
    """Reads columns of shards, and keeps what it has read: a worker draws from the same few megabytes all the time."""
    files = open_files(store_url)

    @cache
    def columns(key: str, names: tuple[str, ...], record: str) -> Arrays:
        return read_record(files, key, record, names)

    def read(key: str, *names: str, record: str = RECORD) -> Arrays:
        return columns(key, names, record)

    return read
