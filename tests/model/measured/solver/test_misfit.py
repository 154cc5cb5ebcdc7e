"""The misfit of a pixel: its value in each case, and its derivatives."""

from typing import Any

import numpy as np
import torch

from dsfu.model.measured.solver.misfit import PixelMisfit

apply: Any = PixelMisfit.apply


def one(**numbers: float) -> float:
    shaped = [torch.full((1, 1, 1), numbers[name], dtype=torch.float64) for name in "gsbeiwkd"]
    return float(apply(*shaped))


def test_where_the_series_is_positive_it_is_half_the_weighted_square() -> None:
    assert np.isclose(one(g=2, s=3, b=0.5, e=0.5, i=4, w=10, k=7, d=0), 0.5 * 10 * (2 * 3 * 0.5 + 0.5 - 4) ** 2)


def test_clipped_pixels_without_intensity_cost_nothing() -> None:
    assert one(g=2, s=-3, b=0, e=1, i=0, w=10, k=7, d=0) == 0


def test_depths_that_were_clipped_have_their_own_price() -> None:
    assert np.isclose(one(g=2, s=-3, b=0, e=1, i=0, w=10, k=7, d=0.2), 0.5 * 0.2 * 9)


def test_intensity_draws_a_negative_series_up() -> None:
    far, near, zero = (one(g=2, s=s, b=0, e=1, i=1, w=10, k=7, d=0) for s in (-2, -1, 0))
    assert far > near > zero == 5
    assert np.isclose(far - near, near - zero)


def test_negative_form_factors_cost() -> None:
    assert np.isclose(one(g=-2, s=0, b=0, e=0.5, i=0, w=10, k=7, d=0), 0.5 * 7 * 1)


def test_two_negative_factors_are_no_way_out() -> None:
    """With F in place of F⁺ the misfit fell without bound there."""
    at_zero = one(g=0, s=-1, b=0, e=1, i=1, w=10, k=0.1, d=0)
    for depth in (-1, -10, -1000):
        assert one(g=depth, s=depth, b=0, e=1, i=1, w=10, k=0.1, d=0) >= at_zero


def test_derivatives_agree_with_finite_differences() -> None:
    rng = np.random.default_rng(3)
    smooth, order = (torch.as_tensor(rng.normal(size=(2, 5, 6)) + 0.3).requires_grad_() for _ in range(2))
    background = torch.as_tensor(rng.normal(size=(2, 1, 1))).requires_grad_()
    constants = [torch.as_tensor(rng.uniform(0.1, 1, (2, 5, 6))) for _ in range(3)]
    constants[1] -= 0.4
    price = torch.tensor([0.7, 0.2], dtype=torch.float64)[:, None, None]
    assert torch.autograd.gradcheck(apply, (smooth, order, background, *constants, price, 0.5 * price))
