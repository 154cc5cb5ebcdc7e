"""A small store with real planes, made in a second without planner, workers or manifest."""

import io
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from ase import Atoms

from dsfu.pipeline.problems.disorder.closing import ClosingSpec, PairShard, SetsShard, SplitShards, UniquenessSettings
from dsfu.pipeline.specs import LedgerEntry, ShardSpec
from dsfu.pipeline.store.closing import ClosingSummary, close_store
from dsfu.pipeline.store.files import Files, open_files
from dsfu.pipeline.store.ledger import Ledger
from dsfu.pipeline.store.placement import Placement, home_of
from dsfu.pipeline.store.shard_format import encode_shard
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.encoding import encode_plane
from dsfu.simulate.disorder.fields import PLANE_FIELDS, SAMPLE_FIELDS
from dsfu.simulate.disorder.planes import AxisName, layer
from dsfu.simulate.disorder.scattering import simulate_planes
from dsfu.simulate.disorder.uniqueness import embed_planes
from dsfu.simulate.species import Species, Split, cell_of_pair
from tests.simulate.strategies import random_alpha

PIXELS = 16
BANK = 5
MASKS = 7
OWN_SETS = 2

PLACED_NAMES = tuple(each.name for each in PLANE_FIELDS)

Objects = dict[str, bytes]


def placement_of(keys_of_splits: Mapping[str, Sequence[str]]) -> Placement:
    """The objects of planes of each split's shards, in the given order."""
    return Placement(
        {f"{split}/{name}": tuple(keys) for split, keys in keys_of_splits.items() for name in PLACED_NAMES}
    )


def species(count: int = 4, split: Split = "train") -> tuple[Species, ...]:
    """Species of one group with atoms at random; the second has none."""
    found = []
    for number in range(count):
        rng = np.random.default_rng([number, len(split)])
        atoms = Atoms() if number == 1 else Atoms("CHON"[: 2 + number % 3], rng.normal(size=(2 + number % 3, 3)))
        found.append(Species(f"{split}_{number}", 0, split, atoms, (6.0 + number,) * 3))
    return tuple(found)


SPECIES = (*species(4), *species(2, "validation"))
"""Four for training, then two for validation."""


def single_precision_alpha(seed: int) -> FloatArray:
    return random_alpha(seed).astype(np.float32).astype(np.float64)


def bank_objects(first: int, count: int) -> Objects:
    sets = [single_precision_alpha(number) for number in range(first, first + count)]
    return {
        "sets.npz": archive(
            alpha=np.stack(sets).astype(np.float32),
            standard_error=np.full((count, 11, 11, 11), 1e-3, np.float32),
            fraction_a=_bank_fractions(np.arange(first, first + count)),
            kind=np.full(count, b"monte_carlo"),
            seed=np.arange(first, first + count).astype(np.uint64),
            target_100=np.linspace(-0.1, 0.1, count),
        )
    }


def _bank_fractions(numbers: np.ndarray) -> np.ndarray:
    return 0.2 + 0.05 * numbers


def mask_objects(first: int, count: int) -> Objects:
    live = np.random.default_rng(first).random((count, PIXELS, PIXELS)) < 0.7
    return {
        "masks.npz": archive(
            bits=np.packbits(live, axis=-1),
            live_fraction=live.mean(axis=(1, 2)).astype(np.float32),
            description=np.array([f'{{"mask": {number}, "unit": "\\u00c5"}}' for number in range(count)]).astype("S"),
        )
    }


