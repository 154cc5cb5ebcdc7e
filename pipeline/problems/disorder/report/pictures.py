"""Pictures of planes in the report: the pixels as PNG, axes around them as SVG, all of it inside the page."""

import base64
import io
from functools import cache
from html import escape

import numpy as np
import numpy.typing as npt

from dsfu.pipeline.problems.disorder.report.sample_sheet import LIVE_COLOUR, colour_table
from dsfu.simulate.arrays import BoolArray, Float32Array

_SIDE, _LEFT, _TOP, _BELOW, _RIGHT = 180, 24, 3, 17, 5
"""The square of a plane and what is around it, in units of the picture."""

_TICKS = (-5.0, 0.0, 5.0)

_DEAD = 255
"""The colour that is left out, so that the page's own shows where there is no measurement."""


def plane_svg(values: Float32Array, live: BoolArray | None, q_max: float, description: str) -> str:
    """A plane of values from 0 to 1 with its axes in 1/Å; dead pixels are see-through."""
    codes = (values * np.float32(_DEAD - 1)).round().astype(np.uint8)
    if live is not None:
        codes[~live] = _DEAD
    return _with_axes(_png(codes, _plane_palette()), q_max, len(values), description)


def mask_svg(live: BoolArray, q_max: float, description: str) -> str:
    """A mask with its axes in 1/Å; dead pixels are see-through."""
    return _with_axes(_png(np.where(live, 0, _DEAD).astype(np.uint8), _mask_palette()), q_max, len(live), description)


def _with_axes(png: bytes, q_max: float, pixels: int, description: str) -> str:
    width, height = _LEFT + _SIDE + _RIGHT, _TOP + _SIDE + _BELOW
    data = base64.b64encode(png).decode()
    middle = (pixels // 2 + 0.5) / pixels  # where on the side, from 0 to 1, the centre of the middle pixel is
    marks = []
    for tick in (tick for tick in _TICKS if abs(tick) < q_max):
        x = _LEFT + _SIDE * (middle + tick / (2 * q_max))
        y = _TOP + _SIDE * (1 - middle - tick / (2 * q_max))
        label = f"{tick:g}".replace("-", "−")
        marks.append(
            f'<path class="axis" d="M{x:.1f} {_TOP + _SIDE}v3M{_LEFT} {y:.1f}h-3"/>'
            f'<text x="{x:.1f}" y="{_TOP + _SIDE + 13}" text-anchor="middle">{label}</text>'
            f'<text x="{_LEFT - 5}" y="{y + 3.5:.1f}" text-anchor="end">{label}</text>'
        )
    square = f'x="{_LEFT}" y="{_TOP}" width="{_SIDE}" height="{_SIDE}"'
    return (
        f'<svg class="plane" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(description)}">'
        f'<rect class="dead" {square}/>'
        f'<image {square} preserveAspectRatio="none" href="data:image/png;base64,{data}"/>'
        f'<rect class="edge" {square}/>{"".join(marks)}</svg>'
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


def ramp_svg() -> str:
    """The colours from 0 to 1."""
    row = np.arange(_DEAD, dtype=np.uint8)[np.newaxis]
    data = base64.b64encode(_png(row, _plane_palette())).decode()
    return (
        '<svg viewBox="0 0 160 10" role="img" aria-label="Colours from dark, 0, to bright, 1">'
        f'<image width="160" height="10" preserveAspectRatio="none" href="data:image/png;base64,{data}"/></svg>'
    )
