"""What most problems have in a closed store: one group a split, its columns by their fields, and tables of rows.

A problem whose tables hang together in other ways makes its own `StoreContents`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dsfu.pipeline.kinds import Kind
from dsfu.pipeline.making import Arrays
from dsfu.pipeline.specs import ShardSpec, digest
from dsfu.pipeline.store.arrays import NamedArray, ZarrGroup
from dsfu.pipeline.store.contents import Origin, StoreContents, Tables
from dsfu.pipeline.store.files import Files
from dsfu.pipeline.store.records import check_shape, read_records
from dsfu.pipeline.store.shard_format import array_metadata
from dsfu.simulate.fields import Field

KEPT: Field = Field(
    name="kept", dtype="bool", dims=("sample",), units="1", long_name="whether the sample is to be used"
)
"""Every split has it. Where shards do not record it, every sample is kept."""


@dataclass(frozen=True, kw_only=True)
class TableShards:
    """The shards of a table, in the order of its rows. Incomplete ones keep their room, so that numbers stay."""

    kind: Kind
    fields: tuple[Field, ...]
    shards: tuple[tuple[str, int, bool], ...]
    """Key, rows, and whether it is there."""


@dataclass(frozen=True, kw_only=True)
class SampleShards:
    """The complete shards of a split, in the order of the samples; all have the same number of them."""

    name: str
    kind: Kind
    per_shard: int
    keys: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PlainContents(StoreContents):
    """Splits whose columns are the fields that their shards record, and tables of what other shards record."""

    of: Origin
    fields: tuple[Field, ...]
    splits: tuple[SampleShards, ...]
    table_shards: tuple[TableShards, ...] = ()

    @property
    def origin(self) -> Origin:
        return self.of

    @property
    def split_names(self) -> Sequence[str]:
        return [split.name for split in self.splits]

    @property
    def materialised(self) -> bool:
        return any(field.kept_as == "array" for field in self.fields)

    def placed(self) -> Mapping[str, Sequence[str]]:
        arrays = [field.name for field in self.fields if field.kept_as == "array"]
        return {f"{split.name}/{name}": split.keys for split in self.splits for name in arrays}

    def keys(self) -> Sequence[str]:
        of_tables = (shard for table in self.table_shards for shard in table.shards)
        return [key for split in self.splits for key in split.keys] + [
            key for key, _, is_there in of_tables if is_there
        ]

    def tables(self, files: Files) -> Tables:
        groups: dict[str, ZarrGroup] = {}
        samples: dict[str, Mapping[str, int]] = {}
        for split in self.splits:
            groups[split.name], kept = self._split(files, split)
            number = len(split.keys)
            samples[split.name] = {"shards": number, "samples": number * split.per_shard, "kept": kept}
        for table in self.table_shards:
            groups[table.kind.name] = _table(files, table)
        return Tables(groups=groups, samples=samples)

    def digest(self) -> str:
        return digest(
            {
                "splits": [[split.name, split.per_shard, split.keys] for split in self.splits],
                "tables": [[table.kind.name, table.shards] for table in self.table_shards],
                "origin": asdict(self.of),
            }
        )

    def _split(self, files: Files, split: SampleShards) -> tuple[ZarrGroup, int]:
        fields = [field for field in self.fields if field.kept_as == "column"]
        records = read_records(files, split.keys, split.kind.record)
        if KEPT.name not in (field.name for field in fields):
            fields.append(KEPT)
            for record in records:
                record.setdefault(KEPT.name, np.ones(split.per_shard, np.bool_))
        for key, record in zip(split.keys, records, strict=True):
            _check(key, split.kind, record, fields, split.per_shard)
        columns = [_named(field, [record[field.name] for record in records]) for field in fields]
        kept = next(column.values for column in columns if column.name == KEPT.name)
        samples = len(split.keys) * split.per_shard
        group = ZarrGroup(
            arrays=columns,
            foreign={
                field.name: array_metadata(
                    (samples, *field.shape),
                    split.per_shard,
                    {"units": field.units, "long_name": field.long_name},
                    dtype=field.dtype,
                    dims=field.dims,
                    compression=split.kind.compression_of(field.name),
                )
                for field in self.fields
                if field.kept_as == "array"
            },
            coordinates=tuple(column.name for column in columns),
            attributes={"shards": len(split.keys), "samples_per_shard": split.per_shard},
        )
        return group, int(kept.sum())


def plain_contents(
    origin: Origin,
    kinds: Sequence[Kind],
    fields: tuple[Field, ...],
    table_fields: Mapping[str, tuple[Field, ...]],
    specs: Sequence[ShardSpec],
    complete: Collection[str],
) -> PlainContents:
    """Contents by the kinds of the shards: samples by their split, and a table for each kind that has fields.

    Raises
    ------
    ValueError
        If shards of one split have different numbers of samples, which no array could hold.
    """
    by_name = {kind.name: kind for kind in kinds}
    of_split: dict[str, list[ShardSpec]] = {}
    for spec in specs:
        if by_name[spec.kind].is_sample:
            of_split.setdefault(spec.split or "train", []).append(spec)
    splits = []
    for name, shards in of_split.items():
        if len({(spec.items, spec.kind) for spec in shards}) > 1:
            raise ValueError(f"shards of {name} differ in samples or kind; expected all alike, the last filled up")
        keys = tuple(spec.key for spec in shards if spec.key in complete)
        if keys:
            splits.append(SampleShards(name=name, kind=by_name[shards[0].kind], per_shard=shards[0].items, keys=keys))
    tables = [
        TableShards(
            kind=by_name[kind],
            fields=of_kind,
            shards=tuple((spec.key, spec.items, spec.key in complete) for spec in specs if spec.kind == kind),
        )
        for kind, of_kind in table_fields.items()
    ]
    return PlainContents(of=origin, fields=fields, splits=tuple(splits), table_shards=tuple(tables))


def _table(files: Files, table: TableShards) -> ZarrGroup:
    keys = [key for key, _, is_there in table.shards if is_there]
    records = dict(zip(keys, read_records(files, keys, table.kind.record), strict=True))
    for key, rows, is_there in table.shards:
        if is_there:
            _check(key, table.kind, records[key], table.fields, rows)
    arrays = []
    for field in table.fields:
        parts = [
            records[key][field.name] if is_there else np.zeros((rows, *field.shape), field.dtype)
            for key, rows, is_there in table.shards
        ]
        arrays.append(_named(field, parts))
    return ZarrGroup(arrays=arrays)


def _check(key: str, kind: Kind, record: Arrays, fields: Sequence[Field], rows: int) -> None:
    for field in fields:
        inner = field.shape or (None,) * (len(field.dims) - 1)
        check_shape(key, kind.record, record, field.name, (rows, *inner), kinds="biufSU")


def _named(field: Field, parts: Sequence[npt.NDArray[Any]]) -> NamedArray:
    values = np.concatenate([*parts] or [np.zeros((0, *field.shape), field.dtype)])
    return NamedArray(
        name=field.name,
        values=values if values.dtype.kind in "SU" else values.astype(field.dtype, copy=False),
        dims=field.dims,
        units=field.units,
        long_name=field.long_name,
    )
