"""Lattices found in planes that say nothing of them: of waves with known vectors, and of simulated crystals."""

from dataclasses import replace

import numpy as np
import pytest

from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.lattice import search
from dsfu.model.measured.lattice.bases import are_same
from dsfu.model.measured.lattice.found import FoundLattice, refined
from dsfu.model.measured.lattice.placing import on_lattice
from dsfu.model.measured.lattice.refinement import OrderSeries
from dsfu.model.measured.lattice.search import find_lattice
from dsfu.model.measured.lattice.spectrum import candidates, spectrum_of
from dsfu.simulate.disorder.planes import Plane

Q_MAX, PIXELS = 7.0, 256
PLANE = Plane(np.zeros(3), np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), Q_MAX, PIXELS)


COEFFICIENTS = {(1, 0): 0.25, (0, 1): -0.2, (1, 1): 0.1, (1, -1): -0.08, (2, 0): 0.07, (0, 2): 0.05}


def ordered(basis: np.ndarray, order: dict[tuple[int, int], float] = COEFFICIENTS, plane: Plane = PLANE) -> np.ndarray:
    """An I_SRO written out as waves, the slow way."""
    x, y = plane.q @ plane.axis_x, plane.q @ plane.axis_y
    out = np.ones_like(x)
    for (u, v), alpha in order.items():
        vector = u * basis[0] + v * basis[1]
        out += 2 * alpha * np.cos(vector[0] * x + vector[1] * y)
    return np.maximum(out, 0)


def form_factor() -> np.ndarray:
    """A smooth one, of three atoms."""
    x, y = np.meshgrid(PLANE.offsets, PLANE.offsets)
    atoms = np.array([[0.0, 0.0], [1.3, 0.4], [-0.8, 1.1]])
    wave = sum(np.exp(1j * (x * a + y * b)) for a, b in atoms)
    return np.asarray(np.abs(wave) ** 2 * np.exp(-(x**2 + y**2) / 25))


def measured(
    basis: np.ndarray,
    noise: float = 0.0,
    order: dict[tuple[int, int], float] = COEFFICIENTS,
    plane: Plane = PLANE,
) -> MeasuredPlane:
    """A form factor times order, a ring of dead pixels, and noise of counting."""
    rng = np.random.default_rng(3)
    x, y = np.meshgrid(PLANE.offsets, PLANE.offsets)
    intensity = form_factor() * ordered(basis, order, plane)
    if noise:
        counts = 1 / (noise**2 * intensity.mean())
        intensity = rng.poisson(intensity * counts) / counts
    radius = np.hypot(x, y)
    live = (radius > 0.5) & (radius < 6.9) & (np.abs(radius - 4) > 0.2)
    return MeasuredPlane(intensity=np.where(live, intensity, 0), live=live, plane=plane, cell=None)


BESIDE = replace(PLANE, centre=PLANE.step * np.array([0.4, -0.3, 0.0]))
"""Q = 0 beside the middle of a pixel."""

TURNED = [
    pytest.param(np.array([[6.0, 0.0], [0.0, 8.5]]), id="straight"),
    pytest.param(np.array([[5.2, 3.1], [-3.9, 6.5]]), id="turned"),
    pytest.param(np.array([[4.9, 1.2], [-3.1, 6.4]]), id="oblique"),
]


@pytest.mark.parametrize("basis", TURNED)
def test_the_spectrum_of_an_order_shows_its_lattice(basis):
    """It, or one half as coarse, which has the same peaks among its own."""
    found = candidates(spectrum_of(ordered(basis), PLANE.step))
    finer = [
        np.array(each) @ basis / 2 for each in ([[2, 0], [0, 2]], [[1, 0], [0, 2]], [[2, 0], [0, 1]], [[1, 0], [0, 1]])
    ]
    assert any(are_same(each.basis, wanted, 0.01) for each in found[:3] for wanted in finer)


@pytest.mark.slow
@pytest.mark.parametrize(("basis", "noise"), [(each.values[0], 0.05 * (each.id != "straight")) for each in TURNED])
def test_a_lattice_is_found_without_a_network(basis, noise):
    found = find_lattice(measured(basis, noise))
    assert are_same(found.basis, basis, 0.006)
    assert np.isnan(found.agreement)
    assert not found.one_dimensional


