"""Batches of a store of crystals: its grids, or the same computed from its structures."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch

from dsfu.errors import InputError
from dsfu.model.devices import real_numbers
from dsfu.model.problems.phases.learning.batch import PhaseBatch
from dsfu.model.store import StoreSplit

_SPOILT = ("d_min", "noise", "sharpness")
"""Settings of grids that are not 0 where |F| is less than the crystal's."""


def batch_of(split: StoreSplit, indices: Sequence[int], device: torch.device) -> PhaseBatch:
    """Samples by their indices."""
    chosen = np.asarray(indices, np.int64)
    if "amplitude" in split:
        amplitude, density = split.rows("amplitude", chosen), split.rows("density", chosen)
    else:
        amplitude, density = _computed(split, chosen)
    atoms = split.column("atom_count")[chosen].astype(np.int64)

    real = partial(real_numbers, device=device)
    return PhaseBatch(amplitude=real(amplitude), density=real(density), atoms=torch.tensor(atoms, device=device))


def check_computable(split: StoreSplit) -> None:
    """Make sure that grids are stored, or follow from the structures alone."""
    grid = split.store.settings["grid"]
    spoilt = [name for name in _SPOILT if grid[name]] + ["completeness"] * (grid["completeness"] < 1)
    if "amplitude" not in split and spoilt:
        raise InputError(
            f"grids with {', '.join(spoilt)} are not in it",
            where=split.store.url,
            expected="stored grids, as noise and gaps are made by the pipeline",
            remedy="run the manifest again with storage: {grids: true}",
        )


def _computed(split: StoreSplit, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from dsfu.simulate.phases.fields import crystal_of
    from dsfu.simulate.phases.structure_factors import density_of, full_sphere, structure_factors

    check_computable(split)
    grid = split.store.settings["grid"]
    n = int(grid["n"])
    columns = {name: split.column(name)[chosen] for name in ("atom_count", "cell")}
    columns |= {name: split.rows(name, chosen) for name in ("numbers", "positions", "b_iso")}
    amplitudes, densities = [], []
    for row in range(len(chosen)):
        crystal = crystal_of({name: column[row] for name, column in columns.items()})
        half = structure_factors(crystal, n, form=grid["form"])
        densities.append(density_of(half, n, sigma=float(grid["sigma"])))
        if grid["grid"] == "octant":
            amplitudes.append(np.abs(structure_factors(crystal, n, form=grid["form"], grid="octant")))
        else:
            amplitudes.append(full_sphere(np.abs(half), n))
    return np.array(amplitudes), np.array(densities)
