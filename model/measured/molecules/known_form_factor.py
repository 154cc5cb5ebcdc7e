"""I_SRO on planes whose I_FF is calculated from two molecules: one scale for all planes, and no prior on I_FF.

The solver gives every plane an I_FF of its own, so the scale of a plane and the mean of its I_SRO cannot be told apart,
and planes that are parallel say little of the order across them. Calculated, I_FF is one function in three dimensions.
Only D_w is fitted, to the solver's I_FF with a scale for each plane; the scale of I_SRO follows from α_0 = 1.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import minimize_scalar

from dsfu.errors import InputError
from dsfu.model.measured.factorise.factors import CrystalFactors, PlaneFactors
from dsfu.model.measured.molecules.verdict import UNEXPLAINED
from dsfu.model.measured.order.input import SroInput
from dsfu.model.measured.order.planes import SroPlane
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.planes import Plane
from dsfu.simulate.form_factors import form_factor
from dsfu.simulate.structures.structure import Structure

_WEAK: Final = 1e-3
"""Share of I_FF's maximum below which pixels are left out: there a quotient says nothing."""

_LARGEST_DW: Final = 1.0


@dataclass(frozen=True, kw_only=True)
class KnownFormFactor:
    """What came out.

    Attributes
    ----------
    given
        What `refine_sro` takes.
    dw
        D_w in Å².
    unexplained
        Share of the solver's I_FF (root mean square) that is not calculated.
    """

    given: SroInput
    dw: float
    unexplained: float

    @property
    def warning(self) -> str:
        """What speaks against the molecules; empty if nothing."""
        if self.unexplained <= UNEXPLAINED:
            return ""
        return (
            f"DO NOT RELY ON THESE VALUES. The molecules leave {100 * self.unexplained:.0f} % of I_FF unexplained "
            f"(limit {100 * UNEXPLAINED:.0f} %): other molecules, or another site (--site)?"
        )


def with_molecules(
    factors: CrystalFactors, structures: tuple[Structure, Structure], dw: float | None = None
) -> KnownFormFactor:
    """I_SRO = (I − background) / I_FF on the planes of factors.

    Parameters
    ----------
    structures
        Both relative to their common site.
    dw
        D_w in Å²; None to fit it to the solver's I_FF.
    """
    if factors.method == "network":
        raise InputError("its factors are a network's", expected="those of the solver", remedy="factorise with --cell")
    calculated = [form_factor_on_plane(each.plane, structures) for each in factors.planes]
    if dw is None:
        found = minimize_scalar(
            lambda value: _unexplained(factors.planes, calculated, value),
            bounds=(0.0, _LARGEST_DW),
            method="bounded",
            options={"xatol": 1e-4},
        )
        dw = float(found.x)
    planes = [_quotient(plane, one, dw) for plane, one in zip(factors.planes, calculated, strict=True)]
    known = KnownFormFactor(
        given=SroInput(planes=tuple(planes)), dw=dw, unexplained=_unexplained(factors.planes, calculated, dw)
    )
    warning = known.warning or ("" if factors.verdict.passed else f"OF THE FACTORS: {factors.verdict.sentence}")
    return KnownFormFactor(given=SroInput(planes=tuple(planes), warning=warning), dw=dw, unexplained=known.unexplained)


def form_factor_on_plane(plane: Plane, structures: tuple[Structure, Structure]) -> FloatArray:
    """|F_A − F_B|² in electrons² on every pixel, without D_w."""
    q = plane.q
    lengths = np.linalg.norm(q, axis=-1)
    amplitude = np.zeros(lengths.shape, np.complex128)
    for sign, structure in zip((1.0, -1.0), structures, strict=True):
        for number in np.unique(structure.numbers):
            atoms = structure.numbers == number
            waves = np.exp(1j * q @ structure.positions[atoms].T) @ structure.occupancies[atoms]
            amplitude += sign * form_factor(int(number), lengths) * waves
    return np.asarray(np.abs(amplitude) ** 2)


def _damped(plane: Plane, calculated: FloatArray, dw: float) -> FloatArray:
    return np.asarray(calculated * np.exp(-dw * np.square(plane.q).sum(axis=-1)))


def _unexplained(planes: tuple[PlaneFactors, ...], calculated: list[FloatArray], dw: float) -> float:
    """Root mean square difference of the solver's I_FF and the calculated one with its best scale, relative."""
    left = total = 0.0
    for plane, one in zip(planes, calculated, strict=True):
        use = plane.live & plane.from_data
        mine, theirs = _damped(plane.plane, one, dw)[use], plane.form_factor[use].astype(np.float64)
        weight = plane.sro[use].astype(np.float64)
        # Each plane of the solver has a scale of its own, which is at its best here; pixels count as far as I_SRO shows
        # them.
        scale = (weight * mine) @ theirs / max(float((weight * mine) @ mine), 1e-300)
        left += float(weight @ (theirs - scale * mine) ** 2)
        total += float(weight @ theirs**2)
    return float(np.sqrt(left / max(total, 1e-300)))


def _quotient(found: PlaneFactors, calculated: FloatArray, dw: float) -> SroPlane:
    assert found.cell is not None
    own = _damped(found.plane, calculated, dw)
    strong = own > _WEAK * own.max()
    return SroPlane(
        sro=np.where(strong, (found.measured.intensity - found.background) / np.where(strong, own, 1.0), 0.0),
        live=found.live & strong,
        plane=found.plane,
        cell=found.cell,
        form_factor=own,
        name=found.name,
    )
