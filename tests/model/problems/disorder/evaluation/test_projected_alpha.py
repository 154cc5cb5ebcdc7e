import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dsfu.model.problems.disorder.evaluation.projected_alpha import ProjectedSeries, alpha_errors
from dsfu.model.problems.disorder.forward import PlaneBatch
from dsfu.simulate.disorder.planes import AxisName, Plane, layer
from dsfu.simulate.disorder.scattering import sro_of_planes
from dsfu.simulate.lattice import Cell
from tests.simulate.strategies import random_alpha

CELLS = (Cell(6.2, 4.9, 6.2, 90, 120, 90), Cell(5.0, 7.3, 8.1))
PIXELS = 64


def weak_alpha(seed: int, strength: float = 0.5) -> np.ndarray:
    """So weak that the series is nowhere negative."""
    alpha = strength * random_alpha(seed) / np.abs(random_alpha(seed)).sum()
    alpha[5, 5, 5] = 1
    return np.asarray(alpha)


def series_on(cell: Cell, axis: AxisName, plane: Plane) -> ProjectedSeries:
    normal = torch.tensor(["abc".index(axis)])
    return ProjectedSeries.of(torch.tensor(cell.vectors)[None], PlaneBatch.of([plane]), normal)


def terms_of(alpha: np.ndarray, cell: Cell, axis: AxisName, plane: Plane) -> torch.Tensor:
    """The terms that the parameters have on a plane, vector by vector."""
    fixed = "abc".index(axis)
    terms = np.zeros((11, 11), complex)
    for index in np.ndindex(11, 11, 11):
        u, w = (index[each] for each in range(3) if each != fixed)
        phase = (np.array(index) - 5) @ cell.vectors @ plane.centre
        terms[u, w] += alpha[index] * np.exp(1j * phase)
    return torch.tensor(terms.reshape(1, -1))


@given(st.integers(0, 1), st.sampled_from("abc"), st.floats(0, 3), st.floats(5, 8), st.integers(0, 2**16))
@settings(max_examples=15)
def test_the_parameters_of_a_plane_are_found_again(number: int, axis: AxisName, offset: float, q_max: float, seed: int):
    cell, alpha = CELLS[number], weak_alpha(seed)
    plane = layer(cell, axis, offset, q_max, PIXELS)
    ((sro, clipped),) = sro_of_planes(cell, alpha, [plane])
    assert clipped == 0
    fitted = series_on(cell, axis, plane).fit(torch.tensor(sro)[None])
    truth = terms_of(alpha, cell, axis, plane)
    np.testing.assert_allclose(fitted, truth, atol=1e-5)
    errors = alpha_errors(3.7 * fitted, truth)
    assert errors["all"] < 1e-5
    assert errors["nearest"] < 1e-5


def test_an_error_of_one_parameter_is_told_as_such():
    alpha = weak_alpha(1)
    alpha[5, 0:5, 5] = alpha[5, 6:, 5] = 0
    off = alpha.copy()
    off[6, 5, 5] += 0.03
    off[4, 5, 5] += 0.03
    plane = layer(CELLS[0], "b", 0, 7, PIXELS)
    (one, _), (other, _) = (sro_of_planes(CELLS[0], each, [plane])[0] for each in (off, alpha))
    series = series_on(CELLS[0], "b", plane)
    errors = alpha_errors(series.fit(torch.tensor(one)[None]), series.fit(torch.tensor(other)[None]))
    assert float(errors["nearest"]) == pytest.approx(0.03, rel=1e-3)
    assert float(errors["all"]) == pytest.approx(0.03 * np.sqrt(2 / 120), rel=1e-3)


def test_a_plane_is_fitted_as_if_it_were_alone():
    cell = CELLS[0]
    axes: tuple[AxisName, ...] = ("a", "b", "c")
    planes = [layer(cell, axis, 0.5 * number, 6 + number / 2, PIXELS) for number, axis in enumerate(axes)]
    values = torch.tensor(np.stack([sro_of_planes(cell, random_alpha(0), [plane])[0][0] for plane in planes]))
    vectors = torch.tensor(cell.vectors).expand(3, -1, -1)
    together = ProjectedSeries.of(vectors, PlaneBatch.of(planes), torch.arange(3)).fit(values)
    for number, (axis, plane) in enumerate(zip(axes, planes, strict=True)):
        alone = series_on(cell, axis, plane).fit(values[number : number + 1])
        torch.testing.assert_close(together[number], alone[0], rtol=1e-6, atol=1e-9)
