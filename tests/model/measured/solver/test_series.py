"""Series by matrix products against the plain sum over terms."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dsfu.model.measured.solver.series import Series, Terms


def some_terms(rng: np.random.Generator, count: int, on_grid: bool) -> Terms:
    vectors = rng.integers(-3, 4, (count, 2)) * 1.7 if on_grid else rng.normal(size=(count, 2)) * 5
    return Terms(
        vectors=np.asarray(vectors, np.float64), phases=rng.uniform(-3, 3, count), has_sine=np.ones(count, np.bool_)
    )


def plain_sum(terms: Terms, offsets: np.ndarray, cosines: np.ndarray, sines: np.ndarray) -> np.ndarray:
    y, x = np.meshgrid(offsets, offsets, indexing="ij")
    angle = terms.phases + x[..., None] * terms.vectors[:, 0] + y[..., None] * terms.vectors[:, 1]
    return np.asarray(np.cos(angle) @ cosines + np.sin(angle) @ sines)


@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 40), st.booleans())
@settings(max_examples=30, deadline=None)
def test_it_is_the_sum_over_its_terms(seed: int, count: int, other: int, on_grid: bool) -> None:
    rng = np.random.default_rng(seed)
    terms = [some_terms(rng, count, on_grid), some_terms(rng, other, not on_grid)]
    offsets = np.stack([np.linspace(-7, 6.5, 12), np.linspace(-6, 5.5, 12)])
    series = Series(terms, offsets, torch.float64, "cpu")
    coefficients = rng.normal(size=(2, 2, series.size))
    found = series(torch.as_tensor(coefficients[0]), torch.as_tensor(coefficients[1])).numpy()
    for i, each in enumerate(terms):
        expected = plain_sum(each, offsets[i], *coefficients[:, i, : len(each)])
        np.testing.assert_allclose(found[i], expected, atol=1e-9)


def test_stretching_the_lattice_is_stretching_its_vectors() -> None:
    rng = np.random.default_rng(1)
    terms = some_terms(rng, 20, True)
    stretched = Terms(vectors=terms.vectors * np.array([1.01, 0.98]), phases=terms.phases, has_sine=terms.has_sine)
    offsets = np.linspace(-7, 6.5, 16)[None]
    a, b = torch.as_tensor(rng.normal(size=(2, 1, 20)))
    by = torch.tensor([[0.01, -0.02]], dtype=torch.float64)
    found = Series([terms], offsets, torch.float64, "cpu")(a, b, by)
    expected = Series([stretched], offsets, torch.float64, "cpu")(a, b)
    np.testing.assert_allclose(found.numpy(), expected.numpy(), atol=1e-9)


@pytest.mark.parametrize("stretched", [False, True])
def test_derivatives(stretched: bool) -> None:
    rng = np.random.default_rng(2)
    series = Series([some_terms(rng, 6, True)], np.linspace(-2, 1.5, 8)[None], torch.float64, "cpu")
    a, b = (torch.as_tensor(rng.normal(size=(1, 6))).requires_grad_() for _ in range(2))
    by = torch.zeros(1, 2, dtype=torch.float64, requires_grad=stretched)
    assert torch.autograd.gradcheck(series, (a, b, by))
