"""F_A − F_B on one plane in double precision, differentiable with respect to where the atoms are.

F(Q) = Σ_j o_j f_j(|Q|) exp(i Q·x_j). The phase separates along the axes of a plane and the form factor depends on the
element alone, so that F is one matrix product per element times its form factor. `disorder.forward` also separates
the form factors, which pays in batches of planes in single precision but costs five times the products here, where
derivatives with respect to many parameters are wanted on few planes.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from dsfu.simulate.arrays import FloatArray, IntArray
from dsfu.simulate.disorder.planes import Plane
from dsfu.simulate.form_factors import form_factor


class DifferenceOnPlane:
    """|F_A − F_B|² on one plane as a function of the atoms' positions.

    Parameters
    ----------
    numbers
        (atoms,): atomic numbers of the atoms of both species.
    weights
        (atoms,): occupancy, negative for atoms of B.
    """

    def __init__(self, numbers: IntArray, weights: FloatArray, plane: Plane) -> None:
        self._centre, self._axis_x, self._axis_y, self._offsets = (
            torch.tensor(np.array(values)) for values in (plane.centre, plane.axis_x, plane.axis_y, plane.offsets)
        )
        q = np.linalg.norm(plane.q, axis=-1)
        self._elements = [
            (torch.tensor(np.flatnonzero(numbers == number)), torch.tensor(form_factor(int(number), q)))
            for number in np.unique(numbers)
        ]
        self._weights = torch.tensor(np.array(weights, np.float64))

    def amplitude(self, positions: Tensor) -> Tensor:
        """F_A − F_B in electrons, complex (y, x), for positions (atoms, 3) in Å."""
        in_x, in_y = self._waves(positions)
        return self._sum(in_x, in_y)

    def intensity(self, positions: Tensor) -> Tensor:
        """|F_A − F_B|² in electrons², (y, x)."""
        amplitude = self.amplitude(positions)
        return amplitude.real.square() + amplitude.imag.square()

    def intensity_changes(self, positions: Tensor, directions: Tensor) -> Iterator[Tensor]:
        """The derivative of the intensity, (y, x), along each of some directions (directions, atoms, 3).

        The same as forward differentiation gives, at the price of one amplitude with twice the atoms each:
        Q·d = centre·d + y (axis_y·d) + x (axis_x·d).
        """
        in_x, in_y = self._waves(positions)
        amplitude = self._sum(in_x, in_y)
        both_x = torch.stack([in_x, in_x * self._offsets], 1)
        for direction in directions:
            # ∂ exp(iQ·x) along d is iQ·d exp(iQ·x). The part with x goes with a second wave in x, so that one product
            # does both.
            factor_y = (direction @ self._centre)[:, None] + (direction @ self._axis_y)[:, None] * self._offsets
            factor_x = (direction @ self._axis_x)[:, None]
            change = 1j * self._sum(both_x, torch.stack([in_y * factor_y, in_y * factor_x], 1))
            # ∂|F|² = 2 Re(F* ∂F).
            yield 2 * (amplitude.real * change.real + amplitude.imag * change.imag)

    def _waves(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """exp(i Q·x) of each atom as a product: its part along x, and all the rest with the atom's weight."""
        in_x = _wave((positions @ self._axis_x)[:, None] * self._offsets)
        in_y = _wave((positions @ self._axis_y)[:, None] * self._offsets + (positions @ self._centre)[:, None])
        return in_x, in_y * self._weights[:, None]

    def _sum(self, in_x: Tensor, in_y: Tensor) -> Tensor:
        """Σ_j f_j in_y[j, …, y] in_x[j, …, x], (y, x)."""
        total = torch.zeros((), dtype=torch.complex128)
        for atoms, factor in self._elements:
            left, right = in_y[atoms].reshape(-1, len(self._offsets)), in_x[atoms].reshape(-1, len(self._offsets))
            total = total + factor * (left.mT @ right)
        return total


def _wave(phases: Tensor) -> Tensor:
    return torch.complex(torch.cos(phases), torch.sin(phases))
