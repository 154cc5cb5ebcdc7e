"""Pretend to measure a crystal: the reconstruction of a disordered one, as Meerkat writes it, with all that is wrong.

    python examples/measure_crystal.py measure crystal.h5 truth.json    # dead zones, counting noise, Bragg peaks
    python examples/measure_crystal.py compare truth.json alpha.json    # what came out of it, beside what went in

The molecules are two that no network was trained on, ordered within the layers normal to b and not from layer to layer.
What `dsfu-model` makes of the file can be compared with the truth, which a measurement never has.
"""

import json
import sys
from pathlib import Path

import numpy as np

from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.readers.writing import write_meerkat
from dsfu.simulate.disorder.dead_zones import live_pixels
from dsfu.simulate.disorder.metropolis import generate_set
from dsfu.simulate.disorder.planes import layer
from dsfu.simulate.disorder.random_masks import random_experiment
from dsfu.simulate.disorder.scattering import simulate_planes
from dsfu.simulate.lattice import vegard_cell
from dsfu.simulate.species import load_library

STEP = 0.04
"""Of h and l; that of k is half a layer."""

VOXELS = 360
LAYERS = np.arange(0, 2.01, 0.5)
MEAN_COUNTS = 400.0
SEED = 5


def measure(file: Path, truth: Path) -> None:
    """Write a reconstruction and what it was made from."""
    library = load_library()
    a, b = library["methylimidazole"], library["piperazine"]
    order = generate_set(fraction_a=0.4, targets=(0.3, 0.0, -0.15), seed=SEED)
    alpha = np.array(order.alpha)
    alpha[:, np.arange(11) != 5, :] = 0  # of a crystal larger than the simulated one, where chance leaves nothing
    cell = vegard_cell(a.cell, b.cell, order.fraction_a)
    q_max = STEP * VOXELS / 2 * float(np.linalg.norm(cell.reciprocal[0]))  # of a tetragonal cell: h along x, l along y
    planes = [layer(cell, "b", float(k), q_max, VOXELS) for k in LAYERS]
    crystal = simulate_planes(a.atoms, b.atoms, order.fraction_a, cell, alpha, planes)
    experiment = random_experiment(SEED)
    friedel = [-np.eye(3)]
    live = np.stack([live_pixels(plane, experiment, equivalents=friedel) for plane in planes])
    rng = np.random.default_rng(SEED)
    expected = np.stack([each.intensity for each in crystal])
    expected = _with_bragg_peaks(expected * (MEAN_COUNTS / expected.mean()))
    counts = rng.poisson(expected).astype(np.float32)
    reconstruction = Reconstruction(
        intensity=np.where(live, counts, 0).transpose(2, 0, 1),  # [k, l, h] to [h, k, l]
        live=live.transpose(2, 0, 1),
        origin=np.array([-STEP * (VOXELS // 2), LAYERS[0], -STEP * (VOXELS // 2)]),
        steps=np.diag([STEP, LAYERS[1] - LAYERS[0], STEP]),
        cell=cell,
        source=file.name,
    )
    write_meerkat(file, reconstruction)
    truth.write_text(json.dumps({"fraction_a": order.fraction_a, "alpha": alpha.tolist()}))
    print(f"wrote {file}: {a.name} and {b.name}, {100 * order.fraction_a:.0f} : {100 - 100 * order.fraction_a:.0f}")


def _with_bragg_peaks(intensity: np.ndarray) -> np.ndarray:
    """Sharp peaks on the whole layers, much brighter than all else, a voxel or so wide."""
    peaked = intensity.copy()
    indices = (np.arange(VOXELS) - VOXELS // 2) * STEP
    near = np.exp(-0.5 * ((indices - np.round(indices)) / (0.4 * STEP)) ** 2)
    for number, k in enumerate(LAYERS):
        if k == round(k):
            peaked[number] += 50 * intensity.max() * near[:, None] * near[None, :]
    return peaked


def compare(truth: Path, refined: Path) -> None:
    """Print refined parameters beside the true ones, by shell."""
    alpha = np.array(json.loads(truth.read_text())["alpha"])
    print(f"{'u v w':>9s} {'true':>8s} {'refined':>9s} {'s.u.':>8s}")
    for shell in json.loads(refined.read_text())["refinements"][0]["shells"]:
        vector = np.array(shell["vector"])
        true = alpha[tuple(vector + 5)]
        words = " ".join(map(str, vector))
        print(f"{words:>9s} {true:8.4f} {shell['alpha']:9.4f} {shell['uncertainty']:8.4f}")


if __name__ == "__main__":
    verb, *files = sys.argv[1:] or [""]
    verbs = {"measure": measure, "compare": compare}
    if verb not in verbs or len(files) != 2:
        sys.exit(__doc__)
    verbs[verb](Path(files[0]), Path(files[1]))
