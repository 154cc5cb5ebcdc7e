"""Several reconstructions of one crystal made one: scales, weights and what is refused, on counts drawn by numpy."""

from dataclasses import replace

import numpy as np
import pytest

from dsfu.errors import InputError
from dsfu.model.front_door.analysis import readable
from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.volume.merging import merged, sentences_of_merging
from dsfu.simulate.lattice import Cell

SHAPE = (31, 35, 33)
AXES = [0.1 * (np.arange(n) - n // 2) for n in SHAPE]
H, K, L = np.meshgrid(*AXES, indexing="ij")
EXPECTED = 40 * np.exp(-0.15 * (H**2 + K**2 + L**2)) * (1 + 0.5 * np.cos(2 * np.pi * (H + 0.3 * K))) + 3
FIRST, SECOND = H < 0.8, H > -0.6
"""What two runs saw."""


def _run(seed, live=True, counts=1.0, unit=1.0, background=0.0, expected=EXPECTED):
    seen = np.random.default_rng(seed).poisson((expected + background) * counts)
    live = np.broadcast_to(live, SHAPE)
    return Reconstruction(
        intensity=np.where(live, unit * seen, 0.0),
        live=live.copy(),
        origin=np.array([axis[0] for axis in AXES]),
        steps=0.1 * np.eye(3),
        cell=Cell(8, 9, 10, 80, 95, 100),
        source=f"run{seed}.h5",
    )


def test_runs_come_on_one_scale_and_weigh_what_their_counts_say():
    both = merged([_run(1, FIRST), _run(2, SECOND, counts=4.0, unit=7.0)])
    (joined,) = both.history[-1].parameters["parts"]
    assert joined["scale"] == pytest.approx(4 * 7, rel=0.01)
    assert joined["shared"] == int((FIRST & SECOND).sum())
    assert 0.8 < joined["difference"] < 1.2
    assert both.live.all()
    # of the second run's voxels each is worth four of the first's
    assert both.weight is not None
    alone, twice = both.weight[FIRST & ~SECOND].mean(), both.weight[FIRST & SECOND].mean()
    assert twice / alone == pytest.approx(5, rel=0.15)
    for region, counts in ((FIRST & ~SECOND, 1), (FIRST & SECOND, 5), (SECOND & ~FIRST, 4)):
        square = ((both.intensity - EXPECTED) ** 2 / EXPECTED)[region].mean()
        assert square == pytest.approx(1 / counts, rel=0.06)


def test_arrays_may_lie_otherwise():
    other = _run(2, SECOND)
    turned = replace(
        other,
        intensity=other.intensity.transpose(2, 0, 1)[:, ::-1],
        live=other.live.transpose(2, 0, 1)[:, ::-1],
        steps=0.1 * np.array([[0, 0, 1], [-1, 0, 0], [0, 1, 0]]),
        origin=np.array([AXES[0][-1], AXES[1][0], AXES[2][0]]),
    )
    np.testing.assert_allclose(merged([_run(1), turned]).intensity, merged([_run(1), other]).intensity, rtol=1e-5)


def test_stated_uncertainties_are_carried_on():
    runs = [replace(each, sigma=np.sqrt(EXPECTED)) for each in (_run(1), _run(2))]
    sigma = merged(runs).sigma
    assert sigma is not None
    np.testing.assert_allclose(np.median(sigma / np.sqrt(EXPECTED / 2)), 1, rtol=0.05)
    assert merged([runs[0], _run(2)]).sigma is None


def test_one_alone_stays_what_it_is_and_says_nothing():
    one = _run(1)
    assert merged([one]) is one
    assert not sentences_of_merging(one)


def test_the_order_of_files_does_not_cut_a_chain():
    ends = [_run(1, H < -0.5), _run(2, H > 0.4), _run(3, np.abs(H) < 0.8)]
    assert merged(ends).live.all()


def test_another_background_is_told():
    (calm,) = sentences_of_merging(merged([_run(1), _run(2)]))
    (told,) = sentences_of_merging(merged([_run(1), _run(2, background=3 * (np.abs(L) < 0.7))]))
    assert "more than noise" in told
    assert "more than noise" not in calm


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (replace(_run(2), origin=np.array([0.0, -1.7, -1.6])), "reconstruct all of them on one grid"),
        (replace(_run(2), cell=Cell(8.1, 9, 10, 80, 95, 100)), "8.1 9 10"),
        (_run(2, H > 1.3), "shares 0 voxels"),
        (replace(_run(1, unit=3.0), source="run2.h5"), "the same numbers"),
        (_run(2, expected=EXPECTED[:, ::-1]), "contradicts the others"),
    ],
)
def test_what_does_not_belong_together_is_refused(other, words):
    with pytest.raises(InputError, match="run2") as caught:
        merged([_run(1, H < 1.2), other])
    assert words in str(caught.value)


@pytest.mark.parametrize("counts", [0.02, 1e3, 1e5])
def test_dark_and_bright_runs_are_no_copies(counts):
    assert merged([_run(1, counts=counts), _run(2, counts=counts)]).live.all()


def test_none_at_all_is_told():
    with pytest.raises(InputError, match="no reconstruction"):
        merged([])


def test_the_front_door_takes_several():
    both = readable([_run(1, FIRST), _run(2, SECOND)], "-1")
    assert both.source == "run1.h5 + run2.h5"
    assert both.live.all()