@pytest.mark.parametrize("plane", [PLANE, BESIDE])
def test_the_plane_on_a_lattice_has_the_same_q_along_it(plane: Plane):
    """The phase Q·v of every pixel, with the cell's own axes, is that of the plane's x and y."""
    basis = np.array([[5.2, 3.1], [-3.9, 6.5]])
    placed = on_lattice(measured(basis, plane=plane), basis)
    assert placed.cell is not None
    phases = placed.plane.q @ placed.cell.vectors[:2].T
    expected = plane.q[..., :2] @ basis.T
    np.testing.assert_allclose(phases, expected, atol=1e-9)


@pytest.mark.parametrize("degrees", [0.0, 25.0])
def test_a_full_fit_refines_the_lengths_and_a_right_angle_stays_one(degrees):
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    found = FoundLattice(
        basis=np.diag([5.0, 8.0]) @ turn,
        kind="rectangular",
        misfit=0.002,
        agreement=0.9,
        one_dimensional=False,
        tried=5,
    )
    better = refined(found, np.array([1.004, 1.001]))
    assert better.kind == "rectangular"
    assert better.angle == pytest.approx(90, abs=1e-9)
    if not degrees:
        assert better.lengths == pytest.approx((5.02, 8.008))
    assert better.basis == pytest.approx(found.basis, rel=0.01)


def trial(basis: np.ndarray, misfit: float) -> search._Trial:
    nothing = np.zeros((2, 2), np.float32)
    series = OrderSeries(indices=np.zeros((1, 2)), cosines=np.ones(1), sines=np.zeros(1))
    return search._Trial(basis, "rectangular", misfit, nothing, nothing, series, search.COARSE)


def test_the_better_of_two_versions_of_one_lattice_is_taken_not_the_smaller(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(search, "_fitted", None)  # no fit is needed for that
    good, smaller = trial(np.diag([4.236, 4.214]), 0.0114), trial(np.diag([4.183, 4.214]), 0.0125)
    assert search._chosen(measured(good.basis), [smaller, good]) is good


def test_a_coarser_lattice_that_fits_a_little_worse_is_fitted_to_the_end(monkeypatch: pytest.MonkeyPatch):
    """Both were so on a plane of an independent simulation: .0164 and .0214 coarsely, .0147 and .0000 to the end."""
    ended = {3.0: 0.0147, 6.0: 0.0}
    monkeypatch.setattr(search, "_fitted", lambda plane, basis, *_: trial(basis, ended[float(basis[0, 0])]))
    rivals = [trial(np.diag([3.0, 6.2]), 0.0164), trial(np.diag([6.0, 6.2]), 0.0214)]
    assert search._chosen(measured(np.diag([6.0, 6.2])), rivals).basis[0, 0] == 6.0


def test_the_strongest_vectors_of_a_lattice_that_is_too_fine_propose_the_right_one():
    fine = np.array([[2.6, 1.55], [-1.3, 2.2]])
    series = OrderSeries(
        indices=np.array([[0.0, 0.0], [2.0, 0.0], [1.0, 3.0], [1.0, 0.0]]),
        cosines=np.array([1.0, 0.5, -0.3, 0.2]),
        sines=np.zeros(4),
    )
    proposed = search._of_strongest([replace(trial(fine, 0.01), series=series)], [(fine, "oblique")])
    assert any(are_same(basis, np.array([[2.0, 0.0], [1.0, 3.0]]) @ fine, 0.01) for basis, _ in proposed)


@pytest.mark.slow
@pytest.mark.parametrize("factor", [2.0, 3.0, 1.0])
def test_order_on_every_second_or_third_vector_is_that_of_a_coarser_lattice(factor):
    right = np.array([[5.2, 3.1], [-3.9, 6.5]])
    plane = measured(right, 0.05)
    found = search._coarser_in_the_end(plane, trial(right / [[factor], [1.0]], 0.0))
    assert (found is None) == (factor == 1)
    assert found is None or are_same(found.basis, right, 0.006)


@pytest.mark.parametrize(("fine", "right", "chosen"), [(0.009, 0.001, 6.0), (0.0011, 0.001, 3.0)])
def test_lattices_that_fit_alike_are_told_apart_by_fits_to_the_end(
    fine: float, right: float, chosen: float, monkeypatch: pytest.MonkeyPatch
):
    """Whatever the coarse fits say; and of those that still fit alike the smaller cell is taken."""
    ended = {3.0: fine, 6.0: right}
    monkeypatch.setattr(search, "_fitted", lambda plane, basis, *_: trial(basis, ended[float(basis[0, 0])]))
    rivals = [trial(np.diag([3.0, 6.2]), 0.042), trial(np.diag([6.0, 6.2]), 0.039), trial(np.diag([5.0, 6.2]), 0.2)]
    assert search._chosen(measured(np.diag([6.0, 6.2])), rivals).basis[0, 0] == chosen
