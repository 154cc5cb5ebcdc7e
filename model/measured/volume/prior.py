"""What is known of I_FF before: its Patterson function is confined to about the size of the molecules.

G = I_FF / E is a cosine series on a grid of Patterson vectors. Each coefficient has a Gaussian prior, wide near the
origin and narrower outwards. This is what tells I_FF · g from I_SRO / g, where g has the lattice's periods.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from dsfu.model.measured.volume.cosines import half_of_box
from dsfu.simulate.arrays import FloatArray, IntArray
from dsfu.simulate.lattice import Cell

SMALLEST: Final = 2e-3
"""Coefficients whose prior is narrower than this, relative to the origin's, are left out."""

_LEAST_ANGSTROM: Final = 0.7
"""An atom's own width: no prior is narrower."""

_BEYOND: Final = 0.68
"""A period is longer than the range by so much over the width, three standard deviations of the prior's kernel."""


@dataclass(frozen=True, kw_only=True)
class FormFactorPrior:
    """Standard deviation of a coefficient at x (in cells): amplitude · exp(−½ (Σ (x_i / width_i)²)^(power / 2)).

    Attributes
    ----------
    width
        In cells, along a, b and c.
    amplitude
        Standard deviation of G's variation over reciprocal space, relative to its mean.
    power
        2 for a Gaussian; higher for a prior with a flat top and a steep edge.
    """

    width: tuple[float, float, float] = (0.35, 0.35, 0.35)
    amplitude: float = 3.0
    power: float = 2.0

    def shape_at(self, x: FloatArray, cell: Cell) -> FloatArray:
        """The prior's shape, 1 at the origin, at Patterson vectors (n, 3) in cells."""
        radius = np.sqrt(((x / self.widths(cell)) ** 2).sum(axis=1))
        return np.asarray(np.exp(-0.5 * radius**self.power))

    def widths(self, cell: Cell) -> FloatArray:
        return np.maximum(self.width, _LEAST_ANGSTROM / np.array([cell.a, cell.b, cell.c]))

    def reach(self, cell: Cell, smallest: float = SMALLEST) -> FloatArray:
        """How far from the origin, in cells, the prior is wider than the smallest."""
        return np.asarray(self.widths(cell) * (-2 * np.log(smallest)) ** (1 / self.power))

    def periods(self, ranges: FloatArray, cell: Cell) -> IntArray:
        """Periods of the grid of Patterson vectors for given ranges of h, k and l."""
        return np.ceil(ranges + _BEYOND / self.widths(cell) - 1e-6).astype(np.int64)

    def vectors(self, periods: Sequence[int] | IntArray, cell: Cell, smallest: float = SMALLEST) -> IntArray:
        """Patterson vectors in units of cell / period, (n, 3), one of each pair, the origin first."""
        limits = np.ceil(self.reach(cell, smallest) * np.asarray(periods)).astype(int)
        box = half_of_box(limits.tolist())
        return box[self.shape_at(box / np.asarray(periods), cell) >= smallest]

    def deviations(self, vectors: IntArray, periods: IntArray, cell: Cell) -> FloatArray:
        """Standard deviations of the coefficients relative to the scale; the origin's, which is free, is 1."""
        shape = self.shape_at(vectors / np.asarray(periods), cell)
        # so that the variance of G, Σ (m · deviation)² / 2, is amplitude², whatever the grid
        scale = self.amplitude / np.sqrt(2 * (shape[1:] ** 2).sum()) if len(shape) > 1 else 1.0
        found = shape * scale
        found[0] = 1.0
        return found
