"""How long a refinement against I_FF takes, and how well its angle and D_w are known, on the paper's example.

    python tests/benchmarks/refine_ff.py [--seeds 8]

One thread. Ratios: |F_A − F_B|² by `DifferenceOnPlane` beside `disorder.forward` (both in double precision), and a
derivative beside an evaluation. Then, over seeds, by how many of its stated uncertainties a refined value is off: the
root mean square should be near 1.
"""

import argparse
import os
import time
from collections.abc import Callable

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
import torch
from tba import CELL, EXAMPLE, TBUTYL

from dsfu.model.measured.molecules.data import ObservedFormFactor
from dsfu.model.measured.molecules.fit import gauss_newton
from dsfu.model.measured.molecules.model import FormFactorModel
from dsfu.model.measured.molecules.parameters import kinds_of
from dsfu.model.measured.molecules.torsion import torsions_of
from dsfu.model.problems.disorder import forward
from dsfu.simulate.disorder.planes import layer
from dsfu.simulate.structures.files import read_structure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=8)
    seeds = parser.parse_args().seeds
    torch.set_num_threads(1)
    pair = (read_structure(EXAMPLE / "up.xyz"), read_structure(EXAMPLE / "down.xyz"))
    torsions = torsions_of([TBUTYL], pair)
    plane = layer(CELL, "c", 1, 7.0, 256)
    flat = np.ones((256, 256))
    model = FormFactorModel([_observed(flat, plane)], pair, torsions)
    values = model.layout.start()
    values[model.layout.where("dw")] = 0.03
    _times(model, values, plane)
    values[0] = 200 / model.planes(values)[0].max()
    truth = model.planes(values)[0]
    sigma = np.sqrt(truth + 1)
    free = model.layout.free(kinds_of("torsions,dw"))
    off = []
    start = time.perf_counter()
    for seed in range(seeds):
        noisy = np.random.default_rng(seed).normal(truth, sigma)
        fit = gauss_newton(FormFactorModel([_observed(noisy, plane, sigma)], pair, torsions), values, free)
        off.append(((fit.values - values) / np.where(free, fit.uncertainties, 1))[free])
    each = (time.perf_counter() - start) / seeds
    print(f"{seeds} refinements of 3 parameters, {each:.1f} s each; off by so many stated uncertainties (rms):")
    for parameter, column in zip(np.array(model.layout.parameters)[free], np.array(off).T, strict=True):
        print(f"  {parameter.name:<12}{np.sqrt(np.square(column).mean()):6.2f}")


def _observed(values: np.ndarray, plane: object, sigma: np.ndarray | None = None) -> ObservedFormFactor:
    return ObservedFormFactor(form_factor=values, live=np.ones(values.shape, bool), plane=plane, sigma=sigma)


def _times(model: FormFactorModel, values: np.ndarray, plane: object) -> None:
    vector = torch.tensor(values)
    positions = model.positions(vector)
    numbers = np.concatenate([each.numbers for each in model.geometry.structures])
    signs = np.repeat([1.0, -1.0], [len(each) for each in model.geometry.structures])
    atoms = forward.Atoms(
        positions=positions[None], numbers=torch.tensor(numbers)[None], signs=torch.tensor(signs)[None]
    )
    planes = forward.PlaneBatch.of([plane])
    kinds = [model.layout.free(kinds_of(text)) for text in ("torsions,rotation,translation", "")]
    with torch.no_grad():
        ours = _seconds(lambda: model.difference(vector))
        twin = _seconds(lambda: forward.form_factor(atoms, torch.ones(1), planes, torch.float64))
    both = [_seconds(lambda free=free: model.jacobian(values, free)) for free in kinds]
    derivative = (both[0] - both[1]) / 10
    print(f"240 atoms, 256 × 256 pixels: {1e3 * ours:.0f} ms; forward.py {twin / ours:.1f} times as long")
    print(f"a derivative: {derivative / ours:.1f} times as long as the intensity itself")


def _seconds(work: Callable[[], object]) -> float:
    work()
    times = []
    for _ in range(5):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


if __name__ == "__main__":
    main()
