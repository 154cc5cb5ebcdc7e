"""ΔPDFs against the parameters that the intensities were made from, and against sums done slowly."""

import h5py
import numpy as np
import pytest

from dsfu.errors import InputError
from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.deltapdf.compute import DeltaPdfSettings, deltapdf, deltapdf_of_plane
from dsfu.model.measured.deltapdf.files import in_order, write_yell
from dsfu.model.measured.deltapdf.picture import draw_sections
from dsfu.simulate.lattice import Cell
from tests.model.measured.order.cases import exact, hexagonal_layer, lattice_gas

CELL = Cell(5.0, 6.0, 7.0, gamma=120.0)
VECTORS = np.stack(np.meshgrid(*[np.arange(-2, 3)] * 3, indexing="ij"), axis=-1)
ALPHA = lattice_gas()[3:8, 3:8, 3:8]


def volume(shape=(24, 24, 24), step=1 / 12, start=-1.0, **more):
    axes = [start + step * np.arange(n) for n in shape]
    hkl = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    settings = {"live": np.ones(shape, np.bool_), **more}
    return Reconstruction(
        intensity=exact(ALPHA, hkl), origin=np.full(3, start), steps=np.eye(3) * step, cell=CELL, **settings
    )


@pytest.mark.parametrize(
    ("shape", "start"), [((24,) * 3, -1.0), ((24,) * 3, -0.3), ((25,) * 3, -1.0), ((12, 24, 37), 0)]
)
def test_of_a_series_it_is_alpha_at_lattice_vectors(shape, start):
    pdf = deltapdf(volume(shape, start=start), DeltaPdfSettings(subtract_mean=False))
    np.testing.assert_allclose(pdf.at(VECTORS), ALPHA, atol=1e-6)
    without_mean = deltapdf(volume(shape, start=start))
    assert without_mean.mean == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_allclose(without_mean.at(VECTORS), ALPHA - (np.abs(VECTORS).sum(axis=-1) == 0), atol=1e-6)


@pytest.mark.parametrize("window", ["hann", "gauss"])
def test_windows_leave_alpha_at_lattice_vectors_when_there_are_many_cells(window):
    pdf = deltapdf(volume((31,) * 3, 0.2, -3.0), DeltaPdfSettings(window=window, subtract_mean=False))
    np.testing.assert_allclose(pdf.at(VECTORS), ALPHA, atol=0.02)


@pytest.mark.parametrize("window", ["none", "hann", "gauss"])
def test_the_fast_transform_is_the_slow_sum(window):
    rng = np.random.default_rng(0)
    data = volume((7, 8, 5), 0.21, -0.8)
    noisy = Reconstruction(
        intensity=rng.normal(size=(7, 8, 5)), live=rng.random((7, 8, 5)) > 0.2, origin=data.origin,
        steps=np.array([[0.21, 0.02, 0.0], [0.0, 0.1, 0.05], [-0.1, 0.0, 0.3]]), cell=CELL,
    )  # fmt: skip
    pdf = deltapdf(noisy, DeltaPdfSettings(window=window, whole_cells=False))
    hkl = noisy.hkl_of_voxels(np.moveaxis(np.indices(noisy.shape), 0, -1))
    bells = {
        "none": lambda n: np.ones(n),
        "hann": lambda n: np.hanning(n + 2)[1:-1],
        "gauss": lambda n: 0.02 ** np.linspace(-1, 1, n) ** 2,
    }
    weight = np.einsum("i,j,k->ijk", *(bells[window](n) for n in noisy.shape)) * noisy.live
    mean = (weight * noisy.intensity).sum() / weight.sum()
    assert pdf.mean == pytest.approx(mean)
    for index in ((0, 0, 0), (3, 4, 2), (6, 7, 4), (1, 6, 3)):
        uvw = pdf.origin + np.array(index) @ pdf.steps
        slow = (weight * (noisy.intensity - mean) * np.cos(2 * np.pi * hkl @ uvw)).sum() / weight.sum()
        assert pdf.values[index] == pytest.approx(slow, abs=1e-6)


