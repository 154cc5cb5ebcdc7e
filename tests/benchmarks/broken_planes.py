"""Simulated planes that break what factorising assumes, each with a knob, and planes that do not.

Good planes: pairs of validation molecules, short-range order by Monte Carlo or of a damped oscillation, layers of any
axis, whole or not. Broken ones, on layers normal to b of crystals without order along b, or on good planes with
something added. A crystal on two-dimensional boxes of sites in some states has exactly

    I(Q) = Σ_kl a_k(Q) a_l(Q)* Σ_v (⟨χ_k(0) χ_l(v)⟩ − ⟨χ_k⟩⟨χ_l⟩) exp(−iQ·v),

χ_k = 1 where a site is in state k, and a_k its amplitude. With a size effect a state is a species and where its
neighbours have pushed it; with two sites per cell it is the species on either.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import Final

import numpy as np
import numpy.typing as npt
from ase import Atoms

from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.simulate.arrays import BoolArray, FloatArray
from dsfu.simulate.disorder.metropolis import draw_monte_carlo_set
from dsfu.simulate.disorder.oscillator import draw_oscillator_set
from dsfu.simulate.disorder.planes import AxisName, Plane, layer
from dsfu.simulate.disorder.random_masks import random_mask
from dsfu.simulate.disorder.scattering import simulate_plane
from dsfu.simulate.form_factors import form_factor
from dsfu.simulate.lattice import Cell, vegard_cell
from dsfu.simulate.species import Species, load_library

ComplexArray = npt.NDArray[np.complex128]

_BOX: Final = 256
"""Edge of the boxes of sites."""

_REACH: Final = 5
"""Correlations are taken over so many cells, as in good planes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Truth:
    """A plane and what it was made from; without noise, everywhere. The factors are those of the unbroken crystal."""

    plane: Plane
    cell: Cell
    species: tuple[Species, Species]
    fraction_a: float
    form_factor: FloatArray
    sro: FloatArray
    intensity: FloatArray

    @property
    def top(self) -> float:
        return float(np.quantile(self.intensity, 0.999))


def good(seed: int, pixels: int = 256, *, oscillator: bool | None = None) -> Truth:
    """A plane of a crystal that is as assumed; every third one from an oscillator set."""
    rng = np.random.default_rng([seed, 1])
    one, other = _pair(rng)
    axes: tuple[AxisName, ...] = ("a", "b", "c")
    lattice = one.shape.lattice
    if oscillator if oscillator is not None else seed % 3 == 0:
        order = draw_oscillator_set(seed, lattice)
        axis, index = axes[1], float(rng.integers(4))
    else:
        order = draw_monte_carlo_set(seed, fraction_range=(0.1, 0.54), box=32, most_scans=64)
        axis, whole, between = axes[rng.integers(3)], float(rng.integers(4)), rng.uniform(0, 3)
        index = float(rng.choice([whole, between]))
    cell = vegard_cell(one.cell, other.cell, order.fraction_a)
    plane = layer(cell, axis, index, _q_max(rng, pixels), pixels)
    found = simulate_plane(one.atoms, other.atoms, order.fraction_a, cell, order.alpha, plane)
    form, sro = found.form_factor.astype(np.float64), found.sro.astype(np.float64)
    return Truth(
        plane=plane,
        cell=cell,
        species=(one, other),
        fraction_a=order.fraction_a,
        form_factor=form,
        sro=sro,
        intensity=form * sro,
    )


def as_measured(truth: Truth, seed: int, *, noise: float = 0.0, dead_zones: bool = True) -> MeasuredPlane:
    """With Poisson noise, relative to the mean intensity, and dead zones."""
    rng = np.random.default_rng([seed, 2])
    seen = np.maximum(truth.intensity, 0)
    if noise:
        counts = 1 / (noise**2 * seen.mean())
        seen = rng.poisson(seen * counts) / counts
    pixels = truth.plane.pixels
    live = random_mask((seed, 7), pixels=pixels)[0] if dead_zones else np.ones((pixels, pixels), np.bool_)
    return MeasuredPlane(intensity=np.where(live, seen, 0), live=live, plane=truth.plane, cell=truth.cell)


def size_effect(seed: int, strength: float, pixels: int = 256) -> Truth:
    """A pushes its neighbours along a and c away by ``strength`` in Å, B lets them come nearer."""
    rng = np.random.default_rng([seed, 3])
    base = _layered(seed, rng, pixels)
    occupied = _binary(_waves(rng), base.fraction_a)
    pushes = [np.roll(occupied, 1, axis).astype(int) - np.roll(occupied, -1, axis) for axis in (0, 1)]
    along = base.cell.vectors[[0, 2]] / np.linalg.norm(base.cell.vectors[[0, 2]], axis=1)[:, None]
    amplitudes, fields = [], []
    for which, structure in ((True, base.species[0].atoms), (False, base.species[1].atoms)):
        of_species = structure_factor(structure, base.plane)
        for first, second in product((-1, 0, 1), repeat=2):
            moved = strength * (first * along[0] + second * along[1])
            amplitudes.append(of_species * np.exp(1j * (base.plane.q @ moved)))
            fields.append((occupied == which) & (pushes[0] == first) & (pushes[1] == second))
    return replace(base, intensity=diffuse(base, np.array(fields), amplitudes))


