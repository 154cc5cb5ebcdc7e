"""What a reader reads, in words and numbers that need no torch."""

from typing import Final

from dsfu.simulate.particles.shapes import FAMILIES as OF_SHAPES

NONE: Final = "none"
"""No particle of any family."""

FAMILIES: Final = OF_SHAPES
"""In the order of the numbers in a batch; `NONE` comes after them."""

QUANTITIES: Final = ("atoms", "bond_length", "b_iso")
"""What is read beside the family, as logarithms."""

CENTRES: Final = (4.2, 1.0, -0.4)
SCALES: Final = (1.0, 0.13, 0.6)
Q_SLOW: Final = 1.2
"""1/Å: slower waves are taken out, as `solve-particle` does: baselines are there, and no metal's peaks."""
