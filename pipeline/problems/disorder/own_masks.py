"""Masks of dead zones from a user's own file: read when a manifest is planned, and again by who makes their shards."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from dsfu.pipeline.manifest.loaded import LoadedManifest
from dsfu.pipeline.problems.disorder.settings.manifest import DisorderManifest
from dsfu.simulate.arrays import BoolArray


@dataclass(frozen=True, kw_only=True)
class OwnMasks:
    """A file of masks: where it is, what it holds, by its checksum, and how many masks there are."""

    file: str
    dataset: str | None
    sha256: str
    count: int


def own_masks_of(loaded: LoadedManifest[DisorderManifest]) -> OwnMasks | None:
    """The file that a manifest names; None if it names none. InputError if it cannot be used."""
    zones = loaded.manifest.dead_zones
    if zones.file is None:
        return None
    path = str((loaded.folder / zones.file).resolve())
    try:
        sha256 = _sha256(path)
        count = len(_masks(path, zones.dataset, loaded.manifest.planes.pixels, sha256))
    except (ValueError, OSError) as error:
        raise loaded.problem("dead_zones", "file", what=str(error)) from error
    return OwnMasks(file=path, dataset=zones.dataset, sha256=sha256, count=count)


def masks_again(parameters: Mapping[str, Any]) -> BoolArray:
    """The masks that a shard is to hold. Raises ValueError if the file is no longer what it was."""
    path, sha256 = parameters["file"], parameters["sha256"]
    if _sha256(path) != sha256:
        raise ValueError(f"mask file {path}: it has changed since the manifest was planned; expected it as it was")
    first = parameters["first"]
    masks: BoolArray = _masks(path, parameters["dataset"], parameters["pixels"], sha256)
    return masks[first : first + parameters["count"]]


def _sha256(path: str) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache(maxsize=1)  # all shards of a bank are of one file
def _masks(path: str, dataset: str | None, pixels: int, sha256: str) -> BoolArray:
    from dsfu.simulate.disorder.mask_files import read_masks

    return read_masks(path, dataset=dataset, pixels=pixels)