def two_sites(seed: int, strength: float, pixels: int = 256) -> Truth:
    """A second disordered site in the cell with an order of its own; its amplitude is ``strength`` of the natural."""
    rng = np.random.default_rng([seed, 4])
    base = _layered(seed, rng, pixels)
    group = [each for each in _validation() if each.group == base.species[0].group]
    third, fourth = (group[i] for i in rng.choice(len(group), 2, replace=False))
    where = base.cell.vectors.T @ rng.uniform(0.3, 0.7, 3)
    shift = strength * np.exp(1j * (base.plane.q @ where))
    first, second = _waves(rng), _waves(rng)
    fields = np.stack([_binary(first, base.fraction_a), _binary(0.5 * first + 0.87 * second, 0.5)])
    one = structure_factor(base.species[0].atoms, base.plane) - structure_factor(base.species[1].atoms, base.plane)
    other = structure_factor(third.atoms, base.plane) - structure_factor(fourth.atoms, base.plane)
    return replace(base, intensity=diffuse(base, fields, [one, shift * other]))


def thermal(seed: int, strength: float, pixels: int = 256) -> Truth:
    """Thermal diffuse scattering, Q²|F(G)|²/|Q − G|² around Bragg points, ``strength`` times the disorder's."""
    base = _layer_of_good(seed, pixels)
    away, peaks = _from_bragg(base)
    added = np.square(base.plane.q).sum(-1) * peaks / (np.square(away) + 0.05**2)
    return replace(base, intensity=base.intensity + added * strength * base.intensity.mean() / added.mean())


def bragg(seed: int, strength: float, pixels: int = 256) -> Truth:
    """Bragg peaks 1.5 pixels wide; the strongest ``strength`` times as high as the diffuse maximum."""
    base = _layer_of_good(seed, pixels)
    away, peaks = _from_bragg(base)
    spots = peaks * np.exp(-np.square(away / (1.5 * base.plane.step)) / 2)
    return replace(base, intensity=base.intensity + spots * strength * base.top / spots.max())


def wrong_lattice(seed: int, strength: float, pixels: int = 256) -> Truth:
    """The cell's lengths are wrong by ± ``strength``, each by itself."""
    base = good(seed, pixels)
    signs = np.random.default_rng([seed, 5]).choice([-1, 1], 3)
    a, b, c, *angles = base.cell.constants
    lengths = np.array([a, b, c]) * (1 + strength * signs)
    if base.cell.beta == 120 or base.species[0].shape.lattice == "cubic":
        lengths[2] = c * lengths[0] / a
    return replace(base, cell=Cell(*lengths.tolist(), *angles))


def halo(seed: int, strength: float, pixels: int = 256) -> Truth:
    """Scattering of a glass or of air: a broad ring."""
    return _ring(seed, strength, pixels, middle=2.0, width=0.7)


def powder_ring(seed: int, strength: float, pixels: int = 256) -> Truth:
    """A narrow ring of a powder."""
    return _ring(seed, strength, pixels, middle=3.1, width=0.06)


def background(seed: int, strength: float, pixels: int = 256) -> Truth:
    """Flat; not really a breakage, as the solver can fit it."""
    base = good(seed, pixels)
    return replace(base, intensity=base.intensity + strength * base.top)


def debye_waller(seed: int, strength: float, pixels: int = 256) -> Truth:
    """Factor exp(−strength Q²), strength in Å²; it belongs to the form factor and breaks nothing."""
    base = good(seed, pixels)
    fall = np.exp(-strength * np.square(base.plane.q).sum(-1))
    return replace(base, form_factor=base.form_factor * fall, intensity=base.intensity * fall)


KINDS: Final[dict[str, Callable[[int, float, int], Truth]]] = {
    "size effect": size_effect,
    "two sites": two_sites,
    "thermal": thermal,
    "Bragg": bragg,
    "wrong lattice": wrong_lattice,
    "halo": halo,
    "powder ring": powder_ring,
}


def structure_factor(atoms: Atoms, plane: Plane) -> ComplexArray:
    """F(Q) = Σ f_i(|Q|) exp(iQ·x_i) on a plane: (y, x)."""
    q = plane.q
    lengths = np.linalg.norm(q, axis=-1)
    total = np.zeros(lengths.shape, np.complex128)
    for number in np.unique(atoms.numbers):
        waves = sum(np.exp(1j * (q @ place)) for place in atoms.positions[atoms.numbers == number])
        total += form_factor(int(number), lengths) * waves
    return total


