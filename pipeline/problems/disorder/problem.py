"""Disorder, behind the pipeline's contract: planes of diffuse scattering of crystals with two species on one site."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Final

from dsfu.pipeline.kinds import Kind
from dsfu.pipeline.making import Arrays
from dsfu.pipeline.manifest.loaded import LoadedManifest
from dsfu.pipeline.problem import Declared, Problem
from dsfu.pipeline.problems.disorder.closing import (
    ClosingSpec,
    PairShard,
    SetsShard,
    SplitShards,
    UniquenessSettings,
)
from dsfu.pipeline.problems.disorder.expected import Expected, ExpectedPair, expected_shards
from dsfu.pipeline.problems.disorder.kinds import KINDS
from dsfu.pipeline.problems.disorder.own_masks import own_masks_of
from dsfu.pipeline.problems.disorder.settings.manifest import DisorderManifest
from dsfu.pipeline.problems.disorder.template import TEMPLATE
from dsfu.simulate.disorder.fields import DECISION_FIELDS, PLANE_FIELDS, SAMPLE_FIELDS, STORE_FIELDS
from dsfu.simulate.fields import Field
from dsfu.words import count
from dsfu.yaml.document import KeyPath


class Disorder(Problem[DisorderManifest]):
    """Given a plane of diffuse scattering, the form factor and the short-range order are sought."""

    name = "disorder"
    aliases = ("binary_substitutional",)
    is_default: ClassVar[bool] = True
    kinds: tuple[Kind, ...] = KINDS
    tables = ("species", "sro_sets", "masks")
    looks = "dsfu.pipeline.problems.disorder.report.looks:DisorderLooks"
    left_out = "repeat others"

    @property
    def manifest(self) -> type[DisorderManifest]:
        return DisorderManifest

    @property
    def template(self) -> str:
        return TEMPLATE

    def fields(self, settings: DisorderManifest | None) -> tuple[Field, ...]:
        if settings is None:
            return (*SAMPLE_FIELDS, *STORE_FIELDS, *DECISION_FIELDS, *PLANE_FIELDS)
        shape = (settings.planes.pixels,) * 2
        decided = DECISION_FIELDS if settings.uniqueness.metric == "wasserstein" else ()
        return (*SAMPLE_FIELDS, *STORE_FIELDS, *decided, *(replace(field, shape=shape) for field in PLANE_FIELDS))

    @property
    def columns(self) -> Sequence[str]:
        return [*super().columns, "embedding", "x", "y"]

    def files(self, value: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
        species = value.get("species")
        own = species.get("own") if isinstance(species, dict) else None
        for number, each in enumerate(own if isinstance(own, tuple) else ()):
            if isinstance(each, dict) and isinstance(each.get("file"), str):
                yield ("species", "own", number, "file"), each["file"]
        zones = value.get("dead_zones")
        if isinstance(zones, dict) and isinstance(zones.get("file"), str):
            yield ("dead_zones", "file"), zones["file"]

    def check(self, loaded: LoadedManifest[DisorderManifest]) -> None:
        from dsfu.pipeline.problems.disorder.feasibility import check_feasible

        check_feasible(loaded)

    def plan(self, loaded: LoadedManifest[DisorderManifest]) -> Expected:
        from dsfu.pipeline.problems.disorder.pairs import all_pairs, species_of

        species = species_of(loaded)
        shards = expected_shards(loaded.manifest, all_pairs(loaded, species), own_masks_of(loaded))
        return replace(shards, species=species)

    def declared(self, shards: Expected) -> Declared:
        splits = {
            split: {
                "pairs": len(pairs),
                "pairs_of_group": dict(Counter(shards.species[pair.species_a].group for pair in pairs)),
                "planes": sum(pair.spec.items for pair in pairs),
            }
            for split, pairs in shards.planes.items()
        }
        sets, masks = (sum(spec.items for spec in specs) for specs in (shards.sro_sets, shards.masks))
        rows = [
            f"{split:<10} {count(len(pairs), 'pair')}, {count(sum(pair.spec.items for pair in pairs), 'plane')}"
            for split, pairs in shards.planes.items()
        ]
        rows.append(f"{count(sets, 'set')} in the bank, {count(masks, 'mask')}")
        return Declared(values={"splits": splits, "sro_sets": sets, "masks": masks}, rows=rows)

    def contents(
        self, loaded: LoadedManifest[DisorderManifest], shards: Expected, complete: Collection[str]
    ) -> ClosingSpec:
        from dsfu.simulate.disorder.uniqueness import METRICS  # late, as it loads numba

        manifest, origin = loaded.manifest, self.origin(loaded)
        uniqueness = manifest.uniqueness
        threshold = METRICS[uniqueness.metric].threshold if uniqueness.threshold is None else uniqueness.threshold
        splits = [
            SplitShards(name=split, planes_per_pair=manifest.planes_per_pair(split), pairs=_complete(pairs, complete))
            for split, pairs in shards.planes.items()
        ]
        return ClosingSpec(
            splits=tuple(splits),
            species=tuple(shards.species.values()),
            sro_sets=tuple(
                SetsShard(key=spec.key, items=spec.items, complete=spec.key in complete) for spec in shards.sro_sets
            ),
            masks=tuple(spec.key for spec in shards.masks if spec.key in complete),
            uniqueness=UniquenessSettings(scope=uniqueness.scope, metric=uniqueness.metric, threshold=threshold),
            mask_seed=manifest.seed,
            pixels=manifest.planes.pixels,
            materialise=manifest.storage.materialise,
            manifest_text=origin.manifest_text,
            settings=origin.settings,
            versions=origin.versions,
        )

    def again(self, group: Any, split: str, index: int) -> Arrays:
        from dsfu.pipeline.problems.disorder.recompute import Recomputer

        found = Recomputer(group)(split, index)
        return {"form_factor": found.form_factor, "sro": found.sro}


def _complete(pairs: Sequence[ExpectedPair], complete: Collection[str]) -> tuple[PairShard, ...]:
    return tuple(
        PairShard(key=pair.spec.key, identity=pair.spec.identity, species_a=pair.species_a, species_b=pair.species_b)
        for pair in pairs
        if pair.spec.key in complete
    )


PROBLEM: Final = Disorder()
