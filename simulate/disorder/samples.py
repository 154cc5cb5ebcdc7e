"""All samples of one molecule pair: the planes of every set of Warren–Cowley parameters that the pair was given."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from ase import Atoms
from numba import njit

from dsfu.simulate.arrays import Float32Array, FloatArray
from dsfu.simulate.disorder.encoding import LEVELS
from dsfu.simulate.disorder.fields import SAMPLE_FIELDS
from dsfu.simulate.disorder.plane_rules import Crystal, Layer, PlaneRules, monte_carlo_layers, oscillator_layers
from dsfu.simulate.disorder.sro_set import SroKind
from dsfu.simulate.lattice import Cell, vegard_cell
from dsfu.simulate.random_stream import RandomStream

CodeArray = npt.NDArray[np.uint16]
Step = Callable[[str], AbstractContextManager[None]]
Embed = Callable[[Float32Array], npt.NDArray[Any]]


@dataclass(frozen=True, kw_only=True, eq=False)
class SetChoice:
    """One set of Warren–Cowley parameters that a pair is simulated with."""

    kind: SroKind
    fraction_a: float
    alpha: FloatArray

    def layers(self, crystal: Crystal, q_max: float, rules: PlaneRules, random: RandomStream) -> list[Layer]:
        if self.kind == "oscillator":
            return oscillator_layers(crystal, q_max, rules)
        return monte_carlo_layers(crystal, q_max, rules, random)

    def planes(self, rules: PlaneRules) -> int:
        """How many planes the set gives, known before they are."""
        return len(rules.oscillator_layers) if self.kind == "oscillator" else 3 * rules.layers_per_axis


@dataclass(frozen=True, kw_only=True, eq=False)
class PairSamples:
    """The planes of a pair, in the order of its sets, as they are stored.

    Attributes
    ----------
    form_factor, sro
        (samples, pixels, pixels), as `dsfu.simulate.disorder.encoding` says; their scales are among the fields.
    fields
        One array for each of ``SAMPLE_FIELDS``, first axis samples.
    embedding
        (samples, …): what uniqueness is decided from.
    set_number
        (samples,): which of the pair's sets each plane was made with.
    """

    form_factor: CodeArray
    sro: CodeArray
    fields: dict[str, npt.NDArray[np.generic]]
    embedding: npt.NDArray[Any]
    set_number: npt.NDArray[np.int32]


def _untimed(_: str) -> AbstractContextManager[None]:
    return nullcontext()


def simulate_pair(
    atoms_a: Atoms,
    cell_a: Cell,
    atoms_b: Atoms,
    cell_b: Cell,
    sets: Sequence[SetChoice],
    *,
    q_max_range: tuple[float, float],
    rules: PlaneRules,
    embed: Embed,
    random: RandomStream,
    step: Step = _untimed,
) -> PairSamples:
    """Simulate every plane of a pair.

    Parameters
    ----------
    atoms_a, cell_a, atoms_b, cell_b
        The two species and the cell of each; the crystal's own follows by Vegard's law from a set's mole fraction.
    sets
        The sets to use; each has its own Q_max, drawn from ``q_max_range`` (1/Å).
    embed
        From the intensity of a plane to its embedding.
    random
        Where Q_max and, if planes have to be made up, their offsets come from. Each set has a stream of its own.
    step
        Entered with the name of each step while it is done, for those who want to know where the time goes.
    """
    total = sum(each.planes(rules) for each in sets)
    form_factor = np.empty((total, rules.pixels, rules.pixels), np.uint16)
    sro = np.empty_like(form_factor)
    rows: list[dict[str, object]] = []
    embeddings: list[npt.NDArray[Any]] = []
    set_number: list[int] = []
    for number, choice in enumerate(sets):
        stream = random.child("set", number)
        q_max = stream.uniform(*q_max_range)
        cell = vegard_cell(cell_a, cell_b, choice.fraction_a)
        crystal = Crystal(atoms_a=atoms_a, atoms_b=atoms_b, fraction_a=choice.fraction_a, cell=cell, alpha=choice.alpha)
        with step("kernels"):
            layers = choice.layers(crystal, q_max, rules, stream)
        with step("quantise"):
            for row, layer in enumerate(layers, start=len(rows)):
                scales = {
                    "form_factor_scale": _encode(layer.scattering.form_factor, form_factor[row]),
                    "sro_scale": _encode(layer.scattering.sro, sro[row]),
                }
                rows.append(scales | _described(layer, crystal))
        with step("uniqueness"):
            embeddings += [embed(layer.scattering.intensity) for layer in layers]
        set_number += [number] * len(layers)
    return PairSamples(
        form_factor=form_factor,
        sro=sro,
        fields={field.name: np.array([row[field.name] for row in rows], field.dtype) for field in SAMPLE_FIELDS},
        embedding=np.stack(embeddings),
        set_number=np.array(set_number, np.int32),
    )


def _described(layer: Layer, crystal: Crystal) -> dict[str, object]:
    """What is recorded of a plane, enough to compute it again."""
    plane = layer.plane
    return {
        "clipped_fraction": layer.scattering.clipped_fraction,
        "fraction_a": crystal.fraction_a,
        "cell": crystal.cell.constants,
        "plane_axis": "abc".index(layer.axis),
        "plane_offset": layer.offset,
        "q_max": plane.q_max,
        "centre": plane.centre,
        "axis_x": plane.axis_x,
        "axis_y": plane.axis_y,
    }


@njit(nogil=True, cache=True)
def _encode(intensity: Float32Array, out: CodeArray) -> np.float32:
    """`dsfu.simulate.disorder.encoding.encode_plane`, bit for bit, without its temporaries. Returns the scale."""
    rows, columns = intensity.shape
    # A maximum for every column first: those run side by side, and one alone waits for itself at every pixel.
    largest = np.zeros(columns, np.float32)
    for y in range(rows):
        for x in range(columns):
            value = intensity[y, x]
            largest[x] = value if value > largest[x] else largest[x]
    scale = np.float32(0)
    for x in range(columns):
        scale = max(scale, largest[x])
    if scale == 0:
        out[:] = 0
        return scale
    factor = np.float32(LEVELS / np.sqrt(np.float64(scale)))
    top = np.float32(LEVELS)
    for y in range(rows):
        for x in range(columns):
            value = np.rint(np.sqrt(intensity[y, x]) * factor)
            out[y, x] = np.uint16(np.int32(value if value < top else top))
    return scale
