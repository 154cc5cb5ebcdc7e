"""What the groups of a closed store hold, from the spec of the closing and what the shards recorded. No I/O."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from dsfu.pipeline.making import Arrays
from dsfu.pipeline.problems.disorder.closing import ClosingSpec, SplitShards
from dsfu.pipeline.problems.disorder.duplicates import Duplicates
from dsfu.pipeline.problems.disorder.records import FROM_PAIR, PairRecord
from dsfu.pipeline.problems.disorder.set_tables import Column
from dsfu.pipeline.store.arrays import NamedArray, ZarrGroup
from dsfu.pipeline.store.shard_format import array_metadata
from dsfu.simulate.disorder.fields import DECISION_FIELDS, PLANE_FIELDS, SAMPLE_FIELDS, STORE_FIELDS
from dsfu.simulate.disorder.uniqueness import METRICS, EmbeddingArray, MetricName
from dsfu.simulate.fields import Field
from dsfu.simulate.random_stream import RandomStream
from dsfu.simulate.species import Species


def take_embeddings(records: Sequence[PairRecord]) -> tuple[EmbeddingArray, list[PairRecord]]:
    """Embeddings of all samples of some pairs, and the records without them; they are most of what records hold."""
    embedding = np.concatenate([record.embedding for record in records])
    return embedding, [replace(record, embedding=record.embedding[:0].copy()) for record in records]


def split_group(
    spec: ClosingSpec,
    split: SplitShards,
    records: Sequence[PairRecord],
    embedding: EmbeddingArray,
    duplicates: Duplicates,
    masks: int,
    first_own_set: int,
) -> ZarrGroup:
    """One split: what is known of each sample, embeddings, and metadata of the arrays of planes.

    Parameters
    ----------
    records
        One for each pair, in order.
    embedding, duplicates
        Of all their samples, and what `find_duplicates` makes of them.
    masks
        How many masks there are.
    first_own_set
        Number in ``sro_sets`` of the first set that belongs to a pair of this split.
    """
    columns = {field.name: np.concatenate([r.fields[field.name] for r in records]) for field in SAMPLE_FIELDS}
    columns |= _store_columns(spec, split, records, masks, first_own_set, duplicates)
    coordinates = [
        NamedArray(
            name=field.name,
            values=columns[field.name].astype(field.dtype, copy=False),
            dims=field.dims,
            units=field.units,
            long_name=field.long_name,
        )
        for field in (*SAMPLE_FIELDS, *STORE_FIELDS, *DECISION_FIELDS)
        if field.name in columns
    ]
    return ZarrGroup(
        arrays=[
            *coordinates,
            _embedding(embedding, spec.uniqueness.metric),
            *_pixel_numbers(spec.pixels),
        ],
        foreign={field.name: _plane_array(field, spec, split) for field in PLANE_FIELDS} if spec.materialise else {},
        coordinates=tuple(array.name for array in coordinates),
        attributes={
            "pairs": len(split.pairs),
            "planes_per_pair": split.planes_per_pair,
            "uniqueness_scope": spec.uniqueness.scope,
            "uniqueness_metric": spec.uniqueness.metric,
            "uniqueness_threshold": spec.uniqueness.threshold,
        },
    )


def _plane_array(field: Field, spec: ClosingSpec, split: SplitShards) -> dict[str, Any]:
    """Metadata of an array of planes, whose Zarr shards are objects of the pairs' shards."""
    return array_metadata(
        (split.samples, spec.pixels, spec.pixels),
        split.planes_per_pair,
        {"units": field.units, "long_name": field.long_name},
        dtype=field.dtype,
        dims=field.dims,
    )


def _store_columns(
    spec: ClosingSpec,
    split: SplitShards,
    records: Sequence[PairRecord],
    masks: int,
    first_own_set: int,
    duplicates: Duplicates,
) -> dict[str, Column]:
    index_of = {species.name: index for index, species in enumerate(spec.species)}
    planes = split.planes_per_pair
    return {
        "pair": np.repeat(np.arange(len(split.pairs)), planes),
        "species_a": np.repeat([index_of[pair.species_a] for pair in split.pairs], planes),
        "species_b": np.repeat([index_of[pair.species_b] for pair in split.pairs], planes),
        "sro_set": _set_numbers(records, first_own_set),
        "mask": np.concatenate([masks_of_pair(spec.mask_seed, pair.identity, planes, masks) for pair in split.pairs]),
        "kept": duplicates.kept,
        "duplicate_of": duplicates.duplicate_of,
        "duplicate_distance": duplicates.distance,
        **duplicates.decided,
    }


