"""Batches of a store of crystals; densities are computed as they are wanted."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch

from dsfu.model.devices import real_numbers
from dsfu.model.problems.densities.learning.batch import DensityBatch
from dsfu.model.problems.densities.learning.data import DensityData, Told
from dsfu.model.store import StoreSplit
from dsfu.simulate.arrays import FloatArray, IntArray
from dsfu.simulate.densities.conventions import ATOMIC_NUMBERS, FULL


def batch_of(split: StoreSplit, indices: Sequence[int], data: DensityData, device: torch.device) -> DensityBatch:
    """Samples by their indices, as stored: not augmented."""
    from dsfu.simulate.densities.crystals import unit_cell
    from dsfu.simulate.densities.density import density

    chosen = np.asarray(indices, np.int64)
    cells, atoms, numbers = (split.column(name)[chosen] for name in ("cell", "atoms", "numbers"))
    positions = split.rows("positions", chosen)
    pattern = split.rows("pattern", chosen).astype(np.float64) / FULL
    densities, compositions = [], []
    for i in range(len(chosen)):
        crystal = unit_cell(cells[i], positions[i, : atoms[i]], numbers[i, : atoms[i]])
        densities.append(density(crystal, data.grid, electrons=data.electrons))
        compositions.append(composition_told(crystal.numbers, data.composition))

    real = partial(real_numbers, device=device)
    return DensityBatch(pattern=real(pattern), composition=real(compositions), density=real(np.array(densities)))


def composition_told(numbers: IntArray, told: Told) -> FloatArray:
    """Shares of the elements, (119,), as far as they are told."""
    counts = np.bincount(numbers, minlength=ATOMIC_NUMBERS).astype(np.float64)
    if told == "nothing":
        return np.zeros(ATOMIC_NUMBERS)
    if told == "no ratios":
        counts = (counts > 0).astype(np.float64)
    elif told == "one element missing":
        there = np.flatnonzero(counts)
        rarest = there[counts[there] == counts[there].min()][-1]
        if len(there) > 1:
            counts[rarest] = 0
    return np.asarray(counts / counts.sum())
