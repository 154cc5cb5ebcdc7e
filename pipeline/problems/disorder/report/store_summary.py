"""A closed store in numbers, as plain data: what `dsfu-pipeline inspect` prints and `dsfu-pipeline report` draws."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from dsfu.errors import InputError
from dsfu.pipeline.manifest.loading import parse_manifest
from dsfu.pipeline.problems.disorder.report.distributions import distributions
from dsfu.pipeline.problems.disorder.report.store_view import SplitView, StoreView
from dsfu.pipeline.report.histograms import Distribution
from dsfu.pipeline.report.ledger_summary import LedgerSummary, ledger_summary
from dsfu.simulate.disorder.fields import PLANE_FIELDS
from dsfu.simulate.shapes import GROUPS

TABLES: Final = ("species", "sro_sets", "masks")
"""Groups of a store beside its splits."""


@dataclass(frozen=True, kw_only=True)
class GroupCount:
    """What a split holds of one shape group."""

    group: int
    shape: str
    species: int
    pairs: int
    samples: int
    kept: int


@dataclass(frozen=True, kw_only=True)
class SplitCount:
    """What a split holds, and how planes that repeat others were found in it.

    Attributes
    ----------
    samples, kept
        All planes, and those that are unique.
    scope, metric, threshold
        What a plane was compared with, by which distance, and the distance in widths of a plane below which it was
        removed.
    """

    name: str
    pairs: int
    planes_per_pair: int
    samples: int
    kept: int
    scope: str
    metric: str
    threshold: float
    groups: tuple[GroupCount, ...]

    @property
    def removed(self) -> int:
        return self.samples - self.kept

    @property
    def share_removed(self) -> float:
        return self.removed / self.samples if self.samples else 0.0


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Bytes of a store, without ledger and locks.

    Attributes
    ----------
    planes
        Both arrays of planes; 0 if they are not stored.
    records
        What shards keep beside their planes: parameters, sets, masks.
    tables
        What closing wrote: coordinates, embeddings, species, sets, masks, metadata.
    """

    planes: int
    records: int
    tables: int

    @property
    def total(self) -> int:
        return self.planes + self.records + self.tables


@dataclass(frozen=True, kw_only=True)
class StoreSummary:
    """A closed store in numbers.

    Attributes
    ----------
    pixels
        Along each side of a plane.
    sets
        Sets of Warren–Cowley parameters by the way in which they were made.
    closed_with
        Versions of what closed the store.
    name
        Of the data set, as its manifest has it.
    """

    url: str
    format_version: int
    materialised: bool
    pixels: int
    splits: tuple[SplitCount, ...]
    species: int
    sets: Mapping[str, int]
    masks: int
    distributions: tuple[Distribution, ...]
    sizes: Sizes
    making: LedgerSummary
    closed_with: Mapping[str, str]
    name: str
    manifest: str

    @property
    def samples(self) -> int:
        return sum(split.samples for split in self.splits)

    @property
    def kept(self) -> int:
        return sum(split.kept for split in self.splits)

    @property
    def pairs(self) -> int:
        return sum(split.pairs for split in self.splits)

    @property
    def bytes_per_sample(self) -> float:
        """Of everything, shared out over the samples."""
        return self.sizes.total / self.samples if self.samples else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values that JSON can hold."""
        values = asdict(self)
        values |= {"samples": self.samples, "kept": self.kept, "bytes_per_sample": round(self.bytes_per_sample, 1)}
        for each, split in zip(values["splits"], self.splits, strict=True):
            each |= {"removed": split.removed, "share_removed": split.share_removed}
        for each, kind in zip(values["making"]["kinds"], self.making.kinds, strict=True):
            each |= {"items_per_second": kind.items_per_second, "workers": kind.workers}
        return values


def store_summary(store_url: str | Path) -> StoreSummary:
    """Sum up a closed store.

    Raises
    ------
    InputError
        If there is no store, or one that is not closed.
    """
    return summary_of(StoreView(store_url))


def summary_of(store: StoreView) -> StoreSummary:
    """Sum up a store that is open."""
    splits = list(store.splits.values())
    making = ledger_summary(store.files, {f"planes/{a}+{b}" for split in splits for a, b in split.species_pairs()})
    kinds, counts = np.unique(np.asarray(store.column("sro_sets/kind"), object).astype(str), return_counts=True)
    return StoreSummary(
        url=store.url,
        format_version=int(store.attributes["format_version"]),
        materialised=store.materialised,
        pixels=int(store.array("masks/bits").shape[1]),
        splits=tuple(_split(split) for split in splits),
        species=len(store.column("species/name")),
        sets={str(kind): int(count) for kind, count in zip(kinds, counts, strict=True) if kind},
        masks=len(store.column("masks/live_fraction")),
        distributions=distributions(store),
        sizes=_sizes(store, making),
        making=making,
        closed_with={str(name): str(version) for name, version in store.attributes["versions"].items()},
        name=_name(store),
        manifest=store.manifest_text,
    )


def _name(store: StoreView) -> str:
    try:
        return str(parse_manifest(store.manifest_text).manifest.name)
    except InputError:  # a manifest of another version of the program
        return Path(store.url).name


def _split(split: SplitView) -> SplitCount:
    return SplitCount(
        name=split.name,
        pairs=split.pairs,
        planes_per_pair=split.planes_per_pair,
        samples=len(split),
        kept=int(split.kept.sum()),
        scope=str(split.attributes["uniqueness_scope"]),
        metric=str(split.attributes["uniqueness_metric"]),
        threshold=float(split.attributes["uniqueness_threshold"]),
        groups=tuple(_group(split, int(number)) for number in np.unique(split.groups)),
    )


def _group(split: SplitView, number: int) -> GroupCount:
    inside = split.groups == number
    members = np.union1d(split.column("species_a")[inside], split.column("species_b")[inside])
    samples = int(inside.sum())
    return GroupCount(
        group=number,
        shape=GROUPS[number].shape if number < len(GROUPS) else "",
        species=len(members),
        pairs=samples // split.planes_per_pair,
        samples=samples,
        kept=int(split.kept[inside].sum()),
    )


def _sizes(store: StoreView, making: LedgerSummary) -> Sizes:
    arrays = {field.name for field in PLANE_FIELDS}
    chunks_of_planes = tuple(f"{split}/{name}/c/" for split in store.splits for name in arrays)
    planes = tables = 0
    for group in (*store.splits, *TABLES):
        for path, info in store.files.scan(group):
            if path.startswith(chunks_of_planes):
                planes += info.bytes
            else:
                tables += info.bytes
    records = sum(size for kind in making.kinds for name, size in kind.bytes.items() if name not in arrays)
    return Sizes(planes=planes, records=records, tables=tables)
