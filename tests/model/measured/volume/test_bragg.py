"""Peaks of a grid: their integrals do not depend on whether a face of the grid cuts them."""

import numpy as np
import pytest

from dsfu.model.measured.volume.bragg import Peaks, find_peaks, lattice_points
from dsfu.model.measured.volume.voxels import Voxels
from dsfu.simulate.lattice import Cell

WHOLE = np.arange(-30, 31) * 0.05
FROM_NOUGHT = WHOLE[30:]


def _peaks(axes: tuple[np.ndarray, np.ndarray, np.ndarray], width: float = 0.03) -> dict[tuple[int, ...], float]:
    """Integrals of peaks that are all alike, on a flat ground, relative to that of (1, 1, 1)."""
    h = np.meshgrid(*axes, indexing="ij")
    distance = np.sqrt(sum((x - np.round(x)) ** 2 for x in h))
    counts = (20 + 1000 * np.exp(-0.5 * (distance / width) ** 2)).astype(np.float32)
    cell = Cell(7, 8, 9, 90, 90, 90)
    found: Peaks = find_peaks(Voxels(counts=counts, weight=np.ones_like(counts), axes=axes, cell=cell, gain=1.0))
    points = lattice_points(axes, len(found.seen))
    integrals = {tuple(map(int, p)): float(i) for p, i, s in zip(points, found.integral, found.seen, strict=True) if s}
    return {point: each / integrals[1, 1, 1] for point, each in integrals.items()}


@pytest.mark.parametrize(
    "axes",
    [
        (WHOLE, WHOLE, WHOLE),
        (WHOLE, WHOLE, FROM_NOUGHT),
        (WHOLE, FROM_NOUGHT, FROM_NOUGHT),
        (FROM_NOUGHT, FROM_NOUGHT, FROM_NOUGHT),
        (WHOLE[10:51], WHOLE, WHOLE),
    ],
    ids=["whole", "l from 0", "k and l from 0", "an octant", "h ends on lattice points"],
)
def test_a_peak_that_is_cut_has_the_integral_of_a_whole_one(axes):
    found = _peaks(axes)
    assert {(1, 0, 0), (1, 1, 0), (0, 1, 1)} <= set(found)
    assert np.allclose(list(found.values()), 1.0, rtol=1e-4)


def test_a_peak_whose_middle_lies_beyond_the_grid_is_not_seen():
    axis = np.arange(-39, 40) * 0.05
    found = _peaks((axis, axis, axis))
    assert max(max(map(abs, point)) for point in found) == 1


def test_coarse_voxels_count_a_peak_whole_wherever_its_middle_lies():
    """With steps of .08 the lattice points 1 lie between voxels, the points 2 on one."""
    axis = np.arange(-30, 31) * 0.08
    found = _peaks((axis, axis, axis), width=0.05)
    assert found[2, 2, 2] == pytest.approx(1.0, abs=0.1)
    assert found[2, 2, 1] == pytest.approx(1.0, abs=0.1)
