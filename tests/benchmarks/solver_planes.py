"""Fair test planes for whatever factorises: molecules never seen in training, simulated dead zones, known truth.

Pairs, compositions, short-range order, layers and masks are drawn as for a data set, and the same for the same seed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.problems.disorder.data.normalise import normalise
from dsfu.simulate.arrays import BoolArray, Float32Array, FloatArray
from dsfu.simulate.disorder.metropolis import draw_monte_carlo_set
from dsfu.simulate.disorder.oscillator import draw_oscillator_set
from dsfu.simulate.disorder.plane_rules import Crystal, PlaneRules, monte_carlo_layers, oscillator_layers
from dsfu.simulate.disorder.planes import Plane
from dsfu.simulate.disorder.random_masks import random_mask
from dsfu.simulate.disorder.scattering import Scattering
from dsfu.simulate.disorder.sro_set import SroSet
from dsfu.simulate.lattice import Cell, vegard_cell
from dsfu.simulate.random_stream import RandomStream
from dsfu.simulate.species import load_library


@dataclass(frozen=True, kw_only=True, eq=False)
class TestPlane:
    """One plane of a simulated crystal, with the truth."""

    __test__ = False

    name: str
    cell: Cell
    plane: Plane
    truth: Scattering
    live: BoolArray
    alpha: FloatArray
    fraction_a: float

    def measured(
        self,
        *,
        noise: float = 0.0,
        background: float = 0.0,
        stretch: float = 0.0,
        seed: int = 0,
        known_sigma: bool = False,
    ) -> MeasuredPlane:
        """As an experiment would give it.

        Parameters
        ----------
        noise
            Poisson noise: its standard deviation where the intensity is the plane's mean, relative to that mean.
        background
            Flat, relative to the plane's maximum.
        stretch
            By how much each edge of the cell is wrong, up or down at random.
        """
        rng = np.random.default_rng(seed)
        intensity = self.truth.intensity.astype(np.float64) + background * float(self.truth.intensity.max())
        sigma = None
        if noise:
            counts = 1 / (noise**2 * intensity.mean())
            intensity = rng.poisson(intensity * counts) / counts
            sigma = np.sqrt(np.maximum(intensity, 0) / counts) if known_sigma else None
        constants = np.array(self.cell.constants)
        constants[:3] *= 1 + stretch * rng.choice([-1.0, 1.0], 3)
        data = np.where(self.live, intensity, 0.0)
        return MeasuredPlane(
            intensity=data, live=self.live, plane=self.plane, cell=Cell(*constants), sigma=sigma, name=self.name
        )


def fair_planes(count: int, seed: int = 1, *, oscillators: bool = False, layers: int = 1) -> Iterator[list[TestPlane]]:
    """Planes of ``count`` crystals, ``layers`` of each. They have dead zones; `normalised_errors` tells them apart."""
    library = [species for species in load_library().values() if species.split == "validation"]
    pairs = [(one, other) for i, one in enumerate(library) for other in library[i + 1 :] if one.group == other.group]
    for number in range(count):
        stream = RandomStream(seed, "fair planes", number)
        one, other = pairs[int(stream.uniform(0, len(pairs)))]
        order: SroSet = (
            draw_oscillator_set(seed + 1000 * number, one.shape.lattice)
            if oscillators
            else draw_monte_carlo_set(seed + 1000 * number)
        )
        cell = vegard_cell(one.cell, other.cell, order.fraction_a)
        crystal = Crystal(
            atoms_a=one.atoms, atoms_b=other.atoms, fraction_a=order.fraction_a, cell=cell, alpha=order.alpha
        )
        q_max = stream.uniform(6.0, 8.0)
        rule = oscillator_layers(crystal, q_max, PlaneRules()) if oscillators else None
        found = rule or monte_carlo_layers(crystal, q_max, PlaneRules(), stream)
        keys = sorted((stream.uniform(0, 1), i) for i in range(len(found)))[:layers]
        yield [
            TestPlane(
                name=f"{one.name} / {other.name}, {found[i].axis} = {found[i].offset:.2f}",
                cell=cell,
                plane=found[i].plane,
                truth=found[i].scattering,
                live=random_mask((seed, 1000 * number + i))[0],
                alpha=order.alpha,
                fraction_a=order.fraction_a,
            )
            for _, i in keys
        ]


def normalised_errors(form_factor: Float32Array, sro: Float32Array, test: TestPlane) -> npt.NDArray[np.float64]:
    """Mean squared errors: I_SRO, I_FF, I_FF on live pixels; first on the linear scale, then on that of roots."""
    out = []
    for scale in ("linear", "sqrt"):
        order = np.square(normalise(sro, scale) - normalise(test.truth.sro, scale))
        molecule = np.square(normalise(form_factor, scale) - normalise(test.truth.form_factor, scale))
        out += [order.mean(), molecule.mean(), molecule[test.live].mean()]
    return np.array(out)
