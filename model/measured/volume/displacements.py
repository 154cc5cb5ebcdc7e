"""Displacements that depend on the neighbours, a size effect: what the residuals hold of its first order.

If a site is moved by u, its amplitude F changes by F · iQ·u. To first order, with x_v the mean displacement at v where
the origin holds species A less that where it holds B, in units of the cell's edges, the intensity gains

    −8π K(h) Σ_v Σ_i h_i x_vi sin 2πh·v,    K = m_A m_B Re((F_A − F_B)* F) and one v of each pair ±v

(Warren). If the other species scatters nothing, K is I_FF. For molecules it is not, but varies as slowly.
"""

from typing import Final

import numpy as np
import torch

from dsfu.model.measured.order.tables import with_uncertainty
from dsfu.model.measured.volume.cosines import half_of_box
from dsfu.model.measured.volume.departures import SLOW, Departure, departure_of, grid_of, lattice_patterns
from dsfu.model.measured.volume.fit import MoreNoise, VolumeFit
from dsfu.simulate.arrays import FloatArray, IntArray
from dsfu.simulate.lattice import Cell

_MOST_VALUES: Final = 3e7
"""Voxels times patterns: what is held in memory at once."""

_EQUAL: Final = 1.001
_SHOWN: Final = 3.0
"""Shifts are told from so many standard uncertainties on."""

_FARTHEST: Final = 0.5
"""Å. Chosen: no neighbour moves so far. Where a fit went wrong, or along the short side of a slab, more is found."""


def nearest_vectors(cell: Cell) -> IntArray:
    """Of neighbours ±v one, those that are not farther than the longest edge of the cell."""
    near = half_of_box([1, 1, 1])[1:]
    lengths = np.linalg.norm(near @ cell.vectors, axis=1)
    longest = np.linalg.norm(cell.vectors, axis=1).max()
    return np.asarray(near[lengths <= _EQUAL * longest])


def size_effect(fit: VolumeFit, factor: FloatArray, more: MoreNoise | None = None) -> Departure | None:
    """x of the nearest neighbours if the other species scatters nothing, and the lattice may be another one."""
    return _measured(fit, factor, more, [fit.factors()[0]])


def any_displacements(fit: VolumeFit, factor: FloatArray, more: MoreNoise | None = None) -> Departure | None:
    """The same for any slow K: what the species scatter together, and not only by how much they differ."""
    falloff = fit.scale * torch.from_numpy(np.ascontiguousarray(fit.falloff))
    waves = (falloff * torch.cos(2 * np.pi * SLOW * x) for x in grid_of(fit))
    return _measured(fit, factor, more, [falloff, *waves])


def _measured(
    fit: VolumeFit, factor: FloatArray, more: MoreNoise | None, amplitudes: list[torch.Tensor]
) -> Departure | None:
    """What the residuals hold of some K each times h_i sin 2πh·v."""
    grid = grid_of(fit)
    if min(fit.voxels.shape) == 1 or not len(fit.terms):
        return None
    vectors = nearest_vectors(fit.voxels.cell)
    several = max(1, int(_MOST_VALUES / (3 * len(vectors)) / fit.voxels.counts.size))
    lattice = lattice_patterns(fit)
    patterns = list(lattice)
    for amplitude in amplitudes[:several]:
        for vector in vectors:
            phase = sum((int(n) * x for n, x in zip(vector, grid, strict=True)), torch.zeros(()))
            wave = -8 * np.pi * amplitude * torch.sin(2 * np.pi * phase)
            patterns += [wave * x for x in grid]
    return departure_of(fit, patterns, factor, more, free=len(lattice))


def shifts_sentence(fit: VolumeFit, factor: FloatArray, more: MoreNoise | None = None) -> str:
    """How far neighbours are shifted along the lines to them; empty if none is known to be, or one too far."""
    found, cell = size_effect(fit, factor, more), fit.voxels.cell
    if found is None:
        return ""
    words = []
    for number, vector in enumerate(nearest_vectors(cell)):
        line = vector @ cell.vectors
        along = cell.vectors @ (line / np.linalg.norm(line))
        three = slice(3 * number, 3 * number + 3)
        shift = float(along @ found.values[three])
        deviation = float(np.sqrt(along @ found.covariance[three, three] @ along))
        if abs(shift) > max(_FARTHEST, _SHOWN * deviation):
            return ""
        if abs(shift) > _SHOWN * deviation > 0:
            where = "farther from" if shift > 0 else "nearer to"
            name = " ".join(map(str, vector))
            words.append(f"along [{name}] {with_uncertainty(abs(shift), deviation)} Å {where}")
    if not words:
        return ""
    return (
        f"Neighbours seem to lie {', '.join(words)} the species that scatters more than the other one, as much as if "
        "that one scattered nothing."
    )
