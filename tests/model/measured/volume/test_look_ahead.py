"""The first fit of a volume: order that is strong is found from nothing."""

import numpy as np
import pytest
import torch

from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.volume import look_ahead
from dsfu.model.measured.volume.settings import VolumeSettings
from dsfu.model.measured.volume.terms import order_terms
from dsfu.model.measured.volume.voxels import voxels_of
from dsfu.model.measured.volume.watch import Watch
from dsfu.simulate.lattice import Cell

STEPS = (0.05, 0.05, 0.06)
POINTS = 32


def _order(h, k, l):  # noqa: E741
    """I_SRO but for its mean: it varies 1300-fold, with the maxima of three equivalent neighbours at one place."""
    turns = (np.cos(2 * np.pi * x) for x in (h, k, h + k))
    return np.exp(1.2 * sum(turns) - 0.9 * np.cos(2 * np.pi * l))


def test_strong_order_is_not_taken_for_background(monkeypatch):
    """From I_SRO = 1 the first guess is of background, and a wrong fit may well say that it knows the scale."""
    monkeypatch.setattr(look_ahead, "scale_is_known", lambda *_: True)
    torch.set_num_threads(1)
    rng = np.random.default_rng(2)
    axes = [step * np.arange(-n, n + 1) for step, n in zip(STEPS, (30, 30, 25), strict=True)]
    h, k, l = np.meshgrid(*axes, indexing="ij", sparse=True)  # noqa: E741
    waves = sum(
        sign * np.exp(2j * np.pi * (x * h + y * k + z * l))
        for sign, (x, y, z) in zip((1, -1) * 3, rng.uniform(0, 0.4, (6, 3)), strict=True)
    )
    diffuse = np.abs(waves) ** 2 * np.exp(-0.15 * (h * h + k * k + h * k + l * l / 4)) * _order(h, k, l)
    counts = rng.poisson(diffuse * 35 / np.median(diffuse) + 10).astype(np.float32)
    voxels = voxels_of(
        Reconstruction(
            intensity=counts,
            live=np.ones(counts.shape, bool),
            origin=np.array([axis[0] for axis in axes]),
            steps=np.diag(STEPS),
            cell=Cell(6.4, 6.4, 13.5, 90, 90, 120),
        )
    )
    watch = Watch(lambda _: None, 0.0)
    ahead = look_ahead.look_ahead(voxels, VolumeSettings(bragg=False), order_terms(voxels.axes, 6), watch)
    grid = np.meshgrid(*[np.arange(POINTS) / POINTS] * 3, indexing="ij")
    true = np.fft.ifftn(_order(*grid)).real
    found = dict(zip(map(tuple, ahead.terms.vectors.tolist()), ahead.alpha, strict=True))
    for vector in [(1, 0, 0), (0, 1, 0), (1, 1, 0), (0, 0, 1)]:
        assert found[vector] == pytest.approx(true[vector] / true[0, 0, 0], abs=0.03)
