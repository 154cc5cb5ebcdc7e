"""Batches of a store of crystals; densities are computed as they are wanted."""

from collections.abc import Sequence

import numpy as np
import torch

from dsfu.model.problems.densities.learning.batch import DensityBatch
from dsfu.model.problems.densities.learning.data import DensityData, Told
from dsfu.model.store import StoreSplit
from dsfu.simulate.arrays import FloatArray, IntArray

_FULL = 10_000
"""What the strongest line of a pattern is stored as: `dsfu.simulate.densities.samples.FULL`."""

_ELEMENTS = 119


def batch_of(split: StoreSplit, indices: Sequence[int], data: DensityData, device: torch.device) -> DensityBatch:
    """Samples by their indices, as stored: not augmented."""
    from dsfu.simulate.densities.crystals import unit_cell
    from dsfu.simulate.densities.density import density

    chosen = np.asarray(indices, np.int64)
    cells, atoms, numbers = (split.column(name)[chosen] for name in ("cell", "atoms", "numbers"))
    positions = split.rows("positions", chosen)
    pattern = split.rows("pattern", chosen).astype(np.float64) / _FULL
    densities, compositions = [], []
    for i in range(len(chosen)):
        crystal = unit_cell(cells[i], positions[i, : atoms[i]], numbers[i, : atoms[i]])
        densities.append(density(crystal, data.grid, electrons=data.electrons))
        compositions.append(composition_told(crystal.numbers, data.composition))

    def real(values: object) -> torch.Tensor:
        return torch.tensor(np.asarray(values), dtype=torch.float32, device=device)

    return DensityBatch(pattern=real(pattern), composition=real(compositions), density=real(np.array(densities)))


def composition_told(numbers: IntArray, told: Told) -> FloatArray:
    """Shares of the elements, (119,), as far as they are told."""
    counts = np.bincount(numbers, minlength=_ELEMENTS).astype(np.float64)
    if told == "nothing":
        return np.zeros(_ELEMENTS)
    if told == "no ratios":
        counts = (counts > 0).astype(np.float64)
    elif told == "one element missing":
        there = np.flatnonzero(counts)
        rarest = there[counts[there] == counts[there].min()][-1]
        if len(there) > 1:
            counts[rarest] = 0
    return np.asarray(counts / counts.sum())
