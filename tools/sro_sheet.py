"""Pictures of short-range-order sets: I_SRO of Monte Carlo sets on hk0 or hk½, and of damped oscillators on h0l."""

from argparse import ArgumentParser
from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.fields import SHELL_CUTOFF
from dsfu.simulate.disorder.metropolis import draw_monte_carlo_set
from dsfu.simulate.disorder.oscillator import Lattice, draw_oscillator_set
from dsfu.simulate.disorder.planes import layer
from dsfu.simulate.disorder.sro_set import SroSet
from dsfu.simulate.lattice import Cell
from dsfu.simulate.random_stream import stream_key

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS: Final = 6
_PIXELS: Final = 160
_CELL_EDGE: Final = 2 * np.pi
"""In Å: a reciprocal edge of 1/Å, so that a plane spans as many cells as its width in 1/Å."""

_HALF_WIDTH: Final = 1.75
"""Reciprocal cells from the middle of a picture to its edge."""

_REPELS: Final = -0.05
"""Below this α of the neighbour along c, the layer halfway between Bragg layers is shown."""

_CELLS: Final[dict[Lattice, Cell]] = {
    "hexagonal": Cell(_CELL_EDGE, _CELL_EDGE, _CELL_EDGE, beta=120.0),
    "tetragonal": Cell(_CELL_EDGE, _CELL_EDGE, _CELL_EDGE),
}


def draw_monte_carlo_sheet(sets: Sequence[SroSet]) -> "Figure":
    """I_SRO with h to the right and k up, with composition, targets (a, b, c) and greatest value.

    The plane is hk0, or hk½ where neighbours along c repel, and the maxima lie between Bragg layers. Needs matplotlib,
    of the pipeline's extra.
    """
    cell = _CELLS["tetragonal"]
    figure, panels = _figure(len(sets), "I_SRO of Monte Carlo sets on hk0 or hk½", "h", "k")
    for axes, each in zip(panels, sets, strict=False):
        targets = ", ".join(f"{each.parameters[f'target_{axis}']:+.2f}" for axis in "abc")
        index, name = (0.5, "hk½") if each.parameters["target_c"] < _REPELS else (0.0, "hk0")
        hkl = layer(cell, "c", index, _HALF_WIDTH, _PIXELS).hkl(cell)
        top = _show(axes, short_range_order(each.alpha, hkl))
        axes.set_title(f"{name}   $m_A$ = {each.fraction_a:.2f}   max {top:.1f}\nα ({targets})", fontsize=6.5, pad=3)
    return figure


def draw_oscillator_sheet(sets: Sequence[tuple[Lattice, SroSet]]) -> "Figure":
    """I_SRO on the h0l plane, h* to the right, with A, d, ω and greatest value."""
    figure, panels = _figure(len(sets), "I_SRO of damped oscillators on h0l", None, None)
    for axes, (lattice, each) in zip(panels, sets, strict=False):
        cell = _CELLS[lattice]
        top = _show(axes, short_range_order(each.alpha, layer(cell, "b", 0.0, _HALF_WIDTH, _PIXELS).hkl(cell)))
        p = each.parameters
        numbers = f"A {p['amplitude']:.2f}, d {p['decay']:.2f}, ω {p['frequency']:.2f}"
        clipped = f"clipped {100 * p['clipped_share']:.0f} %"
        axes.set_title(f"{lattice}   max {top:.1f}   {clipped}\n{numbers}", fontsize=6.5, pad=3)
    return figure


def short_range_order(alpha: FloatArray, hkl: FloatArray) -> FloatArray:
    """I_SRO = Σ_v α_v cos 2π(hu + kv + lw), zero where that is negative, at points (..., 3)."""
    vectors = np.argwhere(alpha != 0) - SHELL_CUTOFF
    values = alpha[alpha != 0]
    total = np.zeros(hkl.shape[:-1])
    for start in range(0, len(values), 64):
        phases = 2 * np.pi * hkl @ vectors[start : start + 64].T
        total += np.cos(phases) @ values[start : start + 64]
    return np.maximum(total, 0.0)


def _figure(count: int, title: str, x_label: str | None, y_label: str | None) -> "tuple[Figure, list[Axes]]":
    from matplotlib.figure import Figure

    rows = ceil(count / COLUMNS)
    figure = Figure(figsize=(1.75 * COLUMNS, 2.1 * rows + 0.4), layout="constrained")
    figure.suptitle(f"{title}; each on its own scale from 0 to its greatest value", fontsize=9)
    panels = list(np.atleast_1d(figure.subplots(rows, COLUMNS)).flat)
    for number, axes in enumerate(panels):
        if number >= count:
            axes.set_axis_off()
        axes.tick_params(labelsize=5, length=2, pad=1)
        axes.set_xticks([-1, 0, 1])
        axes.set_yticks([-1, 0, 1])
        if x_label and y_label:
            axes.set_xlabel(x_label, fontsize=6, labelpad=0)
            axes.set_ylabel(y_label, fontsize=6, labelpad=0)
    return figure, panels


def _show(axes: "Axes", intensity: FloatArray) -> float:
    top = float(intensity.max())
    edge = _HALF_WIDTH * (1 + 1 / _PIXELS)
    axes.imshow(
        intensity,
        origin="lower",
        cmap="magma",
        vmin=0,
        vmax=top,
        extent=(-edge, 2 * _HALF_WIDTH - edge, -edge, 2 * _HALF_WIDTH - edge),
    )
    return top


def main(arguments: Sequence[str] | None = None) -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for sro_monte_carlo.png and sro_oscillator.png")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=24, help="sets on each sheet")
    parser.add_argument("--box", type=int, default=64, help="sites along the edge of the simulated box")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    seeds = [stream_key(options.seed, "sheet", number) for number in range(options.count)]
    monte_carlo = [draw_monte_carlo_set(seed, box=options.box) for seed in seeds]
    draw_monte_carlo_sheet(monte_carlo).savefig(options.out / "sro_monte_carlo.png", dpi=200)
    lattices: list[Lattice] = ["hexagonal", "tetragonal"]
    chosen = [lattices[2 * number // options.count] for number in range(options.count)]
    oscillators = [(one, draw_oscillator_set(seed, one)) for one, seed in zip(chosen, seeds, strict=True)]
    draw_oscillator_sheet(oscillators).savefig(options.out / "sro_oscillator.png", dpi=200)


if __name__ == "__main__":
    main()
