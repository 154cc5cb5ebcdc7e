"""What is shown of a sample of a data set: its powder pattern and its density."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from dsfu.panels import Curve, Panel, VolumePanel
from dsfu.simulate.densities.conventions import FULL
from dsfu.simulate.densities.crystals import crystal_of


def sample_panels(sample: Mapping[str, Any]) -> list[Panel]:
    """Panels of what a store holds of a crystal."""
    from dsfu.simulate.densities.density import density

    values = np.asarray(sample["pattern"], np.float64) / FULL
    angles = (np.arange(len(values)) + 0.5) * 180 / len(values)
    strip = Curve(title="pattern, Mo Kα", x=angles, lines={"root of intensity": np.sqrt(values)}, x_label="2θ (°)")
    crystal = crystal_of(sample["cell"], sample["numbers"], sample["positions"], int(sample["atoms"]))
    return [strip, VolumePanel(title="density (e/Å³)", values=density(crystal).astype(np.float64))]
