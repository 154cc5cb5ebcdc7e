"""`solve-particle` on particles that its table has: the random split of the published data set, and stacking faults.

    python tests/benchmarks/particle_splits.py --set published --count 749 --noise 0
    python tests/benchmarks/particle_splits.py --set faults --count 150 --noise 0

The published split is random over 197 shapes at 19 bond lengths, so every shape of its 749 test PDFs is in the training
set too: what is measured is looking up. B 0.3 Å², Q 0.7–25/Å, no damping, r to 30 Å; G is our own simulation. White
noise as a share of the largest G. Exact: the sorted distances agree within 0.002 b. Tied: the right shape is not first,
but among those that the answer says cannot be told apart. MAE: mean |Δ| of a coordinate of exact shapes, in Å.
"""

import argparse
import time

import numpy as np
from scipy.spatial.distance import pdist

from dsfu.model.problems.particles.output import positions_in_angstrom
from dsfu.model.problems.particles.reading import MeasuredPdf
from dsfu.model.problems.particles.solving import Candidate, solve_particle
from dsfu.model.problems.particles.verdict import tied
from dsfu.simulate.particles.experiment import PdfExperiment
from dsfu.simulate.particles.faults import layered_parameters
from dsfu.simulate.particles.samples import ParticleSpec, simulate
from dsfu.simulate.particles.shapes import BOND_LENGTHS, Shape, catalogue


def is_shape(candidate: Candidate, true: np.ndarray) -> bool:
    if candidate.atoms != len(true):
        return False
    ours = pdist(positions_in_angstrom(candidate)) / candidate.refined.bond
    return bool(np.abs(np.sort(ours) - np.sort(pdist(true))).max() < 2e-3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", choices=("published", "faults"), default="published")
    parser.add_argument("--count", type=int, default=749)
    parser.add_argument("--first", type=int, default=0, help="leave out so many")
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=37)
    options = parser.parse_args()
    faults = [Shape("Faulted", parameters) for parameters in layered_parameters()]
    shapes = list(catalogue()) if options.set == "published" else faults
    every = [(shape, bond) for shape in shapes for bond in BOND_LENGTHS]
    order = np.random.default_rng(options.seed).permutation(len(every))
    experiment, errors, missed, alike, times, families = PdfExperiment(), [], [], 0, [], 0
    chosen = order[: len(every) // 5][options.first :][: options.count]
    for number, k in enumerate(chosen.tolist()):
        shape, bond = every[k]
        pdf = simulate(ParticleSpec(shape=shape, bond_length=bond, noise=options.noise, seed=k)).pdf
        measured = MeasuredPdf(r=experiment.r, g=pdf.astype(float), q_min=0.7, q_max=25.0, q_damp=0.0)
        start = time.process_time()
        solution = solve_particle(measured)
        times.append(time.process_time() - start)
        best = solution.candidates[0]
        families += best.family == shape.family or options.set == "faults"
        if is_shape(best, shape.positions):
            centred = shape.positions - shape.positions.mean(axis=0)
            errors.append(abs(best.refined.bond - bond) * np.abs(centred).mean())
        else:
            is_tied = any(is_shape(each, shape.positions) for each in tied(solution))
            alike += is_tied
            missed.append(str(shape))
            found = f"{best.family}({', '.join(map(str, best.parameters))}) of {best.atoms}"
            print(
                f"{number:4d} {shape!s:>24} b {bond}: {found}, R_w {best.refined.rw:.4f}{', tied' if is_tied else ''}"
            )
        if number % 25 == 24:
            print(f"{number + 1}: {len(errors)} exact", flush=True)
    total, mae = len(chosen), np.mean(errors) if errors else np.nan
    print(
        f"\n{options.set}, noise {options.noise}: exact {len(errors)} of {total}, {alike} more tied; MAE {mae:.1e} Å; ",
        end="",
    )
    print(f"family {families}; processor time {np.mean(times):.2f} s, most {max(times):.1f} s")


if __name__ == "__main__":
    main()
