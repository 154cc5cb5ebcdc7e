"""What is known beforehand of I_FF on several planes: that they are sections of one function.

On each plane alone the scale of I_FF and the mean of I_SRO cannot be told apart. What ties them together is that I_FF
in three dimensions is the transform of a Patterson function confined to about the cell, so that it hardly changes from
one layer to a near one, and is the same where planes cross.

With P_l the complex coefficient of an in-plane vector r on the layer at q_l, and the Patterson vector's component
along the normal Gaussian about s(r) with variance v: ⟨P_l P_m*⟩ ∝ exp(i d·(r + s n) − ½ d_n² v) with d = q_l − q_m, and
⟨P_l P_m⟩ the same with d = q_l + q_m.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from dsfu.model.measured.solver.patterson import PattersonTerms
from dsfu.model.measured.solver.prepared import Prepared
from dsfu.model.measured.solver.series import waves
from dsfu.simulate.arrays import FloatArray, IntArray
from dsfu.simulate.form_factors import form_factor

_CARBON: Final = 6
_SAME: Final = 1e-6

STRENGTH: Final = 3.0
"""Standard deviation of I_FF / E over reciprocal space, relative to its mean: as volumes ask for (1.5 to 5)."""

_ORIGIN: Final = 30.0
"""The same of the coefficient of the origin, which is free."""

_LEAST: Final = 1e-6
"""Share of the largest variance below which a combination of layers' coefficients is none."""

_CROSSING: Final = 0.01
"""To what, relative to the mean, I_FF of two planes is the same where they cross: interpolation leaves that. Chosen."""

