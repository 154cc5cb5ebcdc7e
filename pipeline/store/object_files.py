"""Files of a store in object storage, or wherever else fsspec reaches."""

import errno
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from dsfu.errors import InputError
from dsfu.pipeline.specs import StoredObject
from dsfu.pipeline.store.files import FileInfo, Files, StorageError, checked_path, crc32c, explained

if TYPE_CHECKING:
    from zarr.storage import FsspecStore

_PIECE_BYTES: Final = 32 * 2**20

_ONE_REQUEST_A_FILE: Final[Mapping[str, Mapping[str, Any]]] = {
    scheme: {"max_concurrency": 1} for scheme in ("s3", "s3a")
}
"""Without it s3fs asks for the size of a file before it reads it, to read large ones in parallel: ours are small."""

_CREDENTIALS: Final = (
    "give them as the storage wants them, as for S3 in ~/.aws/credentials, or in AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY"
)

_TIMES: Final = ("LastModified", "mtime", "modified", "updated", "created")
"""What storages call the time at which a file was written."""


class ObjectFiles(Files):
    """Files whose names begin with one prefix. One request writes a whole file, so nothing is ever half there."""

    is_local = False

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        self.url = url.rstrip("/")
        self._options = dict(options)
        _ = self._storage  # so that a missing package is told of at once

    def __reduce__(self) -> tuple[Any, ...]:
        return ObjectFiles, (self.url, self._options)

    def read(self, path: str, *, at_most: int | None = None) -> bytes:
        with self._explained(path) as full:
            return bytes(self._storage.cat_file(full))

    def write(self, path: str, data: bytes) -> StoredObject:
        with self._explained(path) as full:
            self._storage.pipe_file(full, data)
        return StoredObject(bytes=len(data), crc32c=crc32c(data))

    def write_new(self, path: str, data: bytes) -> bool:
        try:
            with self._explained(path) as full:
                self._storage.pipe_file(full, data, mode="create")
        except FileExistsError:
            return False
        return self.read(path) == data  # a storage without conditional writes lets the last of several win

    def check_room(self, data: int) -> None:
        pass  # object storage has no end

    def stat(self, path: str) -> FileInfo | None:
        with suppress(FileNotFoundError), self._explained(path) as full:
            found = self._storage.info(full)
            return _info(found) if found["type"] == "file" else None
        return None

    def scan(self, folder: str = "") -> Iterator[tuple[str, FileInfo]]:
        found: Mapping[str, Mapping[str, Any]] = {}
        with suppress(FileNotFoundError), self._explained(folder, folder=True) as full:
            found = self._storage.find(full, detail=True)
        start = len(self._root) + 1
        below = f"{full}/"
        return ((name[start:], _info(found[name])) for name in sorted(found) if name.startswith(below))

    def list(self, folder: str = "") -> Iterator[str]:
        return (path for path, _ in self.scan(folder))

    def leftovers(self, folder: str = "") -> Iterator[tuple[str, FileInfo]]:
        return iter(())

    def links(self, folder: str = "") -> Iterator[str]:
        return iter(())

    def remove(self, path: str) -> None:
        with suppress(FileNotFoundError), self._explained(path) as full:
            self._storage.rm_file(full)

    def remove_empty_folders(self, folder: str, is_ours: Callable[[str], bool]) -> None:
        """There are no folders."""

    def touch(self, path: str) -> None:
        self.write(path, self.read(path))

    def checksum(self, path: str) -> int:
        value = 0
        with self._explained(path) as full:
            size = int(self._storage.info(full)["size"])
            for start in range(0, size, _PIECE_BYTES):
                piece = self._storage.cat_file(full, start=start, end=min(start + _PIECE_BYTES, size))
                value = crc32c(bytes(piece), value)
        return value

    def move(self, source: str, target: str) -> None:
        with self._explained(source) as full, self._explained(target) as full_target:
            self._storage.cp_file(full, full_target)
            self._storage.rm_file(full)

    def check_reachable(self) -> None:
        """Refuse a bucket that is not there: it is not made for anybody, and writing tells it late."""
        if self.url.partition("://")[0] not in _ONE_REQUEST_A_FILE:
            return
        bucket = self._root.partition("/")[0]
        try:
            with self._explained("", folder=True), suppress(PermissionError):  # rights may end at the store
                self._storage.call_s3("head_bucket", Bucket=bucket)
        except FileNotFoundError as error:
            raise InputError(
                f"there is no bucket {bucket}",
                where=self.url,
                remedy="make it with the tools of the storage, or look at the name and at AWS_ENDPOINT_URL",
            ) from error

    def synchronise(self, paths: Iterable[str]) -> None:
        """What a storage has acknowledged, it keeps."""

    def zarr_store(self, *, read_only: bool = False) -> "FsspecStore":
        from zarr.storage import FsspecStore

        return FsspecStore.from_url(self.url, storage_options=self._options or None, read_only=read_only)

    @cached_property
    def _storage(self) -> Any:
        import fsspec

        scheme = self.url.partition("://")[0]
        try:
            # Listings are not remembered: others write here at the same time.
            options = {"use_listings_cache": False, **_ONE_REQUEST_A_FILE.get(scheme, {}), **self._options}
            return fsspec.filesystem(scheme, **options)
        except ImportError as error:
            raise InputError(
                f"{scheme}:// needs a package that is not installed ({error})",
                where=self.url,
                remedy="for s3:// it is s3fs: pip install s3fs",
            ) from error
        except ValueError as error:
            raise InputError(
                f"there is no storage called {scheme}:// ({error})", where=self.url, expected="a path, or s3://…"
            ) from error

    @cached_property
    def _root(self) -> str:
        return str(self._storage._strip_protocol(self.url)).rstrip("/")

    @contextmanager
    def _explained(self, path: str, *, folder: bool = False) -> Iterator[str]:
        """The full name of a file or folder. Storages raise what they like; here it becomes a StorageError."""
        below = f"/{checked_path(path)}" if path or not folder else ""
        with explained(self.url + below):
            try:
                yield self._root + below
            except OSError:
                raise
            except Exception as error:
                if "Credentials" in type(error).__name__:
                    raise InputError(str(error), where=self.url, remedy=_CREDENTIALS) from error
                raise StorageError(errno.EIO, f"the storage says: {error}{_remedy(error)}", self.url + below) from error


def _remedy(error: Exception) -> str:
    """What to do about an error of the storage, where that is known by the error's name."""
    if "EndpointConnection" in type(error).__name__:
        return "\n  remedy: look at the network, and at AWS_ENDPOINT_URL if it is set"
    return ""


def _info(found: Mapping[str, Any]) -> FileInfo:
    time = next((found[name] for name in _TIMES if isinstance(found.get(name), datetime)), None)
    return FileInfo(bytes=int(found["size"]), modified_ns=None if time is None else round(time.timestamp() * 1e9))
