"""Panels of some samples as one picture, a row for each sample: input, answer, truth, or whatever a problem shows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from dsfu.pages.panel_pictures import figure_of
from dsfu.panels import Panel
from dsfu.simulate.arrays import Float32Array

_INCHES: Final = 13 / 7


def draw_panels(rows: Sequence[Sequence[Panel]], path: Path, title: str) -> Float32Array:
    """Draw the panels of some samples, a row each, into a file; return the picture (y, x, rgb), 0 to 1."""
    figure = figure_of([("", row) for row in rows], title=title, side=_INCHES)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    drawn = np.asarray(figure.canvas.buffer_rgba(), np.float32)  # type: ignore[attr-defined]
    return np.asarray(drawn[..., :3] / np.float32(255))
