import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dsfu.model.problems.disorder.data.normalise import normalise
from dsfu.model.problems.disorder.data.normalise import to_unit_range as in_numpy
from dsfu.model.problems.disorder.networks.scaling import measured_to_unit_range, roots_to_unit_range, to_unit_range


def planes(seed: int, pixels: int = 16) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    return torch.tensor(rng.gamma(0.5, 10.0, size=(3, 1, pixels, pixels)) - 1.0, dtype=torch.float32)


@given(st.integers(0, 10**6), st.floats(1e-3, 1e6))
def test_as_numpy_does(seed, unit):
    values = planes(seed) * unit
    np.testing.assert_allclose(to_unit_range(values), in_numpy(values.numpy()), atol=1e-6)
    np.testing.assert_allclose(roots_to_unit_range(values), normalise(values.numpy()), atol=1e-6)


def test_where_all_is_live_measured_planes_are_scaled_alike():
    values = planes(1)
    everywhere = torch.ones_like(values, dtype=torch.bool)
    assert torch.equal(measured_to_unit_range(values, everywhere), roots_to_unit_range(values))


@pytest.mark.parametrize("stand_in", [0.0, 1e9, float("nan"), float("inf")])
def test_what_stands_in_dead_pixels_makes_no_difference(stand_in):
    values = planes(2)
    live = torch.tensor(np.random.default_rng(3).random(values.shape) < 0.7)
    scaled = measured_to_unit_range(torch.where(live, values, stand_in), live)
    assert torch.equal(scaled, measured_to_unit_range(values, live))
    assert (scaled[~live] == -1).all()
    seen = scaled.masked_fill(~live, 0)
    assert torch.equal(seen.amax((1, 2, 3)), torch.ones(3))
    assert torch.equal(seen.amin((1, 2, 3)), -torch.ones(3))


def test_constant_and_empty_planes_are_minus_one():
    flat = torch.full((1, 1, 4, 4), 3.0)
    assert (to_unit_range(flat) == -1).all()
    assert (measured_to_unit_range(flat, torch.zeros_like(flat, dtype=torch.bool)) == -1).all()
    assert (measured_to_unit_range(flat, flat > 0) == -1).all()
