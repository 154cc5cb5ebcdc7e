"""Order beyond the cut-off: how much there is, and what it does to α, by the whole algebra on a few voxels."""

import numpy as np
import pytest
import torch

from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.volume.far_order import far_order
from dsfu.model.measured.volume.settings import VolumeSettings
from dsfu.model.measured.volume.solve import VolumeSolution, solve_volume
from dsfu.simulate.lattice import Cell

STEP, HALF, FAR = 0.0625, 20, 0.004
CELL = Cell(5.0, 5.5, 6.0, 90, 90, 90)


def _solved(far: float) -> VolumeSolution:
    """Atoms and vacancies with one α and many small ones at all distances up to eight cells; holes at the points."""
    rng = np.random.default_rng(8)
    period = round(1 / STEP)
    alpha = far * rng.normal(size=(period,) * 3)
    alpha = 0.5 * (alpha + np.roll(alpha[::-1, ::-1, ::-1], 1, (0, 1, 2)))
    alpha[0, 0, 0], alpha[1, 0, 0], alpha[-1, 0, 0] = 1, -0.1, -0.1
    place = np.ix_(*(np.arange(-HALF, HALF + 1) % period,) * 3)
    h = STEP * np.arange(-HALF, HALF + 1)
    grid = np.stack(np.meshgrid(h, h, h, indexing="ij"), axis=-1)
    square = (CELL.q_of_hkl(grid) ** 2).sum(axis=-1)
    expected = 200 * np.exp(-0.1 * square) * np.maximum(np.fft.fftn(alpha).real[place], 0)
    reconstruction = Reconstruction(
        intensity=rng.poisson(expected).astype(np.float32),
        live=((grid - np.round(grid)) ** 2).sum(axis=-1) > 0.15**2,
        origin=np.full(3, h[0]),
        steps=STEP * np.eye(3),
        cell=CELL,
    )
    return solve_volume(reconstruction, VolumeSettings(cutoff=2, background=False, bragg=False))


@pytest.fixture(scope="module")
def boxes() -> VolumeSolution:
    return _solved(FAR)


def test_it_is_measured_and_makes_uncertainties_larger(boxes):
    assert boxes.far is not None
    assert boxes.far.deviation == pytest.approx(FAR * np.sqrt(0.5), rel=0.15)
    alone = boxes.fit.covariance(boxes.factor) * max(boxes.chi_square, 1.0)
    n = len(boxes.alpha)
    np.testing.assert_allclose(
        boxes.covariance, alone[:n, :n] + boxes.far.covariance(boxes.fit, boxes.factor)[:n, :n], rtol=1e-6
    )


def test_what_it_does_is_what_waves_in_the_data_do_to_the_fit(boxes):
    """The shift of the fit by one wave, from the normal equations written out."""
    fit, far = boxes.fit, boxes.far
    assert far is not None
    form_factor, order, _ = fit.factors()
    h = np.meshgrid(*fit.voxels.axes, indexing="ij")
    wave = 2 * np.cos(2 * np.pi * sum(int(n) * x for n, x in zip(far.vectors[7], h, strict=True)))
    added = form_factor * torch.from_numpy(wave.astype(np.float32)) * far.weight
    products = fit._products(fit._w * added, fit._falloff * order, form_factor)
    np.testing.assert_allclose(boxes.factor @ far.solved[:, 7], products * fit.deviations, rtol=2e-3, atol=2e-2)


def test_there_is_none_by_chance():
    solution = _solved(0.0)
    assert far_order(solution.fit, solution.factor, 2) is None
    assert solution.far is None
