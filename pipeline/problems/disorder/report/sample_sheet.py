"""A picture of samples, to be looked at before a network is: scattering with dead zones, both factors, and the mask."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from dsfu.colours import INTENSITY, MISSING
from dsfu.pipeline.problems.disorder.report.sample_choice import choose_samples
from dsfu.pipeline.problems.disorder.report.store_view import SampleView, StoreView
from dsfu.simulate.arrays import Float32Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

COLOUR_MAP: Final = INTENSITY
DEAD_COLOUR: Final = MISSING
LIVE_COLOUR: Final = "#22262b"

SHEET_SAMPLES: Final = 10

_BLOCKS: Final = 2
"""Samples side by side."""

_PANEL, _GAP, _LEFT, _RIGHT, _TITLE, _TOP, _BOTTOM = 1.24, 0.06, 0.52, 0.08, 0.36, 0.34, 0.86
"""Sizes in inches: a plane, what is between planes, left and right of a sample and above it, above and below all."""

_TICKS: Final = (-5.0, 0.0, 5.0)

_SET_WORDS: Final = {"monte_carlo": "Monte Carlo", "oscillator": "oscillator"}


def root_scaled(intensity: Float32Array) -> Float32Array:
    """√(I / max I), from 0 to 1; a plane without intensity is 0."""
    largest = float(intensity.max())
    return np.sqrt(intensity / np.float32(largest)) if largest > 0 else np.zeros_like(intensity)


def layer_words(sample: SampleView) -> str:
    """Which plane a sample lies on, such as "hl plane, k = 1.5"."""
    return f"{sample.along_x}{sample.along_y} plane, {sample.constant} = {offset_words(sample.offset)}"


def offset_words(offset: float) -> str:
    """An index with as many digits as it needs, up to two decimals."""
    return f"{round(offset, 2):g}".replace("-", "−")


def set_words(kind: str) -> str:
    """A way of making short-range order, for people."""
    return _SET_WORDS.get(kind, kind)


def write_sample_sheet(store: StoreView, path: Path, count: int = SHEET_SAMPLES) -> Path:
    """Write a sheet of ``count`` samples of a store as a picture; the suffix says of which kind."""
    samples = [store.splits[each.split].sample(each.index) for each in choose_samples(store, count)]
    buffer = io.BytesIO()
    draw_sample_sheet(samples).savefig(buffer, dpi=200, format=path.suffix.removeprefix(".") or "png")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(buffer.getvalue())
    return path


def draw_sample_sheet(samples: Sequence[SampleView]) -> "Figure":
    """A figure of samples, two in a row, each as four planes on the square-root scale."""
    from matplotlib.figure import Figure

    blocks = max(1, min(_BLOCKS, len(samples)))
    rows = max(1, -(-len(samples) // blocks))
    block_width = _LEFT + 4 * _PANEL + 3 * _GAP + _RIGHT
    width, height = blocks * block_width, _TOP + rows * (_TITLE + _PANEL + _GAP) + _BOTTOM
    figure = Figure(figsize=(width, height), facecolor="white")
    for number, sample in enumerate(samples):
        row, block = divmod(number, blocks)
        left, top = block * block_width + _LEFT, height - _TOP - row * (_TITLE + _PANEL + _GAP) - _TITLE
        axes = [
            figure.add_axes(
                ((left + i * (_PANEL + _GAP)) / width, (top - _PANEL) / height, _PANEL / width, _PANEL / height)
            )
            for i in range(4)
        ]
        _draw_sample(axes, sample, first_row=row == 0, last_row=number + blocks >= len(samples))
    _draw_colour_bar(figure, width, height)
    return figure


def _draw_sample(axes: "list[Axes]", sample: SampleView, *, first_row: bool, last_row: bool) -> None:
    panels = (
        (r"$I_{\mathrm{D}}$ with dead zones", np.where(sample.live, root_scaled(sample.scattering), np.nan)),
        (r"$I_{\mathrm{FF}}$", root_scaled(sample.form_factor)),
        (r"$I_{\mathrm{SRO}}$", root_scaled(sample.sro)),
        ("mask", None),
    )
    for number, (one, (heading, plane)) in enumerate(zip(axes, panels, strict=True)):
        half_pixel = sample.q_max / len(sample.live)
        edges = (-sample.q_max - half_pixel, sample.q_max - half_pixel) * 2
        if plane is None:
            one.imshow(sample.live, cmap=_mask_colours(), vmin=0, vmax=1, origin="lower", extent=edges)
        else:
            one.imshow(plane, cmap=_colour_map(), vmin=0, vmax=1, origin="lower", extent=edges, interpolation="nearest")
        one.set(xticks=_TICKS, yticks=_TICKS)
        one.tick_params(labelsize=6.5, length=2, width=0.5, pad=1.5, labelbottom=last_row, labelleft=number == 0)
        one.spines[:].set_linewidth(0.5)
        if last_row:
            one.set_xlabel(r"$Q_x$ (1/Å)", fontsize=7, labelpad=1.5)
        if number == 0:
            one.set_ylabel(r"$Q_y$ (1/Å)", fontsize=7, labelpad=0)
        if first_row:
            one.text(0.5, 1.31, heading, transform=one.transAxes, ha="center", va="bottom", fontsize=8)
    _write_title(axes[0], sample)


def _write_title(axes: "Axes", sample: SampleView) -> None:
    name = f"${sample.along_x}{sample.along_y}$ plane, ${sample.constant} = {offset_words(sample.offset)}$"
    fraction = rf"$m_{{\mathrm{{A}}}} = {sample.fraction_a:.2f}$"
    axes.text(0.0, 1.13, sample.pair, transform=axes.transAxes, fontsize=7, fontweight="bold", va="bottom")
    details = f"{name};  {fraction};  {set_words(sample.set_kind)};  {sample.split}"
    axes.text(0.0, 1.035, details, transform=axes.transAxes, fontsize=6.5, va="bottom", color="0.3")


def _draw_colour_bar(figure: "Figure", width: float, height: float) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.patches import Patch

    axes = figure.add_axes((_LEFT / width, 0.34 / height, 2.5 / width, 0.09 / height))
    mappable = ScalarMappable(Normalize(0, 1), _colour_map())
    bar = figure.colorbar(mappable, cax=axes, orientation="horizontal", ticks=[0, 0.5, 1])
    bar.outline.set_linewidth(0.5)
    bar.ax.tick_params(labelsize=6.5, length=2, width=0.5, pad=1.5)
    bar.set_label(r"$\sqrt{I\,/\,I_{\mathrm{max}}}$", fontsize=7, labelpad=1)
    figure.legend(
        handles=[
            Patch(facecolor=DEAD_COLOUR, edgecolor="black", linewidth=0.5, label="dead"),
            Patch(facecolor=LIVE_COLOUR, edgecolor="black", linewidth=0.5, label="live"),
        ],
        loc="center left",
        bbox_to_anchor=((_LEFT + 2.7) / width, 0.38 / height),
        ncols=2,
        fontsize=7,
        frameon=False,
        handlelength=1.0,
        handleheight=1.0,
    )


def _colour_map() -> "Colormap":
    from matplotlib import colormaps

    return colormaps[COLOUR_MAP].with_extremes(bad=DEAD_COLOUR)


def _mask_colours() -> "Colormap":
    from matplotlib.colors import ListedColormap

    return ListedColormap([DEAD_COLOUR, LIVE_COLOUR])


def colour_table() -> npt.NDArray[np.uint8]:
    """The colour map as (256, 3) bytes."""
    from matplotlib import colormaps

    return (colormaps[COLOUR_MAP](np.arange(256))[:, :3] * 255).round().astype(np.uint8)
