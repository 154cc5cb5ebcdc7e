"""The maker of crystals with their powder patterns."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from dsfu.pipeline.making import Arrays, ReadNeeded, Stopwatch
from dsfu.simulate.densities.samples import CrystalDrawing, draw, fields, stored_pattern
from dsfu.simulate.densities.structure_types import shipped_types


def make_crystals(parameters: Mapping[str, Any], read: ReadNeeded, watch: Stopwatch) -> Arrays:
    """One shard: as many crystals as are wanted, or as the types give; the rest is empty, and not kept."""
    items, wanted, most = parameters["items"], parameters["wanted"], parameters["most_atoms"]
    drawing = CrystalDrawing(
        seed=parameters["seed"], kinds=tuple(parameters["types"]), split_by=parameters["split_by"],
        split=parameters["split"], shard=parameters["shard"], shards=parameters["shards"],
    )  # fmt: skip
    arrays = {each.name: np.zeros((items, *each.shape), each.dtype) for each in fields(most)}
    with watch.step("crystals"):
        found = draw(drawing, wanted)
    with watch.step("patterns"):
        for i, (row, crystal) in enumerate(found):
            atoms = len(crystal.numbers)
            arrays["cell"][i], arrays["atoms"][i] = crystal.parameters, atoms
            arrays["numbers"][i, :atoms], arrays["positions"][i, :atoms] = crystal.numbers, crystal.positions
            arrays["space_group"][i], arrays["type"][i] = shipped_types()[row].number, row
            arrays["volume"][i] = crystal.volume
            arrays["pattern"][i] = stored_pattern(crystal)
    arrays["kept"][: len(found)] = True
    return arrays
