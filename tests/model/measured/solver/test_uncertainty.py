"""Uncertainties of the form factor against what comes out of a simulated measurement."""

import numpy as np
import pytest

from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.solver.solve import PlaneSolution, SolverSettings, solve
from dsfu.simulate.arrays import BoolArray, Float32Array
from dsfu.simulate.disorder.oscillator import draw_oscillator_set
from dsfu.simulate.disorder.planes import layer
from dsfu.simulate.disorder.scattering import simulate_plane
from dsfu.simulate.lattice import vegard_cell
from dsfu.simulate.species import load_library

PIXELS = 96


@pytest.fixture(scope="module")
def measured_and_found() -> tuple[Float32Array, BoolArray, PlaneSolution]:
    """The true form factor, in the data's unit up to a factor, what was live, and what the solver found."""
    library = load_library()
    one, other = library["piperazine"], library["methylimidazole"]
    order = draw_oscillator_set(3, "tetragonal")
    cell = vegard_cell(one.cell, other.cell, order.fraction_a)
    plane = layer(cell, "b", 1.0, 4.5, PIXELS)
    truth = simulate_plane(one.atoms, other.atoms, order.fraction_a, cell, order.alpha, plane)
    y, x = np.mgrid[:PIXELS, :PIXELS]
    live = np.asarray((np.hypot(y - 48, x - 48) > 9) & (x + y < 150))
    counts = 400 / truth.intensity.mean()
    intensity = np.random.default_rng(4).poisson(truth.intensity * counts) / counts
    measured = MeasuredPlane(intensity=np.where(live, intensity, 0), live=live, plane=plane, cell=cell)
    found = solve([measured], SolverSettings(widths=(0.42,), uncertainty=True)).planes[0]
    return truth.form_factor, live, found


def deviation(truth: Float32Array, found: PlaneSolution) -> Float32Array:
    """(found − true) / s.u.; from one plane the scale is free."""
    assert found.sigma_form_factor is not None
    known = found.determined
    scale = float(found.form_factor[known] @ truth[known]) / float(truth[known] @ truth[known])
    return np.asarray((found.form_factor - scale * truth) / found.sigma_form_factor)


@pytest.mark.parametrize("where", ["live", "dead"])
def test_errors_are_of_the_size_that_is_stated(
    measured_and_found: tuple[Float32Array, BoolArray, PlaneSolution], where: str
) -> None:
    truth, live, found = measured_and_found
    chosen = live & found.determined if where == "live" else ~live
    assert 0.25 < np.sqrt(np.square(deviation(truth, found)[chosen]).mean()) < 3


def test_less_is_known_where_nothing_was_measured(
    measured_and_found: tuple[Float32Array, BoolArray, PlaneSolution],
) -> None:
    _, live, found = measured_and_found
    assert found.sigma_form_factor is not None
    middle_of_hole, ring_around = found.sigma_form_factor[48, 48], found.sigma_form_factor[48, 62]
    assert middle_of_hole > 3 * ring_around
    corner = found.sigma_form_factor[-1, -1] / np.median(found.sigma_form_factor[live])
    assert corner > 3


def test_data_without_noise_outweigh_the_prior_and_nothing_breaks() -> None:
    library = load_library()
    atoms = library["piperazine"].atoms, library["methylimidazole"].atoms
    order = draw_oscillator_set(3, "tetragonal")
    cell = vegard_cell(library["piperazine"].cell, library["methylimidazole"].cell, order.fraction_a)
    plane = layer(cell, "b", 0.0, 4.5, 64)
    truth = simulate_plane(*atoms, order.fraction_a, cell, order.alpha, plane)
    measured = MeasuredPlane(
        intensity=1e6 * truth.intensity,
        live=np.ones((64, 64), np.bool_),
        plane=plane,
        cell=cell,
        sigma=np.full((64, 64), 1e-3),
    )
    found = solve([measured], SolverSettings(widths=(0.42,), uncertainty=True)).planes[0]
    for sigma in (found.sigma_form_factor, found.sigma_sro):
        assert sigma is not None
        assert np.isfinite(sigma).all()
