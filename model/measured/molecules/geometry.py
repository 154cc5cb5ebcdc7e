"""Where the atoms are for given torsion angles, rotations and a translation; differentiable."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from dsfu.model.measured.molecules.torsion import Torsion, TorsionGroup
from dsfu.simulate.structures.structure import Structure

_TINY = 1e-24


class Geometry:
    """The atoms of A, then those of B.

    First the torsions, in their order and each group about its bond as it then lies; then each species turns as a whole
    about its centroid as it was in the file; then B is moved. A common translation has no effect on |F_A − F_B|².
    """

    def __init__(self, structures: tuple[Structure, Structure], torsions: tuple[Torsion, ...]) -> None:
        self.structures, self.torsions = structures, torsions
        self._start = [torch.tensor(np.array(each.positions, np.float64)) for each in structures]
        self._centroids = [torch.tensor(np.array(each.centroid, np.float64)) for each in structures]

    def positions(self, angles: Tensor, rotations: Tensor, translation: Tensor) -> Tensor:
        """Positions (atoms, 3) in Å.

        Parameters
        ----------
        angles
            (torsions,): degrees.
        rotations
            (2, 3): rotation vectors of A and of B in degrees: along the axis, as long as the angle.
        translation
            (3,): of B, in Å.
        """
        places = list(self._start)
        for angle, torsion in zip(angles, self.torsions, strict=True):
            for group in torsion.groups:
                places[group.species] = _turned(places[group.species], group, angle)
        for species in (0, 1):
            centred = places[species] - self._centroids[species]
            places[species] = centred @ rotation_of(torch.deg2rad(rotations[species])).mT + self._centroids[species]
        places[1] = places[1] + translation
        return torch.cat(places)

    def split(self, positions: Tensor) -> tuple[Structure, Structure]:
        """Both species with their atoms at ``positions``."""
        first, second = self.structures
        places = positions.detach().numpy()
        return first.at(places[: len(first)]), second.at(places[len(first) :])


def derivatives_of(
    function: Callable[[Tensor], Tensor], values: Tensor, numbers: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """A function's result, and its derivatives with respect to some of the values: (numbers, *result).

    By differentiating backwards twice, which is linear in what is passed back the first time: one pass for each value
    instead of one for each element of the result.
    """
    at = values.detach().clone().requires_grad_()
    result = function(at)
    passed = torch.zeros_like(result, requires_grad=True)
    (backward,) = torch.autograd.grad(result, at, passed, create_graph=True)
    columns = [torch.autograd.grad(backward[i], passed, retain_graph=True)[0] for i in numbers]
    empty = torch.zeros((0, *result.shape), dtype=result.dtype)
    return result.detach(), torch.stack(columns) if columns else empty


def rotation_of(vector: Tensor) -> Tensor:
    """Rotation matrix of a rotation vector in radians (Rodrigues), with derivatives at none as well."""
    angle = torch.sqrt(vector @ vector + _TINY)
    x, y, z = vector
    none = torch.zeros_like(x)
    cross = torch.stack([torch.stack([none, -z, y]), torch.stack([z, none, -x]), torch.stack([-y, x, none])])
    first = torch.sin(angle) / angle
    second = 0.5 * (torch.sin(angle / 2) / (angle / 2)).square()  # (1 − cos φ) / φ² without cancellation
    return torch.eye(3, dtype=vector.dtype) + first * cross + second * (cross @ cross)


def _turned(places: Tensor, group: TorsionGroup, angle: Tensor) -> Tensor:
    origin = places[group.second]
    axis = origin - places[group.first]
    axis = axis / axis.norm()
    turn = rotation_of(axis * torch.deg2rad(angle * group.sign))
    atoms = torch.from_numpy(group.turning)
    return places.index_copy(0, atoms, (places[atoms] - origin) @ turn.mT + origin)
