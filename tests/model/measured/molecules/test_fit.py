import numpy as np
import pytest
import torch

from dsfu.model.measured.molecules.data import ObservedFormFactor
from dsfu.model.measured.molecules.fit import fit_scales, gauss_newton
from dsfu.model.measured.molecules.model import FormFactorModel
from dsfu.model.measured.molecules.parameters import kinds_of
from dsfu.model.measured.molecules.refine import RefinementSettings, refine_form_factor
from dsfu.model.measured.molecules.torsion import Torsion, torsions_of
from dsfu.simulate.arrays import BoolArray, FloatArray
from dsfu.simulate.disorder.planes import Plane, layer
from dsfu.simulate.lattice import Cell
from dsfu.simulate.structures.files import read_structure
from dsfu.simulate.structures.structure import Structure
from tests.model.measured.molecules.made import TBA, TBA_CELL, TBUTYL

Pair = tuple[Structure, Structure]


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def tba() -> Pair:
    return read_structure(TBA / "up.xyz"), read_structure(TBA / "down.xyz")


@pytest.fixture(scope="module")
def butyl(tba: Pair) -> tuple[Torsion, ...]:
    return torsions_of([TBUTYL], tba)


def observed(
    values: FloatArray, plane: Plane, live: BoolArray | None = None, sigma: FloatArray | None = None
) -> ObservedFormFactor:
    mask = np.ones(values.shape, np.bool_) if live is None else live
    return ObservedFormFactor(form_factor=values, live=mask, plane=plane, sigma=sigma, cell=TBA_CELL)


def truth_of(pair: Pair, torsions: tuple[Torsion, ...], plane: Plane, **given: float) -> tuple[FloatArray, FloatArray]:
    """I_FF with some parameters as given, its maximum at 1000, and all parameters."""
    model = FormFactorModel([observed(np.ones((plane.pixels, plane.pixels)), plane)], pair, torsions)
    names = [parameter.name for parameter in model.layout.parameters]
    values = model.layout.start()
    for name, value in given.items():
        values[names.index(name.replace("_", " "))] = value
    values[0] = 1000 / model.planes(values)[0].max()
    return model.planes(values)[0], values


def test_scale_dw_and_background_are_found_exactly(tba: Pair):
    plane = layer(TBA_CELL, "c", 1, 6, 48)
    intensity, values = truth_of(tba, (), plane, dw=0.041, background=7.0)
    model = FormFactorModel([observed(intensity, plane, np.random.default_rng(1).random((48, 48)) < 0.7)], tba)
    found, calculated = fit_scales(model, model.layout.start(), model.layout.free(kinds_of("dw,background")))
    np.testing.assert_allclose(found, values, rtol=1e-4, atol=1e-9)
    assert model.weighted_residual(calculated) < 1e-4
    assert model.mse(calculated) < 1e-7


def test_what_is_held_stays(tba: Pair):
    plane = layer(TBA_CELL, "c", 1, 6, 32)
    intensity, values = truth_of(tba, (), plane, dw=0.04)
    model = FormFactorModel([observed(intensity, plane)], tba)
    held = model.layout.free(kinds_of(""))
    found, _ = fit_scales(model, model.layout.start(), held)
    fit = gauss_newton(model, found, held)
    assert fit.values[model.layout.where("dw")] == 0
    assert fit.values[0] < values[0]
    assert (fit.uncertainties > 0).sum() == 1


def test_everything_is_recovered_from_data_without_noise(tba: Pair, butyl: tuple[Torsion, ...]):
    plane = layer(TBA_CELL, "c", 1, 6, 48)
    intensity, values = truth_of(
        tba,
        butyl,
        plane,
        dw=0.03,
        tBu=9.0,
        rotation_A_x=1.5,
        rotation_B_z=-2.0,
        translation_B_x=0.05,
        translation_B_z=0.1,
    )
    kinds = kinds_of("torsions,rotation,translation,dw")
    refinement = refine_form_factor(
        [observed(intensity, plane)], tba, butyl, RefinementSettings(kinds=kinds, scan_angles=tuple(range(-60, 61, 15)))
    )
    assert refinement.fit.converged
    np.testing.assert_allclose(refinement.fit.values, values, rtol=1e-4, atol=2e-4)
    assert refinement.mse < 1e-8 < refinement.start_mse


@pytest.mark.parametrize("angle", [-8.0, 16.0])
def test_the_butyl_torsion_comes_out_within_its_uncertainty(tba: Pair, butyl: tuple[Torsion, ...], angle: float):
    plane = layer(TBA_CELL, "c", 1, 7, 96)
    intensity, _ = truth_of(tba, butyl, plane, dw=0.03, tBu=angle)
    rng = np.random.default_rng(3)
    counts = rng.poisson(intensity).astype(np.float64)
    data = observed(counts, plane, rng.random(counts.shape) < 0.8, np.sqrt(np.maximum(counts, 1)))
    settings = RefinementSettings(kinds=kinds_of("torsions,dw"), scan_angles=tuple(range(-60, 61, 10)))
    refinement = refine_form_factor([data], tba, butyl, settings)
    place = refinement.model.layout.where("torsions").start
    found, uncertainty = refinement.fit.values[place], refinement.fit.uncertainties[place]
    assert 0 < uncertainty < 0.2
    assert abs(found - angle) < 2.5 * uncertainty
    assert refinement.scans[0].best == pytest.approx(angle, abs=5)


