"""A measured plane on the Cartesian grid that solvers and networks work on."""

from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from dsfu.model.measured.data.reconstruction import RealArray, Step
from dsfu.simulate.arrays import BoolArray, FloatArray
from dsfu.simulate.disorder.planes import Plane
from dsfu.simulate.lattice import Cell

MADE_UP_Q_MAX: Final = 8.0
"""1/Å, for images that do not say their scale: half the side of the largest planes that networks are trained on."""


@dataclass(frozen=True, kw_only=True)
class Grain:
    """How far noise reaches where pixels were interpolated from larger voxels.

    Attributes
    ----------
    lag_x, lag_y
        Pixels so far apart along x, and along y, are a voxel apart: they share hardly any noise.
    shared_x, shared_y
        Correlation of the noise that is left at these distances.
    independent
        Voxels for each pixel, 1 at most: so many independent measurements.
    """

    lag_x: int = 1
    lag_y: int = 1
    shared_x: float = 0.0
    shared_y: float = 0.0
    independent: float = 1.0


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
        The direct cell; None if unknown; then the lattice has to be found.
    sigma
        Standard uncertainty of the intensity, same shape; None if unknown.
    name
        For people: "hk0 of crystal.h5".
    grain
        How far pixels share noise; by default they share none.
    scale_known
        Whether Q is in 1/Å. Of an image without a cell it counts voxels; where a lattice was found for it, all Å are
        made up.
    """

    intensity: RealArray
    live: BoolArray
    plane: Plane
    cell: Cell | None
    sigma: RealArray | None = None
    name: str = ""
    source: str = ""
    history: tuple[Step, ...] = ()
    grain: Grain = field(default_factory=Grain)
    scale_known: bool = True

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
    def unit(self) -> str:
        """Of Q, for people."""
        if self.scale_known:
            return "1/Å"
        return "voxels" if self.cell is None else "1/Å, made up"

    @property
    def hkl(self) -> FloatArray:
        """hkl of every pixel, (pixels, pixels, 3)."""
        if self.cell is None:
            raise ValueError(f"{self.name or 'the plane'}: its cell is unknown; expected --cell a,b,c,alpha,beta,gamma")
        return self.plane.hkl(self.cell)

    def after(self, step: Step, **changes: Any) -> Self:
        """The same with some attributes changed, and the step that changed them recorded."""
        return replace(self, **changes, history=(*self.history, step))
