"""Checkpoints: everything that a training needs to go on as if it had never stopped."""

import os
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import torch

from dsfu.errors import InputError
from dsfu.files import sync_folder, write_whole

FORMAT: Final = "dsfu checkpoint"
VERSION: Final = 1

_KEYS: Final = {"progress", "config", "recipe", "source", "random"}


class Checkpoints:
    """The checkpoints of a run: the last, the one before it, and the one that was best in validation."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.last, self.previous, self.best = (folder / f"{name}.pt" for name in ("last", "previous", "best"))

    def save(self, content: Mapping[str, Any], *, is_best: bool = False) -> None:
        """Keep a checkpoint. At any moment there is a whole one, unless there never was one."""

        def write(file: Any) -> None:
            torch.save({"format": FORMAT, "version": VERSION, **content}, file)

        written = self.folder / "next.pt"
        write_whole(written, write)
        if self.last.exists():
            self.last.replace(self.previous)
        written.replace(self.last)
        if is_best:
            self._keep_as_best()
        sync_folder(self.folder)

    def _keep_as_best(self) -> None:
        other = self.folder / f".best.{os.getpid()}"
        other.unlink(missing_ok=True)
        try:
            other.hardlink_to(self.last)
        except OSError:  # not every file system has them
            shutil.copyfile(self.last, other)
        other.replace(self.best)

    def newest(self) -> Path | None:
        """The newest whole checkpoint; None if there is not any. Tells of damaged ones, and goes further back."""
        damaged = []
        for path in (self.folder / "next.pt", self.last, self.previous):
            if not path.exists():
                continue
            try:
                load_checkpoint(path)
            except InputError as error:
                damaged.append(error)
                with suppress(OSError):
                    sys.stderr.write(f"{error}\n")
                continue
            return path
        if damaged:
            raise damaged[0]
        return None


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint. Only tensors and plain values are read, nothing in it can run."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise InputError(
            "there is no such file", where=str(path), expected="a checkpoint, RUN/checkpoints/*.pt"
        ) from error
    except Exception as error:  # torch tells damage in a dozen ways, none of which helps
        raise InputError(
            "it is damaged, or no checkpoint",
            where=str(path),
            expected="a file that dsfu-model train wrote",
            remedy="take an earlier one: --resume RUN/checkpoints/previous.pt",
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT or not content.keys() >= _KEYS:
        raise InputError("it is no checkpoint of dsfu-model train", where=str(path), expected="RUN/checkpoints/*.pt")
    if content.get("version") != VERSION:
        raise InputError(
            f"it has version {content.get('version')} of the format",
            where=str(path),
            expected=f"version {VERSION}",
            remedy="go on with the release of dsfu that wrote it",
        )
    return content
