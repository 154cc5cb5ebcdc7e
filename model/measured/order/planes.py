"""What a refinement of short-range order is given: planes of I_SRO, settings, and the pixels that are used."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from dsfu.errors import InputError
from dsfu.model.measured.data.reconstruction import RealArray
from dsfu.simulate.arrays import BoolArray, FloatArray, IntArray
from dsfu.simulate.checks import check_some_axes, number_between
from dsfu.simulate.disorder.planes import Plane
from dsfu.simulate.lattice import Cell

Negative = Literal["forbidden", "allowed", "clipped"]

_FEWEST_PIXELS: Final = 100


@dataclass(frozen=True, kw_only=True, eq=False)
class SroPlane:
    """I_SRO on one plane, indexed [y, x].

    Attributes
    ----------
    sro
        (pixels, pixels), in any unit.
    live
        (pixels, pixels), True where it was measured.
    plane, cell
        Where in reciprocal space, and the direct cell.
    form_factor
        I_FF on the same pixels. Where it is weak I_SRO is left out, and it is the weight of the rest unless ``weight``
        or ``sigma`` says better: a quotient I_D / I_FF of counts has a variance that goes with 1 / I_FF.
    sigma
        Standard uncertainty of ``sro``; the weight is 1 / sigma².
    weight
        Any weight that is proportional to 1 / variance. It goes before ``form_factor``, and ``sigma`` before it.
    """

    sro: RealArray
    live: BoolArray
    plane: Plane
    cell: Cell
    form_factor: RealArray | None = None
    sigma: RealArray | None = None
    weight: RealArray | None = None
    name: str = ""

    def __post_init__(self) -> None:
        shape = (self.plane.pixels, self.plane.pixels)
        for name in ("sro", "live", "form_factor", "sigma", "weight"):
            values = getattr(self, name)
            if values is not None and np.shape(values) != shape:
                raise ValueError(f"{name}: shape {np.shape(values)}; expected {shape}, the plane's pixels")


@dataclass(frozen=True, kw_only=True)
class SroSettings:
    """How to refine.

    Attributes
    ----------
    symmetry
        See `dsfu.model.measured.symmetry.operators`.
    no_order_along
        Axes ("c", or several: "bc") along which vectors with a component are left out. Right where there is no
        correlation along the axis, and where order along it is perfect and the planes lie on its Bragg layers.
    cutoff, cutoff_angstrom
        Largest index of a vector; or, if given, the greatest length in Å.
    weak
        Share of the maximum of I_FF below which pixels are left out.
    fraction_a
        Mole fraction of A; if given, α is kept within what a crystal of that composition can have.
    negative
        I_SRO of the series is kept from being negative anywhere ("forbidden"), or is left as it comes ("allowed"), or
        was set to zero in the data where it was negative ("clipped": zeros mean "not above zero").
    own_scales
        Whether each plane has a scale of its own, as if they had been normalised one by one.
    blocks
        Into how many parts the pixels are divided to find out how far their errors hang together.
    """

    symmetry: str = "-1"
    no_order_along: str = ""
    cutoff: int = 5
    cutoff_angstrom: float | None = None
    weak: float = 0.05
    fraction_a: float | None = None
    negative: Negative = "forbidden"
    own_scales: bool = False
    blocks: int = 32

    def __post_init__(self) -> None:
        number_between("weak", self.weak, 0.0, 1.0)
        number_between("cutoff", self.cutoff, 1, 100)
        number_between("blocks", self.blocks, 8, 1024)
        if self.cutoff_angstrom is not None:
            number_between("cutoff_angstrom (Å)", self.cutoff_angstrom, 0.0, 1e4, open_low=True)
        if self.fraction_a is not None and not 0 < self.fraction_a < 1:
            raise ValueError(f"fraction_a = {self.fraction_a}: expected a number between 0 and 1, both excluded")
        check_some_axes("no_order_along", self.no_order_along)
        if self.negative not in ("forbidden", "allowed", "clipped"):
            raise ValueError(f"negative = {self.negative!r}: expected forbidden, allowed or clipped")

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The least and the greatest α at this composition; None if it is not known."""
        if self.fraction_a is None:
            return None
        a, b = self.fraction_a, 1 - self.fraction_a
        return max(-a / b, -b / a), 1.0

    @property
    def within(self) -> str:
        """The axes along which there is order."""
        return "".join(axis for axis in "abc" if axis not in self.no_order_along)


@dataclass(frozen=True, eq=False)
class OrderPixels:
    """The pixels of all planes that are used, in a row.

    Attributes
    ----------
    hkl, sro, weight
        (n, 3), (n,), (n,). Weights are 1 / variance if the uncertainty is known, otherwise of mean 1.
    plane
        (n,): number of the plane.
    weak
        How many live pixels were left out because I_FF is weak.
    """

    hkl: FloatArray
    sro: FloatArray
    weight: FloatArray
    plane: IntArray
    weak: int

    def __len__(self) -> int:
        return len(self.sro)


def used_pixels(planes: Sequence[SroPlane], settings: SroSettings) -> OrderPixels:
    """Select pixels, and weigh them."""
    parts, weak = [], 0
    strongest = max(
        (float(_finite(each.form_factor).max()) for each in planes if each.form_factor is not None), default=0
    )
    for number, each in enumerate(planes):
        live = each.live & np.isfinite(each.sro)
        use = live & strong_pixels(each, settings.weak, None if settings.own_scales else strongest)
        weight = _weights(each)
        use &= np.isfinite(weight) & (weight > 0)
        weak += int((live & ~use).sum())
        if use.sum() < _FEWEST_PIXELS:
            raise InputError(
                f"{int(use.sum())} of {use.size} pixels are left to refine from ({int(live.sum())} are live)",
                where=each.name or f"plane {number + 1}",
                expected=f"at least {_FEWEST_PIXELS}",
                remedy="lower --weak, or leave the plane out",
            )
        hkl = each.plane.hkl(each.cell)[use]
        parts.append((hkl, each.sro[use].astype(np.float64), weight[use], np.full(len(hkl), number)))
    hkl, sro, weight, plane = (np.concatenate(column) for column in zip(*parts, strict=True))
    if any(each.sigma is None for each in planes):
        weight = weight / weight.mean()
    return OrderPixels(hkl, sro, weight, plane, weak)


def strong_pixels(plane: SroPlane, weak: float, strongest: float | None = None) -> BoolArray:
    """Where I_FF is not below its share ``weak`` of its maximum (that of the plane unless another is given)."""
    if plane.form_factor is None:
        return np.ones(plane.sro.shape, np.bool_)
    values = _finite(plane.form_factor)
    return np.asarray(values >= weak * (float(values.max()) if strongest is None else strongest))


def _finite(values: RealArray) -> FloatArray:
    return np.where(np.isfinite(values), values, 0.0).astype(np.float64)


def _weights(plane: SroPlane) -> FloatArray:
    with np.errstate(divide="ignore"):
        if plane.sigma is not None:
            return 1.0 / np.square(np.asarray(plane.sigma, np.float64))
    for values in (plane.weight, plane.form_factor):
        if values is not None:
            return np.asarray(values, np.float64)
    return np.ones(plane.sro.shape)
