import numpy as np
import pytest

from dsfu.model.training.draws import AUGMENTATION, SAMPLE, Draws

FIRST = [0.7717214758905612, 0.5808621754992541, 0.6928071324774332]


def test_numbers_are_those_of_philox_whatever_the_release_of_numpy():
    draws = Draws(7, SAMPLE, 3)
    assert [draws.share() for _ in range(3)] == FIRST


def test_every_sample_purpose_and_seed_has_its_own_numbers():
    keys = [
        (seed, purpose, number) for seed in (0, 1, -1) for purpose in (SAMPLE, AUGMENTATION) for number in range(50)
    ]
    firsts = [Draws(*key).share() for key in keys]
    assert len(set(firsts)) == len(keys)
    assert [Draws(*key).share() for key in keys] == firsts
    assert np.mean(firsts) == pytest.approx(0.5, abs=0.07)


def test_ranges_and_choices():
    draws = Draws(1, SAMPLE, 0)
    between = [draws.between((2.0, 3.0)) for _ in range(300)]
    assert 2 <= min(between) < 2.05 < 2.95 < max(between) <= 3
    logs = np.log10([draws.log_between((1e-2, 1e2)) for _ in range(300)])
    assert logs.mean() == pytest.approx(0, abs=0.2)
    assert {draws.whole(4) for _ in range(100)} == {0, 1, 2, 3}
    assert sum(draws.chance(0.25) for _ in range(4000)) == pytest.approx(1000, abs=110)
    assert not any(draws.chance(0.0) for _ in range(100))
    assert all(draws.chance(1.0) for _ in range(100))
    assert sorted(draws.order(6)) == list(range(6))
    assert len({tuple(draws.order(3)) for _ in range(60)}) == 6


def test_rotations_are_uniform():
    draws = Draws(2, SAMPLE, 0)
    matrices = np.stack([draws.rotation() for _ in range(500)])
    np.testing.assert_allclose(
        matrices @ matrices.transpose(0, 2, 1), np.broadcast_to(np.eye(3), (500, 3, 3)), atol=1e-12
    )
    np.testing.assert_allclose(np.linalg.det(matrices), 1)
    np.testing.assert_allclose(matrices.mean(0), 0, atol=0.1)  # a turned vector points anywhere
    np.testing.assert_allclose((matrices**2).mean(0), 1 / 3, atol=0.06)
    angles = np.arccos((np.trace(matrices, axis1=1, axis2=2) - 1) / 2)
    assert angles.mean() == pytest.approx(np.pi / 2 + 2 / np.pi, abs=0.12)  # of rotations by Haar's measure