def test_uncertainties_are_those_of_repeated_experiments(tba: Pair):
    butyl = torsions_of(["tBu=A:N1-C14 -B:N1-C14"], tba)
    plane = layer(TBA_CELL, "c", 1, 7, 32)
    intensity, values = truth_of(tba, butyl, plane, dw=0.03, tBu=10.0)
    free = FormFactorModel([observed(intensity, plane)], tba, butyl).layout.free(kinds_of("torsions,dw"))
    rng, found, stated = np.random.default_rng(5), [], []
    for _ in range(20):
        noisy = intensity + rng.normal(0, 10.0, intensity.shape)
        fit = gauss_newton(FormFactorModel([observed(noisy, plane)], tba, butyl), values, free, robust=False)
        found.append(fit.values[free])
        stated.append(fit.uncertainties[free])
    spread, mean_stated = np.std(found, axis=0, ddof=1), np.mean(stated, axis=0)
    assert ((spread / mean_stated > 0.6) & (spread / mean_stated < 1.4)).all()
    assert (np.abs(np.mean(found, axis=0) - values[free]) < 4 * spread / np.sqrt(20)).all()


def test_smooth_errors_give_larger_uncertainties(tba: Pair):
    plane = layer(TBA_CELL, "c", 1, 7, 96)
    intensity, _ = truth_of(tba, (), plane, dw=0.03)
    rng = np.random.default_rng(0)
    rough = rng.normal(0, 10.0, intensity.shape)
    kernel = np.exp(-np.square(np.fft.fftfreq(96) * 30)[:, None] / 2 - np.square(np.fft.fftfreq(96) * 30) / 2)
    smooth = np.fft.ifft2(np.fft.fft2(rough) * kernel).real
    smooth *= rough.std() / smooth.std()
    errors = []
    for noise in (rough, smooth):
        model = FormFactorModel([observed(intensity + noise, plane)], tba)
        start, _ = fit_scales(model, model.layout.start(), model.layout.free(kinds_of("dw")))
        errors.append(gauss_newton(model, start, model.layout.free(kinds_of("dw")), robust=False).uncertainties[0])
    assert errors[1] > 2 * errors[0]


def test_what_the_data_cannot_know_is_called_so(tba: Pair):
    plane = layer(TBA_CELL, "c", 1, 6, 32)
    atom = Structure(
        numbers=np.array([29]), positions=np.zeros((1, 3)), occupancies=np.ones(1), labels=("Cu1",), name="copper"
    )
    nothing = Structure(numbers=np.zeros(0, np.int64), positions=np.zeros((0, 3)), occupancies=np.zeros(0), labels=())
    intensity, _ = truth_of((atom, nothing), (), plane, dw=0.02)
    noisy = intensity + np.random.default_rng(0).normal(0, 1.0, intensity.shape)
    settings = RefinementSettings(kinds=kinds_of("dw,rotation-a,translation"))
    refinement = refine_form_factor([observed(noisy, plane)], (atom, nothing), (), settings)
    layout, fit = refinement.model.layout, refinement.fit
    assert np.isinf(fit.uncertainties[layout.where("rotation-a")]).all()
    assert np.isinf(fit.uncertainties[layout.where("translation")]).all()
    assert 0 < fit.uncertainties[layout.where("dw")][0] < 0.01
    assert np.isfinite(fit.values).all()


def test_a_few_wild_pixels_do_little_to_a_robust_fit(tba: Pair):
    plane = layer(TBA_CELL, "c", 1, 7, 64)
    intensity, values = truth_of(tba, (), plane, dw=0.03)
    rng = np.random.default_rng(0)
    noisy = intensity + rng.normal(0, 3.0, intensity.shape)
    noisy[rng.random(noisy.shape) < 0.01] += 5000
    model = FormFactorModel([observed(noisy, plane)], tba)
    free = model.layout.free(kinds_of("dw"))
    start, _ = fit_scales(model, model.layout.start(), free)
    errors = [
        abs(gauss_newton(model, start, free, robust=robust).values[0] / values[0] - 1) for robust in (True, False)
    ]
    assert errors[0] < 0.02 < errors[1]


def test_several_planes_have_scales_of_their_own(tba: Pair, butyl: tuple[Torsion, ...]):
    planes = [layer(TBA_CELL, "c", 1, 6, 32), layer(TBA_CELL, "c", 2, 6, 32)]
    intensities = [truth_of(tba, butyl, plane, dw=0.03, tBu=5.0) for plane in planes]
    data = [
        observed(intensity * factor, plane)
        for (intensity, _), plane, factor in zip(intensities, planes, (1, 3), strict=True)
    ]
    refinement = refine_form_factor(
        data, tba, butyl, RefinementSettings(kinds=kinds_of("torsions,dw"), scan_angles=(-10, 0, 10))
    )
    layout, fit = refinement.model.layout, refinement.fit
    assert [parameter.name for parameter in layout.parameters[:2]] == ["scale 1", "scale 2"]
    expected = [values[0] * factor for (_, values), factor in zip(intensities, (1, 3), strict=True)]
    np.testing.assert_allclose(fit.values[:2], expected, rtol=1e-3)
    assert fit.values[layout.where("torsions")][0] == pytest.approx(5, abs=0.01)


def test_the_plane_hk0_knows_nothing_of_up_and_down(tba: Pair):
    plane = layer(TBA_CELL, "c", 0, 6, 32)
    model = FormFactorModel([observed(np.ones((32, 32)), plane)], tba)
    with torch.no_grad():
        assert float(model.difference(torch.tensor(model.layout.start())).max()) < 1e-20
    assert Cell(*TBA_CELL.constants) == TBA_CELL