def _set_numbers(records: Sequence[PairRecord], first_own_set: int) -> Column:
    """Number in ``sro_sets`` of the set of each plane."""
    numbers = []
    for record in records:
        own = record.set_source == FROM_PAIR
        numbers.append(np.where(own, record.set_index.astype(np.int64) + first_own_set, record.set_index))
        first_own_set += own_set_count([record])
    return np.concatenate(numbers)


def own_set_count(records: Sequence[PairRecord]) -> int:
    """How many sets of their own some pairs have."""
    return sum(len(record.own_sets.get("alpha", ())) for record in records)


def masks_of_pair(seed: int, identity: str, planes: int, masks: int) -> npt.NDArray[np.int64]:
    """Number of the mask of each plane of a pair, -1 where there are none; it depends on nothing but the arguments.

    A plane's draw does not depend on how many planes there are, nor on other pairs.
    """
    if masks == 0:
        return np.full(planes, -1, np.int64)
    return (RandomStream(seed, "mask of a plane", identity).words(planes) % np.uint64(masks)).astype(np.int64)


def _embedding(values: EmbeddingArray, metric: MetricName) -> NamedArray:
    return NamedArray(
        name="embedding",
        values=values,
        dims=("sample", "component"),
        units="1",
        long_name="vectors that planes are compared by; see dsfu.simulate.disorder.uniqueness",
        attributes={"metric": metric, "distance_unit": METRICS[metric].unit},
    )


def _pixel_numbers(pixels: int) -> list[NamedArray]:
    numbers = np.arange(-(pixels // 2), pixels - pixels // 2, dtype=np.int16)
    return [
        NamedArray(
            name=name,
            values=numbers,
            dims=(name,),
            units="1",
            long_name=f"pixels from the plane's centre along axis_{name}; one is 2 q_max / {pixels}",
        )
        for name in ("y", "x")
    ]


def species_group(species: Sequence[Species]) -> ZarrGroup:
    """The table of species, with the atoms of all of them one after the other."""
    counts = np.array([len(each.atoms) for each in species], np.int64)
    columns: list[tuple[str, Any, tuple[str, ...], str, str]] = [
        ("name", np.array([each.name for each in species], np.str_), ("species",), "1", "name"),
        ("group", np.array([each.group for each in species], np.int8), ("species",), "1", "number of the shape group"),
        ("split", np.array([each.split for each in species], np.str_), ("species",), "1", "split it belongs to"),
        (
            "cell",
            np.array([each.cell.constants for each in species]).reshape(-1, 6),
            ("species", "cell_constant"),
            "angstrom, degree",
            "a, b, c, alpha, beta, gamma of a crystal of this species alone",
        ),
        ("first_atom", np.cumsum(counts) - counts, ("species",), "1", "where its atoms begin"),
        ("atoms", counts, ("species",), "1", "how many atoms it has"),
        (
            "atomic_number",
            np.array([number for each in species for number in each.atoms.numbers], np.uint8),
            ("atom",),
            "1",
            "atomic number",
        ),
        (
            "position",
            np.array([place for each in species for place in each.atoms.positions], np.float64).reshape(-1, 3),
            ("atom", "xyz"),
            "angstrom",
            "Cartesian position relative to the site",
        ),
    ]
    return ZarrGroup(
        arrays=[NamedArray(name=n, values=v, dims=d, units=u, long_name=text) for n, v, d, u, text in columns]
    )


def masks_group(masks: Sequence[Arrays], pixels: int) -> ZarrGroup:
    """All masks, bit-packed along x."""
    bits = [each["bits"] for each in masks] or [np.empty((0, pixels, -(-pixels // 8)), np.uint8)]
    live = [each["live_fraction"] for each in masks] or [np.empty(0)]
    texts = [each["description"] for each in masks] or [np.empty(0, "S1")]
    return ZarrGroup(
        arrays=[
            NamedArray(
                name="bits",
                values=np.concatenate(bits).astype(np.uint8),
                dims=("mask", "y", "x_byte"),
                units="1",
                long_name="live pixels as bits along x: numpy.unpackbits(bits, axis=-1, count=pixels)",
                attributes={"pixels": pixels},
            ),
            NamedArray(
                name="live_fraction",
                values=np.concatenate(live).astype(np.float32),
                dims=("mask",),
                units="1",
                long_name="share of the pixels that are live",
            ),
            NamedArray(
                name="description",
                values=np.concatenate(texts),
                dims=("mask",),
                units="1",
                long_name="what the mask was made from, as JSON",
            ),
        ]
    )
