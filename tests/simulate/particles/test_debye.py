import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import pdist

from dsfu.simulate.particles.debye import any_structure, different_distances, distance_table, known_shapes
from dsfu.simulate.particles.shapes import positions_of

Q_STEP, POINTS = 0.057, 440
Q = Q_STEP * np.arange(POINTS)


def written_out(positions, b_iso, delta2=0.0, weights=None):
    """Debye's sum as it stands in the docstring."""
    n = len(positions)
    total = np.zeros(POINTS)
    power = np.ones(n) if weights is None else weights
    for i in range(n):
        for j in range(i):
            d = np.linalg.norm(positions[i] - positions[j])
            u2 = b_iso / (4 * np.pi**2) * max(0.0, 1 - delta2 / d**2)
            total += power[i] * power[j] * np.exp(-u2 * Q**2 / 2) * np.sin(Q * d) / d
    return 2 / n * total


def test_two_atoms():
    table = distance_table([[[0, 0, 0], [0, 0, 1]]])
    values = known_shapes(table, [0], [2.5], [0.0], Q_STEP, POINTS)[0]
    assert values == pytest.approx(np.sin(Q * 2.5) / 2.5, abs=1e-6)


@pytest.mark.parametrize("delta2", [0.0, 2.0])
@pytest.mark.parametrize(("family", "parameters"), [("Decahedron", (2, 2, 1)), ("HCP", (2, 2, 3))])
def test_known_shapes_are_debyes_sum(family, parameters, delta2):
    positions = positions_of(family, parameters)
    values = known_shapes(distance_table([positions]), [0], [2.77], [0.5], Q_STEP, POINTS, delta2=delta2)[0]
    expected = written_out(positions * 2.77, 0.5, delta2)
    assert np.abs(values - expected).max() < 2e-7 * np.abs(expected).max()


def test_any_structure_is_debyes_sum_with_weights():
    draw = np.random.default_rng(3)
    positions, weights = draw.uniform(0, 9, (40, 3)), draw.uniform(0.5, 1.5, 40)
    for own in (None, weights):
        expected = written_out(positions, 0.4, weights=own)
        values = any_structure(positions, 0.4, Q_STEP, POINTS, own)
        assert np.abs(values - expected).max() < 1e-5 * np.abs(expected).max()


def test_the_slope_at_small_q_counts_the_atoms():
    positions = positions_of("FCC", (3, 3, 3)) * 2.8
    fine = any_structure(positions, 0.3, 1e-3, 20)
    assert fine[1] == pytest.approx(1e-3 * (len(positions) - 1), rel=1e-3)


@given(st.floats(0.5, 3.0), st.integers(0, 2**32 - 1))
def test_scale_rotation_and_order(scale, seed):
    draw = np.random.default_rng(seed)
    positions = draw.uniform(0, 6, (12, 3)) + 8 * np.eye(3)[draw.integers(0, 3, 12)]
    turn = np.linalg.qr(draw.standard_normal((3, 3)))[0]
    one = any_structure(positions, 0.0, 0.05, 200)
    turned = any_structure(draw.permutation(positions) @ turn + 3, 0.0, 0.05, 200)
    larger = any_structure(positions * scale, 0.0, 0.05 / scale, 200)
    size = np.abs(one).max()
    assert np.abs(turned - one).max() < 2e-4 * size
    assert np.abs(larger * scale - one).max() < 2e-3 * size


def test_different_distances_count_all_pairs():
    positions = positions_of("BCC", (2, 3, 4))
    distances, counts = different_distances(positions)
    pairs = pdist(positions)
    assert counts.sum() == len(pairs)
    assert distances @ counts == pytest.approx(pairs.sum())
    assert (np.diff(distances) > 0).all()


def test_bad_arguments_are_named():
    table = distance_table([positions_of("SC", (1, 1, 1))])
    with pytest.raises(ValueError, match="shape"):
        known_shapes(table, [1], [2.5], [0.3], Q_STEP, POINTS)
    with pytest.raises(ValueError, match="bond_length"):
        known_shapes(table, [0], [0.0], [0.3], Q_STEP, POINTS)
    with pytest.raises(ValueError, match="same place"):
        any_structure([[0, 0, 0], [0, 0, 0], [1, 1, 1]], 0.3, Q_STEP, POINTS)
    with pytest.raises(ValueError, match="two atoms"):
        different_distances([[0, 0, 0]])
    with pytest.raises(ValueError, match="finite"):
        any_structure(np.array([[0, 0, np.nan], [0, 0, 0]]), 0.3, Q_STEP, POINTS)
