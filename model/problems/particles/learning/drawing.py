"""G(r) of shapes with bond length, B, limits of Q, damping and noise drawn at random: a training set without end."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.spatial.distance import pdist

from dsfu.model.problems.particles.fit_space import q_grid
from dsfu.model.problems.particles.learning.data import ParticleData
from dsfu.model.problems.particles.shape_table import BIN, ShapeTable, binned_distances
from dsfu.model.problems.particles.sine_sums import SineSums, sine_sums
from dsfu.simulate.arrays import FloatArray, IntArray

_STRANGERS: Final = 400
_STRANGE_ATOMS: Final = (12, 180)


@dataclass(frozen=True, eq=False)
class PdfDrawer:
    """Shapes, with strangers after the last: structures that are of no family."""

    sums: SineSums
    shapes: int

    def some_strangers(self, random: np.random.Generator, count: int) -> IntArray:
        """Numbers of strangers."""
        return self.shapes + random.integers(0, self.sums.values.shape[1] - self.shapes, count)

    def __call__(
        self, which: IntArray, data: ParticleData, random: np.random.Generator
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """G over its largest value on the r of ``data``; bond lengths and B. One experiment for all."""
        many = len(which)
        q_min, q_max, q_damp = (random.uniform(*ends) for ends in (data.q_min, data.q_max, data.q_damp))
        bonds = random.uniform(*data.bond_length, many)
        b_iso = random.uniform(*data.b_iso, many)
        q, weights = q_grid(q_min, q_max)
        sums = self.sums.roughly(bonds[:, None] * q, which) / bonds[:, None]
        sums *= np.exp(-b_iso[:, None] / (8 * np.pi**2) * q**2)
        r = data.r_min + data.r_step * np.arange(data.points)
        pdf = (sums * weights) @ np.sin(np.outer(q, r)) * np.exp(-((r * q_damp) ** 2) / 2)
        noise = random.uniform(*data.noise, many)[:, None] * pdf.max(axis=1, keepdims=True)
        # Noise of each r is independent on a grid of 0.01 Å; fewer points stand for means of several.
        pdf += noise * np.sqrt(min(1.0, 0.01 / data.r_step)) * random.standard_normal(pdf.shape)
        return pdf / np.maximum(pdf.max(axis=1, keepdims=True), 1e-12), bonds, b_iso


def drawer_of(distances: Sequence[FloatArray], atoms: IntArray, longest_bond: float = 3.5) -> PdfDrawer:
    """A drawer of shapes given by all their distances in units of b."""
    strangers = _strangers()
    every = [*distances, *(pdist(positions) for positions in strangers)]
    binned = [binned_distances(own) for own in every]
    lengths = [len(bins) for bins, _, _ in binned]
    table = ShapeTable(
        families=("",) * len(every),
        parameters=((),) * len(every),
        built_as=("",) * len(every),
        atoms=np.array([*atoms, *map(len, strangers)], np.int64),
        extent=np.array([own.max() for own in every], np.float32),
        distances=np.concatenate([(bins + places) * BIN for bins, places, _ in binned]).astype(np.float32),
        multiplicities=np.concatenate([counts for _, _, counts in binned]).astype(np.float32),
        first=np.concatenate([[0], np.cumsum(lengths)]),
    )
    return PdfDrawer(sine_sums(table, 30.0 * longest_bond), len(distances))


def _strangers() -> list[FloatArray]:
    """Balls cut from lattices of any cell with one to six atoms, nearest distance about 1; and loose heaps."""
    random = np.random.default_rng(20)
    found: list[FloatArray] = []
    steps = np.stack(np.meshgrid(*[np.arange(-5, 6)] * 3, indexing="ij"), -1).reshape(-1, 3)
    while len(found) < _STRANGERS:
        count = int(random.integers(1, 7))
        cell = random.normal(size=(3, 3))
        cell *= (count * random.uniform(0.6, 1.3) / abs(np.linalg.det(cell))) ** (1 / 3)
        sites = random.random((count, 3))
        places = ((steps[:, None] + sites) @ cell).reshape(-1, 3)
        wanted = int(random.integers(*_STRANGE_ATOMS))
        ball = places[np.argsort(np.linalg.norm(places, axis=1))[:wanted]]
        nearest = float(pdist(ball).min())
        if nearest > 0.3:
            found.append(ball / nearest * random.uniform(0.6, 1.05))
    return found
