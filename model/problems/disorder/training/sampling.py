"""Samples to be computed: one plane of one crystal each, drawn afresh or as a store has recorded it."""

from dataclasses import dataclass
from math import cos, pi, sin
from typing import Final

import numpy as np

from dsfu.model.problems.disorder.data.store_parameters import SpeciesRecord, StoreParameters
from dsfu.model.problems.disorder.training.data_config import SynthesisConfig
from dsfu.model.problems.disorder.training.sro_draws import SroDraws
from dsfu.model.training.draws import Draws
from dsfu.simulate.arrays import Float32Array, FloatArray, IntArray
from dsfu.simulate.disorder.fields import SHELL_CUTOFF
from dsfu.simulate.disorder.planes import AxisName, Plane, layer
from dsfu.simulate.lattice import Cell, vegard_cell
from dsfu.simulate.shapes import GROUPS, cell_lengths_by_rule

_AXES: Final[tuple[AxisName, ...]] = ("a", "b", "c")


@dataclass(frozen=True, kw_only=True, eq=False)
class Specimen:
    """A crystal and a plane through its reciprocal space: all that the two factors follow from.

    Attributes
    ----------
    positions_a, numbers_a, positions_b, numbers_b
        Atoms of the two species, in Å relative to the site.
    alpha
        (11, 11, 11) Warren–Cowley parameters.
    """

    positions_a: FloatArray
    numbers_a: IntArray
    positions_b: FloatArray
    numbers_b: IntArray
    fraction_a: float
    cell: Cell
    alpha: Float32Array
    plane: Plane


class Sampler:
    """Draws fresh samples of one split: its pairs, sets of its samples, planes by the rules of the manifest."""

    def __init__(self, parameters: StoreParameters, config: SynthesisConfig, pixels: int) -> None:
        self._parameters, self._config, self._pixels = parameters, config, pixels
        self._rules = parameters.rules
        self._sets = SroDraws(parameters, config)

    def draw(self, draws: Draws, strain: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Specimen:
        """A sample. ``strain``: by which share each lattice vector is longer than Vegard's law says."""
        pairs = self._parameters.pairs
        one, other = (self._parameters.species[i] for i in pairs[draws.whole(len(pairs))])
        if draws.chance(0.5):
            one, other = other, one
        one, other = (self._turned(species, draws) for species in (one, other))
        chosen = self._sets.draw(draws, one.group)
        cell = strained(vegard_cell(one.cell, other.cell, chosen.fraction_a), strain)
        return Specimen(
            positions_a=one.positions,
            numbers_a=one.numbers,
            positions_b=other.positions,
            numbers_b=other.numbers,
            fraction_a=chosen.fraction_a,
            cell=cell,
            alpha=chosen.alpha,
            plane=self._plane(draws, cell, chosen.alpha, chosen.layered),
        )

    def _turned(self, species: SpeciesRecord, draws: Draws) -> SpeciesRecord:
        """The species turned at random, if that changes it, in the cell that it needs then."""
        wanted = draws.chance(self._config.rotated)
        if not wanted or len(species.numbers) < 2 or GROUPS[species.group].principal_axes is None:
            return species
        positions = species.positions @ draws.rotation().T
        lengths = cell_lengths_by_rule(species.group, positions)
        return SpeciesRecord(
            name=species.name,
            positions=positions,
            numbers=species.numbers,
            group=species.group,
            cell=Cell(*lengths, beta=GROUPS[species.group].beta),
        )

    def _plane(self, draws: Draws, cell: Cell, alpha: Float32Array, layered: bool) -> Plane:
        q_max = draws.between(self._rules.q_max)
        axis = 1 if layered else draws.whole(3)
        plane = layer(cell, _AXES[axis], self._offset(draws, cell, alpha, axis, q_max), q_max, self._pixels)
        signs = [-1 if draws.chance(self._config.flipped) else 1 for _ in range(2)]
        axis_x, axis_y = signs[0] * plane.axis_x, signs[1] * plane.axis_y
        if draws.chance(self._config.transposed):
            axis_x, axis_y = axis_y, axis_x
        if draws.chance(self._config.turned):  # last, so that without it the same samples are drawn as ever
            axis_x, axis_y = turned_axes(axis_x, axis_y, 2 * pi * draws.share())
        return Plane(plane.centre, axis_x, axis_y, q_max, self._pixels)

    def _offset(self, draws: Draws, cell: Cell, alpha: Float32Array, axis: int, q_max: float) -> float:
        """Whole layers, or half-way between them where α along the axis is negative, or anywhere within reach."""
        config = self._config
        if draws.chance(config.random_offsets):
            within_reach = q_max * float(np.linalg.norm(cell.vectors[axis])) / (2 * np.pi)
            return draws.between((0.0, min(config.most_layers, within_reach)))
        neighbour = [SHELL_CUTOFF] * 3
        neighbour[axis] += 1
        is_displaced = alpha[tuple(neighbour)] < self._rules.displaced_below
        return draws.whole(self._rules.layers) + (0.5 if is_displaced else 0.0)


class Recorded:
    """The samples that a split has recorded, as they are."""

    def __init__(self, parameters: StoreParameters, pixels: int) -> None:
        self._parameters, self._pixels = parameters, pixels

    def specimen(self, index: int, strain: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Specimen:
        """Sample number ``index`` of the split, on its plane; ``strain`` as in `Sampler.draw`."""
        columns, sets = self._parameters.split.coordinates, self._parameters.sets
        one, other = (self._parameters.species[columns[name][index]] for name in ("species_a", "species_b"))
        return Specimen(
            positions_a=one.positions,
            numbers_a=one.numbers,
            positions_b=other.positions,
            numbers_b=other.numbers,
            fraction_a=float(columns["fraction_a"][index]),
            cell=strained(Cell(*columns["cell"][index].tolist()), strain),
            alpha=sets.alpha[sets.place(columns["sro_set"][index])],
            plane=Plane(
                centre=columns["centre"][index],
                axis_x=columns["axis_x"][index],
                axis_y=columns["axis_y"][index],
                q_max=float(columns["q_max"][index]),
                pixels=self._pixels,
            ),
        )


def turned_axes(axis_x: FloatArray, axis_y: FloatArray, radians: float) -> tuple[FloatArray, FloatArray]:
    """Axes of the same plane turned about its normal."""
    cosine, sine = cos(radians), sin(radians)
    return cosine * axis_x + sine * axis_y, cosine * axis_y - sine * axis_x


def strained(cell: Cell, strain: tuple[float, float, float]) -> Cell:
    """The cell with its lattice vectors longer by a share each."""
    a, b, c, *angles = cell.constants
    return Cell(a * (1 + strain[0]), b * (1 + strain[1]), c * (1 + strain[2]), *angles)
