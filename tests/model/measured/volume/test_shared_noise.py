"""Noise that voxels share: averaged over a Laue class, or smoothed."""

import itertools

import numpy as np
import pytest
from scipy.ndimage import convolve1d

from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.volume.bragg import lattice_distance
from dsfu.model.measured.volume.residual_sums import weight_in_cells
from dsfu.model.measured.volume.shared_noise import kernel, smoothed_shares
from dsfu.model.measured.volume.voxels import folded, voxels_of
from dsfu.simulate.lattice import Cell

COUNTS = np.random.default_rng(1).poisson(30.0, (31, 31, 31)).astype(np.float32)
MIRRORS = [tuple(slice(None, None, sign) for sign in signs) for signs in itertools.product((1, -1), repeat=3)]


def _voxels(intensity):
    return voxels_of(
        Reconstruction(
            intensity=intensity,
            live=np.ones(intensity.shape, bool),
            origin=-0.1 * (np.array(intensity.shape) // 2),
            steps=0.1 * np.eye(3),
            cell=Cell(6.0, 7.0, 8.0, 90, 90, 90),
        )
    )


def test_copies_weigh_as_much_as_one_measurement():
    found = _voxels(np.mean([COUNTS[each] for each in MIRRORS], axis=0))
    assert len(found.copying) == 8
    assert found.gain == pytest.approx(1 / 8, rel=0.2)
    np.testing.assert_allclose(found.weight, 1 / 8)
    assert folded(found).weight_of_copies == 0.25
    assert "8 voxels" in found.noise_sentence()


def test_counts_that_are_alike_by_chance_are_no_copies():
    found = _voxels(np.random.default_rng(2).poisson(0.5, COUNTS.shape).astype(np.float32))
    assert len(found.copying) == 1
    assert found.expected_chi_square == 1
    assert not found.noise_sentence()


def test_what_takes_no_voxel_of_a_plane_elsewhere_makes_no_copies():
    counts = np.random.default_rng(5).poisson(25, (41, 41, 1)).astype(np.float32)
    assert len(_voxels(counts).copying) == 1
    paired = _voxels((counts + counts[::-1, ::-1]) / 2)
    assert len(paired.copying) == 2
    assert folded(paired).weight_of_copies == 1


def test_within_a_cell_of_no_symmetry_a_voxel_counts_in_full():
    whole = folded(_voxels(np.mean([COUNTS[each] for each in MIRRORS], axis=0)))
    _, numbers, cells = lattice_distance(whole.axes)
    weights = weight_in_cells(whole, cells)[numbers]
    points = np.array([(0, 0, 0), (1, 0, 0), (1, 1, 0), (1, 1, 1)])
    found = weights[tuple((10 * points + (0, 15, 15)).T)]
    np.testing.assert_array_equal(found, [1, 1, 2, 4])


def test_smoothing_is_found_and_the_noise_of_slow_patterns_with_it():
    smooth = COUNTS
    for axis in range(3):
        smooth = convolve1d(smooth, kernel(0.2), axis=axis, mode="nearest")
    found = _voxels(smooth)
    assert np.abs(np.array(found.smoothed) - 0.2).max() < 0.02
    assert found.gain == pytest.approx(1, rel=0.15)
    assert found.expected_chi_square == pytest.approx(0.44**3, rel=0.15)
    assert "smoothed" in found.noise_sentence()
    assert "allow for it" not in found.noise_sentence()


def test_noise_of_each_voxel_alone_is_not_called_smoothed():
    assert not smoothed_shares(COUNTS, np.ones(COUNTS.shape, bool)).any()