_POINTS: Final = 4
"""On a crossing, for each length over which I_FF changes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ParallelLayers:
    """Parallel planes with the same terms of I_FF; a single plane is one too.

    Attributes
    ----------
    numbers
        Which planes.
    chosen
        Which terms, of those the planes have.
    roots
        (chosen, 2 planes, 2 planes): coefficients, cosines of all planes and then sines, from unit normal numbers.
    """

    numbers: IntArray
    chosen: IntArray
    roots: FloatArray

    @property
    def size(self) -> int:
        return int(self.roots.shape[0] * self.roots.shape[1])

    def slots(self, place: int) -> IntArray:
        """Where the cosines, then the sines, of one of the planes stand among the coefficients."""
        terms, planes = len(self.chosen), len(self.numbers)
        first = np.arange(terms) * 2 * planes + place
        return np.concatenate([first, first + planes])

    def mixed(self, rows: FloatArray, *, back: bool = False) -> FloatArray:
        """The roots, or their transposes, applied along the first axis."""
        terms, width = self.roots.shape[:2]
        roots = self.roots.transpose(0, 2, 1) if back else self.roots
        return np.asarray(np.matmul(roots, rows.reshape(terms, width, -1)).reshape(rows.shape))


def units(planes: Sequence[Prepared]) -> FloatArray:
    """What a coefficient of 1 of each plane means, on one scale for all: E is 1 at the centre of each."""
    centres = np.array([np.linalg.norm(each.measured.plane.centre) for each in planes])
    at_centre = np.square(form_factor(_CARBON, centres) / form_factor(_CARBON, 0.0))
    return np.asarray(np.array([each.scale for each in planes]) / at_centre)


def layers_of(planes: Sequence[Prepared], width: float, most: int, wide: float) -> list[ParallelLayers]:
    """The planes in groups of parallel ones.

    Parameters
    ----------
    most
        Coefficients of all planes together.
    wide
        Terms of which the prior's standard deviation is this share of the widest are chosen.
    """
    groups: list[list[int]] = []
    for number, plane in enumerate(planes):
        for group in groups:
            if _alike(planes[group[0]], plane):
                group.append(number)
                break
        else:
            groups.append([number])
    scale = units(planes)
    mean = float(np.mean([each.mean * unit for each, unit in zip(planes, scale, strict=True)]))
    found = []
    for group in groups:
        deviation = planes[group[0]].patterson.deviation
        chosen = np.flatnonzero(deviation >= wide * deviation[1:].max(initial=0.0))[: most // (2 * len(planes))]
        roots = _roots([planes[i] for i in group], chosen, width) * mean
        own = np.tile(scale[group], 2)
        found.append(ParallelLayers(numbers=np.array(group), chosen=chosen, roots=roots / own[None, :, None]))
    return found


def _alike(one: Prepared, other: Prepared) -> bool:
    a, b = one.measured.plane, other.measured.plane
    frames = np.abs(a.axis_x - b.axis_x).max() + np.abs(a.axis_y - b.axis_y).max()
    same_terms = np.array_equal(one.patterson.terms.vectors, other.patterson.terms.vectors)
    return bool(frames < _SAME and same_terms)


def _roots(planes: Sequence[Prepared], chosen: IntArray, width: float) -> FloatArray:
    """Of the covariance of coefficients of I_FF / E relative to its mean, for each term."""
    plane, cell = planes[0].measured.plane, planes[0].measured.cell
    assert cell is not None
    patterson: PattersonTerms = planes[0].patterson
    frame = np.stack([plane.axis_x, plane.axis_y, plane.normal])
    edges = cell.vectors @ frame.T
    # The variance of the Patterson coefficient at r is exp(−r·M·r), in the frame of the planes.
    metric = np.linalg.inv(edges.T @ edges) / width**2
    variance = 1 / (2 * metric[2, 2])
    in_plane = patterson.terms.vectors[chosen]
    # At a place in the plane that is a Gaussian along the normal: its variance is 1 / 2M₃₃, its middle where r·M·r is
    # least.
    along = -(in_plane @ metric[2, :2]) / metric[2, 2]
    centres = np.array([frame @ each.measured.plane.centre for each in planes])
    vectors = np.column_stack([in_plane, along])

    def moments(q: FloatArray) -> np.ndarray:
        """For each term (terms, planes, planes)."""
        phases = np.einsum("lmi,ti->tlm", q, vectors)
        return np.asarray(np.exp(1j * phases) * np.exp(-0.5 * q[..., 2] ** 2 * variance))

    apart = moments(centres[:, None] - centres[None])
    together = moments(centres[:, None] + centres[None])
    count = len(planes)
    covariance = np.empty((len(chosen), 2 * count, 2 * count))
    # ⟨cc⟩ and ⟨ss⟩ are half of the sum and of the difference; the halves go into the deviation.
    covariance[:, :count, :count] = (apart + together).real
    covariance[:, count:, count:] = (apart - together).real
    # P = cosine − i sine
    covariance[:, :count, count:] = (apart - together).imag
    covariance[:, count:, :count] = covariance[:, :count, count:].transpose(0, 2, 1)
    deviation = patterson.deviation[chosen] * STRENGTH
    deviation[chosen == 0] = STRENGTH * patterson.deviation[1:].max(initial=0.0)  # nearly the shape's at the origin
    covariance *= np.square(deviation)[:, None, None]
    if chosen[0] == 0:
        covariance[0, count:] = covariance[0, :, count:] = 0
        covariance[0, :count, :count] += _ORIGIN**2  # the origin itself, the same on all
    # A root by axes, since near layers have nearly the same coefficients: what is 0 but for rounding stays 0.
    values, axes = np.linalg.eigh(covariance)
    kept = np.where(values > _LEAST * values[:, -1:], np.maximum(values, 0), 0)
    return np.asarray(axes * np.sqrt(kept)[:, None, :])


@dataclass(frozen=True, kw_only=True, eq=False)
class Crossing:
    """Where two planes cross: offsets (points, 2) on either, in 1/Å."""

    one: int
    other: int
    on_one: FloatArray
    on_other: FloatArray


def crossings_of(planes: Sequence[Prepared], width: float) -> list[Crossing]:
    """Points on the lines in which planes cross, within both."""
    found = []
    for one, other in combinations(range(len(planes)), 2):
        a, b = planes[one].measured.plane, planes[other].measured.plane
        direction = np.cross(a.normal, b.normal)
        if np.linalg.norm(direction) < _SAME:
            continue
        direction /= np.linalg.norm(direction)
        normals = np.stack([a.normal, b.normal, direction])
        # The point of both planes that is nearest to the origin along their common line.
        foot = np.linalg.solve(normals, np.array([a.normal @ a.centre, b.normal @ b.centre, 0.0]))
        cell = planes[one].measured.cell
        assert cell is not None
        reach = width * float(np.sqrt(((cell.vectors @ direction) ** 2).sum()))
        step = 1 / (_POINTS * max(reach, 1.0)) * np.pi
        length = np.arange(-2 * max(a.q_max, b.q_max), 2 * max(a.q_max, b.q_max) + step, step)
        q = foot + length[:, None] * direction
        inside = np.ones(len(q), bool)
        offsets = []
        for plane in (a, b):
            at = (q - plane.centre) @ np.stack([plane.axis_x, plane.axis_y], axis=1)
            inside &= (np.abs(at) < plane.q_max).all(axis=1)
            offsets.append(at)
        if inside.any():
            found.append(Crossing(one=one, other=other, on_one=offsets[0][inside], on_other=offsets[1][inside]))
    return found


def crossing_matrix(
    planes: Sequence[Prepared], width: float, slots: Sequence[IntArray], chosen: Sequence[IntArray]
) -> FloatArray:
    """Of coefficients x of I_FF: x·matrix·x is what planes that cross differ by, over what they may.

    Parameters
    ----------
    slots, chosen
        For each plane: where its cosines, then its sines, stand among all coefficients, and which terms they are of.
    """
    size = sum(len(each) for each in slots)
    rows = np.zeros((0, size))
    scale = units(planes)
    for each in crossings_of(planes, width):
        block = np.zeros((len(each.on_one), size))
        for number, offsets, sign in ((each.one, each.on_one, 1.0), (each.other, each.on_other, -1.0)):
            terms = planes[number].patterson.terms
            block[:, slots[number]] += sign * scale[number] * waves(terms, offsets, chosen[number])
        rows = np.concatenate([rows, block])
    return np.asarray(rows.T @ rows * _crossing_weight(planes, scale))


def _crossing_weight(planes: Sequence[Prepared], scale: FloatArray) -> float:
    """Of the squared difference of I_FF / E of two planes where they cross, on one scale for all."""
    mean = float(np.mean([each.mean * unit for each, unit in zip(planes, scale, strict=True)]))
    return 1 / (_CROSSING * mean) ** 2
