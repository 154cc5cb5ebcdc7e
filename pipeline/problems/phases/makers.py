"""Makes shards of the phase problem: structures, and grids if they are to be stored."""

from collections.abc import Mapping
from typing import Any

import gemmi
import numpy as np

from dsfu.pipeline.making import Arrays, ReadNeeded, Stopwatch
from dsfu.pipeline.problems.phases.crystals import crystal_number, number_of
from dsfu.simulate.phases.fields import crystal_of, padded
from dsfu.simulate.phases.samples import PhaseSettings, simulate_phases


def make_crystals(parameters: Mapping[str, Any], read: ReadNeeded, watch: Stopwatch) -> Arrays:
    """Crystals of a shard; the last of a split is filled up with its first crystal, which is not kept."""
    first, count, per_shard = parameters["first"], parameters["count"], parameters["per_shard"]
    with watch.step("place atoms"):
        crystals = [crystal_number(parameters, first + place) for place in range(count)]
    crystals += crystals[:1] * (per_shard - count)
    columns = {
        **padded(crystals, parameters["most"]),
        "volume": np.array([gemmi.UnitCell(*each.cell).volume for each in crystals], dtype=np.float32),
        "space_group": np.array([number_of(each.space_group) for each in crystals], dtype=np.int16),
        "group": np.array([each.group[:80] for each in crystals], dtype="U80"),
        "number": parameters["offset"] + first + np.arange(per_shard, dtype=np.int64),
        "grid_points": np.full((per_shard, 3), parameters["grid"]["n"], dtype=np.int16),
        "kept": np.arange(per_shard) < count,
    }
    if not parameters["stored"]:
        return columns
    settings = PhaseSettings(**parameters["grid"])
    with watch.step("simulate"):
        grids = [
            grids_of({name: column[row] for name, column in columns.items()}, settings, parameters["seed"])
            for row in range(per_shard)
        ]
    return {**columns, **{name: np.stack([each[name] for each in grids]) for name in grids[0]}}


def grids_of(row: Mapping[str, Any], settings: PhaseSettings, seed: int) -> Arrays:
    """Amplitudes, which are known, and density of a row of a store, as they are when they are stored."""
    sample = simulate_phases(crystal_of(row), settings, seed=seed, index=int(row["number"]))
    return {"amplitude": sample.amplitude, "known": sample.known.astype(np.uint8), "density": sample.density}
