"""The table of all sets of Warren–Cowley parameters in a closed store. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from dsfu.pipeline.making import Arrays
from dsfu.pipeline.problems.disorder.closing import ClosingSpec
from dsfu.pipeline.problems.disorder.records import SETS, PairRecord
from dsfu.pipeline.store.arrays import NamedArray, ZarrGroup
from dsfu.pipeline.store.records import DamagedRecord
from dsfu.simulate.disorder.fields import ALPHA_SHAPE

Column = npt.NDArray[Any]

_SET_COLUMNS: Final[Mapping[str, tuple[tuple[str, ...], str, str]]] = {
    "kind": ((), "1", "how the set was made"),
    "alpha": (("u", "v", "w"), "1", "Warren–Cowley parameters: alpha[u + 5, v + 5, w + 5] of u a + v b + w c"),
    "standard_error": (("u", "v", "w"), "1", "standard error of each parameter, 0 where exact"),
    "fraction_a": ((), "1", "mole fraction of species A that the set belongs to"),
    "seed": ((), "1", "the seed that makes the set again"),
}
"""Dims after ``set``, units and long name of what every set has. Parameters of a kind of set speak for themselves."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SetTable:
    """Some rows of the table of sets, and the columns that they have."""

    rows: int
    columns: Mapping[str, Column]


def set_tables(spec: ClosingSpec, bank: Mapping[str, Arrays], records: Sequence[PairRecord]) -> list[SetTable]:
    """All sets in the order of their numbers: the bank, given by key of its complete shards, then the pairs' own."""
    for shard in spec.sro_sets:
        rows = len(bank[shard.key]["alpha"]) if shard.key in bank else shard.items
        if rows != shard.items:
            raise DamagedRecord(shard.key, SETS, f"it has {rows} sets, expected {shard.items}")
    tables = [SetTable(rows=shard.items, columns=bank.get(shard.key, {})) for shard in spec.sro_sets]
    own = [record.own_sets for record in records if record.own_sets]
    return tables + [SetTable(rows=len(sets["alpha"]), columns=sets) for sets in own]


def sets_group(tables: Sequence[SetTable]) -> ZarrGroup:
    """The table of all sets; what a set does not have is NaN, 0 or "" in its row."""
    names = dict.fromkeys([*_SET_COLUMNS, *sorted({name for table in tables for name in table.columns})])
    arrays = []
    for name in names:
        values = _joined(name, tables)
        inner, units, long_name = _SET_COLUMNS.get(
            name, (tuple(f"{name}_{i}" for i in range(values.ndim - 1)), "1", name.replace("_", " "))
        )
        arrays.append(NamedArray(name=name, values=values, dims=("set", *inner), units=units, long_name=long_name))
    return ZarrGroup(arrays=arrays)


def _joined(name: str, tables: Sequence[SetTable]) -> Column:
    """One column over all tables."""
    having = [table.columns[name] for table in tables if name in table.columns] or [_EMPTY[name]]
    dtype = np.result_type(*having)
    rows = sum(table.rows for table in tables)
    nothing = np.nan if dtype.kind == "f" and name != "standard_error" else np.zeros((), dtype)
    out = np.full((rows, *having[0].shape[1:]), nothing, dtype)
    first = 0
    for table in tables:
        if name in table.columns:
            out[first : first + table.rows] = table.columns[name]
        first += table.rows
    return out


_EMPTY: Final[Mapping[str, Column]] = {
    "kind": np.empty(0, "S1"),
    "alpha": np.empty((0, *ALPHA_SHAPE), np.float32),
    "standard_error": np.empty((0, *ALPHA_SHAPE), np.float32),
    "fraction_a": np.empty(0),
    "seed": np.empty(0, np.uint64),
}
"""What the columns of a store without any set look like."""
