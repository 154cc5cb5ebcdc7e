"""What powder patterns are in data sets and networks. Light, so that the training stage can use it without numba."""

from typing import Final

BINS: Final = 1024
"""Of 2θ from 0 to 180°, of a pattern in the published form."""

FULL: Final = 10_000
"""What the strongest line of a pattern is stored as."""

ATOMIC_NUMBERS: Final = 119
"""Places of a composition: shares of the atoms by atomic number, 0 included and empty."""
