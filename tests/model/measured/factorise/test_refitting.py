from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.factorise.factors import PlaneFactors
from dsfu.model.measured.factorise.refitting import Guessed, conjugate_gradients, refit
from dsfu.simulate.disorder.planes import layer
from dsfu.simulate.disorder.scattering import simulate_plane
from dsfu.simulate.lattice import Cell
from dsfu.simulate.species import load_library

CELL = Cell(6.0, 6.0, 6.0)
WIDTH = 0.42


@cache
def made() -> tuple[PlaneFactors, np.ndarray]:
    """A plane whose I_SRO is known and whose I_FF is known to be wrong in dead zones; and the true I_FF."""
    library = {name: species.atoms for name, species in load_library().items()}
    alpha = np.zeros((11, 11, 11))
    alpha[5, 5, 5] = 1
    alpha[4, 5, 5] = alpha[6, 5, 5] = alpha[5, 5, 4] = alpha[5, 5, 6] = 0.2
    plane = layer(CELL, "b", 1, 6.0, 64)
    scattering = simulate_plane(library["sulfate"], library["norbornene"], 0.5, CELL, alpha, plane)
    y, x = np.mgrid[:64, :64]
    live = (np.hypot(y - 20, x - 40) > 6) & (np.hypot(y - 32, x - 32) < 36)
    truth = scattering.form_factor.astype(np.float64)
    measured = MeasuredPlane(intensity=np.where(live, truth * scattering.sro, 0), live=live, plane=plane, cell=CELL)
    factors = PlaneFactors(
        measured=measured,
        form_factor=np.where(live, truth, 0).astype(np.float32),
        sro=scattering.sro,
        background=0.0,
        sigma_form_factor=None,
        sigma_sro=None,
        from_data=live,
        misfit=0.0,
    )
    return factors, truth


def error(found: np.ndarray, where: np.ndarray) -> float:
    _, truth = made()
    return float(np.sqrt(np.square(found - truth)[where].mean()) / truth.max())


def test_live_pixels_are_kept_and_dead_ones_filled():
    factors, _ = made()
    found = refit(factors, WIDTH)
    assert error(found, factors.live) < 0.01
    assert error(found, ~factors.live) < 0.5 * error(factors.form_factor, ~factors.live)


def test_a_prior_that_was_learnt_fills_better():
    factors, _ = made()
    dead = ~factors.live
    assert error(refit(factors, WIDTH), dead) < 0.8 * error(refit(factors, WIDTH, rounds=0), dead)


def test_a_good_guess_helps_and_one_without_weight_does_not():
    factors, truth = made()
    dead = ~factors.live
    alone = refit(factors, WIDTH)
    good = Guessed(form_factor=truth, variance=np.where(dead, (0.01 * truth.max()) ** 2, np.inf))
    assert error(refit(factors, WIDTH, good), dead) < 0.5 * error(alone, dead)
    none = Guessed(form_factor=1e3 * truth, variance=np.full_like(truth, np.inf))
    np.testing.assert_allclose(refit(factors, WIDTH, none), alone, atol=1e-3 * truth.max())


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_units_do_not_matter(unit: float):
    factors, truth = made()
    measured = replace(factors.measured, intensity=unit * factors.measured.intensity)
    scaled = replace(factors, measured=measured, form_factor=np.asarray(unit * factors.form_factor, np.float32))
    np.testing.assert_allclose(refit(scaled, WIDTH) / unit, refit(factors, WIDTH), atol=5e-3 * truth.max())


def test_conjugate_gradients_solve():
    rng = torch.Generator().manual_seed(1)
    root = torch.randn(12, 12, generator=rng, dtype=torch.float64)
    matrix, wanted = root @ root.T + torch.eye(12), torch.randn(12, generator=rng, dtype=torch.float64)
    found = conjugate_gradients(lambda x: matrix @ x, wanted, accuracy=1e-10)
    torch.testing.assert_close(matrix @ found, wanted)
    assert (conjugate_gradients(lambda x: matrix @ x, torch.zeros(12, dtype=torch.float64)) == 0).all()
