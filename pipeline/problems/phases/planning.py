"""Shards of a data set of the phase problem, each with its key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dsfu.pipeline.manifest.loaded import LoadedManifest
from dsfu.pipeline.problems.phases.crystals import GIVEN, given_crystals, plain
from dsfu.pipeline.problems.phases.kinds import CRYSTALS
from dsfu.pipeline.problems.phases.settings import PhasesManifest
from dsfu.pipeline.specs import ShardSpec, digest
from dsfu.pipeline.store.shard_format import CODEC_NAME
from dsfu.simulate.phases.atoms import CellContents

_PER_SHARD: Final = 500
_VOXELS_PER_SHARD: Final = 8_000_000
"""Some 70 MB of grids in a worker's memory."""

_BYTES_PER_ATOM: Final = 29
_BYTES_PER_VOXEL: Final = 9


@dataclass(frozen=True, kw_only=True)
class PhasesShards:
    """All shards, in the order of the store."""

    specs: Sequence[ShardSpec]


def shards_of(loaded: LoadedManifest[PhasesManifest]) -> PhasesShards:
    """Every shard that a manifest asks for."""
    manifest = loaded.manifest
    given = given_crystals(loaded) if manifest.crystals.source in GIVEN else None
    specs: list[ShardSpec] = []
    offset = 0
    for split, number in manifest.samples:
        wanted = number if given is None else len(given.get(split, ()))
        specs += _of_split(manifest, split, wanted, offset, None if given is None else given.get(split, []))
        offset += number
    return PhasesShards(specs=specs)


def _of_split(
    manifest: PhasesManifest, split: str, wanted: int, offset: int, given: list[CellContents] | None
) -> list[ShardSpec]:
    per_shard = samples_per_shard(manifest, wanted)
    specs = []
    for first in range(0, wanted, per_shard):
        count = min(per_shard, wanted - first)
        what = _source(manifest) if given is None else _rows(given[first : first + count])
        grid = {**grid_of(manifest), "stored": manifest.storage.grids}
        specs.append(
            ShardSpec(
                kind=CRYSTALS.name,
                identity=f"{CRYSTALS.name}/{split}/{first // per_shard:05d}",
                inputs={
                    "crystals": digest(what),
                    "grid": digest(grid),
                    "numbers": digest([split, offset + first, count, per_shard, manifest.seed]),
                    "storage": digest(CODEC_NAME if manifest.storage.grids else None),
                    "science": digest(CRYSTALS.science),
                },
                parameters={
                    **what,
                    "grid": grid_of(manifest),
                    "stored": manifest.storage.grids,
                    "most": manifest.crystals.atoms[1],
                    "seed": manifest.seed,
                    "offset": offset,
                    "first": first,
                    "count": count,
                    "per_shard": per_shard,
                },
                items=per_shard,
                split=split,
                bytes_expected=per_shard * _bytes(manifest),
            )
        )
    return specs


def samples_per_shard(manifest: PhasesManifest, wanted: int) -> int:
    """As many as fit a worker's memory, and no more than there are."""
    fit = _VOXELS_PER_SHARD // manifest.grid.n**3 if manifest.storage.grids else _PER_SHARD
    return max(1, min(_PER_SHARD, fit, wanted))


def _source(manifest: PhasesManifest) -> dict[str, Any]:
    """What made-up crystals are drawn from."""
    crystals = manifest.crystals
    chosen: dict[str, Any] = {"source": crystals.source, "atoms": list(crystals.atoms)}
    if crystals.source != "molecules":
        chosen["elements"] = list(crystals.elements)
    if crystals.source != "random":
        chosen["groups"] = list(crystals.groups)
    return chosen


def _rows(crystals: Sequence[CellContents]) -> Mapping[str, Any]:
    return {"crystals": [plain(each) for each in crystals]}


def _bytes(manifest: PhasesManifest) -> int:
    grids = _BYTES_PER_VOXEL * manifest.grid.n**3 // 2 if manifest.storage.grids else 0
    return _BYTES_PER_ATOM * manifest.crystals.atoms[1] + 120 + grids


def grid_of(manifest: PhasesManifest) -> dict[str, Any]:
    """Settings of the grid as plain values."""
    return manifest.grid.model_dump(mode="json")
