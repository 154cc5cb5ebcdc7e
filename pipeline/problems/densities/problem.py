"""Densities, behind the pipeline's contract: crystals and their powder patterns; densities are made on the fly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from dsfu.panels import Panel
from dsfu.pipeline.kinds import Kind
from dsfu.pipeline.making import Arrays
from dsfu.pipeline.manifest.loaded import LoadedManifest
from dsfu.pipeline.problem import Problem
from dsfu.pipeline.problems.densities.settings import DensitiesManifest
from dsfu.pipeline.specs import ShardSpec, digest
from dsfu.simulate.densities.crystals import crystal_of
from dsfu.simulate.densities.sample_panels import sample_panels
from dsfu.simulate.densities.samples import fields, stored_pattern, types_of
from dsfu.simulate.fields import SPLITS, Field

PER_SHARD: Final = 256

CRYSTALS: Final = Kind(
    name="crystals", noun="crystal", words="crystals", science=3,
    make="dsfu.pipeline.problems.densities.makers:make_crystals", is_sample=True,
    arrays={"positions": 3, "pattern": 2},
    seconds_per_item=0.008, bytes_per_item=1900,
    kernels="dsfu.simulate.densities.site_kernels", seconds_to_compile=2.0,
)  # fmt: skip

TEMPLATE: Final = """\
# Powder patterns and the crystals behind them, for learning electron densities. See what it asks for with
# `dsfu-pipeline plan`, make it with `dsfu-pipeline run`. Densities are not stored: readers compute them.
version: 1
problem: densities
name: my-crystals
seed: 1                    # all random numbers derive from it
store: stores/my-crystals  # a folder or a URL (s3://…), unless --store says otherwise

crystals:
  systems: [cubic]         # or: trigonal, hexagonal, tetragonal, orthorhombic, monoclinic, triclinic
  most_atoms: 64           # in the conventional cell
  split_by: formula        # or: anonymous formula, type

samples: {train: 1000, validation: 100, test: 100}
"""


@dataclass(frozen=True)
class CrystalPlan:
    """The shards of a manifest, split after split."""

    specs: tuple[ShardSpec, ...]


class Densities(Problem[DensitiesManifest]):
    """Given a powder pattern and a formula, the electron density is sought."""

    name = "densities"
    kinds = (CRYSTALS,)

    @property
    def manifest(self) -> type[DensitiesManifest]:
        return DensitiesManifest

    @property
    def template(self) -> str:
        return TEMPLATE

    def fields(self, settings: DensitiesManifest | None) -> tuple[Field, ...]:
        return fields(64 if settings is None else settings.crystals.most_atoms)

    def check(self, loaded: LoadedManifest[DensitiesManifest]) -> None:
        crystals = loaded.manifest.crystals
        if not types_of(crystals.systems, crystals.most_atoms):
            raise loaded.problem(
                "crystals", "most_atoms", what=f"no structure type has so few atoms as {crystals.most_atoms}",
                expected="a larger number, or more systems",
            )  # fmt: skip

    def plan(self, loaded: LoadedManifest[DensitiesManifest]) -> CrystalPlan:
        wanted = loaded.manifest.samples
        return CrystalPlan(
            tuple(
                self._spec(loaded.manifest, split, shard, number)
                for split in SPLITS
                for shard, number in enumerate(_shares(getattr(wanted, split)))
            )
        )

    def _spec(self, settings: DensitiesManifest, split: str, shard: int, wanted: int) -> ShardSpec:
        crystals = settings.crystals
        shards = -(-getattr(settings.samples, split) // PER_SHARD)
        parameters = {
            "seed": settings.seed, "split": split, "shard": shard, "shards": shards, "wanted": wanted,
            "items": PER_SHARD, "most_atoms": crystals.most_atoms, "split_by": crystals.split_by,
            "types": list(types_of(crystals.systems, crystals.most_atoms)),
        }  # fmt: skip
        inputs = {
            "crystals": digest({name: parameters[name] for name in ("most_atoms", "split_by", "types")}),
            "samples": digest([split, shard, shards, wanted]),
            "seed": digest(settings.seed),
            "science": digest(CRYSTALS.science),
        }
        return ShardSpec(
            kind=CRYSTALS.name, identity=f"crystals/{split}/{shard}", inputs=inputs, parameters=parameters,
            items=PER_SHARD, split=split,
        )  # fmt: skip

    def panels(self, sample: Mapping[str, Any], fields: Sequence[Field]) -> Sequence[Panel]:
        return sample_panels(sample)

    def again(self, group: Any, split: str, index: int) -> Arrays:
        from dsfu.simulate.densities.density import density

        cell, numbers, positions, atoms = (
            np.asarray(group[f"{split}/{name}"][index]) for name in ("cell", "numbers", "positions", "atoms")
        )
        crystal = crystal_of(cell, numbers, positions, int(atoms))
        return {"pattern": stored_pattern(crystal).astype(np.uint16), "density": density(crystal)}


def _shares(wanted: int) -> list[int]:
    """So many samples divided evenly over as few shards as hold them."""
    shards = -(-wanted // PER_SHARD)
    return [wanted * (i + 1) // shards - wanted * i // shards for i in range(shards)]


PROBLEM: Final = Densities()
