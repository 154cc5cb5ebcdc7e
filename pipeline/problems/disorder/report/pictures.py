"""Pictures of planes in the report: the pixels as PNG, axes around them as SVG, all of it inside the page."""

import io
from functools import cache

import numpy as np
import numpy.typing as npt

from dsfu.pages.pictures import png_address
from dsfu.pages.svg import Svg, SvgShape, label, path
from dsfu.pipeline.problems.disorder.report.sample_sheet import LIVE_COLOUR, colour_table
from dsfu.simulate.arrays import BoolArray, Float32Array

_SIDE, _LEFT, _TOP, _BELOW, _RIGHT = 180, 24, 3, 17, 5
"""The square of a plane and what is around it, in units of the picture."""

_TICKS = (-5.0, 0.0, 5.0)

_DEAD = 255
"""The colour that is left out, so that the page's own shows where there is no measurement."""


def plane_svg(values: Float32Array, live: BoolArray | None, q_max: float, description: str) -> Svg:
    """A plane of values from 0 to 1 with its axes in 1/Å; dead pixels are see-through."""
    codes = (values * np.float32(_DEAD - 1)).round().astype(np.uint8)
    if live is not None:
        codes[~live] = _DEAD
    return _with_axes(_png(codes, _plane_palette()), q_max, len(values), description)


def mask_svg(live: BoolArray, q_max: float, description: str) -> Svg:
    """A mask with its axes in 1/Å; dead pixels are see-through."""
    return _with_axes(_png(np.where(live, 0, _DEAD).astype(np.uint8), _mask_palette()), q_max, len(live), description)


def _with_axes(png: bytes, q_max: float, pixels: int, description: str) -> Svg:
    middle = (pixels // 2 + 0.5) / pixels  # where on the side, from 0 to 1, the centre of the middle pixel is
    square = {"x": _LEFT, "y": _TOP, "width": _SIDE, "height": _SIDE}
    shapes = [
        SvgShape("rect", {"class": "dead", **square}),
        SvgShape("image", {**square, "preserveAspectRatio": "none", "href": png_address(png)}),
        SvgShape("rect", {"class": "edge", **square}),
    ]
    for tick in (tick for tick in _TICKS if abs(tick) < q_max):
        x = _LEFT + _SIDE * (middle + tick / (2 * q_max))
        y = _TOP + _SIDE * (1 - middle - tick / (2 * q_max))
        words = f"{tick:g}".replace("-", "−")
        shapes.append(path("axis", f"M{x:.1f} {_TOP + _SIDE}v3M{_LEFT} {y:.1f}h-3"))
        shapes += [label(x, _TOP + _SIDE + 13, words), label(_LEFT - 5, y + 3.5, words, "end")]
    return Svg(
        width=_LEFT + _SIDE + _RIGHT,
        height=_TOP + _SIDE + _BELOW,
        description=description,
        shapes=shapes,
        attributes={"class": "plane"},
    )


def _png(codes: npt.NDArray[np.uint8], palette: bytes) -> bytes:
    """A picture with a palette; y grows upwards in planes and downwards in pictures."""
    from PIL import Image

    image = Image.fromarray(codes[::-1])
    image.putpalette(palette)
    buffer = io.BytesIO()
    image.save(buffer, "png", optimize=True, transparency=_DEAD)
    return buffer.getvalue()


@cache
def _plane_palette() -> bytes:
    return colour_table()[:_DEAD].tobytes() + bytes(3)


@cache
def _mask_palette() -> bytes:
    return bytes.fromhex(LIVE_COLOUR.removeprefix("#")) * _DEAD + bytes(3)
