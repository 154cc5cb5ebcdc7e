"""The paper's example from end to end: a simulated hk1 plane, factorised, and refined against both factors.

    python tests/benchmarks/example_tba.py [--seeds 3] [--counts 400 4000] [--weights FILE]

For every number of counts at the brightest pixel, for σ = √counts of single pixels and for σ that is estimated from the
plane, and for the solver and (with --weights) the hybrid: errors of the Warren–Cowley parameters, refined from I_SRO
or from I_D / I_FF with the Laue class 6/m, and taken from the solver itself (with --own), beside their stated
uncertainties, and to be held against the 0.004 to 0.02 by which the paper's two methods differ; and the torsion of the
tert-butyl groups, refined against I_D / I_SRO, whose true value is 0. One thread.
"""

import argparse
import os
import time
from collections.abc import Sequence
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
import torch
from tba import CELL, EXAMPLE, TBUTYL, TbaTruth, orbit, simulated_tba_plane

from dsfu.model.measured.factorise.factors import CrystalFactors, PlaneFactors
from dsfu.model.measured.factorise.methods import Network, factorise, fill, load_network
from dsfu.model.measured.molecules.data import quotient
from dsfu.model.measured.molecules.parameters import kinds_of
from dsfu.model.measured.molecules.refine import RefinementSettings as StructureSettings
from dsfu.model.measured.molecules.refine import refine_form_factor
from dsfu.model.measured.molecules.torsion import torsions_of
from dsfu.model.measured.order.planes import SroPlane, SroSettings
from dsfu.model.measured.order.refine import refine_sro
from dsfu.model.measured.order.result import SroRefinement
from dsfu.model.measured.solver.settings import SolverSettings
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.structures.files import read_structure

ORDER = SroSettings(symmetry="6/m", no_order_along="c")
SCAN_DEGREES = tuple(np.arange(-60.0, 60.0, 15.0).tolist())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--counts", type=float, nargs="+", default=[400.0, 4000.0])
    parser.add_argument("--pixels", type=int, default=256)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--own", action="store_true", help="the solver's own parameters too, which takes longer")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    network = load_network(asked.weights) if asked.weights else None
    print(
        "| counts | σ | method | parameters | error, rms | largest | stated s.u., rms | within 1 s.u. | torsion (°) |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    start = time.process_time()
    for counts in asked.counts:
        for known in (True, False):
            _report(asked.seeds, asked.pixels, counts, known, network, asked.own)
    print(f"\nCPU-seconds in all: {time.process_time() - start:.0f}")


def _report(seeds: int, pixels: int, counts: float, known: bool, network: Network | None, own: bool) -> None:
    found: dict[tuple[str, str], list[tuple[FloatArray, FloatArray, str]]] = {}
    for seed in range(seeds):
        for method, factors, truth in _factors(seed, pixels, counts, known, network, own):
            plane = factors.planes[0]
            torsion = _torsion(plane)
            for source, order in (("from I_SRO", plane.sro), ("from I_D / I_FF", _quotient(plane))):
                refined = refine_sro([_order(plane, order)], ORDER)
                found.setdefault((method, source), []).append((*_errors(refined, truth), torsion))
            if factors.alpha_covariance is not None and method == "solver":
                assert factors.alpha_vectors is not None
                assert factors.alpha is not None
                of_solver = SroRefinement.from_solver(
                    factors.alpha_vectors, factors.alpha, factors.alpha_covariance, cell=CELL, symmetry="6/m"
                )
                found.setdefault((method, "the solver's own"), []).append((*_errors(of_solver, truth), "–"))
    for (method, source), parts in found.items():
        errors, stated = (np.concatenate([part[i] for part in parts]) for i in range(2))
        within = float((np.abs(errors) < stated).mean())
        torsions = ", ".join(part[2] for part in parts)
        print(
            f"| {counts:g} | {'√counts' if known else 'estimated'} | {method} | {source} | {_rms(errors):.4f} | "
            f"{np.abs(errors).max():.4f} | {_rms(stated):.4f} | {within:.0%} | {torsions} |",
            flush=True,
        )


def _factors(
    seed: int, pixels: int, counts: float, known: bool, network: Network | None, own: bool
) -> list[tuple[str, CrystalFactors, TbaTruth]]:
    measured, truth = simulated_tba_plane(seed, counts, pixels=pixels)
    if not known:
        measured = type(measured)(**{**vars(measured), "sigma": None})
    solved = factorise([measured], "solver", settings=SolverSettings(uncertainty=own))
    return [("solver", solved, truth), *([("hybrid", fill(solved, network), truth)] if network else [])]


def _quotient(plane: PlaneFactors) -> FloatArray:
    """I_SRO with the noise of the data, which tells a refinement how sure it can be."""
    observed = (plane.measured.intensity - plane.background).astype(np.float64)
    return observed / np.maximum(plane.form_factor, 1e-3 * plane.form_factor.max())


def _order(plane: PlaneFactors, sro: FloatArray) -> SroPlane:
    assert plane.cell is not None
    return SroPlane(sro=sro, live=plane.live, plane=plane.plane, cell=plane.cell, form_factor=plane.form_factor)


def _errors(refined: SroRefinement, truth: TbaTruth) -> tuple[FloatArray, FloatArray]:
    """Of the parameters of the paper's table: found − true, and the stated uncertainty."""
    true = {vector: value for (u, v), value in truth.alpha_of_orbits.items() for vector in _both_signs(orbit(u, v))}
    pairs = [(shell, true[shell.vector[:2]]) for shell in refined.shells if shell.vector[:2] in true]
    errors = np.array([shell.alpha - value for shell, value in pairs])
    return errors, np.array([shell.uncertainty for shell, _ in pairs])


def _both_signs(vectors: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    return [*vectors, *((-u, -v) for u, v in vectors)]


def _torsion(plane: PlaneFactors) -> str:
    """Refined with scale and D_w against I_D / I_SRO, after a scan over all of its period."""
    pair = (read_structure(EXAMPLE / "up.xyz"), read_structure(EXAMPLE / "down.xyz"))
    settings = StructureSettings(kinds=kinds_of("scale,torsions,dw"), scan_angles=SCAN_DEGREES)
    refined = refine_form_factor([quotient(plane)], pair, torsions_of([TBUTYL], pair), settings)
    where = refined.model.layout.where("torsions").start
    return f"{refined.fit.values[where]:.2f} ± {refined.fit.uncertainties[where]:.2f}"


def _rms(values: FloatArray) -> float:
    return float(np.sqrt(np.square(values).mean()))


if __name__ == "__main__":
    main()
