"""Random streams: known values, independence of order, and even spread."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsfu.simulate.random_stream import RandomStream, random_word, stream_key

WORDS = st.lists(st.text() | st.integers(), max_size=4)
MASK = (1 << 64) - 1


def splitmix64(key, counter):
    """The published algorithm in Python's integers."""
    word = (key + counter * 0x9E3779B97F4A7C15) & MASK
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & MASK
    return word ^ (word >> 31)


def test_words_are_those_of_splitmix64():
    """Reference output of the generator seeded with 0, as other implementations give it."""
    reference = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert [splitmix64(0, n) for n in (1, 2, 3)] == reference
    with np.errstate(over="ignore"):
        assert [int(random_word.py_func(np.uint64(0), np.uint64(n))) for n in (1, 2, 3)] == reference


@settings(deadline=None)  # the first example compiles
@given(st.integers(), WORDS)
def test_a_stream_is_a_function_of_key_and_counter(seed, words):
    stream = RandomStream(seed, *words)
    expected = [splitmix64(stream.key, n) for n in range(7)]
    assert [*stream.words(3).tolist(), *stream.words(4).tolist()] == expected


def test_keys_do_not_change_between_versions_or_machines():
    assert stream_key(0) == 0x8484FBA74BA9A9AA
    assert stream_key(7, "planes", 3) == 0x5BD5A383820FF9B8


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(), WORDS), min_size=2, max_size=2, unique_by=repr))
def test_keys_tell_every_part_and_its_type(two):
    (first, first_words), (second, second_words) = two
    assert stream_key(first, *first_words) != stream_key(second, *second_words)


def test_parts_are_not_run_together():
    assert (
        len({stream_key(1, "ab", "c"), stream_key(1, "a", "bc"), stream_key(1, "abc"), stream_key(1, "ab", "c", "")})
        == 4
    )
    assert stream_key(1, "1") != stream_key(1, 1)
    assert stream_key(1, np.int64(5)) == stream_key(1, 5)  # type: ignore[arg-type]


def test_a_child_does_not_depend_on_what_was_drawn():
    parent = RandomStream(3, "box")
    before = parent.child("moves", 1).words(5)
    parent.words(100)
    assert (parent.child("moves", 1).words(5) == before).all()
    assert parent.child("moves", 1).key == stream_key(3, "box", "moves", 1)


def test_uniform_numbers_are_evenly_spread():
    stream = RandomStream(11, "spread")
    numbers = np.array([stream.uniform(-2.0, 3.0) for _ in range(20_000)])
    assert -2.0 <= numbers.min() < numbers.max() < 3.0
    counts = np.histogram(numbers, bins=50, range=(-2.0, 3.0))[0]
    chi_square = ((counts - 400) ** 2 / 400).sum()
    assert abs(chi_square - 49) < 5 * np.sqrt(2 * 49)


def test_neighbouring_streams_and_words_are_uncorrelated():
    words = np.stack([RandomStream(n).words(4096) for n in range(8)])
    bits = np.unpackbits(words.view(np.uint8), axis=1).astype(np.int64) * 2 - 1
    along = np.abs((bits[:, 64:] * bits[:, :-64]).mean(axis=1))
    across = np.abs((bits[1:] * bits[:-1]).mean(axis=1))
    assert max(along.max(), across.max()) < 5 / np.sqrt(bits.shape[1])


@settings(deadline=None)
@given(st.integers(1, 300), st.integers())
def test_whole_numbers_and_permutations(count, seed):
    stream = RandomStream(seed)
    assert all(0 <= stream.integer(count) < count for _ in range(5))
    assert sorted(stream.permutation(count).tolist()) == list(range(count))


def test_permutations_are_all_equally_likely():
    stream = RandomStream(5)
    drawn = [tuple(stream.permutation(3).tolist()) for _ in range(6000)]
    counts = np.array([drawn.count(order) for order in set(drawn)])
    assert counts.size == 6
    assert np.abs(counts - 1000).max() < 5 * np.sqrt(1000)


def test_what_is_not_a_seed_or_a_word_is_refused():
    with pytest.raises(ValueError, match=r"expected whole numbers and texts, not 1\.5"):
        stream_key(1, 1.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not True"):
        RandomStream(True)
    with pytest.raises(ValueError, match="below = 0"):
        RandomStream(1).integer(0)
