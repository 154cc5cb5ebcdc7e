"""What a manifest wants, all of it: its species, its pairs, its shards, and the store they make together."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from dsfu.pipeline.problems.disorder.expected import Expected, ExpectedPair, expected_shards
from dsfu.pipeline.manifest.loading import LoadedManifest
from dsfu.pipeline.problems.disorder.pairs import all_pairs, species_of
from dsfu.pipeline.specs import ShardSpec
from dsfu.pipeline.problems.disorder.closing import ClosingSpec, PairShard, SetsShard, SplitShards, UniquenessSettings
from dsfu.simulate.species import Species


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A manifest with all that follows from it before anything is made."""

    loaded: LoadedManifest
    species: Mapping[str, Species]
    expected: Expected

    @property
    def stages(self) -> list[list[ShardSpec]]:
        """Shards in the order of making: nothing in a stage needs anything of its own stage or of later ones."""
        pairs = [pair.spec for of_split in self.expected.planes.values() for pair in of_split]
        return [[*self.expected.sro_sets, *self.expected.masks], pairs]

    def closing_spec(self, complete: Collection[str]) -> ClosingSpec:
        """The store that the shards with these keys make."""
        from dsfu.pipeline.tasks import versions  # late, as they load numba
        from dsfu.simulate.disorder.uniqueness import METRICS

        manifest = self.loaded.manifest
        uniqueness = manifest.uniqueness
        threshold = METRICS[uniqueness.metric].threshold if uniqueness.threshold is None else uniqueness.threshold
        splits = [
            SplitShards(name=split, planes_per_pair=manifest.planes_per_pair(split), pairs=_complete(pairs, complete))
            for split, pairs in self.expected.planes.items()
        ]
        return ClosingSpec(
            splits=tuple(splits),
            species=tuple(self.species.values()),
            sro_sets=tuple(
                SetsShard(key=spec.key, items=spec.items, complete=spec.key in complete)
                for spec in self.expected.sro_sets
            ),
            masks=tuple(spec.key for spec in self.expected.masks if spec.key in complete),
            uniqueness=UniquenessSettings(scope=uniqueness.scope, metric=uniqueness.metric, threshold=threshold),
            mask_seed=manifest.seed,
            pixels=manifest.planes.pixels,
            materialise=manifest.storage.materialise,
            manifest_text=self.loaded.text,
            # That of dsfu alone, so that stores do not differ by who made them; the ledger has the others.
            versions={"dsfu": versions()["dsfu"]},
        )


def what_is_wanted(loaded: LoadedManifest) -> Wanted:
    """Find species and pairs of a manifest, and give every shard its key."""
    species = species_of(loaded)
    pairs = all_pairs(loaded, species)
    return Wanted(loaded=loaded, species=species, expected=expected_shards(loaded.manifest, pairs))


def needs(spec: ShardSpec) -> Sequence[str]:
    """Keys of the shards that have to be there before this one can be made."""
    return sorted({key for key, _ in spec.parameters.get("bank_rows", ())})


def _complete(pairs: Sequence[ExpectedPair], complete: Collection[str]) -> tuple[PairShard, ...]:
    return tuple(
        PairShard(key=pair.spec.key, identity=pair.spec.identity, species_a=pair.species_a, species_b=pair.species_b)
        for pair in pairs
        if pair.spec.key in complete
    )
