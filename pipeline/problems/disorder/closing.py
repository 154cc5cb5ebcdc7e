"""What closing has to make of the shards of disorder that are there, and the groups that it makes of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from dsfu.pipeline.specs import digest
from dsfu.pipeline.store.contents import Origin, StoreContents, Tables
from dsfu.pipeline.store.files import Files
from dsfu.simulate.disorder.fields import PIXELS, PLANE_FIELDS
from dsfu.simulate.species import SPLITS, Species

Scope = Literal["pair", "store", "none"]
Metric = Literal["sliced_wasserstein", "appearance", "wasserstein"]


@dataclass(frozen=True, kw_only=True)
class UniquenessSettings:
    """Which planes count as repeating another.

    Attributes
    ----------
    scope
        What a plane is compared with: planes of its pair, of its whole split ("store"), or nothing.
    metric
        The distance; embeddings must have been made for it.
    threshold
        Planes nearer than this are duplicates; in the unit of the metric.
    """

    scope: Scope = "pair"
    metric: Metric = "sliced_wasserstein"
    threshold: float = 0.0

    def __post_init__(self) -> None:
        if self.scope not in get_args(Scope):
            raise ValueError(f"scope = {self.scope!r}: expected one of {get_args(Scope)}")
        if self.metric not in get_args(Metric):
            raise ValueError(f"metric = {self.metric!r}: expected one of {', '.join(get_args(Metric))}")
        if not 0 <= self.threshold < float("inf"):
            raise ValueError(f"threshold = {self.threshold}: expected a finite number, not below 0")
        if self.metric == "wasserstein" and self.scope == "store":
            raise ValueError(
                "scope = 'store': expected 'pair' or 'none' for wasserstein, which takes too long for more"
            )


@dataclass(frozen=True, kw_only=True)
class PairShard:
    """One complete planes shard: its key, its identity as planned, and the names of its species."""

    key: str
    identity: str
    species_a: str
    species_b: str


@dataclass(frozen=True, kw_only=True)
class SplitShards:
    """The complete planes shards of a split, in the order of the samples."""

    name: str
    planes_per_pair: int
    pairs: tuple[PairShard, ...]

    @property
    def samples(self) -> int:
        return len(self.pairs) * self.planes_per_pair


@dataclass(frozen=True, kw_only=True)
class SetsShard:
    """One shard of the bank of sets. Incomplete ones keep their room, so that the others keep their numbers."""

    key: str
    items: int
    complete: bool = True


@dataclass(frozen=True, kw_only=True)
class ClosingSpec(StoreContents):
    """Everything that a closed store holds, in order.

    Attributes
    ----------
    splits
        Planes shards by split; a split without any is left out of the store.
    species
        The table of species; ``species_a`` and ``species_b`` of a sample are indices into it.
    sro_sets
        The bank, in the order of the numbers by which planes shards refer to it.
    masks
        Keys of complete masks shards, in order.
    mask_seed
        What the assignment of masks is drawn from, with the identity of a pair and the number of a plane.
    materialise
        Whether planes are stored, or parameters only.
    manifest_text, settings, versions
        Recorded as they are.
    """

    splits: tuple[SplitShards, ...]
    species: tuple[Species, ...]
    sro_sets: tuple[SetsShard, ...] = ()
    masks: tuple[str, ...] = ()
    uniqueness: UniquenessSettings = field(default_factory=UniquenessSettings)
    mask_seed: int = 0
    pixels: int = PIXELS
    materialise: bool = True
    manifest_text: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = sorted({split.name for split in self.splits} - set(SPLITS))
        if unknown:
            raise ValueError(f"splits: {unknown[0]!r}; expected only {' and '.join(SPLITS)}")
        repeated = [name for name, count in Counter(split.name for split in self.splits).items() if count > 1]
        if repeated:
            raise ValueError(f"splits: {repeated[0]} is there twice; expected each name once")
        pairs = [pair for split in self.splits for pair in split.pairs]
        by_key = Counter(pair.key for pair in pairs)
        twice = [pair.identity for pair in pairs if by_key[pair.key] > 1]
        if twice:
            raise ValueError(f"splits: {', '.join(twice[:4])} are one shard; expected each shard in one place only")
        known = {species.name for species in self.species}
        strangers = sorted({name for pair in pairs for name in (pair.species_a, pair.species_b)} - known)
        if strangers:
            raise ValueError(f"species: {', '.join(strangers[:10])} missing; expected every species of every pair")

    @property
    def filled_splits(self) -> tuple[SplitShards, ...]:
        """Splits that have at least one shard, and so a group in the store."""
        return tuple(split for split in self.splits if split.pairs)

    @property
    def origin(self) -> Origin:
        return Origin(
            problem="disorder", settings=self.settings, manifest_text=self.manifest_text, versions=self.versions
        )

    @property
    def split_names(self) -> Sequence[str]:
        return [split.name for split in self.filled_splits]

    @property
    def materialised(self) -> bool:
        return self.materialise

    def placed(self) -> Mapping[str, Sequence[str]]:
        if not self.materialise:
            return {}
        keys = {split.name: [pair.key for pair in split.pairs] for split in self.filled_splits}
        return {f"{split}/{each.name}": of_split for split, of_split in keys.items() for each in PLANE_FIELDS}

    def keys(self) -> Sequence[str]:
        of_planes = [pair.key for split in self.splits for pair in split.pairs]
        return [*of_planes, *(each.key for each in self.sro_sets if each.complete), *self.masks]

    def tables(self, files: Files) -> Tables:
        from dsfu.pipeline.problems.disorder.tables import tables_of

        return tables_of(files, self)

    def digest(self) -> str:
        """The same for specs that make the same store."""
        return digest(
            {
                "splits": [[s.name, s.planes_per_pair, [[p.key, p.identity] for p in s.pairs]] for s in self.splits],
                "species": [[s.name, s.group, s.split, s.geometry_digest()] for s in self.species],
                "sro_sets": [[s.key, s.items, s.complete] for s in self.sro_sets],
                "masks": list(self.masks),
                "uniqueness": [self.uniqueness.scope, self.uniqueness.metric, self.uniqueness.threshold],
                "mask_seed": self.mask_seed,
                "pixels": self.pixels,
                "materialise": self.materialise,
                "manifest": self.manifest_text,
                "versions": dict(self.versions),
            }
        )
