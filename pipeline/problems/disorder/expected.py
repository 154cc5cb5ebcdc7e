"""Which shards a manifest asks for, each with its key. Pure: nothing is read and nothing is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from dsfu.pipeline.problems.disorder.kinds import SCIENCE
from dsfu.pipeline.problems.disorder.own_masks import OwnMasks
from dsfu.pipeline.problems.disorder.pairs import Pair
from dsfu.pipeline.problems.disorder.settings.manifest import DisorderManifest
from dsfu.pipeline.specs import ShardSpec, digest
from dsfu.pipeline.store.shard_format import CODEC_NAME
from dsfu.simulate.random_stream import RandomStream
from dsfu.simulate.species import Species, Split

SETS_PER_SHARD: Final = 16
MASKS_PER_SHARD: Final = 64
_BYTES_PER_PIXEL: Final = 2.7
"""Of the two planes of a sample, compressed: 2.6 to 2.7 in two data sets."""
_RECORD_BYTES: Final = 1700
"""What is kept of a plane beside its pixels, or instead of them."""


@dataclass(frozen=True, kw_only=True)
class ExpectedPair:
    """The planes shard of a pair, and who the pair is."""

    spec: ShardSpec
    species_a: str
    species_b: str


@dataclass(frozen=True, kw_only=True)
class Expected:
    """All shards of a manifest, in the order of the store."""

    sro_sets: tuple[ShardSpec, ...]
    masks: tuple[ShardSpec, ...]
    planes: Mapping[Split, tuple[ExpectedPair, ...]]
    species: Mapping[str, Species] = field(default_factory=dict)

    @property
    def specs(self) -> list[ShardSpec]:
        """In the order of making: what planes draw on comes first."""
        return [*self.sro_sets, *self.masks, *(pair.spec for pairs in self.planes.values() for pair in pairs)]


def expected_shards(
    manifest: DisorderManifest, pairs: Mapping[Split, Sequence[Pair]], own_masks: OwnMasks | None = None
) -> Expected:
    """All shards of a manifest whose pairs of species are these."""
    bank = _sro_shards(manifest)
    planes = {
        split: tuple(_planes_shard(manifest, split, a, b, bank) for a, b in of_split)
        for split, of_split in pairs.items()
    }
    return Expected(sro_sets=bank, masks=_mask_shards(manifest, own_masks), planes=planes)


def _sro_shards(manifest: DisorderManifest) -> tuple[ShardSpec, ...]:
    settings = manifest.sro.monte_carlo
    common: dict[str, Any] = {
        "seed": manifest.seed,
        "fraction_a": list(settings.fraction_a),
        "targets": list(settings.targets),
        "box": settings.box,
    }
    if settings.equilibrium:  # only then, so that banks made before there was this setting need not be made again
        common["equilibrium"] = True
    return _numbered_shards("sro_sets", "Monte Carlo settings", common, settings.bank_size, SETS_PER_SHARD)


def _mask_shards(manifest: DisorderManifest, own: OwnMasks | None) -> tuple[ShardSpec, ...]:
    if own is not None:
        contents = {"dataset": own.dataset, "sha256": own.sha256, "pixels": manifest.planes.pixels}
        more = {"file": own.file}  # where it is makes no difference
        return _numbered_shards("masks", "file of dead zones", contents, own.count, MASKS_PER_SHARD, more)
    settings = manifest.dead_zones
    common = {
        "seed": manifest.seed,
        "live_fraction": list(settings.live_fraction),
        "pixels": manifest.planes.pixels,
    }
    return _numbered_shards("masks", "dead zones", common, settings.bank_size, MASKS_PER_SHARD)


def _numbered_shards(
    kind: str, what: str, common: dict[str, Any], total: int, per_shard: int, more: Mapping[str, Any] | None = None
) -> tuple[ShardSpec, ...]:
    """Shards of a bank whose items are made one by one from their numbers."""
    specs = []
    for number, first in enumerate(range(0, total, per_shard)):
        count = min(per_shard, total - first)
        specs.append(
            ShardSpec(
                kind=kind,
                identity=f"{kind}/{number:04d}",
                inputs={
                    what: digest(common),
                    "numbers": digest([first, count]),
                    "science": digest(SCIENCE[kind]),
                },
                parameters={**common, **(more or {}), "first": first, "count": count},
                items=count,
            )
        )
    return tuple(specs)


def _planes_shard(
    manifest: DisorderManifest, split: Split, one: Species, other: Species, bank: tuple[ShardSpec, ...]
) -> ExpectedPair:
    # Random numbers follow the geometries and not the names, so that renaming a species changes nothing.
    stream = f"{one.geometry_digest()} {other.geometry_digest()}"
    numbers = _drawn(manifest, split, stream)
    rules = {
        "pixels": manifest.planes.pixels,
        "layers_per_axis": manifest.planes.monte_carlo.layers_per_axis,
        "oscillator_layers": list(manifest.planes.oscillator.layers),
        "displaced_below": manifest.planes.monte_carlo.displaced_below,
    }
    oscillator = _oscillator_settings(manifest, split, one)
    q_max = list(manifest.planes.q_max)
    materialise = manifest.storage.materialise
    bank_rows: list[tuple[str, int]] = [(bank[n // SETS_PER_SHARD].key, n % SETS_PER_SHARD) for n in numbers]
    spec = ShardSpec(
        kind="planes",
        split=split,
        needs=tuple(sorted({key for key, _ in bank_rows})),
        identity=f"planes/{one.name}+{other.name}",
        inputs={
            "seed": digest(manifest.seed),
            "geometry of species A": one.geometry_digest(),
            "geometry of species B": other.geometry_digest(),
            "Monte Carlo settings": digest(
                [SCIENCE["sro_sets"], *(each.inputs["Monte Carlo settings"] for each in bank[:1])]
            ),
            "sets drawn from the bank": digest(numbers),
            "oscillator settings": digest(oscillator),
            "plane rules": digest([rules, q_max]),
            "uniqueness metric": digest(manifest.uniqueness.metric),
            "storage": digest(CODEC_NAME if materialise else None),
            "science": digest(SCIENCE["planes"]),
        },
        parameters={
            "seed": manifest.seed,
            "stream": stream,
            "species_a": _geometry(one),
            "species_b": _geometry(other),
            "bank_numbers": numbers,
            "bank_rows": bank_rows,
            "oscillator": oscillator,
            "rules": rules,
            "q_max": q_max,
            "metric": manifest.uniqueness.metric,
            "materialise": materialise,
        },
        items=manifest.planes_per_pair(split),
        bytes_expected=round(manifest.planes_per_pair(split) * _bytes_of_plane(manifest)),
    )
    return ExpectedPair(spec=spec, species_a=one.name, species_b=other.name)


def _bytes_of_plane(manifest: DisorderManifest) -> float:
    return _RECORD_BYTES + manifest.storage.materialise * _BYTES_PER_PIXEL * manifest.planes.pixels**2


def _drawn(manifest: DisorderManifest, split: Split, stream: str) -> list[int]:
    """Numbers of the sets of the bank that a pair is simulated with, all different."""
    wanted = manifest.monte_carlo_sets(split)
    random = RandomStream(manifest.seed, "sets drawn", stream)
    numbers: dict[int, None] = {}
    while len(numbers) < wanted:
        numbers[random.integer(manifest.sro.monte_carlo.bank_size)] = None
    return list(numbers)


def _oscillator_settings(manifest: DisorderManifest, split: Split, one: Species) -> dict[str, Any]:
    settings = manifest.sro.oscillator
    return {
        "count": manifest.oscillator_sets(split),
        "lattice": one.shape.lattice,
        "amplitude": list(settings.amplitude),
        "decay": list(settings.decay),
        "frequency": list(settings.frequency),
        "most_clipped": settings.most_clipped,
    }


def _geometry(species: Species) -> dict[str, Any]:
    return {
        "numbers": species.atoms.numbers.tolist(),
        "positions": species.atoms.positions.tolist(),
        "cell": list(species.cell.constants),
    }
