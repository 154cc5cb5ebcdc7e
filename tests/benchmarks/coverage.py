"""How often 68 % intervals of Warren–Cowley parameters hold the truth, from a simulated plane to the parameters.

    python tests/benchmarks/coverage.py [--count 200] [--counts 100 1000]

Every plane is the hk0 layer of a tetragonal crystal, without order along c, with Poisson noise and the dead zones of a
random experiment; a new order and new noise every time. It is factorised by the solver. Then parameters and
uncertainties come from refinements against I_SRO and against I_D / I_FF with symmetry 4/m, and from the solver's own
covariance, averaged over the same symmetry. One thread.
"""

import argparse
import os
import time

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
import torch

from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.order.planes import SroPlane, SroSettings
from dsfu.model.measured.order.refine import refine_sro
from dsfu.model.measured.order.result import SroRefinement
from dsfu.model.measured.solver.settings import SolverSettings
from dsfu.model.measured.solver.solve import solve
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.dead_zones import live_pixels
from dsfu.simulate.disorder.fields import ALPHA_SHAPE, SHELL_CUTOFF
from dsfu.simulate.disorder.planes import layer
from dsfu.simulate.disorder.random_masks import random_experiment
from dsfu.simulate.disorder.scattering import simulate_plane
from dsfu.simulate.lattice import Cell
from dsfu.simulate.species import load_library

CELL = Cell(5.2, 5.2, 5.2)
PLANE = layer(CELL, "c", 0, 5.0, 96)
SPECIES = ("sulfate", "perchlorate_R")
SOURCES = ("from I_SRO", "from I_D / I_FF", "the solver's own")
ORDER = SroSettings(symmetry="4/m", no_order_along="c", negative="allowed")
SETTINGS = SolverSettings(cutoff=5, uncertainty=True)


def order(rng: np.random.Generator) -> FloatArray:
    """A decaying oscillation with the distance, (11, 11, 11); 0 off the layer."""
    alpha = np.zeros(ALPHA_SHAPE)
    u, v = np.mgrid[-SHELL_CUTOFF : SHELL_CUTOFF + 1, -SHELL_CUTOFF : SHELL_CUTOFF + 1]
    distance = np.hypot(u, v)
    decay, wave, height = rng.uniform(0.8, 1.6), rng.uniform(0.5, 3.1), rng.uniform(0.2, 0.5)
    alpha[:, :, SHELL_CUTOFF] = height * np.exp(-decay * (distance - 1)) * np.cos(wave * distance)
    alpha[(SHELL_CUTOFF,) * 3] = 1
    return alpha


def plane_of(number: int, counts: float) -> tuple[MeasuredPlane, FloatArray]:
    """A plane with its α; orders whose I_SRO falls below zero are drawn again."""
    rng = np.random.default_rng([number, 7])
    library = {name: species.atoms for name, species in load_library().items()}
    while True:
        alpha = order(rng)
        made = simulate_plane(library[SPECIES[0]], library[SPECIES[1]], 0.5, CELL, alpha, PLANE)
        if made.sro.min() > 0.02:
            break
    ideal = made.form_factor.astype(np.float64) * made.sro
    scale = counts / ideal.max()
    attempt, live = 0, np.zeros(ideal.shape, np.bool_)
    while live.mean() < 0.6:
        live = live_pixels(PLANE, random_experiment((number, attempt)))
        attempt += 1
    seen = np.where(live, rng.poisson(scale * ideal), 0).astype(np.float64)
    return MeasuredPlane(intensity=seen, live=live, plane=PLANE, cell=CELL, name=f"plane {number}"), alpha


def scaled_errors(refined: SroRefinement, alpha: FloatArray) -> FloatArray:
    """(found − true) / stated uncertainty of every shell."""
    vectors = np.array([shell.vector for shell in refined.shells]) + SHELL_CUTOFF
    true = alpha[tuple(vectors[:, :2].T)][:, SHELL_CUTOFF]
    return np.asarray((refined.values - true) / refined.uncertainties)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200, help="planes for each number of counts")
    parser.add_argument("--counts", type=float, nargs="+", default=[100.0, 1000.0], help="at the brightest pixel")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    print("| counts | parameters | planes | within 1 s.u. | within 2 s.u. | rms of error / s.u. | median s.u. |")
    print("|---|---|---|---|---|---|---|")
    for counts in asked.counts:
        start = time.process_time()
        scaled: dict[str, list[FloatArray]] = {name: [] for name in SOURCES}
        stated: dict[str, list[FloatArray]] = {name: [] for name in scaled}
        for number in range(asked.count):
            measured, alpha = plane_of(number, counts)
            for name, refined in zip(scaled, refinements(measured), strict=True):
                scaled[name].append(scaled_errors(refined, alpha))
                stated[name].append(refined.uncertainties)
        for name, parts in scaled.items():
            off = np.concatenate(parts)
            within = [f"{(np.abs(off) < limit).mean():.1%}" for limit in (1, 2)]
            print(
                f"| {counts:g} | {name} | {len(parts)} | {' | '.join(within)} | {np.sqrt(np.square(off).mean()):.2f} | "
                f"{np.median(np.concatenate(stated[name])):.5f} |"
            )
        print(f"| | CPU-seconds a plane | {(time.process_time() - start) / asked.count:.2f} | | | | |", flush=True)


def refinements(measured: MeasuredPlane) -> list[SroRefinement]:
    """In the order of SOURCES."""
    solution = solve([measured], SETTINGS)
    plane = solution.planes[0]
    quotient = measured.intensity / np.maximum(plane.form_factor, 1e-3 * plane.form_factor.max())
    given = [
        SroPlane(sro=sro, live=measured.live, plane=PLANE, cell=CELL, form_factor=plane.form_factor)
        for sro in (plane.sro, quotient)
    ]
    assert solution.alpha_covariance is not None
    own = SroRefinement.from_solver(
        solution.alpha_vectors, solution.alpha_values, solution.alpha_covariance, cell=CELL, symmetry="4/m"
    )
    return [*(refine_sro([each], ORDER) for each in given), own]


if __name__ == "__main__":
    main()
