"""Pairs counted 64 sites at a time are those counted by shifting the box, and those of a Fourier transform."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsfu.simulate.disorder.pair_correlations import (
    alpha_from_counts,
    alpha_of_box,
    mirror_images,
    pair_counts,
    pair_counts_by_counting,
)
from tests.simulate.strategies import seeds

edges = st.integers(11, 18)
compiled = settings(deadline=None)
"""The first example compiles, or loads what was compiled."""


@st.composite
def boxes(draw):
    shape = draw(st.tuples(edges, edges, edges))
    occupied = np.random.default_rng(draw(seeds)).random(shape) < draw(st.floats(0.01, 0.99))
    occupied.flat[0], occupied.flat[1] = True, False
    return occupied


@compiled
@given(boxes())
def test_words_and_shifting_agree_exactly(occupied):
    counts = pair_counts(occupied)
    assert counts.dtype == np.int64
    assert (counts == pair_counts_by_counting(occupied)).all()
    assert counts[5, 5, 5] == occupied.sum()
    assert (counts == counts[::-1, ::-1, ::-1]).all()


@pytest.mark.parametrize("fraction", [0.02, 0.5, 0.98])
def test_they_agree_in_a_box_of_the_usual_size(fraction):
    rng = np.random.default_rng(3)
    occupied = rng.random((64, 64, 64)) < fraction
    occupied[:20] = occupied[20:40]
    assert (pair_counts(occupied) == pair_counts_by_counting(occupied)).all()


@pytest.mark.parametrize("shape", [(64, 64, 64), (11, 13, 63), (12, 12, 12)])
def test_they_are_the_autocorrelation_by_fourier_transform(shape):
    occupied = np.random.default_rng(4).random(shape) < 0.3
    whole = np.fft.ifftn(np.abs(np.fft.fftn(occupied)) ** 2).real
    offsets = np.arange(-5, 6)
    assert (pair_counts(occupied) == np.rint(whole[np.ix_(offsets, offsets, offsets)])).all()


@compiled
@given(boxes())
def test_alpha_is_defined_by_unlike_pairs(occupied):
    """α_v = 1 − P_v^AB / (m_A m_B), from the other kind of pair than the one that is counted."""
    alpha = alpha_of_box(occupied)
    fraction = occupied.mean()
    for u, v, w in [(1, 0, 0), (-2, 3, 1), (5, -5, 4)]:
        unlike = (occupied & ~np.roll(occupied, (-u, -v, -w), axis=(0, 1, 2))).mean()
        assert alpha[5 + u, 5 + v, 5 + w] == pytest.approx(1 - unlike / (fraction * (1 - fraction)), abs=1e-9)


@compiled
@given(boxes())
def test_alpha_is_exact_at_the_origin_symmetric_and_the_same_for_both_species(occupied):
    alpha = alpha_of_box(occupied)
    assert alpha[5, 5, 5] == 1.0
    assert (alpha == alpha[::-1, ::-1, ::-1]).all()
    assert np.abs(alpha - alpha_of_box(~occupied)).max() < 1e-12


@compiled
@given(boxes())
def test_boxes_of_one_composition_are_averaged(occupied):
    counts = pair_counts(occupied)
    together = alpha_from_counts(np.stack([counts, counts[::-1]]), occupied.size, int(occupied.sum()))
    alone = alpha_of_box(occupied)
    assert np.abs(together - (alone + alone[::-1]) / 2).max() < 1e-12


@compiled
@given(boxes())
def test_mirror_images_are_the_counts_of_mirrored_boxes(occupied):
    images = mirror_images(pair_counts(occupied))
    mirrored = [occupied, occupied[::-1], occupied[:, ::-1], occupied[:, :, ::-1]]
    assert all((image == pair_counts(box)).all() for image, box in zip(images, mirrored, strict=True))


def test_known_crystals():
    x, y, z = np.indices((12, 12, 12))
    u, v, w = np.indices((11, 11, 11)) - 5
    assert (alpha_of_box((x + y + z) % 2 == 0) == np.where((u + v + w) % 2 == 0, 1.0, -1.0)).all()
    assert (alpha_of_box(y % 2 == 0) == np.where(v % 2 == 0, 1.0, -1.0)).all()
    assert alpha_of_box(z % 4 == 0)[5, 5, 6] == pytest.approx(-1 / 3)


def test_what_is_no_box_is_refused():
    with pytest.raises(ValueError, match="expected a boolean box of at least 11 sites"):
        pair_counts(np.zeros((10, 12, 12), dtype=bool))
    with pytest.raises(ValueError, match="dtype int64"):
        pair_counts(np.zeros((12, 12, 12), dtype=np.int64))
    with pytest.raises(ValueError, match="at most 64 along z"):
        pair_counts(np.zeros((12, 12, 65), dtype=bool))
    with pytest.raises(ValueError, match="0 A sites of 1728: expected both species"):
        alpha_of_box(np.zeros((12, 12, 12), dtype=bool))
