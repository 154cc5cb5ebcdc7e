"""A sample of a closed store, computed from its columns and the table of shapes."""

from typing import Any

import numpy as np

from dsfu.pipeline.making import Arrays
from dsfu.simulate.particles.debye import distance_table, known_shapes
from dsfu.simulate.particles.experiment import PdfExperiment, longest_for, with_baseline, with_noise
from dsfu.simulate.particles.fields import PDF_FIELD, packed


def recomputed(group: Any, split: str, index: int) -> Arrays:
    """G(r) of a sample, packed as it is stored; from positions of 4 bytes, so that steps may differ by one unit."""

    def of(name: str) -> float:
        return float(group[f"{split}/{name}"][index])

    row = int(of("shape"))
    positions = group["shapes/positions"][row][: int(of("atoms"))]
    table = distance_table([np.asarray(positions, np.float64)])
    experiment = PdfExperiment(
        q_min=of("q_min"),
        q_max=of("q_max"),
        q_damp=of("q_damp"),
        r_step=of("r_step"),
        points=int(group[f"{split}/{PDF_FIELD.name}"].shape[1]),
        longest=longest_for(float(table.distances[-1]) * of("bond_length")),
    )
    sums = known_shapes(
        table, [0], [of("bond_length")], [of("b_iso")], experiment.q_step, experiment.q_points, delta2=of("delta2")
    )
    pdf = experiment.pdf(sums)[0]
    draw = int(group[f"{split}/draw"][index])
    if of("baseline"):
        pdf = with_baseline(pdf, experiment.r, of("baseline"), draw)
    if of("noise"):
        pdf = with_noise(pdf, of("noise"), draw)
    steps, unit = packed(pdf)
    return {PDF_FIELD.name: steps, "pdf_unit": unit}
