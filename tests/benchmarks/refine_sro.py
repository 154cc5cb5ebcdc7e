"""Honesty and cost of refinements of short-range order.

How often the 68 % intervals hold the truth, for errors that are independent, correlated, averaged over equivalents, or
errors of the scale that vary slowly over the plane; and how long a refinement takes beside one least-squares fit of the
same pixels by numpy.linalg.lstsq in the same run.

OMP_NUM_THREADS=1 python tests/benchmarks/refine_sro.py [--count 200]
"""

import sys
from argparse import ArgumentParser
from pathlib import Path
from time import process_time

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from dsfu.model.measured.order.planes import SroPlane, SroSettings
from dsfu.model.measured.order.refine import refine_sro
from dsfu.model.measured.order.series import OrbitSeries, lattice_vectors
from dsfu.model.measured.symmetry.groups import laue_operators
from dsfu.model.measured.symmetry.orbits import orbits_of
from tests.benchmarks.tba import ALPHA as PAPER_ALPHA
from tests.model.measured.order.cases import hexagonal_layer, noise

SETTINGS = SroSettings(symmetry="6/m", no_order_along="c")


def planes(kind: str, count: int) -> list[SroPlane]:
    """Planes of the same crystal with different errors."""
    rng = np.random.default_rng(11)
    cell, plane, sro, form_factor, live = hexagonal_layer()
    made = []
    for _ in range(count):
        if kind == "slow gain":
            wrong = 0.1 * sro * noise(rng, sro.shape, smooth=8.0)
        else:
            smooth = 0.8 if "correlated" in kind else 0.0
            wrong = 0.3 * noise(rng, sro.shape, smooth=smooth, friedel="averaged" in kind) / np.sqrt(form_factor)
        made.append(SroPlane(sro=sro + wrong, live=live, plane=plane, cell=cell, form_factor=form_factor))
    return made


def coverage(kind: str, count: int) -> str:
    """A row of the table."""
    scaled, errors = [], []
    for plane in planes(kind, count):
        found = refine_sro([plane], SETTINGS)
        error = found.values - np.array([PAPER_ALPHA[shell.vector[:2]] for shell in found.shells])
        scaled.append(error / found.uncertainties)
        errors.append(error)
    inside, rms = np.abs(scaled) < 1, np.sqrt(np.mean(np.square(scaled)))
    worst = f"{inside.mean(axis=0).min():.2f}–{inside.mean(axis=0).max():.2f}"
    return f"{kind:24s} {inside.mean():9.3f} {worst:>12s} {rms:12.2f} {np.sqrt(np.mean(np.square(errors))):12.5f}"


def cost(count: int) -> tuple[float, float]:
    """Seconds of a refinement, and of a bare least-squares fit."""
    made = planes("independent", count)
    cell = made[0].cell
    series = OrbitSeries(orbits_of(lattice_vectors(cell, within="ab"), laue_operators("6/m", cell), cell))
    start = process_time()
    for plane in made:
        refine_sro([plane], SETTINGS)
    middle = process_time()
    for plane in made:
        columns = series.columns(plane.plane.hkl(cell)[plane.live])
        np.linalg.lstsq(columns, plane.sro[plane.live], rcond=None)
    return (middle - start) / count, (process_time() - middle) / count


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="refinements for each kind of error")
    count = parser.parse_args().count
    print(f"{'errors':24s} {'coverage':>9s} {'by shell':>12s} {'rms of d/s.u.':>12s} {'rms error':>12s}")
    for kind in ("independent", "correlated", "averaged", "correlated, averaged", "slow gain"):
        print(coverage(kind, count), flush=True)
    whole, bare = cost(5)
    print(f"\na plane of 128 × 128: {whole:.3f} s, {whole / bare:.1f} times a bare least-squares fit")


if __name__ == "__main__":
    main()
