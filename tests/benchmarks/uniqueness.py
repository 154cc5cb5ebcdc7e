"""Time to embed a plane, to compare the planes of a pair with POT instead, and to select from up to a whole store.

    python tests/benchmarks/uniqueness.py [--seeds 25] [--most 200000] [--json]

One core. Planes of four training pairs stand for all; a store of 200 000 is made of averages of two of their vectors,
5 % of them repeated (for sliced_wasserstein, averages are vectors of planes between the two; for appearance they are
nearer to one another than planes are).
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import json
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from dsfu.simulate.arrays import Float32Array
from dsfu.simulate.disorder import selection
from dsfu.simulate.disorder.embedding import centred_part
from dsfu.simulate.disorder.metropolis import draw_monte_carlo_set
from dsfu.simulate.disorder.oscillator import draw_oscillator_set
from dsfu.simulate.disorder.planes import layer
from dsfu.simulate.disorder.scattering import simulate_planes
from dsfu.simulate.disorder.transport import sliced_by_pot
from dsfu.simulate.disorder.uniqueness import (
    METRICS,
    EmbeddingArray,
    MetricName,
    embed_plane,
    embed_planes,
    embedding_distances,
    select_unique,
)
from dsfu.simulate.disorder.wasserstein import select_exactly
from dsfu.simulate.species import cell_of_pair, load_library, pairs

DIRECTIONS = 12
PLANES_OF_A_PAIR = 200
SELECTED: dict[MetricName, tuple[int, ...]] = {
    "sliced_wasserstein": (PLANES_OF_A_PAIR, 10_000, 200_000),
    "appearance": (PLANES_OF_A_PAIR, 10_000, 30_000),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--seeds", type=int, default=25, help="sets of either kind for each pair")
    parser.add_argument("--most", type=int, default=200_000, help="planes to select from, at most")
    options = parser.parse_args()
    results = measure(options.seeds, options.most)
    if options.json:
        print(json.dumps(results, indent=2))
        return
    pot = results["pot_pair_of_planes_ms"]
    for metric, row in results["metrics"].items():
        print(f"{metric}: {row['embed_ms']:.3f} ms and {row['bytes']} bytes a plane")
        print(f"    200 planes of a pair: {row['pair_s']:.3f} s, to embed and select")
        if "transports" in row:
            print(
                f"    POT asked {row['transports']} times; asked of all it would take {row['all_s']:.0f} s. "
                f"{row['candidates']} planes had a candidate, {row['removed']} were removed"
            )
    minutes = results["pot_pair_s"] / 60
    print(f"POT, {DIRECTIONS} directions: {pot:.0f} ms for two planes, {minutes:.0f} min for 200 of a pair")
    print(f"    ratio to sliced_wasserstein: {results['ratio_to_pot']:.0f}")
    print(f"{'planes':>10}{'threshold':>12}{'removed':>10}{'s':>9}{'all to all s':>14}{'MiB more':>10}")
    for row in results["selection"]:
        brute = f"{row['brute_s']:14.2f}" if row["brute_s"] else f"{'–':>14}"
        print(
            f"{row['planes']:>10}{row['threshold']:>12.4g}{row['removed']:>10.4f}{row['s']:>9.3f}{brute}{row['mib']:>10.0f}"
        )


def measure(seeds: int, most: int) -> dict[str, Any]:
    planes = some_planes(seeds)
    pot_ms = timed_pot(planes)
    rows = {metric: measure_metric(metric, planes) for metric in METRICS}
    pot_pair_s = pot_ms * PLANES_OF_A_PAIR * (PLANES_OF_A_PAIR - 1) / 2 / 1e3
    return {
        "metrics": rows,
        "pot_pair_of_planes_ms": pot_ms,
        "pot_pair_s": pot_pair_s,
        "ratio_to_pot": pot_pair_s / rows["sliced_wasserstein"]["pair_s"],
        "selection": [
            measure_selection(many_vectors(planes, count, metric), metric)
            for metric, counts in SELECTED.items()
            for count in counts
            if count <= most
        ],
    }


def measure_metric(metric: MetricName, planes: Float32Array) -> dict[str, float]:
    vector = embed_plane(planes[0], metric)
    embed_ms = 1e3 * seconds(lambda: embed_plane(planes[7], metric), 101)
    if metric == "wasserstein":
        return {"embed_ms": embed_ms, "bytes": vector.nbytes, **measure_exact(planes[:PLANES_OF_A_PAIR])}
    select_unique(embed_planes(planes[:PLANES_OF_A_PAIR], metric), metric=metric)
    pair_s = seconds(lambda: select_unique(embed_planes(planes[:PLANES_OF_A_PAIR], metric), metric=metric), 5)
    return {"embed_ms": embed_ms, "bytes": vector.nbytes, "pair_s": pair_s}


def measure_exact(planes: Float32Array) -> dict[str, float]:
    """The decision in two steps, and what all distances of as many planes would take; processor time."""
    vectors = embed_planes(planes, "wasserstein")
    start = time.process_time()
    found = select_exactly(vectors, METRICS["wasserstein"].threshold)
    taken = time.process_time() - start
    all_of_them = len(planes) * (len(planes) - 1)
    return {
        "pair_s": taken,
        "transports": found.transports,
        "all_s": taken * all_of_them / max(found.transports, 1),
        "candidates": int((found.candidate_of >= 0).sum()),
        "removed": int((~found.kept).sum()),
    }


def measure_selection(vectors: EmbeddingArray, metric: MetricName) -> dict[str, Any]:
    threshold = METRICS[metric].threshold
    start = time.perf_counter()
    found = select_unique(vectors, metric=metric)
    taken = time.perf_counter() - start
    tracemalloc.start()
    select_unique(vectors, metric=metric)
    peak_mib = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    brute = compare_all(vectors, metric, found) if len(vectors) <= 10_000 else None
    return {
        "metric": metric,
        "planes": len(vectors),
        "threshold": threshold,
        "removed": found.share_removed,
        "s": taken,
        "brute_s": brute,
        "mib": peak_mib,
    }


def compare_all(vectors: EmbeddingArray, metric: MetricName, expected: selection.Selection) -> float:
    """Seconds without the search, and a check that it makes no difference."""
    few, selection._FEW = selection._FEW, len(vectors)
    try:
        start = time.perf_counter()
        found = select_unique(vectors, metric=metric)
        taken = time.perf_counter() - start
    finally:
        selection._FEW = few
    assert np.array_equal(found.duplicate_of, expected.duplicate_of)
    return taken


def some_planes(seeds: int) -> Float32Array:
    """(32 × seeds, 256, 256): layers of four pairs, each with so many Monte Carlo and so many oscillator sets."""
    every = pairs(load_library(), "train")
    found = []
    for number in (60, 250, 500, 900):
        one, other = every[number]
        for seed in range(seeds):
            for made in (draw_monte_carlo_set(seed, box=24), draw_oscillator_set(seed, one.shape.lattice)):
                cell = cell_of_pair(one, other, made.fraction_a)
                layers = [layer(cell, "b", k, 6.0 + seed / 12.5) for k in range(4)]
                found += simulate_planes(one.atoms, other.atoms, made.fraction_a, cell, made.alpha, layers)
    return np.stack([scattering.intensity for scattering in found])


def many_vectors(planes: Float32Array, count: int, metric: MetricName) -> EmbeddingArray:
    rng = np.random.default_rng(1)
    vectors = embed_planes(planes, metric)
    if count <= len(vectors):
        return vectors[:count]
    out = np.empty((count, vectors.shape[1]), vectors.dtype)
    for start in range(0, count, 10_000):
        n = min(10_000, count - start)
        one, other = (vectors[rng.integers(len(vectors), size=n)].astype(np.float32) for _ in range(2))
        weight = rng.random((n, 1), dtype=np.float32)
        out[start : start + n] = np.rint(weight * one + (1 - weight) * other)
    repeated = rng.choice(count, count // 20, replace=False)
    out[repeated] = out[rng.integers(count, size=len(repeated))]
    return out


def timed_pot(planes: Float32Array) -> float:
    """Milliseconds for two planes, without their twins."""
    one, other = (part / part.sum() for part in centred_part(planes[[0, 5]]).astype(np.float64))
    compare = partial(sliced_by_pot, one, other, directions=DIRECTIONS)
    assert abs(compare() ** 0.5 - embedding_distances(embed_planes(planes[[0, 5]]))[0, 1]) < 0.3 * compare() ** 0.5
    return 1e3 * seconds(compare, 5)


def seconds(function: Callable[[], object], runs: int) -> float:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


if __name__ == "__main__":
    main()
