"""How long a Monte Carlo set takes, where the time goes, and what other programs do with the same targets.

    python tests/benchmarks/metropolis.py [--sets 24] [--box 64] [--seconds 10] [--json FILE]

Everything runs on one core; times are the processor's, but for the other programs the clock's. The moves are compared
with a plain compiled loop that swaps one random unlike pair at a time, drawn from lists of sites, with tabulated
acceptance; counting pairs 64 at a time with shifting the box. sqsgenerator and icet, if the interpreter has them, are
given the same three targets in a box that they can do, and a number of seconds.
"""

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse
import json
from pathlib import Path
from time import perf_counter, process_time
from unittest import mock

import numpy as np
from numba import njit

from dsfu.simulate.disorder.metropolis import generate_set, sample_targets
from dsfu.simulate.disorder.metropolis_starts import disordered_start
from dsfu.simulate.disorder.pair_correlations import pair_counts, pair_counts_by_counting
from dsfu.simulate.disorder.replica import Replica
from dsfu.simulate.random_stream import RandomStream, random_word

OTHERS_BOX, OTHERS_TARGETS = 12, (0.3, -0.2, 0.1)
"""A box and targets for the other programs: at 64³ sites neither gets anywhere in the time."""

MASK, S32 = np.uint64(0xFFFFFFFF), np.uint64(32)


class Stopwatch:
    """Adds up the time spent in a method while it is replaced by this."""

    def __init__(self, owner, name):
        self.owner, self.name, self.method, self.seconds = owner, name, getattr(owner, name), 0.0

    def __enter__(self):
        def timed(replica, *arguments):
            start = process_time()
            result = self.method(replica, *arguments)
            self.seconds += process_time() - start
            return result

        self.patch = mock.patch.object(self.owner, self.name, timed)
        self.patch.start()
        return self

    def __exit__(self, *_):
        self.patch.stop()


def time_sets(count, box):
    """Seconds for each of ``count`` random feasible sets, in moves, counts of pairs and the rest; and how they went."""
    generate_set(0.5, (0.1, 0.1, 0.1), 0, 16)
    rows = []
    for seed in range(count):
        fraction_a, targets = sample_targets(RandomStream(seed, "benchmark"), box=box)
        with Stopwatch(Replica, "run") as moves, Stopwatch(Replica, "pair_counts") as counts:
            start = process_time()
            made = generate_set(fraction_a, targets, seed, box)
            total = process_time() - start
        rows.append(
            {
                "seconds": total,
                "moves_seconds": moves.seconds,
                "count_seconds": counts.seconds,
                "moves": made.moves_proposed,
                "scans": made.scans,
                "start": made.start,
                "settled": bool(made.settled),
                "drift": made.drift,
                "gap": made.gap,
                "noise": float(np.sqrt((made.standard_error**2).sum() / (made.alpha**2).sum())),
                "error": float(np.abs(np.subtract(made.reached, made.targets)).max()),
            }
        )
    return rows


@njit(inline="always")
def neighbours(box, site):
    """A neighbours along x, y and z of a site of a 64³ box given by its number, as 25 n_x + 5 n_y + n_z."""
    in_plane, in_row = site & ~0xFC0, site & ~0x3F
    n_x = box[(site + 4096) & 0x3FFFF] + box[(site - 4096) & 0x3FFFF]
    n_y = box[in_plane | ((site + 64) & 0xFC0)] + box[in_plane | ((site - 64) & 0xFC0)]
    n_z = box[in_row | ((site + 1) & 0x3F)] + box[in_row | ((site - 1) & 0x3F)]
    return 25 * n_x + 5 * n_y + n_z


@njit(nogil=True)
def plain_swaps(box, sites_a, sites_b, acceptance, key, moves):
    """One random unlike pair after the other, from lists of the sites of each species. Returns swaps accepted."""
    accepted = 0
    for n in range(moves):
        word = random_word(key, np.uint64(2 * n))
        i, j = (word & MASK) * np.uint64(sites_a.size) >> S32, (word >> S32) * np.uint64(sites_b.size) >> S32
        a, b = int(sites_a[i]), int(sites_b[j])
        change = neighbours(box, b) - neighbours(box, a)
        if (random_word(key, np.uint64(2 * n + 1)) >> S32) < acceptance[change + 62]:
            box[a], box[b] = 0, 1
            sites_a[i], sites_b[j] = b, a
            accepted += 1
    return accepted


