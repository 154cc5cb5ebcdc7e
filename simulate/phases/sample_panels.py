"""What is shown of a sample of a data set: a section of |F|, its density and its atoms."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from dsfu.panels import Image, Panel, Points, VolumePanel
from dsfu.simulate.phases.fields import crystal_of
from dsfu.simulate.phases.structure_factors import density_of, full_sphere, structure_factors


def sample_panels(sample: Mapping[str, Any]) -> list[Panel]:
    """Panels of what a store holds of a crystal; its grids are made where it holds none."""
    grids = sample if "density" in sample else _grids(sample)
    atoms = int(sample["atom_count"])
    numbers, positions = sample["numbers"][:atoms], sample["positions"][:atoms]
    section = np.array(grids["amplitude"], dtype=np.float64)[:, :, 0]
    if section.flat[0] > 0:
        section.flat[0] = np.nan  # F(000) outshines all
    told = f"{atoms} atoms, space group number {int(sample['space_group'])}"
    by_element = {f"Z = {z}": positions[numbers == z] for z in np.unique(numbers)}
    return [
        Image(title="|F| of the layer l = 0, h upwards, k to the right", values=np.fft.fftshift(section)),
        VolumePanel(title=f"density: {told}", values=np.asarray(grids["density"], dtype=np.float64)),
        Points(title="atoms", points=by_element, box=np.eye(3)),
    ]


def _grids(sample: Mapping[str, Any]) -> Mapping[str, Any]:
    """Those of points without noise, by what needs no compiler."""
    n = int(sample["grid_points"][0])
    waves = structure_factors(crystal_of(sample), n)
    return {"amplitude": full_sphere(np.abs(waves), n), "density": density_of(waves, n, sigma=1.0)}
