"""The solver against simulated crystals of molecules."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dsfu.errors import InputError
from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.solver.solve import SolverSettings, solve, solve_many
from dsfu.model.problems.disorder.data.normalise import normalise
from dsfu.simulate.arrays import BoolArray, Float32Array
from dsfu.simulate.disorder.oscillator import draw_oscillator_set
from dsfu.simulate.disorder.planes import layer
from dsfu.simulate.disorder.scattering import Scattering, simulate_plane
from dsfu.simulate.lattice import Cell, vegard_cell
from dsfu.simulate.species import load_library
from tests.benchmarks.broken_planes import as_measured, good

PIXELS = 128
QUICK = SolverSettings(widths=(0.42,))


@pytest.fixture(scope="module")
def crystal() -> dict[str, Any]:
    library = load_library()
    one, other = library["piperazine"], library["methylimidazole"]
    order = draw_oscillator_set(3, "tetragonal")
    cell = vegard_cell(one.cell, other.cell, order.fraction_a)
    return {"one": one, "other": other, "order": order, "cell": cell}


def scattering(crystal: dict[str, Any], offset: float) -> tuple[Any, Scattering]:
    plane = layer(crystal["cell"], "b", offset, 5.0, PIXELS)
    order = crystal["order"]
    atoms = crystal["one"].atoms, crystal["other"].atoms
    return plane, simulate_plane(*atoms, order.fraction_a, crystal["cell"], order.alpha, plane)


def measured(
    crystal: dict[str, Any], offset: float, live: BoolArray | None = None, noise: float = 0.0
) -> MeasuredPlane:
    plane, truth = scattering(crystal, offset)
    intensity = truth.intensity.astype(np.float64)
    if noise:
        counts = 1 / (noise**2 * intensity.mean())
        intensity = np.random.default_rng(1).poisson(intensity * counts) / counts
    live = np.ones(intensity.shape, np.bool_) if live is None else live
    return MeasuredPlane(intensity=np.where(live, intensity, 0), live=live, plane=plane, cell=crystal["cell"])


def gaps() -> BoolArray:
    """A beam stop with its arm, module gaps, and a corner."""
    y, x = np.mgrid[:PIXELS, :PIXELS]
    stop = np.hypot(y - 64, x - 64) < 5
    return np.asarray(~(stop | ((np.abs(x - 66) < 2) & (y > 64)) | (y % 40 < 3) | (x + y > 220)))


def error(found: Float32Array, truth: Float32Array, where: BoolArray | None = None) -> float:
    squared = np.square(normalise(found, "sqrt") - normalise(truth, "sqrt"))
    return float(squared.mean() if where is None else squared[where].mean())


@pytest.mark.parametrize("offset", [0.0, 0.3, 1.0])
def test_both_factors_come_out(crystal: dict[str, Any], offset: float) -> None:
    _, truth = scattering(crystal, offset)
    solution = solve([measured(crystal, offset, gaps())], QUICK)
    found = solution.planes[0]
    assert error(found.sro, truth.sro) < 1e-4
    assert error(found.form_factor, truth.form_factor, found.determined) < 1e-3
    live = gaps()
    product = found.intensity[live] - truth.intensity[live]
    assert np.sqrt(np.square(product).sum() / np.square(truth.intensity[live]).sum()) < 0.01


def test_noise_does_little_harm(crystal: dict[str, Any]) -> None:
    _, truth = scattering(crystal, 1.0)
    found = solve([measured(crystal, 1.0, noise=0.05)], QUICK).planes[0]
    assert error(found.sro, truth.sro) < 3e-4
    assert found.misfit.relative > 5 * found.misfit.structured


def test_projected_alpha(crystal: dict[str, Any]) -> None:
    solution = solve([measured(crystal, 1.0)])
    truth = crystal["order"].alpha
    inside = (np.abs(solution.alpha_vectors) <= 5).all(axis=1)
    places = tuple((solution.alpha_vectors[inside] + 5).T)
    np.testing.assert_allclose(solution.alpha_values[inside], truth[places], atol=0.01)
    assert solution.alpha is None


def test_clipping_does_not_lead_the_scale_astray() -> None:
    """Where I_SRO was negative the data are zero; without a price on depths its mean is no fixed scale."""
    library, order = load_library(), draw_oscillator_set(1, "hexagonal")
    one, other = library["cresol"], library["methylindole"]
    cell = vegard_cell(one.cell, other.cell, order.fraction_a)
    crystal = {"one": one, "other": other, "order": order, "cell": cell}
    solution = solve([measured(crystal, 1.0)], QUICK)
    _, truth = scattering(crystal, 1.0)
    assert truth.clipped_fraction > 0.15
    assert error(solution.planes[0].sro, truth.sro) < 1e-3
    inside = (np.abs(solution.alpha_vectors) <= 5).all(axis=1)
    expected = order.alpha[tuple((solution.alpha_vectors[inside] + 5).T)]
    np.testing.assert_allclose(solution.alpha_values[inside], expected, atol=0.1)


def test_planes_of_one_crystal_share_alpha(crystal: dict[str, Any]) -> None:
    offsets = (0.0, 1.0)
    solution = solve([measured(crystal, offset, gaps()) for offset in offsets])
    for offset, plane in zip(offsets, solution.planes, strict=True):
        _, truth = scattering(crystal, offset)
        assert error(plane.sro, truth.sro) < 1e-4
    assert solution.alpha is not None
    np.testing.assert_allclose(solution.alpha, solution.alpha[::-1, ::-1, ::-1])


def test_a_lattice_that_is_a_little_wrong_is_mended(crystal: dict[str, Any]) -> None:
    _, truth = scattering(crystal, 1.0)
    wrong = Cell(*(np.array(crystal["cell"].constants) * [1.005, 1, 0.995, 1, 1, 1]))
    found = solve([replace(measured(crystal, 1.0), cell=wrong)], replace(QUICK, stretch=True)).planes[0]
    assert error(found.sro, truth.sro) < 1e-4
    np.testing.assert_allclose(sorted(found.stretch), [-0.005, 0.005], atol=3e-4)


def test_a_flat_background_is_found(crystal: dict[str, Any]) -> None:
    clean = measured(crystal, 1.0)
    added = 0.02 * float(clean.intensity.max())
    found = solve([replace(clean, intensity=clean.intensity + added)], replace(QUICK, background=True)).planes[0]
    assert abs(found.background / added - 1) < 0.2


def test_a_batch_gives_what_each_plane_gives_alone(crystal: dict[str, Any]) -> None:
    planes = [measured(crystal, offset, gaps()) for offset in (0.0, 1.3)]
    alone = [solve([plane], QUICK) for plane in planes]
    together = solve_many([[plane] for plane in planes], replace(QUICK, batch=2))
    for one, other in zip(alone, together, strict=True):
        assert error(one.planes[0].sro, other.planes[0].sro) < 1e-5


def test_peaks_of_a_pixel_are_not_lost_between_sampled_pixels() -> None:
    """The coarse stages see every other pixel and lead astray here; the plane is fitted again on all."""
    truth = good(2054, 128)
    solution = solve([as_measured(truth, 2054, noise=0.01)])
    assert solution.converged
    assert error(solution.planes[0].sro, truth.sro.astype(np.float32)) < 1e-4


def test_a_plane_without_a_cell_or_without_intensity_is_refused(crystal: dict[str, Any]) -> None:
    good = measured(crystal, 0.0)
    with pytest.raises(InputError, match="cell"):
        solve([MeasuredPlane(intensity=good.intensity, live=good.live, plane=good.plane, cell=None)])
    dark = MeasuredPlane(intensity=0 * good.intensity, live=good.live, plane=good.plane, cell=Cell(5, 5, 5))
    with pytest.raises(InputError, match="no intensity"):
        solve([dark])
    dead = MeasuredPlane(intensity=good.intensity, live=~good.live, plane=good.plane, cell=Cell(5, 5, 5))
    with pytest.raises(InputError, match="measured"):
        solve([dead])


def test_uncertainties_are_of_the_size_of_the_errors(crystal: dict[str, Any]) -> None:
    solution = solve([measured(crystal, 1.0, noise=0.05)], replace(QUICK, uncertainty=True))
    truth = crystal["order"].alpha
    lengths = np.abs(solution.alpha_vectors).max(axis=1)
    inside = (lengths > 0) & (lengths <= 5)
    errors = solution.alpha_values[inside] - truth[tuple((solution.alpha_vectors[inside] + 5).T)]
    assert solution.alpha_covariance is not None
    sigma = np.sqrt(np.diag(solution.alpha_covariance)[inside])
    assert 0.2 < np.sqrt(np.mean(np.square(errors / sigma))) < 3
    assert solution.planes[0].sigma_sro is not None
