"""From a manifest of particles to its shards: tables of shapes first, then samples by split."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Any, Final

from dsfu.pipeline.kinds import Kind
from dsfu.pipeline.problems.particles.settings import ParticlesManifest
from dsfu.pipeline.specs import ShardSpec, digest
from dsfu.pipeline.store.shard_format import COMPRESSIONS
from dsfu.simulate.fields import SPLITS
from dsfu.simulate.particles.fields import PDF_FIELD
from dsfu.simulate.particles.samples import group_of
from dsfu.simulate.particles.shape_lists import ListedShape, collection
from dsfu.simulate.random_stream import RandomStream

_MAKERS: Final = "dsfu.pipeline.problems.particles.makers"
_CURVES: Final = "curves"
_SECONDS_OF_A_SHAPE: Final = 0.0002

SHAPES: Final = Kind(
    name="shapes",
    noun="shape",
    words="shapes",
    science=1,
    make=f"{_MAKERS}:make_shapes",
    seconds_per_item=_SECONDS_OF_A_SHAPE,
    bytes_per_item=3000,
    record="shapes.npz",
)
PDFS: Final = Kind(
    name="pdfs",
    noun="pair distribution function",
    words="pair distribution functions",
    science=1,
    make=f"{_MAKERS}:make_pdfs",
    seconds_per_item=0.0017,
    bytes_per_item=1900,
    arrays={PDF_FIELD.name: len(PDF_FIELD.dims)},
    compressions={PDF_FIELD.name: _CURVES},
    is_sample=True,
)

_SHAPES_PER_SHARD: Final = 64


@dataclass(frozen=True, kw_only=True)
class ParticleShards:
    """All shards of a manifest."""

    settings: ParticlesManifest

    @cached_property
    def shapes(self) -> tuple[ListedShape, ...]:
        """Every shape once, in the order of the table."""
        most = self.settings.shapes.most_atoms or 10**9
        listed = [each for name in self.settings.shapes.collections for each in collection(name)]
        return tuple({each.shape: each for each in listed if each.atoms <= most}.values())

    @property
    def most_atoms(self) -> int:
        """Of the largest shape: rows of positions are as long."""
        return max(each.atoms for each in self.shapes)

    @cached_property
    def samples(self) -> Mapping[str, Sequence[int]]:
        """Numbers of the samples of each split, rising. A sample's number is that of its shape first."""
        return {name: numbers for name, numbers in split_of(self.settings, self.shapes).items() if numbers}

    @cached_property
    def specs(self) -> Sequence[ShardSpec]:
        """Shards in the order of the store."""
        tables = self._tables()
        return [*tables, *self._pdfs([table.key for table in tables])]

    def _tables(self) -> list[ShardSpec]:
        found = []
        for first in range(0, len(self.shapes), _SHAPES_PER_SHARD):
            part = self.shapes[first : first + _SHAPES_PER_SHARD]
            parameters = {
                "shapes": [[each.shape.family, *each.shape.parameters] for each in part],
                "most_atoms": self.most_atoms,
            }
            inputs = {"shapes": digest(parameters), "science": digest(SHAPES.science)}
            found.append(
                ShardSpec(
                    kind=SHAPES.name,
                    identity=f"shapes/{first // _SHAPES_PER_SHARD:04d}",
                    inputs=inputs,
                    parameters=parameters,
                    items=len(part),
                    seconds_expected=_SECONDS_OF_A_SHAPE * len(part),
                )
            )
        return found

    def _pdfs(self, tables: Sequence[str]) -> list[ShardSpec]:
        settings = self.settings
        per_shape = len(settings.shapes.lengths) * settings.shapes.copies
        size = settings.samples_per_shard
        found = []
        for split, numbers in self.samples.items():
            for shard in range(ceil(len(numbers) / size)):
                part = list(numbers[shard * size : (shard + 1) * size])
                own = sorted({number // per_shape // _SHAPES_PER_SHARD for number in part})
                parameters = {
                    "tables": [[table * _SHAPES_PER_SHARD, tables[table]] for table in own],
                    "numbers": part,
                    "items": size,
                    "seed": settings.seed,
                    "bond_lengths": list(settings.shapes.lengths),
                    "copies": settings.shapes.copies,
                    "experiment": settings.experiment.model_dump(mode="json"),
                    "drawn": settings.drawn.model_dump(mode="json"),
                }
                found.append(self._pdf_shard(f"pdfs/{split}/{shard:05d}", split, parameters))
        return found

    def _pdf_shard(self, identity: str, split: str, parameters: Mapping[str, Any]) -> ShardSpec:
        inputs = {
            "samples": digest([parameters[name] for name in ("numbers", "items", "seed", "bond_lengths", "copies")]),
            "shapes": digest(parameters["tables"]),
            "experiment": digest(parameters["experiment"]),
            "drawn": digest(parameters["drawn"]),
            "science": digest(PDFS.science),
            "storage": digest(str(COMPRESSIONS[_CURVES])),
        }
        return ShardSpec(
            kind=PDFS.name,
            identity=identity,
            inputs=inputs,
            parameters=parameters,
            items=parameters["items"],
            needs=tuple(key for _, key in parameters["tables"]),
            split=split,
        )


def split_of(settings: ParticlesManifest, shapes: Sequence[ListedShape]) -> dict[str, list[int]]:
    """Numbers of samples by split, rising."""
    per_shape = len(settings.shapes.lengths) * settings.shapes.copies
    split = settings.split
    random = RandomStream(settings.seed, "split", split.by)
    if split.by == "random":
        units = [[number] for number in range(per_shape * len(shapes))]
    else:  # what belongs together stays together
        groups: dict[str, list[int]] = {}
        for row, each in enumerate(shapes):
            group = str(each.shape) if split.by == "size" else group_of(each.shape)
            groups.setdefault(group, []).extend(range(row * per_shape, (row + 1) * per_shape))
        units = list(groups.values())
    if split.by == "size":
        large = [unit for unit in units if shapes[unit[0] // per_shape].atoms > split.most_atoms]
        small = [unit for unit in units if shapes[unit[0] // per_shape].atoms <= split.most_atoms]
        order = [small[i] for i in random.permutation(len(small))]
        cut = round(len(order) * split.validation)
        parts = (order[cut:], order[:cut], large)
    else:
        order = [units[i] for i in random.permutation(len(units))]
        test, validation = (round(len(order) * share) for share in (split.test, split.validation))
        parts = (order[test + validation :], order[test : test + validation], order[:test])
    return {name: sorted(number for unit in part for number in unit) for name, part in zip(SPLITS, parts, strict=True)}
