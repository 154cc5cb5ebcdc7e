"""A refinement of short-range order as a figure for a paper: I_SRO in one cell, and α over distance."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dsfu.model.measured.order.picture import Row, draw_parameters, draw_row
from dsfu.model.measured.order.result import SroRefinement
from dsfu.paper import empty_figure, letter, paper_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def order_figure(rows: Sequence[Row], refinements: Sequence[SroRefinement]) -> "Figure":
    """α over distance in one column; with a layer also observed, calculated and difference, in two columns."""
    with paper_style():
        if not rows:
            figure = empty_figure(1, 2.2)
            draw_parameters(figure.subplots(), refinements)
            return figure
        figure = empty_figure(2, 4.3)
        above, below = figure.subfigures(2, 1, height_ratios=(2.1, 2.2), squeeze=False)[:, 0]
        panels = above.subplots(1, 3)
        draw_row(panels, rows[0], refinements[0].cell)
        for number, axes in enumerate(panels):
            letter(axes, number)
        axes = below.subplots()
        draw_parameters(axes, refinements)
        letter(axes, 3)
        return figure
