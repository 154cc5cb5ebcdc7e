"""Disks that are full, or that nobody may write to. Tests that need them are skipped where they cannot be had."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, kib: int, files: int = 10_000) -> Iterator[Path]:
    """A file system of its own with little room, for bytes and for files."""
    folder.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={kib}k,nr_inodes={files}", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def no_waiting_for_disks() -> Iterator[None]:
    """While nothing is made to survive a loss of power, small stores are made much faster."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", lambda _: None)
        yield


def fill(folder: Path) -> None:
    """Write until there is no room left."""
    with suppress(OSError), (folder / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """The folder, while the file system that it is on is read-only, which not even root may ignore."""
    _mount("--bind", str(folder), str(folder))
    try:
        _mount("-o", "remount,ro,bind", str(folder))
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def without_permission(folder: Path) -> Iterator[Path]:
    """A folder with one file, ``a``, while this process may read but not change what is in it."""
    folder.mkdir()
    (folder / "a").write_bytes(b"old")
    folder.chmod(0o555)
    privileged = os.geteuid() == 0
    if privileged:
        folder.parent.chmod(0o755)  # those of the tests are closed to everybody else
        os.seteuid(65534)
    try:
        yield folder
    finally:
        if privileged:
            os.seteuid(0)
        folder.chmod(0o755)


def _mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"cannot mount: {done.stderr.strip()}")
