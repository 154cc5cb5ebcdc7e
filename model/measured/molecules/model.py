"""I_FF calculated from two structures at the pixels that were observed.

I_FF(Q) = scale · |F_A − F_B|² · exp(−D_w Q²) + background, D_w as in Fuller & Rudden, IUCrJ 11, 34 (2024), eq. 13.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor

from dsfu.model.measured.molecules.data import ObservedFormFactor
from dsfu.model.measured.molecules.geometry import Geometry, derivatives_of
from dsfu.model.measured.molecules.parameters import MOVING, Layout, layout_of
from dsfu.model.measured.molecules.scattering import DifferenceOnPlane
from dsfu.model.measured.molecules.torsion import Torsion
from dsfu.simulate.arrays import BoolArray, FloatArray, IntArray
from dsfu.simulate.structures.structure import Structure

_BLOCK_PIXELS: Final = 16
"""Side of the blocks of pixels whose errors are taken to be independent of one another; small planes have 8 × 8."""


class FormFactorModel:
    """What is observed on one or several planes of one crystal, and what two structures give there.

    Attributes
    ----------
    observed, weights
        (pixels,): I_FF of all live pixels, plane after plane, and 1/σ² of each. Without σ all pixels of a plane count
        the same, and each plane as much as the others.
    q_squared
        (pixels,): |Q|² in 1/Å².
    plane_numbers, block_numbers
        (pixels,): of which plane, and of which block, each pixel is.
    """

    def __init__(
        self,
        observations: Sequence[ObservedFormFactor],
        structures: tuple[Structure, Structure],
        torsions: tuple[Torsion, ...] = (),
    ) -> None:
        if not observations:
            raise ValueError("observations: none; expected one or more")
        self.observations = tuple(observations)
        self.geometry = Geometry(structures, torsions)
        self.layout: Layout = layout_of([each.name for each in observations], torsions)
        numbers = np.concatenate([each.numbers for each in structures])
        weights = np.concatenate([structures[0].occupancies, -structures[1].occupancies])
        self._differences = [DifferenceOnPlane(numbers, weights, each.plane) for each in observations]
        self._live = [torch.tensor(np.flatnonzero(each.live)) for each in observations]
        self.observed: FloatArray = np.concatenate([each.form_factor[each.live] for each in observations])
        self.weights: FloatArray = np.concatenate([_weights(each) for each in observations])
        self.q_squared: FloatArray = np.concatenate(
            [np.square(each.plane.q).sum(-1)[each.live] for each in observations]
        )
        counts = [int(each.live.sum()) for each in observations]
        self.plane_numbers: IntArray = np.repeat(np.arange(len(observations)), counts)
        self.block_numbers: IntArray = _blocks(observations)

    def difference(self, values: Tensor) -> Tensor:
        """|F_A − F_B|² at the live pixels, electrons²."""
        places = self.positions(values)
        parts = zip(self._differences, self._live, strict=True)
        return torch.cat([plane.intensity(places).flatten()[live] for plane, live in parts])

    def intensity(self, values: Tensor) -> Tensor:
        """I_FF at the live pixels, in the unit of what was observed."""
        of_plane = torch.from_numpy(self.plane_numbers)
        scale = self.layout.part(values, "scale")[of_plane]
        background = self.layout.part(values, "background")[of_plane]
        fall = torch.exp(-self.layout.part(values, "dw") * torch.from_numpy(self.q_squared))
        return scale * self.difference(values) * fall + background

    def jacobian(self, values: FloatArray, free: BoolArray) -> FloatArray:
        """Derivatives of `intensity` with respect to the free parameters: (pixels, free parameters)."""
        vector = torch.tensor(values)
        with torch.no_grad():
            difference = self.difference(vector).numpy()
        fall = np.exp(-values[self.layout.where("dw")] * self.q_squared)
        scale = values[self.layout.where("scale")][self.plane_numbers]
        columns = np.zeros((len(self.observed), len(values)), order="F")
        on_plane = self.plane_numbers[:, None] == np.arange(len(self.observations))
        columns[:, self.layout.where("scale")] = on_plane * (difference * fall)[:, None]
        columns[:, self.layout.where("background")] = on_plane
        columns[:, self.layout.where("dw")] = (-self.q_squared * scale * difference * fall)[:, None]
        moving = [i for i in np.flatnonzero(free).tolist() if self.layout.parameters[i].kind in MOVING]
        for i, change in zip(moving, self._changes(vector, moving), strict=True):
            columns[:, i] = scale * fall * change
        return columns[:, free]

    def _changes(self, vector: Tensor, numbers: Sequence[int]) -> Iterator[FloatArray]:
        """Derivatives of `difference` with respect to parameters that move atoms."""
        places, directions = derivatives_of(self.positions, vector, numbers)
        with torch.no_grad():
            for changes in zip(
                *(each.intensity_changes(places, directions) for each in self._differences), strict=True
            ):
                live = zip(changes, self._live, strict=True)
                yield np.concatenate([change.flatten()[pixels].numpy() for change, pixels in live])

    def positions(self, values: Tensor) -> Tensor:
        """Where the atoms are: those of A, then those of B."""
        rotations = torch.stack([self.layout.part(values, "rotation-a"), self.layout.part(values, "rotation-b")])
        translation = self.layout.part(values, "translation")
        return self.geometry.positions(self.layout.part(values, "torsions"), rotations, translation)

    def planes(self, values: FloatArray) -> list[FloatArray]:
        """I_FF on every pixel of each plane, live or not."""
        vector = torch.tensor(np.array(values))
        places = self.positions(vector)
        scales, backgrounds = (self.layout.part(vector, kind) for kind in ("scale", "background"))
        falls = [
            torch.exp(-self.layout.part(vector, "dw") * torch.tensor(np.square(each.plane.q).sum(-1)))
            for each in self.observations
        ]
        parts = zip(self._differences, scales, backgrounds, falls, strict=True)
        return [(scale * each.intensity(places) * fall + flat).numpy() for each, scale, flat, fall in parts]

    def mse(self, calculated: FloatArray) -> float:
        """Mean square difference of live pixels, weighed as in the fit, where the calculated plane goes from −1 to +1.

        Without σ that is the measure of the paper on the linear scale, but that there the observed plane is scaled by
        its own maximum, which of noisy data a single pixel sets. The mean over the planes, if there are several.
        """
        errors = []
        for number in range(len(self.observations)):
            here = self.plane_numbers == number
            weights, span = self.weights[here] / self.weights[here].mean(), np.ptp(calculated[here])
            squared = np.square(2 * (self.observed[here] - calculated[here]) / max(float(span), 1e-300))
            errors.append(float((weights * squared).mean()))
        return float(np.mean(errors))

    def weighted_residual(self, calculated: FloatArray) -> float:
        """√(Σ w (I_obs − I_calc)² / Σ w I_obs²), which crystallographers call wR."""
        misfit = (self.weights * np.square(self.observed - calculated)).sum()
        return float(np.sqrt(misfit / (self.weights * np.square(self.observed)).sum()))


def _weights(observation: ObservedFormFactor) -> FloatArray:
    values = observation.form_factor[observation.live]
    if observation.sigma is not None:
        return np.asarray(1 / np.square(observation.sigma[observation.live]))
    return np.full(values.shape, 1 / np.square(values).mean())


def _blocks(observations: Sequence[ObservedFormFactor]) -> IntArray:
    first, parts = 0, []
    for each in observations:
        along = np.arange(each.plane.pixels) // max(1, min(_BLOCK_PIXELS, each.plane.pixels // 8))
        count = int(along[-1]) + 1
        parts.append((first + along[:, None] * count + along)[each.live])
        first += count * count
    return np.unique(np.concatenate(parts), return_inverse=True)[1].astype(np.int64)