def time_plain_swaps(fraction_a, couplings, moves=2_000_000):
    """Nanoseconds for a move of the plain loop at given couplings, in a box that has had time to adapt to them."""
    order = np.random.default_rng(1).permutation(64**3).astype(np.int32)
    sites_a, sites_b = np.split(order, [round(fraction_a * 64**3)])
    box = np.zeros(64**3, dtype=np.int8)
    box[sites_a] = 1
    steps = np.arange(-2, 3)
    gain = couplings[0] * steps[:, None, None] + couplings[1] * steps[:, None] + couplings[2] * steps
    acceptance = (np.exp(np.minimum(gain, 0.0)) * (2**32 - 1)).astype(np.uint64).ravel()
    seconds = []
    for key in range(4):
        start = process_time()
        plain_swaps(box, sites_a, sites_b, acceptance, np.uint64(key), moves)
        seconds.append(process_time() - start)
    return min(seconds[1:]) / moves * 1e9


def time_scans(fraction_a, targets, edge=64, scans=100):
    """Nanoseconds for a move (a pair of unlike sites proposed), and couplings, of a box at the same targets."""
    sites_a = round(fraction_a * edge**3)
    rows = disordered_start(edge, sites_a, 0, 0.0, RandomStream(1))
    replica = Replica(rows, sites_a, np.array(targets), RandomStream(2))
    replica.run(100)
    seconds, moves = [], []
    for _ in range(3):
        before = replica.moves[0]
        start = process_time()
        replica.run(scans)
        seconds.append(process_time() - start)
        moves.append(replica.moves[0] - before)
    return min(np.divide(seconds, moves)) * 1e9, replica.couplings


def time_counting(edge=64):
    """Milliseconds for the pairs of one box: 64 sites at a time, and by shifting the box along half of the vectors."""
    box = np.random.default_rng(1).random((edge,) * 3) < 0.3
    pair_counts(box)
    by_words = min(timed(lambda: pair_counts(box))[0] for _ in range(5))
    by_shifting = timed(lambda: pair_counts_by_counting(box))[0] / 2
    return 1e3 * by_words, 1e3 * by_shifting


def timed(call):
    start = perf_counter()
    result = call()
    return perf_counter() - start, result


def run_dsfu(_):
    made = generate_set(0.5, OTHERS_TARGETS, 1, OTHERS_BOX)
    return made.reached


def run_icet(seconds):
    """Simulated annealing of the cluster vector; neighbours along the axes are told apart by an orthorhombic cell."""
    from ase import Atoms
    from icet import ClusterSpace
    from icet.tools.structure_generation import generate_target_structure_from_supercells

    primitive = Atoms("Cu", cell=EDGES, pbc=True)
    space = ClusterSpace(primitive, [1.05 * EDGES[2]], ["Cu", "Au"])
    box = primitive.repeat(OTHERS_BOX)
    wanted = np.array([1.0, 0.0, *OTHERS_TARGETS])

    def anneal(steps):
        return generate_target_structure_from_supercells(
            space, [box], {"Cu": 0.5, "Au": 0.5}, wanted, n_steps=steps, random_seed=1, optimality_weight=0
        )

    trial = timed(lambda: anneal(200))[0]
    return space.get_cluster_vector(anneal(int(200 * seconds / trial)))[2:5]


