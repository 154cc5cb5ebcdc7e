"""What is shown of a sample of a data set: its G(r) and its atoms."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from dsfu.panels import Curve, Panel, Points
from dsfu.simulate.particles.fields import PDF_FIELD, unpacked


def sample_panels(sample: Mapping[str, Any]) -> list[Panel] | None:
    """Panels of what a store holds of a sample, and of its shape; None where it holds no G."""
    if PDF_FIELD.name not in sample:
        return None
    pdf = unpacked(sample[PDF_FIELD.name], sample["pdf_unit"]).astype(np.float64)
    r = np.arange(len(pdf)) * float(sample["r_step"])
    words = f"{sample['shapes/name']}, b {float(sample['bond_length']):.2f} Å"
    atoms = sample["shapes/positions"][: int(sample["atoms"])] * float(sample["bond_length"])
    return [
        Curve(title=words, x=r, lines={"G": pdf}, x_label="r (Å)", y_label="G (1/Å²)"),
        Points(title=f"{sample['atoms']} atoms", points={"atoms": atoms - atoms.mean(axis=0)}, unit="Å"),
    ]
