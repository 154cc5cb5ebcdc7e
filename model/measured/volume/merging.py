"""Several reconstructions of one crystal made one: on one scale, averaged with the weights that their noise gives."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from dsfu.errors import InputError
from dsfu.model.measured.data.reconstruction import Reconstruction, Step
from dsfu.model.measured.volume.shared_noise import are_copies
from dsfu.model.measured.volume.voxels import Float32, Voxels, local_mean, voxels_of
from dsfu.simulate.arrays import BoolArray, FloatArray

_STEP: Final = "merge reconstructions"

_LEAST_SHARED: Final = 1000
"""Voxels that two reconstructions have to share for a scale between them."""

_NEAR_PEAK: Final = 0.2
"""Reciprocal lattice units from a lattice point within which a Bragg peak and its feet would decide the scale."""

_SAME_AXIS: Final = 1e-3
"""Of a step: axes that differ by less are the same."""

_SAME_EDGE, _SAME_ANGLE = 5e-3, 0.3
"""Relative, and in degrees: cells of one crystal, refined twice, differ by less."""

_BOX: Final = 5
"""Voxels along each axis of the boxes over whose means reconstructions are compared."""

_MOST_UNLIKE: Final = 0.5
"""Difference of the boxes' means, without what noise makes, over how much they vary, beyond which two reconstructions
are not of one crystal on one lattice. Chosen: one of the two turned by mistake comes to about 1."""

_DIFFERENT: Final = 1.5
"""Differences of the boxes' means in units of their noise, root mean square, from which on a note warns. Chosen."""


@dataclass(frozen=True, kw_only=True)
class Joined:
    """How a reconstruction was put to the others.

    Attributes
    ----------
    scale
        What its intensities were divided by.
    shared
        Voxels that the others have, too.
    difference
        From the others there, means over boxes in units of their noise, root mean square; about 1 where only noise
        differs.
    """

    name: str
    scale: float
    shared: int
    difference: float

    def sentence(self) -> str:
        words = (
            f"{self.name} was divided by {self.scale:.4g} and merged; where others have voxels too ({self.shared}), it "
            f"differs from them by {self.difference:.1f} times the noise of means over {_BOX}³ voxels."
        )
        if self.difference <= _DIFFERENT:
            return words
        return f"{words} That is more than noise: its background, absorption or lattice is another."


def merged(parts: Sequence[Reconstruction]) -> Reconstruction:
    """One reconstruction of several on one grid, along h, k and l.

    Raises
    ------
    InputError
        If grids or cells differ, or one of them shares too little with the others, or contradicts them.
    """
    if not parts:
        raise InputError("there is no reconstruction to analyse", expected="one, or several of one crystal")
    if len(parts) == 1:
        return parts[0]
    own = [_Part.of(each) for each in parts]
    for each in own[1:]:
        _check_alike(own[0], each)
    total, rest, how = own[0], own[1:], []
    while rest:
        shared = [int((total.live & each.live).sum()) for each in rest]
        each = rest.pop(int(np.argmax(shared)))
        total, joined = _joined(total, each, max(shared))
        how.append(joined)
    first = own[0].voxels
    steps = [axis[1] - axis[0] if len(axis) > 1 else 1.0 for axis in first.axes]
    others = [Path(each.source).name for each in parts[1:]]
    return Reconstruction(
        intensity=total.intensity,
        live=total.live,
        origin=np.array([axis[0] for axis in first.axes]),
        steps=np.diag(steps),
        cell=first.cell,
        sigma=np.sqrt(total.variance) if all(each.sigma is not None for each in parts) else None,
        weight=total.weight / np.float32(np.median(total.weight[total.live])),
        source=" + ".join([parts[0].source, *others]),
        format=parts[0].format,
        history=(*parts[0].history, Step(name=_STEP, parameters={"parts": [vars(each) for each in how]})),
        notes=tuple(dict.fromkeys(note for each in parts for note in each.notes)),
    )


def sentences_of_merging(reconstruction: Reconstruction) -> list[str]:
    """How the parts of a reconstruction were put together, for people; none if it was never several."""
    steps = [step for step in reconstruction.history if step.name == _STEP]
    return [Joined(**each).sentence() for step in steps for each in step.parameters["parts"]]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Part:
    """Intensities in some unit; the variance of one is its expectation over its weight, or as its file says."""

    name: str
    voxels: Voxels
    intensity: Float32
    weight: Float32
    variance: Float32

    @classmethod
    def of(cls, reconstruction: Reconstruction) -> "_Part":
        voxels = voxels_of(reconstruction)
        gain = np.float32(voxels.gain)
        intensity = voxels.counts * gain
        weight = voxels.weight * np.float32(len(voxels.copying)) / gain
        expected = local_mean(intensity, voxels.live)
        variance = np.where(weight > 0, np.maximum(expected, gain) / np.maximum(weight, 1e-30), 0)
        return cls(
            name=reconstruction.source,
            voxels=voxels,
            intensity=intensity,
            weight=weight,
            variance=np.asarray(variance, np.float32),
        )

    @property
    def live(self) -> BoolArray:
        return self.weight > 0

    def divided_by(self, scale: float) -> "_Part":
        one = np.float32(scale)
        return replace(self, intensity=self.intensity / one, weight=self.weight * one, variance=self.variance / one**2)


