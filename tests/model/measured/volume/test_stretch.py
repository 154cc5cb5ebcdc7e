"""A grid that is stretched against the crystal's lattice: crystals of the independent maker."""

import numpy as np
import pytest

from dsfu.model.measured.volume.order import order_of
from dsfu.model.measured.volume.prior import FormFactorPrior
from dsfu.model.measured.volume.settings import VolumeSettings
from dsfu.model.measured.volume.solve import STRETCH_REFUSED
from dsfu.model.measured.volume.stretch import solve_with_stretch, stretched
from tests.benchmarks import crystal_maker
from tests.benchmarks.crystals import reconstruction_of

PRIOR = FormFactorPrior(width=(0.32, 0.32, 0.32), amplitude=4.0)


def _crystal(lattice, half=14):
    wrongs = crystal_maker.Wrongs(bragg=0.0, flat=0.0, air=0.0, gaps=False, counts=100.0, step=0.08, lattice=lattice)
    return crystal_maker.make(crystal_maker.recipes()["hexagonal"], (half,) * 3, wrongs, ideal=True, seed=4)


def test_a_stretch_multiplies_indices_and_leaves_intensities():
    reconstruction = reconstruction_of(_crystal(1.0))
    other = stretched(reconstruction, np.array([1.01, 1.0, 0.99]))
    index = np.array([3, 5, 7])
    np.testing.assert_allclose(other.hkl_of_voxels(index), reconstruction.hkl_of_voxels(index) * [1.01, 1.0, 0.99])
    assert other.intensity is reconstruction.intensity
    assert other.history[-1].name == "stretch"


def test_a_stretched_grid_is_found_and_alpha_are_those_of_the_crystal():
    volume = _crystal(1.01)
    settings = VolumeSettings(prior=PRIOR, cutoff=3, bragg=False, background=False, stretch=True)
    solution, _ = solve_with_stretch(reconstruction_of(volume), settings)
    assert solution.stretch is not None
    wrong = np.array(solution.stretch.factors) * 1.01 - 1
    assert np.abs(wrong / solution.stretch.uncertainties).max() < 3
    assert np.abs(wrong).max() < 0.004
    true = np.array([volume.alpha[tuple(v + crystal_maker.CUTOFF)] for v in solution.terms.vectors])
    z = (solution.alpha - true) / np.sqrt(np.diag(solution.covariance))
    assert np.sqrt((z**2).mean()) < 1.6


@pytest.mark.parametrize(("lattice", "cutoff"), [(1.0, 1), (1.01, 2)])
def test_a_stretch_that_runs_away_is_refused_and_told(lattice, cutoff):
    said: list[str] = []
    settings = VolumeSettings(prior=PRIOR, cutoff=cutoff, bragg=False, background=False, stretch=True)
    reconstruction = reconstruction_of(_crystal(lattice, 10))
    solution, verdict = solve_with_stretch(reconstruction, settings, said.append)
    assert any("multiplied" in each for each in said)
    assert solution.stretch is None
    assert solution.reconstruction is reconstruction
    assert STRETCH_REFUSED in said
    assert STRETCH_REFUSED in order_of(solution, verdict).notes
