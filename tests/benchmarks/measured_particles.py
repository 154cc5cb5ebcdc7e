"""`solve-particle` on pretended measurements of gold and platinum, and on what is no particle of a metal.

    python -m tests.benchmarks.measured_particles --particles 40 --strangers 16 --seed 1 [--measured FOLDER]

Shapes that the table does not have, thermal and static disorder, contracted surfaces, mixtures of sizes, sulphur on
the surface, Q_max 15 to 25/Å, damping, noise that grows with Q, slow baselines, any scale: see `pretended_particles`.
Files of even number are for setting limits, those of odd number for telling how good they are. FCC and Octahedron count
as one. The network that ships reads the files that reach to 30 Å.
Needs debyecalculator for G of another program: pip install debyecalculator; Debye's sum is written out without it.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dsfu.model.problems.particles.output import name_of
from dsfu.model.problems.particles.ranking import lattice_of
from dsfu.model.problems.particles.reading import read_pdf
from dsfu.model.problems.particles.second_opinion import second_opinion
from dsfu.model.problems.particles.solving import solve_particle
from dsfu.model.problems.particles.verdict import BULK, judge, net_rw, short_bonds
from tests.benchmarks.pretended_particles import Pretended, particle, stranger
from tests.benchmarks.unusual_particles import unusual

KINDS = ("wulff", "decahedron", "ball", "icosahedron", "wulff", "decahedron", "octahedron", "decahedron")


def files(options: argparse.Namespace, folder: Path) -> Iterator[Pretended]:
    for number in range(options.particles):
        yield particle(folder, number, KINDS[number // 2 % len(KINDS)], options.seed)
    for number in range(options.strangers):
        yield stranger(folder, number, options.seed)
    for number in range(options.unusual):
        yield unusual(folder, number, options.seed)
    for path in sorted(options.measured.glob("*.gr")) if options.measured else ():
        yield Pretended(name=path.stem, path=path, family="FCC" if path.stem.startswith("ni_") else "", atoms=0, bond=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--particles", type=int, default=40)
    parser.add_argument("--strangers", type=int, default=16)
    parser.add_argument("--unusual", type=int, default=0, help="files as groups send them: `unusual_particles`")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--measured", type=Path, default=None)
    parser.add_argument("--keep", type=Path, default=None, help="folder for the files")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    rows, network = [], []
    for each in files(options, folder):
        start = time.process_time()
        solution = solve_particle(read_pdf(each.path))
        verdict = judge(solution)
        seconds = time.process_time() - start
        best = solution.candidates[0]
        right = lattice_of(best.family) in each.family.split("/")
        others = [c.score for c in solution.candidates if lattice_of(c.family) != lattice_of(best.family)]
        lead = min(others, default=9.0) - best.score
        good = verdict.accepted and (right or verdict.words.startswith(BULK)) if each.family else not verdict.accepted
        rows.append((bool(each.family), right, good, seconds, best.atoms / max(each.atoms, 0.01)))
        opinion = second_opinion(solution.space)
        if opinion and each.family:
            low, _, high = opinion.atoms
            network.append((lattice_of(opinion.family) in each.family.split("/"), low <= each.atoms <= high))
        mark = " " if good and (right or not each.family) else "!"
        print(
            f"{mark} {each.name:>22} {each.atoms:6.0f} {each.bond:.3f}: {name_of(best):>34} {best.atoms:5d} "
            f"b {best.refined.bond:.3f}  net R_w {net_rw(solution, best):.3f}  lead {lead:+.3f}  "
            f"short {short_bonds(solution, best):.2f}  {seconds:.1f} s  {verdict.words}",
            flush=True,
        )
    for words, half in (("even (setting)", rows[::2]), ("odd (telling)", rows[1::2])):
        metal = [row for row in half if row[0]]
        rest = [row for row in half if not row[0]]
        print(
            f"{words}: family right in {sum(row[1] for row in metal)} of {len(metal)}, accepted "
            f"{sum(row[2] for row in metal)}; refused {sum(row[2] for row in rest)} of {len(rest)} strangers"
        )
    if ratio := [row[4] for row in rows if row[0] and row[4] < 100]:
        print(f"atoms found / true: 10, 50, 90 %: {np.round(np.quantile(ratio, (0.1, 0.5, 0.9)), 2)}")
    if network:
        family, atoms = np.sum(network, axis=0)
        print(f"network: family right in {family}, atoms inside its 90 % interval in {atoms} of {len(network)}")
    times = np.array([row[3] for row in rows[1:] or rows])
    print(f"processor time {times.mean():.1f} s, most {times.max():.1f} s")


if __name__ == "__main__":
    main()
