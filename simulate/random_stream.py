"""Random numbers that are a pure function of a key and a counter: the same on every machine, in every order of work.

The n-th word of a stream is the splitmix64 finaliser (Steele, Lea and Flood, OOPSLA 2014) of ``key + n · golden``: no
state but the counter, integer arithmetic only. ``RandomStream`` draws from it in Python, ``random_word`` inside Numba.
"""

import hashlib
from typing import Final, Protocol, Self

import numpy as np
import numpy.typing as npt
from numba import njit

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31 = np.uint64(27), np.uint64(30), np.uint64(31)
_WORD: Final = 1 << 64


class UniformSource(Protocol):
    """Anything that draws uniform numbers: a RandomStream, or a numpy Generator."""

    def uniform(self, low: float, high: float) -> float: ...


@njit(inline="always")
def random_word(key: np.uint64, counter: np.uint64) -> np.uint64:
    """Word number ``counter`` of the stream ``key``: 64 random bits. Both arguments must be np.uint64."""
    word = key + counter * _GOLDEN
    word = (word ^ (word >> _S30)) * _FIRST
    word = (word ^ (word >> _S27)) * _SECOND
    return word ^ (word >> _S31)


@njit(nogil=True, cache=True)
def _fill_words(key: np.uint64, first: np.uint64, out: npt.NDArray[np.uint64]) -> None:
    for i in range(out.size):
        out[i] = random_word(key, first + np.uint64(i))


def stream_key(seed: int, *words: str | int) -> int:
    """A 64-bit key that depends on the seed and on every word, in order, and on nothing else.

    Each part enters with its type and length, so that ("ab", "c") and ("a", "bc"), or 1 and "1", give different keys.
    """
    digest = hashlib.blake2b(digest_size=8)
    for part in (seed, *words):
        if isinstance(part, bool) or not isinstance(part, int | str | np.integer):
            raise ValueError(f"seed and words = {(seed, *words)!r}: expected whole numbers and texts, not {part!r}")
        text = part if isinstance(part, str) else str(int(part))
        encoded = text.encode()
        digest.update(f"{'s' if isinstance(part, str) else 'i'}{len(encoded)}:".encode() + encoded)
    return int.from_bytes(digest.digest(), "little")


class RandomStream:
    """One stream of random numbers, read from its beginning.

    Parameters
    ----------
    seed
        Any whole number.
    words
        What the numbers are for: streams of one seed with different words are independent.
    """

    def __init__(self, seed: int, *words: str | int) -> None:
        self._seed, self._words = seed, words
        self.key = stream_key(seed, *words)
        self._counter = 0

    def child(self, *words: str | int) -> Self:
        """Another stream, for a purpose within this one's; it does not depend on what was drawn from this one."""
        return type(self)(self._seed, *self._words, *words)

    def words(self, count: int) -> npt.NDArray[np.uint64]:
        """The next ``count`` words of 64 random bits."""
        out = np.empty(count, dtype=np.uint64)
        _fill_words(np.uint64(self.key), np.uint64(self._counter), out)
        self._counter = (self._counter + count) % _WORD
        return out

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """One number, uniform in [low, high)."""
        return low + (high - low) * (int(self.words(1)[0]) >> 11) * 2.0**-53

    def integer(self, below: int) -> int:
        """One whole number, uniform in 0 … below − 1, for ``below`` up to 2³² (the bias is under 2⁻³²)."""
        if not 1 <= below <= 1 << 32:
            raise ValueError(f"below = {below}: expected 1 to 2**32")
        return int(self.words(1)[0]) * below >> 64

    def permutation(self, count: int) -> npt.NDArray[np.int64]:
        """The numbers 0 … count − 1 in random order (Fisher–Yates)."""
        order = np.arange(count, dtype=np.int64)
        for i in range(count - 1, 0, -1):
            j = self.integer(i + 1)
            order[i], order[j] = order[j], order[i]
        return order
