"""A measured plane on the Cartesian grid that solvers and networks work on."""

from dataclasses import dataclass, replace
from typing import Any, Self

from dsfu.model.measured.data.reconstruction import RealArray, Step
from dsfu.simulate.arrays import BoolArray, FloatArray
from dsfu.simulate.disorder.planes import Plane
from dsfu.simulate.lattice import Cell


@dataclass(frozen=True, kw_only=True, eq=False)
class MeasuredPlane:
    """Intensity on one square plane, indexed [y, x].

    Attributes
    ----------
    intensity
        (pixels, pixels), any unit, finite; 0 where not live.
    live
        (pixels, pixels), True where measured.
    plane
        Where in reciprocal space; its Cartesian frame is that of ``cell`` (`dsfu.simulate.disorder.fields`).
    cell
        The direct cell; None if unknown, and then only a network can factorise it.
    sigma
        Standard uncertainty of the intensity, same shape; None if unknown.
    name
        For people: "hk0 of crystal.h5".
    """

    intensity: RealArray
    live: BoolArray
    plane: Plane
    cell: Cell | None
    sigma: RealArray | None = None
    name: str = ""
    source: str = ""
    history: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        shape = (self.plane.pixels, self.plane.pixels)
        for name in ("intensity", "live", "sigma"):
            values = getattr(self, name)
            if values is not None and values.shape != shape:
                raise ValueError(f"{name}: shape {values.shape}; expected {shape}, the plane's pixels")

    @property
    def coverage(self) -> float:
        """Share of the pixels that are live."""
        return float(self.live.mean())

    @property
    def hkl(self) -> FloatArray:
        """hkl of every pixel, (pixels, pixels, 3)."""
        if self.cell is None:
            raise ValueError(f"{self.name or 'the plane'}: its cell is unknown; expected --cell a,b,c,alpha,beta,gamma")
        return self.plane.hkl(self.cell)

    def after(self, step: Step, **changes: Any) -> Self:
        """The same with some attributes changed, and the step that changed them recorded."""
        return replace(self, **changes, history=(*self.history, step))