def _check_alike(first: _Part, other: _Part) -> None:
    where = other.name
    for name, one, two in zip("hkl", first.voxels.axes, other.voxels.axes, strict=True):
        step = one[1] - one[0] if len(one) > 1 else 1.0
        if len(one) != len(two) or np.abs(one - two).max() > _SAME_AXIS * abs(step):
            raise InputError(
                f"its {name} has {len(two)} values from {two[0]:g} to {two[-1]:g}",
                where=where,
                expected=f"those of {first.name}: {len(one)} from {one[0]:g} to {one[-1]:g}",
                remedy="reconstruct all of them on one grid",
            )
    mine, its = (np.array(each.voxels.cell.constants) for each in (first, other))
    if (np.abs(its / mine - 1)[:3] > _SAME_EDGE).any() or (np.abs(its - mine)[3:] > _SAME_ANGLE).any():
        raise InputError(
            "its cell is " + " ".join(f"{value:g}" for value in its),
            where=where,
            expected=f"that of {first.name}: " + " ".join(f"{value:g}" for value in mine),
            remedy="are they of one crystal, at one temperature?",
        )


def _joined(total: _Part, other: _Part, count: int) -> tuple[_Part, Joined]:
    """Both in one, on the scale of the first."""
    shared = total.live & other.live
    away = shared & _away_from_peaks(total.voxels.axes)
    used = away if away.sum() >= _LEAST_SHARED else shared
    below = float(total.intensity[used].sum(dtype=np.float64))
    scale = float(other.intensity[used].sum(dtype=np.float64)) / below if below > 0 else 0.0
    if used.sum() < _LEAST_SHARED or scale <= 0:
        raise InputError(
            f"shares {int(used.sum())} voxels with the others, which give no scale",
            where=other.name,
            expected=f"{_LEAST_SHARED} at least, and more than background in them",
            remedy="analyse it by itself",
        )
    own = other.divided_by(scale)
    counted = used & (total.intensity > 0)
    if counted.any() and are_copies(total.intensity[counted], own.intensity[counted]):
        raise InputError(
            "holds the same numbers as the others, times a factor: it is no other measurement",
            where=other.name,
            remedy="name each run once",
        )
    noise, unlike = _differences(total, own, used)
    if unlike > _MOST_UNLIKE:
        raise InputError(
            f"contradicts the others: where both have voxels they differ by {100 * unlike:.0f} % of what varies there",
            where=other.name,
            remedy="is it indexed in the same setting? Has it a background of its own? Analyse them one by one",
        )
    # A mean by weights; their variances add by the squares of the shares.
    weight = total.weight + own.weight
    shares = [np.where(weight > 0, each.weight / np.maximum(weight, 1e-30), 0) for each in (total, own)]
    both = replace(
        total,
        intensity=np.asarray(shares[0] * total.intensity + shares[1] * own.intensity, np.float32),
        weight=weight,
        variance=np.asarray(shares[0] ** 2 * total.variance + shares[1] ** 2 * own.variance, np.float32),
    )
    return both, Joined(name=other.name, scale=scale, shared=count, difference=noise)


def _differences(one: _Part, other: _Part, used: BoolArray) -> tuple[float, float]:
    """Of means over boxes: in units of their noise, and without it over how much the means vary."""
    box = float(np.prod([min(_BOX, n) for n in used.shape]))
    number = box * local_mean(used.astype(np.float32), np.ones_like(used))
    full = used & (number > box / 2)
    full = full if full.any() else used
    square = local_mean(one.intensity - other.intensity, used)[full].astype(np.float64) ** 2
    variance = (local_mean(one.variance + other.variance, used)[full] / number[full]).astype(np.float64)
    varies = float(np.var(local_mean(one.intensity, used)[full], dtype=np.float64) - variance.mean() / 2)
    noise = float(np.sqrt(np.mean(square / variance)))
    beyond = max(float(square.mean() - variance.mean()), 0.0)
    return noise, float(np.sqrt(beyond / varies)) if varies > 0 else 0.0


def _away_from_peaks(axes: Sequence[FloatArray]) -> BoolArray:
    """Voxels that are far from every lattice point along one axis at least."""
    far = [np.abs(axis - np.round(axis)) > _NEAR_PEAK for axis in axes]
    return np.asarray(far[0][:, None, None] | far[1][None, :, None] | far[2][None, None, :])