def test_a_model_stands_in_for_what_was_not_measured():
    whole = volume()
    live = np.random.default_rng(1).random(whole.shape) > 0.3
    broken = volume(live=live)
    broken.intensity[~live] = np.nan
    filled = deltapdf(broken, DeltaPdfSettings(subtract_mean=False), model=whole.intensity)
    np.testing.assert_allclose(filled.values, deltapdf(whole, DeltaPdfSettings(subtract_mean=False)).values, atol=1e-6)
    zero = deltapdf(broken)
    assert np.isfinite(zero.values).all()
    np.testing.assert_allclose(zero.at([1, 0, 0]), ALPHA[3, 2, 2], atol=0.05)
    with pytest.raises(ValueError, match="model: shape"):
        deltapdf(broken, model=whole.intensity[:4])


def test_of_a_plane_it_is_near_alpha_at_lattice_vectors():
    cell, plane, sro, _, live = hexagonal_layer()
    pdf = deltapdf_of_plane(sro, live, plane, cell, DeltaPdfSettings(subtract_mean=False))
    np.testing.assert_allclose(pdf.at([[0, 0, 0]]), sro[live].mean(), rtol=1e-6)
    np.testing.assert_allclose(pdf.at([[1, 0, 0], [1, 1, 0], [0, -1, 0]]), -0.2516, atol=0.04)
    np.testing.assert_allclose(pdf.at([[2, 0, 0], [2, 1, 0]]), [0.0984, 0.0950], atol=0.06)
    uvw = pdf.origin + np.array([20, 33, 0]) @ pdf.steps
    slow = (sro * live * np.cos(2 * np.pi * plane.hkl(cell) @ uvw)).sum() / live.sum()
    assert pdf.values[20, 33, 0] == pytest.approx(slow, abs=1e-6)


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1), (1, 0, 2)])
def test_files_have_u_v_w_in_order_whatever_the_order_of_the_array(tmp_path, axes):
    data = volume((12, 24, 36))
    steps = data.steps[list(axes)]
    turned = Reconstruction(
        intensity=data.intensity.transpose(axes), live=data.live.transpose(axes), origin=data.origin, steps=-steps,
        cell=CELL,
    )  # fmt: skip
    object.__setattr__(turned, "origin", data.origin + (np.array([12, 24, 36]) - 1) @ data.steps)
    turned = Reconstruction(
        intensity=turned.intensity[::-1, ::-1, ::-1], live=turned.live, origin=turned.origin, steps=-steps, cell=CELL
    )
    path = tmp_path / "pdf.h5"
    write_yell(path, deltapdf(turned))
    expected, lengths = in_order(deltapdf(data))
    with h5py.File(path) as file:
        np.testing.assert_allclose(file["data"][:], expected, atol=1e-6)
        np.testing.assert_allclose(file["step_sizes"][:], lengths)
        np.testing.assert_allclose(file["lower_limits"][:] + np.array(expected.shape) // 2 * lengths, 0, atol=1e-12)
        assert bool(file["is_direct"][()])
        assert file["format"][()] == b"Yell 1.0"
        np.testing.assert_allclose(file["metric_tensor"][:], CELL.vectors @ CELL.vectors.T)


def test_oblique_axes_have_no_file():
    data = volume((6, 6, 6))
    sheared = Reconstruction(
        intensity=data.intensity,
        live=data.live,
        origin=data.origin,
        steps=data.steps + 0.05 * np.eye(3, k=1),
        cell=CELL,
    )
    with pytest.raises(InputError, match="not along h, k and l"):
        in_order(deltapdf(sheared))


def test_pictures_have_the_sections_that_there_are(tmp_path):
    assert len(draw_sections(deltapdf(volume())).axes) == 4
    cell, plane, sro, _, live = hexagonal_layer(64)
    figure = draw_sections(deltapdf_of_plane(sro, live, plane, cell, cells=3, samples=6))
    assert [axes.get_title() for axes in figure.axes] == ["uv0", ""]