def run_sqsgenerator(seconds):
    """Random arrangements, of which the best is kept: what it has for boxes too large to go through all."""
    from sqsgenerator import optimize, parse_config

    sites = OTHERS_BOX**3
    settings = {
        "structure": {
            "lattice": np.diag(EDGES).tolist(),
            "coords": [[0, 0, 0]],
            "species": ["Cu"],
            "supercell": [OTHERS_BOX] * 3,
        },
        "composition": {"Cu": sites // 2, "Au": sites // 2},
        "shell_radii": [0.0, *(edge + 0.1 for edge in EDGES)],
        "shell_weights": {1: 1.0, 2: 1.0, 3: 1.0},
        "target_objective": [[[0, t], [t, 0]] for t in OTHERS_TARGETS],
        "iteration_mode": "random",
        "thread_config": 1,
        "max_results_per_objective": 1,
    }

    def search(iterations):
        return optimize(parse_config({**settings, "iterations": iterations}))

    trial = timed(lambda: search(1000))[0]
    return [float(shell[0, 1]) for shell in search(int(1000 * seconds / trial)).best().sro()]


EDGES = (3.0, 3.3, 3.6)
"""Cell edges in Å for the other programs, which tell neighbours apart by distance."""


def compare(seconds):
    """Seconds and largest error of the targets for each program that the interpreter has."""
    generate_set(0.5, OTHERS_TARGETS, 0, OTHERS_BOX)
    rows = {}
    for name, run in {"dsfu": run_dsfu, "icet": run_icet, "sqsgenerator": run_sqsgenerator}.items():
        try:
            spent, reached = timed(lambda run=run: run(seconds))
        except ImportError as error:
            print(f"{name}: skipped, this interpreter has no {error.name}")
            continue
        rows[name] = {"seconds": spent, "error": float(np.abs(np.subtract(reached, OTHERS_TARGETS)).max())}
    return rows


def print_sets(rows, box):
    seconds = np.array([row["seconds"] for row in rows])
    moves, counts = (sum(row[f"{part}_seconds"] for row in rows) for part in ("moves", "count"))
    total = seconds.sum()
    print(f"\n{len(rows)} random feasible sets, box {box}³, one core")
    print(
        f"  seconds a set       mean {seconds.mean():.3f}   median {np.median(seconds):.3f}   most {seconds.max():.3f}"
    )
    print(f"  of this             moves {moves / total:.0%}   counts {counts / total:.0%}   rest "
          f"{1 - (moves + counts) / total:.0%}")  # fmt: skip
    print(f"  ns a move           {1e9 * moves / sum(row['moves'] for row in rows):.1f}")
    for start in ("both", "disordered", "ordered"):
        chosen = [row for row in rows if row["start"] == start]
        if chosen:
            middle = {name: np.median([row[name] for row in chosen]) for name in ("seconds", "drift", "gap", "noise")}
            print(f"  taken: {start:<12} {len(chosen):3d} sets, medians: {middle['seconds']:.3f} s, drift "
                  f"{middle['drift']:.3f}, gap {middle['gap']:.3f}, noise {middle['noise']:.3f} of I_SRO")  # fmt: skip
    print(f"  largest error of a target {max(row['error'] for row in rows):.5f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=24)
    parser.add_argument("--box", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=10.0, help="time for each of the other programs")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()

    rows = time_sets(options.sets, options.box)
    print_sets(rows, options.box)

    print("\nns a move, 64³            bit-parallel     plain   ratio")
    kernels = []
    for fraction_a, targets in [(0.5, (0.3, -0.2, 0.1)), (0.2, (0.3, 0.1, -0.1)), (0.05, (0.2, 0.1, 0.0))]:
        scans, couplings = time_scans(fraction_a, targets)
        plain = time_plain_swaps(fraction_a, couplings)
        kernels.append({"fraction_a": fraction_a, "scan_ns": scans, "plain_ns": plain})
        print(f"  m_A {fraction_a:.2f} {targets!s:<18} {scans:9.1f} {plain:9.1f} {plain / scans:7.1f}")
    words, shifting = time_counting()
    print(f"\nms for the pairs of a box   64 at a time {words:.2f}   shifting {shifting:.0f}   "
          f"ratio {shifting / words:.0f}\n")  # fmt: skip

    others = compare(options.seconds)
    print(f"\ntargets {OTHERS_TARGETS} at m_A = 0.5, box {OTHERS_BOX}³: seconds, largest error of a target")
    for name, row in others.items():
        print(f"  {name:<14} {row['seconds']:8.3f} {row['error']:9.4f}")
    if options.json:
        report = {"sets": rows, "kernels": kernels, "words_ms": words, "shifting_ms": shifting}
        options.json.write_text(json.dumps({**report, "others": others}, indent=1))


if __name__ == "__main__":
    main()