@lru_cache(maxsize=64)
def pair_objects(one: Species, other: Species, planes: int, materialise: bool = True, seed: int = 0) -> Objects:
    """Planes of a pair: the layers l = 0, 1, … of one set after another, of the bank and of its own in turn."""
    form_factors, orders, rows, intensities = [], [], [], []
    for number in range(planes):
        own = number % 2
        index = (number // 2 + seed) % (OWN_SETS if own else BANK)
        fraction_a = 0.5 if own else float(_bank_fractions(np.array(index)))
        alpha = single_precision_alpha(own_seed(one, index) if own else index)
        cell = cell_of_pair(one, other, fraction_a)
        axis: AxisName = "abc"[number % 3]  # type: ignore[assignment]
        offset = 0.25 * (number // 3)
        plane = layer(cell, axis, offset, 6.0 + 0.1 * index, PIXELS)
        (scattering,) = simulate_planes(one.atoms, other.atoms, fraction_a, cell, alpha, [plane])
        form_factor, form_factor_scale = encode_plane(scattering.form_factor)
        sro, sro_scale = encode_plane(scattering.sro)
        form_factors.append(form_factor)
        orders.append(sro)
        intensities.append(scattering.intensity)
        rows.append(
            {
                "form_factor_scale": form_factor_scale,
                "sro_scale": sro_scale,
                "clipped_fraction": scattering.clipped_fraction,
                "fraction_a": fraction_a,
                "cell": cell.constants,
                "plane_axis": "abc".index(axis),
                "plane_offset": offset,
                "q_max": plane.q_max,
                "centre": plane.centre,
                "axis_x": plane.axis_x,
                "axis_y": plane.axis_y,
                "set_source": own,
                "set_index": index,
            }
        )
    own_alpha = np.stack([single_precision_alpha(own_seed(one, number)) for number in range(OWN_SETS)])
    record = archive(
        **{each.name: np.array([row[each.name] for row in rows], each.dtype) for each in SAMPLE_FIELDS},
        embedding=embed_planes(np.stack(intensities)),
        set_source=np.array([row["set_source"] for row in rows], np.int8),
        set_index=np.array([row["set_index"] for row in rows], np.int32),
        own_alpha=own_alpha.astype(np.float32),
        own_standard_error=np.zeros_like(own_alpha, np.float32),
        own_fraction_a=np.full(OWN_SETS, 0.5),
        own_kind=np.full(OWN_SETS, b"oscillator"),
        own_seed=np.arange(OWN_SETS).astype(np.uint64),
        own_decay=np.linspace(0.3, 0.6, OWN_SETS),
    )
    if not materialise:
        return {"record.npz": record}
    return {
        "form_factor": encode_shard(np.stack(form_factors)),
        "sro": encode_shard(np.stack(orders)),
        "record.npz": record,
    }


def own_seed(one: Species, number: int) -> int:
    return 1000 + 10 * len(one.atoms) + number


def archive(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


@dataclass
class FakeStore:
    """Shards in a store that is not closed yet, and the spec to close it with."""

    files: Files
    materialise: bool = True
    species: tuple[Species, ...] = SPECIES

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.files)

    def write(self, kind: str, identity: str, objects: Objects, items: int, version: int = 1) -> str:
        """Write a shard as a worker does, unless it is there; return its key."""
        spec = ShardSpec(
            kind=kind, identity=identity, inputs={"what": identity, "version": str(version)}, parameters={}, items=items
        )
        if spec.key not in set(self.ledger.entries()):
            stored = {name: self.files.write(home_of(spec.key, name), data) for name, data in objects.items()}
            self.ledger.write(
                LedgerEntry(
                    key=spec.key, kind=kind, identity=identity, inputs=spec.inputs, items=items, objects=stored, made={}
                )
            )
        return spec.key

    def pair(self, a: int, b: int, planes: int, version: int = 1) -> PairShard:
        one, other = self.species[a], self.species[b]
        identity = f"planes/{one.name}+{other.name}"
        objects = pair_objects(one, other, planes, self.materialise, version)
        key = self.write("planes", identity, objects, planes, version)
        return PairShard(key=key, identity=identity, species_a=one.name, species_b=other.name)

    def bank(self, sizes: Iterable[int] = (3, 2)) -> tuple[SetsShard, ...]:
        shards, first = [], 0
        for number, size in enumerate(sizes):
            key = self.write("sro_sets", f"sro_sets/{number}", bank_objects(first, size), size)
            shards.append(SetsShard(key=key, items=size))
            first += size
        return tuple(shards)

    def masks(self, sizes: Iterable[int] = (4, 3), version: int = 1) -> tuple[str, ...]:
        return tuple(
            self.write("masks", f"masks/{number}", mask_objects(100 * version + number, size), size, version)
            for number, size in enumerate(sizes)
        )

    def spec(
        self,
        train: Sequence[tuple[int, int]] = ((0, 1), (0, 2), (1, 2)),
        validation: Sequence[tuple[int, int]] = ((4, 5),),
        threshold: float = 0.0,
    ) -> ClosingSpec:
        """Write all shards of a small store, and say how to close it."""
        return ClosingSpec(
            splits=(
                SplitShards(name="train", planes_per_pair=6, pairs=tuple(self.pair(a, b, 6) for a, b in train)),
                SplitShards(
                    name="validation", planes_per_pair=4, pairs=tuple(self.pair(a, b, 4) for a, b in validation)
                ),
            ),
            species=self.species,
            sro_sets=self.bank(),
            masks=self.masks(),
            uniqueness=UniquenessSettings(threshold=threshold),
            mask_seed=3,
            pixels=PIXELS,
            materialise=self.materialise,
            manifest_text="seed: 3\n",
            versions={"planes": "1"},
        )

    def close(self, spec: ClosingSpec) -> ClosingSummary:
        return close_store(self.files, self.ledger, spec)

    def open(self, group: str = "train") -> xr.Dataset:
        """A group as anybody opens it; a warning is an error."""
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            dataset: xr.Dataset = xr.open_zarr(self.files.url, group=group)
        return dataset


def fault_of(ledger: Ledger, entry: LedgerEntry) -> str | None:
    """What is wrong with a shard's objects, all of which are read; None if nothing."""
    for name, stored in entry.objects.items():
        path = ledger.locate(entry.key, name)
        fault = ledger.fault_of_object(path, stored)
        if fault:
            return f"{path} {fault}"
    return None


def with_train(spec: ClosingSpec, pairs: Sequence[PairShard]) -> ClosingSpec:
    """The same store with other pairs for training."""
    train, *others = spec.splits
    return replace(spec, splits=(replace(train, pairs=tuple(pairs)), *others))


def fake_store(folder: Path, materialise: bool = True) -> FakeStore:
    return FakeStore(open_files(folder), materialise)


def unpacked(data: bytes) -> dict[str, Any]:
    with np.load(io.BytesIO(data)) as arrays:
        return dict(arrays)


def is_plane(path: str) -> bool:
    """Whether a file of a store is a placed object."""
    parts = path.split("/")
    return len(parts) == 6 and parts[1] in PLACED_NAMES and parts[2] == "c"


def times(store: FakeStore) -> dict[str, int]:
    """When each file of a store was written last, in nanoseconds."""
    root = Path(store.files.url)
    return {path.relative_to(root).as_posix(): path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()}


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a store that two stores of one manifest have in common."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    names = {str(path.relative_to(folder)): path for path in paths}
    return {name: path.read_bytes() for name, path in names.items() if not name.startswith(("ledger/", "locks/"))}
