import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dsfu.model.problems.disorder.data.normalise import Scale, mask_dead, normalise, normalise_roots, to_unit_range

seeds = st.integers(0, 2**32 - 1)
scales = st.sampled_from(["sqrt", "linear"])


def random_planes(seed: int, planes: int = 3, size: int = 12) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.gamma(0.5, size=(planes, size, size)) * 10 ** rng.uniform(-6, 6)).astype(np.float32)


@given(seeds, scales)
def test_every_plane_reaches_from_minus_one_to_one_exactly(seed: int, scale: Scale):
    out = normalise(random_planes(seed), scale)
    assert out.dtype == np.float32
    np.testing.assert_array_equal(out.min(axis=(1, 2)), -1)
    np.testing.assert_array_equal(out.max(axis=(1, 2)), 1)


@given(seeds, scales, st.floats(1e-6, 1e6))
def test_a_factor_changes_nothing(seed: int, scale: Scale, factor: float):
    planes = random_planes(seed)
    np.testing.assert_allclose(normalise(planes * np.float32(factor), scale), normalise(planes, scale), atol=3e-6)


@given(seeds, scales)
def test_a_plane_does_not_depend_on_its_neighbours(seed: int, scale: Scale):
    planes = random_planes(seed)
    np.testing.assert_array_equal(normalise(planes, scale)[1], normalise(planes[1], scale))


@given(seeds)
def test_scales_differ_by_a_root(seed: int):
    plane = random_planes(seed)[0].astype(np.float64)
    root = np.sqrt(plane)
    np.testing.assert_allclose(normalise(plane, "sqrt"), 2 * (root - root.min()) / np.ptp(root) - 1, atol=1e-6)
    np.testing.assert_allclose(normalise(plane, "linear"), 2 * (plane - plane.min()) / np.ptp(plane) - 1, atol=1e-6)


@given(seeds, scales)
def test_order_of_values_is_kept(seed: int, scale: Scale):
    plane = random_planes(seed)[0].ravel()
    ordered = normalise(plane.reshape(12, 12), scale).ravel()[np.argsort(plane)]
    assert (np.diff(ordered) >= 0).all()


@given(seeds, scales)
def test_roots_give_the_same_as_intensities(seed: int, scale: Scale):
    stored = np.random.default_rng(seed).integers(0, 65536, (2, 9, 9), dtype=np.uint16)
    np.testing.assert_allclose(
        normalise_roots(stored, scale), normalise(np.square(stored, dtype=np.float64) * 7.5, scale), atol=2e-6
    )


@given(seeds, scales)
def test_dead_pixels_are_minus_one_and_live_ones_do_not_notice(seed: int, scale: Scale):
    planes = random_planes(seed)
    live = np.random.default_rng(seed).random(planes.shape) < 0.6
    assume(not live.all())
    masked, whole = normalise(planes, scale, live), normalise(planes, scale)
    assert (masked[~live] == -1).all()
    np.testing.assert_array_equal(masked[live], whole[live])


def test_normalised_first_and_masked_then():
    """The maximum is hidden: the live pixels must still be scaled by it."""
    plane = np.array([[0.0, 1.0], [2.0, 4.0]])
    live = np.array([[True, True], [True, False]])
    np.testing.assert_array_equal(normalise(plane, "linear", live), [[-1.0, -0.5], [0.0, -1.0]])
    np.testing.assert_array_equal(normalise(plane**2, "sqrt", live), [[-1.0, -0.5], [0.0, -1.0]])


@pytest.mark.parametrize("value", [0.0, 3.0, 1e-40, 1e30])
@pytest.mark.parametrize("scale", ["sqrt", "linear"])
def test_a_constant_plane_is_minus_one(value: float, scale: Scale):
    np.testing.assert_array_equal(normalise(np.full((2, 5, 5), value), scale), np.full((2, 5, 5), -1, np.float32))


def test_negative_intensity_counts_as_zero_under_the_root():
    np.testing.assert_array_equal(normalise([[-1.0, 0.0], [1.0, 4.0]], "sqrt"), [[-1, -1], [0, 1]])


def test_input_is_left_alone():
    planes = random_planes(1)
    before = planes.copy()
    normalise(planes, "linear", np.zeros(planes.shape, bool))
    to_unit_range(planes)
    np.testing.assert_array_equal(planes, before)


def test_no_mask_leaves_all():
    planes = to_unit_range(random_planes(2))
    assert mask_dead(planes, None) is planes


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e39])
def test_unusable_numbers_are_refused(value: float):
    planes = np.zeros((2, 4, 4))
    planes[1, 2, 3] = value
    with pytest.raises(ValueError, match="expected"), np.errstate(over="ignore"):
        normalise(planes)


def test_unknown_scale_is_refused():
    with pytest.raises(ValueError, match="'sqrt', 'linear'"):
        normalise(np.zeros((2, 2)), "log")  # type: ignore[arg-type]


@given(seed=st.integers(0, 2**32 - 1), power=st.integers(-30, 30))
def test_range_is_to_the_last_bit_what_the_formula_says(seed: int, power: int) -> None:
    planes = np.random.default_rng(seed).random((2, 5, 7), np.float32) * np.float32(2.0**power)
    lowest, highest = (f(axis=(-2, -1), keepdims=True) for f in (planes.min, planes.max))
    expected = (planes - lowest) / (highest - lowest) * np.float32(2) - np.float32(1)
    np.testing.assert_array_equal(to_unit_range(planes), expected)
    np.testing.assert_array_equal(to_unit_range(planes, out=planes), expected)
    assert planes.max() == 1
