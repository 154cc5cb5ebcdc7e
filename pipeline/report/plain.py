"""How any closed store is shown, by its fields alone: quantities as histograms, samples as panels."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import zarr

from dsfu.files import replacing
from dsfu.pages.panel_pictures import figure_of
from dsfu.panels import Panel
from dsfu.pipeline.report.histograms import Distribution, Quantity, distribution_of
from dsfu.pipeline.report.ledger_summary import LedgerSummary, ledger_summary
from dsfu.pipeline.report.opening import root_attributes, state_of
from dsfu.pipeline.store.files import Files
from dsfu.pipeline.store.intact import IntactFiles
from dsfu.simulate.field_panels import panels_of_fields
from dsfu.simulate.fields import SETTINGS_FILE, Field
from dsfu.words import count, size, usable

PAGE_SAMPLES: Final = 6
_MOST_QUANTITIES: Final = 24
"""More histograms than these nobody looks at. Chosen, not calibrated."""

GOLDEN: Final = (5**0.5 - 1) / 2
"""Multiples of it, without their whole part, are spread evenly, however many there are."""

PanelsOf = Callable[[Mapping[str, Any], Sequence[Field]], Sequence[Panel] | None]


@dataclass(frozen=True, kw_only=True)
class PlainSplit:
    """What a split holds: all samples, and those to be used."""

    name: str
    samples: int
    kept: int


@dataclass(frozen=True, kw_only=True)
class PlainSummary:
    """A closed store in numbers."""

    name: str
    problem: str
    url: str
    format_version: int
    splits: tuple[PlainSplit, ...]
    tables: Mapping[str, int]
    distributions: tuple[Distribution, ...]
    bytes: int
    making: LedgerSummary
    closed_with: Mapping[str, str]
    manifest: str

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class PlainStore:
    """A closed store as its fields describe it."""

    def __init__(self, files: Files) -> None:
        self.files, self.attributes = files, root_attributes(files)
        self._intact = IntactFiles(files, state_of(files))
        self.group = zarr.open_group(files.zarr_store(read_only=True), mode="r")
        self.splits: tuple[str, ...] = tuple(self.attributes["splits"])

    def fields(self, group: str) -> list[Field]:
        """What the arrays of a group are, as they say themselves."""
        arrays = cast(zarr.Group, self.group[group]).arrays()
        return [_field(name, array) for name, array in sorted(arrays)]

    def column(self, split: str, name: str) -> Any:
        self._intact.check_array(f"{split}/{name}")
        return np.asarray(cast("zarr.Array[Any]", self.group[f"{split}/{name}"])[...])

    @cached_property
    def kept(self) -> Mapping[str, Any]:
        return {split: self.column(split, "kept").astype(bool) for split in self.splits}

    def sample(self, split: str, index: int) -> dict[str, Any]:
        """Everything that the store holds of one sample.

        Where a column is called as a table's rows are, it says which row belongs to the sample: that is in it, too, as
        ``table/column``.
        """
        names = [field.name for field in self.fields(split) if field.dims[:1] == ("sample",)]
        shard = index // int(self.group[split].attrs["samples_per_shard"])  # type: ignore[arg-type]
        for field in self.fields(split):
            if field.kept_as == "array":
                self._intact.check_place(f"{split}/{field.name}", shard)
        found = {name: cast("zarr.Array[Any]", self.group[f"{split}/{name}"])[index] for name in names}
        for table in set(self.group.group_keys()) - set(self.splits):
            for field in self.fields(table):
                if field.dims[0] in found:
                    rows = cast("zarr.Array[Any]", self.group[f"{table}/{field.name}"])
                    found[f"{table}/{field.name}"] = rows[int(np.asarray(found[field.dims[0]]))]
        return found

    def chosen(self, number: int) -> list[tuple[str, int]]:
        """Samples that stand for the store, by a rule that knows nothing of how they look."""
        usable = [(split, np.flatnonzero(kept)) for split, kept in self.kept.items() if kept.any()]
        found: dict[tuple[str, int], None] = {}
        for turn in range(4 * number):
            if usable and len(found) < number:
                split, indices = usable[turn % len(usable)]
                found[split, int(indices[int((0.5 + turn * GOLDEN) % 1.0 * len(indices))])] = None
        return sorted(found, key=lambda each: (self.splits.index(each[0]), each[1]))


class PlainLooks:
    """See `dsfu.pipeline.report.looks.Looks`."""

    def __init__(self, problem: str, panels: PanelsOf, labels: Collection[str] = (), left_out: str = "") -> None:
        self._problem, self._panels, self._labels, self._left_out = problem, panels, labels, left_out

    def summary(self, files: Files) -> PlainSummary:
        store = PlainStore(files)
        return PlainSummary(
            name=_name(files),
            problem=self._problem,
            url=files.url,
            format_version=int(store.attributes["format_version"]),
            splits=tuple(
                PlainSplit(name=split, samples=len(kept), kept=int(kept.sum())) for split, kept in store.kept.items()
            ),
            tables=_tables(store),
            distributions=tuple(_distributions(store, self._labels)),
            bytes=sum(info.bytes for group in store.group for _, info in files.scan(group)),
            making=ledger_summary(files),
            closed_with=dict(store.attributes["versions"]),
            manifest=str(store.attributes["manifest"]),
        )

    def text(self, summary: PlainSummary) -> str:
        rows = [f"{summary.name} in {summary.url}, a data set of {summary.problem}"]
        rows += [f"  {split.name:<12}{usable(split.kept, split.samples, self._left_out)}" for split in summary.splits]
        rows += [f"  {name:<12}{count(number, 'row')}" for name, number in summary.tables.items()]
        rows.append(f"  size        {size(summary.bytes)}")
        for each in summary.distributions:
            rows.append(f"  {each.name}{f', {each.unit}' if each.unit else ''} (5 %, median, 95 %)")
            rows += [
                f"    {split:<12}{low:.3g}, {median:.3g}, {high:.3g}"
                for split, (_, low, median, high, _) in each.quantiles.items()
            ]
        return "\n".join(rows)

    def page(self, files: Files) -> str:
        from dsfu.pipeline.report.plain_page import plain_page

        return plain_page(self.summary(files), self._samples(files, PAGE_SAMPLES))

    def write_sheet(self, files: Files, path: Path, samples: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            form = path.suffix.removeprefix(".") or "png"
            figure_of(self._samples(files, samples)).savefig(temporary, dpi=200, format=form)

    def _samples(self, files: Files, number: int) -> list[tuple[str, Sequence[Panel]]]:
        store = PlainStore(files)
        found = []
        for split, index in store.chosen(number):
            sample, fields = store.sample(split, index), store.fields(split)
            panels = self._panels(sample, fields)
            found.append((f"{split} {index}", panels_of_fields(sample, fields) if panels is None else panels))
        return found


def _field(name: str, array: "zarr.Array[Any]") -> Field:
    dims = tuple(str(each) for each in cast(Any, array.metadata).dimension_names or ())
    attributes = array.attrs.asdict()
    is_large = array.ndim > 1 and array.chunks[0] == 1
    return Field(
        name=name,
        dtype="str" if array.dtype.kind == "T" else str(array.dtype),
        dims=dims,
        shape=tuple(array.shape[1:]),
        units=str(attributes.get("units", "")),
        long_name=str(attributes.get("long_name", "")),
        kept_as="array" if is_large else "column",
    )


def _name(files: Files) -> str:
    import json

    try:
        return str(json.loads(files.read(SETTINGS_FILE))["settings"]["name"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return Path(files.url).name


def _tables(store: PlainStore) -> dict[str, int]:
    tables = {}
    for name, group in store.group.groups():
        if name not in store.splits:
            tables[name] = max((array.shape[0] for _, array in group.arrays()), default=0)
    return tables


def _distributions(store: PlainStore, labels: Collection[str]) -> list[Distribution]:
    """Of every number that the store has of each sample, but those that only tell samples apart."""
    names: dict[str, Field] = {}
    for split in store.splits:
        for field in store.fields(split):
            is_number = np.dtype(field.dtype).kind in "iuf"
            if field.dims == ("sample",) and is_number and field.name not in labels:
                names[field.name] = field
    found = []
    for field in list(names.values())[:_MOST_QUANTITIES]:
        values = {}
        for split, kept in store.kept.items():
            column = store.column(split, field.name)[kept].astype(np.float64)
            values[split] = column[np.isfinite(column)]
        unit = "" if field.units == "1" else field.units
        found.append(distribution_of(Quantity(field.name, field.long_name or field.name, unit), values))
    return [each for each in found if each.counts]
