"""X-ray detectors: how their modules and gaps are laid out."""

from dataclasses import dataclass
from operator import index
from types import MappingProxyType
from typing import Final

import numpy as np

from dsfu.simulate.arrays import BoolArray
from dsfu.simulate.checks import number_between

_MOST_PIXELS = 100_000
"""Most columns or rows that a detector may have; more is taken for a mistake."""


@dataclass(frozen=True, kw_only=True)
class Detector:
    """A flat pixel detector: a grid of equal modules with gaps between them.

    Parameters
    ----------
    name
        What it is called; describes, and determines nothing.
    pixel_m
        Side of a square pixel, in m.
    modules_x, modules_y
        Modules side by side along a row of pixels, and one above another.
    module_columns, module_rows
        Pixels of one module.
    gap_columns, gap_rows
        Dead pixels between neighbouring modules.
    edge_pixels
        Outermost pixels of every module that are thrown away too: those at the seams are larger than the others, and
        many experimenters mask them.
    """

    name: str
    pixel_m: float
    modules_x: int
    modules_y: int
    module_columns: int
    module_rows: int
    gap_columns: int = 0
    gap_rows: int = 0
    edge_pixels: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise ValueError(f"detector name = {self.name!r}: expected a text")
        object.__setattr__(self, "pixel_m", number_between("pixel_m", self.pixel_m, 1e-6, 1e-2))
        for name in ("modules_x", "modules_y", "module_columns", "module_rows"):
            object.__setattr__(self, name, _count(name, getattr(self, name), at_least=1))
        for name in ("gap_columns", "gap_rows", "edge_pixels"):
            object.__setattr__(self, name, _count(name, getattr(self, name), at_least=0))
        if max(self.columns, self.rows) > _MOST_PIXELS:
            raise ValueError(
                f"detector of {self.columns} × {self.rows} pixels: expected at most {_MOST_PIXELS} along either side"
            )
        if 2 * self.edge_pixels >= min(self.module_columns, self.module_rows):
            raise ValueError(
                f"edge_pixels = {self.edge_pixels}: they leave nothing of a module of {self.module_columns} × "
                f"{self.module_rows} pixels"
            )

    @property
    def columns(self) -> int:
        return self.modules_x * self.module_columns + (self.modules_x - 1) * self.gap_columns

    @property
    def rows(self) -> int:
        return self.modules_y * self.module_rows + (self.modules_y - 1) * self.gap_rows

    @property
    def size_m(self) -> tuple[float, float]:
        """Width and height in m, gaps included."""
        return self.columns * self.pixel_m, self.rows * self.pixel_m

    @property
    def live_columns(self) -> BoolArray:
        """Which columns hold live pixels. A pixel is live where both its column and its row are."""
        return _live_line(self.modules_x, self.module_columns, self.gap_columns, self.edge_pixels)

    @property
    def live_rows(self) -> BoolArray:
        """Which rows hold live pixels."""
        return _live_line(self.modules_y, self.module_rows, self.gap_rows, self.edge_pixels)


def _count(name: str, value: int, *, at_least: int) -> int:
    try:
        count = index(value)
    except TypeError:
        raise ValueError(f"{name} = {value!r}: expected a whole number") from None
    if not at_least <= count <= _MOST_PIXELS:
        raise ValueError(f"{name} = {count}: expected {at_least} to {_MOST_PIXELS}")
    return count


def _live_line(modules: int, pixels: int, gap: int, edge: int) -> BoolArray:
    """Live pixels along one line across the modules."""
    period = np.zeros(pixels + gap, dtype=np.bool_)
    period[edge : pixels - edge] = True
    return np.tile(period, modules)[: modules * pixels + (modules - 1) * gap]


PILATUS_2M: Final = Detector(
    name="PILATUS 2M",
    pixel_m=172e-6,
    modules_x=3,
    modules_y=8,
    module_columns=487,
    module_rows=195,
    gap_columns=7,
    gap_rows=17,
)
"""1475 × 1679 pixels, 254 × 289 mm."""

PILATUS3_6M: Final = Detector(
    name="PILATUS3 6M",
    pixel_m=172e-6,
    modules_x=5,
    modules_y=12,
    module_columns=487,
    module_rows=195,
    gap_columns=7,
    gap_rows=17,
)
"""2463 × 2527 pixels, 424 × 435 mm."""

EIGER_16M: Final = Detector(
    name="EIGER 16M",
    pixel_m=75e-6,
    modules_x=4,
    modules_y=8,
    module_columns=1030,
    module_rows=514,
    gap_columns=10,
    gap_rows=37,
)
"""4150 × 4371 pixels, 311 × 328 mm."""

FLAT_PANEL: Final = Detector(
    name="flat panel", pixel_m=200e-6, modules_x=1, modules_y=1, module_columns=2048, module_rows=2048
)
"""An amorphous-silicon panel of one piece: 2048 × 2048 pixels, 410 × 410 mm."""

PRESETS: Final = MappingProxyType(
    {"pilatus_2m": PILATUS_2M, "pilatus3_6m": PILATUS3_6M, "eiger_16m": EIGER_16M, "flat_panel": FLAT_PANEL}
)
