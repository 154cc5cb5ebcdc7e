"""A measured reconstruction of reciprocal space: what every reader gives and every step of preparation takes."""

from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from dsfu.simulate.arrays import BoolArray, FloatArray
from dsfu.simulate.lattice import Cell

RealArray = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, kw_only=True)
class Step:
    """Something that was done to the data, with all that is needed to do it again."""

    name: str
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class Reconstruction:
    """Intensity on a regular grid of voxels in reciprocal space, a volume or a plane (an axis of one voxel).

    Attributes
    ----------
    intensity
        (n0, n1, n2), any unit; whatever stands in voxels that are not live has no meaning.
    live
        (n0, n1, n2), True where something was measured.
    origin
        hkl of the centre of voxel (0, 0, 0).
    steps
        (3, 3): row i is the hkl by which one step along array axis i advances. Not singular, also for a plane.
    cell
        The direct cell; None where the file has none, and then nothing that needs Å can be done.
    sigma
        Standard uncertainty of the intensity, same shape; None where unknown.
    weight
        How many measurements were merged into each voxel, same shape; None where unknown.
    source
        Where it came from, for people.
    history
        What was done to it since it was read.
    indexed
        False where nothing says how the array lies in reciprocal space: then origin and steps count voxels from the
        middle, and the cell is None.
    format
        What kind of file it came from, for people.
    notes
        What the reader had to decide, sentences for people.
    """

    intensity: RealArray
    live: BoolArray
    origin: FloatArray
    steps: FloatArray
    cell: Cell | None
    sigma: RealArray | None = None
    weight: RealArray | None = None
    source: str = ""
    history: tuple[Step, ...] = ()
    indexed: bool = True
    format: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape = self.intensity.shape
        if self.intensity.ndim != 3 or 0 in shape:
            raise ValueError(f"intensity: shape {shape}; expected three axes, none of them empty")
        for name in ("live", "sigma", "weight"):
            values = getattr(self, name)
            if values is not None and values.shape != shape:
                raise ValueError(f"{name}: shape {values.shape}; expected that of the intensity, {shape}")
        object.__setattr__(self, "origin", np.array(self.origin, np.float64).reshape(3))
        object.__setattr__(self, "steps", np.array(self.steps, np.float64).reshape(3, 3))
        if not (np.isfinite(self.origin).all() and np.isfinite(self.steps).all()):
            raise ValueError(f"origin = {self.origin.tolist()}, steps = {self.steps.tolist()}: expected finite numbers")
        lengths = np.linalg.norm(self.steps, axis=1)
        if abs(np.linalg.det(self.steps)) <= 1e-9 * lengths.prod() or 0 in lengths:
            raise ValueError(f"steps = {self.steps.tolist()}: expected three axes that are not in one plane")

    @property
    def shape(self) -> tuple[int, int, int]:
        first, second, third = self.intensity.shape
        return first, second, third

    @property
    def coverage(self) -> float:
        """Share of the voxels that are live."""
        return float(self.live.mean())

    @property
    def is_image(self) -> bool:
        """Whether it is one plane of which nothing says how it lies in reciprocal space."""
        return not self.indexed and self.shape.count(1) == 1

    def hkl_of_voxels(self, indices: npt.ArrayLike) -> FloatArray:
        """hkl (..., 3) of voxel indices (..., 3), which may be fractions."""
        return np.asarray(indices, np.float64) @ self.steps + self.origin

    def voxels_of_hkl(self, hkl: npt.ArrayLike) -> FloatArray:
        """Voxel indices (..., 3), fractions, of hkl (..., 3)."""
        return (np.asarray(hkl, np.float64) - self.origin) @ np.linalg.inv(self.steps)

    def after(self, step: Step, **changes: Any) -> Self:
        """The same with some attributes changed, and the step that changed them recorded."""
        return replace(self, **changes, history=(*self.history, step))