def diffuse(base: Truth, fields: BoolArray, amplitudes: list[ComplexArray]) -> FloatArray:
    """The formula above for a layer normal to b: fields (states, a, c), amplitudes (y, x) each."""
    correlations = _correlations(fields)
    plane, vectors = base.plane, base.cell.vectors[[0, 2]]
    steps = np.arange(-_REACH, _REACH + 1)
    places = steps[:, None, None] * vectors[0] + steps[None, :, None] * vectors[1]
    along_x, along_y = places @ plane.axis_x, places @ plane.axis_y  # along x the same for all steps along c
    waves_x = np.exp(-1j * np.outer(along_x[:, 0], plane.offsets))
    waves_y = np.exp(-1j * along_y[:, :, None] * plane.offsets)
    total = np.zeros((plane.pixels, plane.pixels))
    for k, first in enumerate(amplitudes):
        mixed = np.zeros_like(first)
        for m in range(k, len(amplitudes)):
            series = np.einsum("uw,uwy->yu", correlations[:, :, k, m], waves_y) @ waves_x
            mixed += (1.0 if m == k else 2.0) * series * amplitudes[m].conj()
        total += (first * mixed).real
    return np.maximum(total, 0)


def _correlations(fields: BoolArray) -> FloatArray:
    """(11, 11, states, states): ⟨χ_k(0) χ_l(v)⟩ − ⟨χ_k⟩⟨χ_l⟩."""
    count = len(fields)
    centred = (fields - fields.mean(axis=(1, 2), keepdims=True)).astype(np.float32)
    flat = centred.reshape(count, -1)
    found = np.empty((2 * _REACH + 1, 2 * _REACH + 1, count, count))
    for u in range(_REACH + 1):
        for w in range(-_REACH, _REACH + 1):
            moved = np.roll(centred, (-u, -w), (1, 2)).reshape(count, -1)
            found[_REACH + u, _REACH + w] = flat @ moved.T / flat.shape[1]
            found[_REACH - u, _REACH - w] = found[_REACH + u, _REACH + w].T
    return found


def _waves(rng: np.random.Generator) -> FloatArray:
    """A Gaussian field with short-range order on a box, (a, c)."""
    angles = 2 * np.pi * np.fft.fftfreq(_BOX)
    across, along = np.meshgrid(angles, angles, indexing="ij")
    first, second, third = rng.uniform([-1.2, -1.2, -0.6], [1.2, 1.2, 0.6])
    gain = np.exp(first * np.cos(across) + second * np.cos(along) + third * np.cos(across) * np.cos(along))
    field = np.fft.ifft2(np.fft.fft2(rng.normal(size=(_BOX, _BOX))) * gain).real
    return np.asarray(field / field.std())


def _binary(field: FloatArray, fraction_a: float) -> BoolArray:
    return np.asarray(field > np.quantile(field, 1 - fraction_a))


def _layered(seed: int, rng: np.random.Generator, pixels: int) -> Truth:
    """A layer normal to b of a pair; its intensity is still to be computed."""
    one, other = _pair(rng)
    fraction_a = float(rng.uniform(0.3, 0.5))
    cell = vegard_cell(one.cell, other.cell, fraction_a)
    plane = layer(cell, "b", int(rng.integers(3)), _q_max(rng, pixels), pixels)
    nothing = np.zeros((pixels, pixels))
    return Truth(
        plane=plane,
        cell=cell,
        species=(one, other),
        fraction_a=fraction_a,
        form_factor=nothing,
        sro=nothing,
        intensity=nothing,
    )


def _layer_of_good(seed: int, pixels: int) -> Truth:
    """A good plane that has Bragg points."""
    return good(seed, pixels, oscillator=True)


def _from_bragg(base: Truth) -> tuple[FloatArray, FloatArray]:
    """Distance of every pixel of a whole layer from the nearest Bragg point, in 1/Å, and |⟨F⟩|² there."""
    nearest = np.rint(base.plane.hkl(base.cell)) @ base.cell.reciprocal
    one, other = (structure_factor(each.atoms, base.plane) for each in base.species)
    mean = np.square(np.abs(base.fraction_a * one + (1 - base.fraction_a) * other))
    place = nearest - base.plane.centre
    column, row = (
        np.clip(np.rint(place @ axis / base.plane.step).astype(int) + base.plane.pixels // 2, 0, base.plane.pixels - 1)
        for axis in (base.plane.axis_x, base.plane.axis_y)
    )
    return np.linalg.norm(base.plane.q - nearest, axis=-1), mean[row, column]


def _ring(seed: int, strength: float, pixels: int, *, middle: float, width: float) -> Truth:
    base = good(seed, pixels)
    q = np.linalg.norm(base.plane.q, axis=-1)
    middle = max(middle, float(q.min()) + 1.0)
    return replace(base, intensity=base.intensity + strength * base.top * np.exp(-np.square((q - middle) / width) / 2))


def _validation() -> list[Species]:
    return [each for each in load_library().values() if each.split == "validation"]


def _pair(rng: np.random.Generator) -> tuple[Species, Species]:
    pairs = [both for both in combinations(_validation(), 2) if both[0].group == both[1].group]
    one, other = pairs[rng.integers(len(pairs))]
    return one, other


def _q_max(rng: np.random.Generator, pixels: int) -> float:
    """6 to 8 1/Å on 256 pixels; on fewer less, so that pixels are no larger."""
    return float(rng.uniform(6, 8)) * pixels / 256
