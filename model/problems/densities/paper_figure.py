"""The fit of a powder pattern as a figure for a paper, two columns wide."""

from typing import TYPE_CHECKING

from dsfu.model.problems.densities.fitting import Fit
from dsfu.paper import curve_panel, draw_fit, empty_figure, paper_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def pattern_figure(found: Fit) -> "Figure":
    """Net intensity over 2θ, the fit and what it leaves."""
    with paper_style():
        figure = empty_figure(2, 2.3)
        axes = figure.subplots()
        draw_fit(axes, found.two_theta, found.net, found.calculated)
        curve_panel(axes, None, "2θ (degrees)", "net intensity")
        words = f"{found.kind.prototype}, $R$ = {found.r:.3f}"
        axes.text(0.5, 0.98, words, transform=axes.transAxes, ha="center", va="top", fontsize=6.5)
    return figure
