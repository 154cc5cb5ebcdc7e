"""Pictures inside pages, as addresses that hold the whole image."""

import base64
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Pixels = npt.NDArray[np.uint8]


def png_address(data: bytes) -> str:
    """The address of an image from a file's bytes."""
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def figure_address(figure: "Figure", dpi: int = 110) -> str:
    """A figure of matplotlib."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    return png_address(buffer.getvalue())


def coloured(shares: npt.NDArray[np.floating[Any]], colours: str) -> Pixels:
    """Shares of a scale, 0 to 1, as (y, x, rgba); what is beyond has the colour of the end."""
    from matplotlib import colormaps

    return np.asarray(colormaps[colours](np.clip(shares, 0, 1), bytes=True)).copy()


def pixels_address(pixels: Pixels) -> str:
    """(y, x, rgba); y grows upwards in data and downwards in pictures."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels[::-1]).save(buffer, "png", optimize=True)
    return png_address(buffer.getvalue())


def ramp_address(colours: str) -> str:
    """The colours from the lowest value to the highest."""
    return pixels_address(coloured(np.linspace(0, 1, 160)[None], colours))
