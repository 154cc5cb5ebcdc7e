"""Files that are there as a whole or not at all, whatever is killed when."""

import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from dsfu.errors import InputError

_MISTYPED_URL: Final = re.compile(r"(s3a?|gs|gcs|abfss?|az|https?|memory|file)(?::/(?!/)|//|:(?!/))", re.IGNORECASE)

NPY_MAGIC: Final = b"\x93NUMPY"
ZIP_MAGIC: Final = b"PK\x03\x04"
GZIP_MAGIC: Final = b"\x1f\x8b"
"""What .npy, .npz and gzip files begin with."""

STORE_METADATA: Final = "zarr.json"
"""What a folder that is a closed store holds, as any array or group of it."""

PICTURES: Final = (".png", ".pdf", ".svg")
"""Suffixes of pictures that can be drawn."""


def unpacked(raw: bytes, most: int = -1) -> bytes:
    """What a gzip file holds, up to so many bytes; anything else as it is. OSError or EOFError if it is damaged."""
    import gzip
    import io
    import zlib

    if not raw.startswith(GZIP_MAGIC):
        return raw
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as file:
            return file.read(most)
    except zlib.error as error:
        raise gzip.BadGzipFile(str(error)) from error


def check_picture(path: Path, option: str = "") -> None:
    """Refuse formats that cannot be drawn; told before any work is done. ``option`` is what the file was given by."""
    if path.suffix.lower() not in PICTURES:
        where = f"{option} {path}" if option else str(path)
        raise InputError(f"suffix {path.suffix!r}", where=where, expected=" or ".join(PICTURES))


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file under another name, see it safely on disk, and put it in its place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    sync_folder(path.parent)


def remove_unfinished(folder: Path) -> None:
    """Remove what processes that were killed left of files; nobody may be writing there."""
    for path in folder.glob(".*") if folder.is_dir() else ():
        if re.fullmatch(r"\..+\.\d+", path.name):
            path.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """See the names in a folder safely on disk."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def refuse_what_is_no_file(path: Path) -> None:
    """Refuse folders, and devices such as /dev/null: a file would take their place, where root writes it."""
    if path.exists() and not path.is_file():
        kind, remedy = ("folder", f"such as {path / 'NAME'}") if path.is_dir() else ("device or pipe", "")
        raise InputError(f"is a {kind}", where=str(path), expected="the name of a file", remedy=remedy)


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary name beside ``path``; take it for ``path`` if the block ends well, remove it if not.

    For libraries that want a name to write to, and for what a user names; `write_whole` also waits for the disk.
    """
    target = Path(path)
    refuse_what_is_no_file(target)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    except OSError as error:
        raise InputError(
            f"cannot be written: {error.strerror}", where=str(target), remedy="make the folder, or write elsewhere"
        ) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())  # mkstemp's files are for their owner only
        temporary.replace(target)
    except OSError as error:
        if error.filename is None and error.strerror:
            raise OSError(error.errno, error.strerror, str(target)) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | Path, text: str, *, make_folder: bool = False) -> None:
    """Write a text file that is there whole or not at all."""
    if make_folder:
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"its folder cannot be made: {error.strerror}", where=str(path)) from None
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def refuse_mistyped_url(text: str, expected: str) -> None:
    """Raise `InputError` for what is nearly a URL, such as ``s3:/bucket``, and would be taken for a local folder."""
    if found := _MISTYPED_URL.match(text):
        remedy = f"write {found[1]}://{text[found.end() :]}, or ./{text} if a folder is meant"
        raise InputError("it looks like a URL, and is none", where=text, expected=expected, remedy=remedy)
