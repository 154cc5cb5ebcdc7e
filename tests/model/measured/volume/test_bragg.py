"""Peaks of a grid: integrals that do not depend on what a face of the grid cuts, and holes of their shape."""

from dataclasses import replace

import numpy as np
import pytest

from dsfu.model.measured.volume.bragg import CORE, Peaks, find_peaks, lattice_points
from dsfu.model.measured.volume.peak_shape import USUAL, metric_of_peaks
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


@pytest.mark.parametrize("widths", [(0.045, 0.021, 0.0183), (0.018, 0.022, 0.026), (0.022, 0.022, 0.022)])
def test_the_hole_has_the_shape_of_the_peaks(widths):
    """A resolution that is one in 1/Å is three times as wide, in h, along an axis three times as long."""
    axes = (np.linspace(-2.4, 2.4, 121), np.linspace(-1.75, 1.75, 71), np.linspace(-1.668, 1.668, 81))
    h = np.meshgrid(*axes, indexing="ij", sparse=True)
    offsets = [x - np.round(x) for x in h]
    square = sum((d / width) ** 2 for d, width in zip(offsets, widths, strict=True))
    shape = np.exp(-0.5 * square) + 1.5e-3 / (1 + square / 9) ** 2
    counts = np.random.default_rng(5).poisson(20 * (1 + np.cos(2 * np.pi * h[0]) / 2) + 2000 * shape)
    counts = counts.astype(np.float32)
    voxels = Voxels(counts=counts, weight=np.ones_like(counts), axes=axes, cell=Cell(15, 7, 6, 90, 90, 90), gain=1.0)
    found = find_peaks(voxels)
    seen = found.seen[found.cell_number]
    hole = found.mask(CORE)[seen]
    square = square[seen]
    reach = CORE / min(USUAL, max(widths))
    assert np.sqrt(square[hole]).max() == pytest.approx(reach, rel=0.1)
    assert np.sqrt(square[~hole]).min() == pytest.approx(reach, rel=0.1)


def test_peaks_in_a_cell_with_oblique_axes_have_oblique_holes():
    axis = np.arange(-30, 31) * 0.05
    h = np.stack([x.ravel() for x in np.meshgrid(axis, axis, axis, indexing="ij")], axis=1)
    offsets, points = h - np.round(h), np.round(h).astype(np.int64) @ [49, 7, 1]
    near = (np.linalg.norm(offsets, axis=1) < 0.2) & (np.abs(offsets).max(axis=1) < 0.49)
    cell = Cell(7, 9, 12, 90, 115, 90)
    inverse = cell.reciprocal @ cell.reciprocal.T / (0.02**2)
    excess = 500 * np.exp(-0.5 * np.einsum("ni,ij,nj->n", offsets, inverse, offsets))
    metric = metric_of_peaks(offsets[near], excess[near], points[near], 0.05)
    assert metric is not None
    assert np.allclose(metric / metric[0, 0], inverse / inverse[0, 0], atol=1e-3)


def test_peaks_narrower_than_voxels_are_taken_to_be_round():
    axis = np.arange(-30, 31) * 0.05
    h = np.stack([x.ravel() for x in np.meshgrid(axis, axis, axis, indexing="ij")], axis=1)
    offsets, points = h - np.round(h), np.round(h).astype(np.int64) @ [49, 7, 1]
    near = np.linalg.norm(offsets, axis=1) < 0.2
    excess = 500.0 * (np.linalg.norm(offsets, axis=1) < 0.01)
    metric = metric_of_peaks(offsets[near], excess[near], points[near], 0.05)
    assert metric is not None
    assert np.allclose(metric, np.eye(3), atol=0.1)


def test_order_with_its_maxima_at_lattice_points_is_no_bragg_peak():
    """α of one sign along every axis make broad maxima there: 36 times what lies between, half as high at .15."""
    axes = (np.linspace(-2, 2, 81),) * 3
    h = np.meshgrid(*axes, indexing="ij", sparse=True)
    expected = 10 * np.exp(sum(np.cos(2 * np.pi * x) for x in h))
    counts = np.random.default_rng(6).poisson(expected).astype(np.float32)
    voxels = Voxels(counts=counts, weight=np.ones_like(counts), axes=axes, cell=Cell(7, 8, 9, 90, 90, 90), gain=1.0)
    assert not find_peaks(voxels).any
    sharp = np.exp(-0.5 * sum(((x - np.round(x)) / 0.03) ** 2 for x in h))
    assert find_peaks(replace(voxels, counts=(counts + 1000 * sharp).astype(np.float32))).any


def test_the_shape_of_peaks_on_a_single_plane_is_that_within_it() -> None:
    rng = np.random.default_rng(2)
    offsets = rng.uniform(-0.06, 0.06, (4000, 3)) * [1, 1, 0]
    height = 1000 * np.exp(-0.5 * (offsets / 0.0102) ** 2).prod(axis=1)
    metric = metric_of_peaks(offsets, height, np.arange(4000) % 40, 0.02)
    assert metric is not None
    np.testing.assert_allclose(metric[:2, :2], np.eye(2), atol=0.02)
