"""Shapes that are hidden from the table of `solve-particle`, one at a time: is each found all the same?

    python tests/benchmarks/particles.py --shapes 20 --noise 0 --seed 7

Published shapes, drawn at random; b 2.68 Å, B 0.3 Å², Q 0.7–25/Å, no damping, r to 30 Å; G is our own simulation. White
noise as a share of the largest G. Exact: the sorted distances agree within 0.002 b.
"""

import argparse
import time

import numpy as np
from scipy.spatial.distance import pdist

from dsfu.model.problems.particles.reading import MeasuredPdf
from dsfu.model.problems.particles.shape_table import ShapeTable, load_table
from dsfu.model.problems.particles.solving import Candidate, solve_particle
from dsfu.simulate.particles.experiment import PdfExperiment
from dsfu.simulate.particles.samples import ParticleSpec, simulate
from dsfu.simulate.particles.shapes import Shape, positions_of

PUBLISHED = 197


def twins(table: ShapeTable, k: int) -> list[int]:
    """The shape, and others that have its distances."""
    distances, counts = table.of(k)
    moments = counts @ distances, counts @ distances**2
    found = [k]
    for j in np.flatnonzero(table.atoms == table.atoms[k]).tolist():
        d, m = table.of(j)
        if j != k and np.allclose((m @ d, m @ d**2), moments, rtol=3e-5):
            found.append(j)
    return found


def positions(candidate: Candidate) -> np.ndarray:
    if candidate.positions is not None:
        return candidate.positions
    return positions_of(candidate.built_as, candidate.parameters)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shapes", type=int, default=20)
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    table, experiment, rows = load_table(), PdfExperiment(), []
    for k in np.random.default_rng(options.seed).choice(PUBLISHED, options.shapes, replace=False).tolist():
        shape = Shape(table.built_as[k], table.parameters[k])
        pdf = simulate(ParticleSpec(shape=shape, bond_length=2.68, noise=options.noise, seed=k)).pdf
        measured = MeasuredPdf(r=experiment.r, g=pdf.astype(float), q_min=0.7, q_max=25.0, q_damp=0.0)
        start = time.process_time()
        best = solve_particle(measured, table=table.without(twins(table, k))).candidates[0]
        seconds = time.process_time() - start
        true, ours = pdist(shape.positions), pdist(positions(best))
        exact = len(true) == len(ours) and np.abs(np.sort(true) - np.sort(ours)).max() < 2e-3
        off = abs(best.atoms - table.atoms[k]) / table.atoms[k]
        rows.append((exact, best.family == table.families[k], off, seconds))
        found = f"{best.family} of {best.atoms}"
        print(f"{shape!s:>24} {table.atoms[k]:4d} atoms: {found:>20}  R_w {best.refined.rw:.4f}  {exact}", flush=True)
    exact, family, off, seconds = (np.array(each, float) for each in zip(*rows, strict=True))
    print(f"\nnoise {options.noise}: exact {exact.sum():.0f}, family {family.sum():.0f} of {len(rows)}; ", end="")
    print(f"|ΔN|/N median {np.median(off):.3f}; processor time {seconds.mean():.1f} s, most {seconds.max():.1f} s")


if __name__ == "__main__":
    main()
