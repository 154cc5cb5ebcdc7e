"""The fit of a particle and the particle itself as a figure for a paper, two columns wide."""

from typing import TYPE_CHECKING, Any

import numpy as np

from dsfu.model.problems.particles.output import fit_curve
from dsfu.model.problems.particles.page import turned
from dsfu.model.problems.particles.solving import Candidate, ParticleSolution
from dsfu.paper import curve_panel, draw_fit, empty_figure, letter, paper_style
from dsfu.simulate.arrays import FloatArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def particle_figure(solution: ParticleSolution, best: Candidate) -> "Figure":
    """G(r) without slow waves with its fit, and the particle along its shortest and its longest axis."""
    atoms, radius = turned(best), best.refined.bond / 2
    reach = float(np.abs(atoms).max()) + 1.15 * radius
    with paper_style():
        figure = empty_figure(2, 2.1)
        curve, above, beside = figure.subplots(1, 3, width_ratios=(2.5, 1, 1))
        draw_fit(curve, solution.space.r, solution.space.curve, fit_curve(solution, best))
        curve_panel(curve, 0, "$r$ (Å)", "$G$ (Å$^{-2}$)")
        for number, (axes, order) in enumerate(((above, (0, 1, 2)), (beside, (1, 2, 0)))):
            draw_spheres(axes, atoms[:, list(order)], radius, reach)
            letter(axes, number + 1)
        _scale(above, reach)
    return figure


def draw_spheres(axes: Any, positions: FloatArray, radius: float, reach: float) -> None:
    """Atoms seen along the third axis, the nearer the stronger."""
    from matplotlib import colormaps
    from matplotlib.patches import Circle

    order = np.argsort(positions[:, 2])
    depth = (positions[order, 2] - positions[:, 2].min()) / max(float(np.ptp(positions[:, 2])), 1e-9)
    for (x, y), near in zip(positions[order, :2], depth, strict=True):
        colour = colormaps["Blues"](0.25 + 0.5 * float(near))
        axes.add_patch(Circle((x, y), radius, facecolor=colour, edgecolor="white", linewidth=0.25))
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    axes.set_axis_off()


def _scale(axes: Any, reach: float) -> None:
    """A bar of a nanometre, or half of one, for the sizes of both views."""
    length = 10.0 if reach > 12 else 5.0
    axes.plot([-length / 2, length / 2], [-1.12 * reach] * 2, color="black", linewidth=1, clip_on=False)
    axes.text(0, -1.16 * reach, f"{length / 10:g} nm", ha="center", va="top", fontsize=6)
