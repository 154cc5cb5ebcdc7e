"""All groups of a closed store of disorder, from what its shards recorded."""

from dsfu.pipeline.problems.disorder.closing import ClosingSpec
from dsfu.pipeline.problems.disorder.duplicates import find_duplicates
from dsfu.pipeline.problems.disorder.groups import (
    masks_group,
    own_set_count,
    species_group,
    split_group,
    take_embeddings,
)
from dsfu.pipeline.problems.disorder.records import PairRecord, read_masks, read_pair_records, read_sets
from dsfu.pipeline.problems.disorder.set_tables import set_tables, sets_group
from dsfu.pipeline.store.arrays import ZarrGroup
from dsfu.pipeline.store.contents import Tables
from dsfu.pipeline.store.files import Files


def tables_of(files: Files, spec: ClosingSpec) -> Tables:
    """Every group, and how many samples each split has and keeps."""
    groups: dict[str, ZarrGroup] = {}
    samples: dict[str, dict[str, int]] = {}
    masks = read_masks(files, spec.masks, spec.pixels)
    mask_count = sum(len(each["bits"]) for each in masks)
    every_record: list[PairRecord] = []
    first_own_set = sum(shard.items for shard in spec.sro_sets)
    for split in spec.filled_splits:
        records = read_pair_records(files, [pair.key for pair in split.pairs], split.planes_per_pair)
        embedding, records = take_embeddings(records)
        duplicates = find_duplicates(embedding, spec.uniqueness, split.planes_per_pair)
        groups[split.name] = split_group(spec, split, records, embedding, duplicates, mask_count, first_own_set)
        first_own_set += own_set_count(records)
        every_record += records
        kept = int(duplicates.kept.sum())
        samples[split.name] = {"pairs": len(split.pairs), "samples": split.samples, "kept": kept}
    bank_keys = [shard.key for shard in spec.sro_sets if shard.complete]
    bank = dict(zip(bank_keys, read_sets(files, bank_keys), strict=True))
    groups["species"] = species_group(spec.species)
    groups["sro_sets"] = sets_group(set_tables(spec, bank, every_record))
    groups["masks"] = masks_group(masks, spec.pixels)
    return Tables(groups=groups, samples=samples)
