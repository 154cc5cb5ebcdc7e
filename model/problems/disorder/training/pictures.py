"""Pictures of what a network says of some planes: input, answer, truth, and how far off it is."""

from pathlib import Path

import numpy as np
from torch import Tensor

from dsfu.model.problems.disorder.batch import Batch
from dsfu.model.problems.disorder.networks.factoriser import Factoriser
from dsfu.model.problems.disorder.networks.scaling import measured_to_unit_range, to_unit_range
from dsfu.model.training.validation import predicted
from dsfu.simulate.arrays import Float32Array

TITLES = ("scattering", "form factor", "truth", "difference", "short-range order", "truth", "difference")


def draw_pictures(network: Factoriser, batch: Batch, path: Path, title: str) -> Float32Array:
    """Draw the planes of a batch, a row each, on the square-root scale; return the picture (y, x, rgb), 0 to 1."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = len(batch)
    figure = Figure(figsize=(13.0, 0.55 + 1.85 * rows), dpi=100, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots(rows, len(TITLES), squeeze=False)
    for across, planes in zip(axes, _columns(network, batch), strict=True):
        for axis, name, plane in zip(across, TITLES, planes, strict=True):
            is_difference = name == "difference"
            axis.imshow(
                plane,
                origin="lower",
                interpolation="nearest",
                cmap="RdBu_r" if is_difference else "viridis",
                vmin=-1,
                vmax=1,
            )
            axis.set_axis_off()
    for axis, name in zip(axes[0], TITLES, strict=True):
        axis.set_title(name, fontsize=10)
    figure.suptitle(title, fontsize=10, x=0.01, ha="left")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    drawn = np.asarray(canvas.buffer_rgba(), np.float32)  # type: ignore[no-untyped-call]
    return np.asarray(drawn[..., :3] / np.float32(255))


def _columns(network: Factoriser, batch: Batch) -> list[list[Float32Array]]:
    """The planes of each row, from −1 to +1; NaN where nothing was measured."""
    scattering = measured_to_unit_range(batch.intensity, batch.live).masked_fill(~batch.live, float("nan"))
    columns: list[Tensor] = [scattering]
    for roots, truth in zip(predicted(network, batch), (batch.form_factor, batch.sro), strict=True):
        ours, its = to_unit_range(roots), to_unit_range(truth.sqrt())
        columns += [ours, its, ours - its]
    arrays = [column[:, 0].cpu().numpy() for column in columns]
    return [list(row) for row in zip(*arrays, strict=True)]
