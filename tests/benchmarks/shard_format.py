"""Compressors of planes: milliseconds and kilobytes a sample, beside zarr-python's own writer in the same run.

    python tests/benchmarks/shard_format.py [--pairs 8] [--compressors N] [--json]

Time of the processor, warm, so that other programs matter little. Planes are those of pairs at random from all groups,
each with six Monte Carlo sets and seven oscillator sets (half of what the paper's pairs have). A sample is two planes.
The last column is the size if √I had 14 bits instead of 16.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import json
from collections.abc import Callable
from time import process_time
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr
from numcodecs import Blosc, blosc
from zarr.core.buffer import default_buffer_prototype
from zarr.storage import MemoryStore

from dsfu.pipeline.store.shard_format import CODEC_NAME, array_metadata, encode_shard
from dsfu.simulate.disorder.metropolis import draw_monte_carlo_set
from dsfu.simulate.disorder.oscillator import draw_oscillator_set
from dsfu.simulate.disorder.plane_rules import PlaneRules
from dsfu.simulate.disorder.samples import SetChoice, simulate_pair
from dsfu.simulate.random_stream import RandomStream
from dsfu.simulate.species import Species, load_library, pairs

Planes = npt.NDArray[np.uint16]
SHUFFLES = {"shuffle": Blosc.SHUFFLE, "bitshuffle": Blosc.BITSHUFFLE}
CANDIDATES = [
    (cname, level, shuffle)
    for cname, level in (
        ("lz4", 1),
        ("lz4", 5),
        ("lz4", 7),
        ("lz4", 9),
        ("blosclz", 5),
        ("blosclz", 9),
        ("zstd", 1),
        ("zstd", 3),
    )
    for shuffle in SHUFFLES
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=8)
    parser.add_argument("--compressors", type=int, default=len(CANDIDATES), help="so many of them, from the first")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    options = parser.parse_args()
    shards = planes_of_pairs(options.pairs)
    blosc.use_threads = False
    rows = [measure(shards, *candidate) for candidate in CANDIDATES[: options.compressors]]
    whole = measure_shards(shards)
    if options.json:
        print(json.dumps({"compressors": rows, "shards": whole}, indent=2))
        return
    print(f"{whole['samples']} samples of {options.pairs} pairs")
    print(f"{'':22}{'ms to write':>12}{'ms to read':>12}{'KB':>8}{'form factor':>13}{'sro':>8}{'KB of 14 bits':>15}")
    for row in rows:
        print(
            f"{row['name']:22}{row['ms']:12.3f}{row['read_ms']:12.3f}{row['kb']:8.1f}{row['form_factor_kb']:13.1f}"
            f"{row['sro_kb']:8.1f}{row['kb_14_bits']:15.1f}"
        )
    print(f"\nwhole shards, {CODEC_NAME}:")
    print(f"encode_shard {whole['ms']:.3f} ms, zarr-python {whole['zarr_ms']:.3f} ms: {whole['ratio']:.1f} × faster")


def planes_of_pairs(count: int) -> list[tuple[Planes, Planes]]:
    """Form factors and orders of some pairs."""
    everyone = pairs(load_library(), "train")
    chosen = np.random.default_rng(7).choice(len(everyone), count, replace=False)
    return [planes_of_pair(*everyone[number], number) for number in chosen]


def planes_of_pair(one: Species, other: Species, seed: int) -> tuple[Planes, Planes]:
    sets = [draw_monte_carlo_set(10 * seed + number) for number in range(6)]
    sets += [draw_oscillator_set(10 * seed + number, one.shape.lattice) for number in range(7)]
    samples = simulate_pair(
        one.atoms,
        one.cell,
        other.atoms,
        other.cell,
        [SetChoice(kind=each.kind, fraction_a=each.fraction_a, alpha=each.alpha) for each in sets],
        q_max_range=(6.0, 8.0),
        rules=PlaneRules(),
        embed=lambda intensity: np.zeros(1, np.float32),
        random=RandomStream(seed, "benchmark"),
    )
    return samples.form_factor, samples.sro


def measure(shards: list[tuple[Planes, Planes]], cname: str, level: int, shuffle: str) -> dict[str, Any]:
    codec = Blosc(cname=cname, clevel=level, shuffle=SHUFFLES[shuffle])
    planes = [[plane for pair in shards for plane in pair[kind]] for kind in (0, 1)]
    samples = len(planes[0])
    chunks = [[codec.encode(plane) for plane in each] for each in planes]
    sizes = [sum(map(len, each)) / samples / 1e3 for each in chunks]
    coarse = [codec.encode(np.minimum(plane + np.uint16(2), 65532) >> 2) for each in planes for plane in each]
    return {
        "name": f"{cname} {level} {shuffle}",
        "ms": best_ms(lambda: [codec.encode(plane) for each in planes for plane in each]) / samples,
        "read_ms": best_ms(lambda: [codec.decode(chunk) for each in chunks for chunk in each]) / samples,
        "kb": sum(sizes),
        "form_factor_kb": sizes[0],
        "sro_kb": sizes[1],
        "kb_14_bits": sum(map(len, coarse)) / samples / 1e3,
    }


def measure_shards(shards: list[tuple[Planes, Planes]]) -> dict[str, Any]:
    samples = sum(len(pair[0]) for pair in shards)
    ours = best_ms(lambda: [encode_shard(planes) for pair in shards for planes in pair]) / samples
    theirs = best_ms(lambda: [write_with_zarr(planes) for pair in shards for planes in pair]) / samples
    return {"samples": samples, "ms": ours, "zarr_ms": theirs, "ratio": theirs / ours}


def write_with_zarr(planes: Planes) -> None:
    document = array_metadata(planes.shape, len(planes), {})
    metadata = default_buffer_prototype().buffer.from_bytes(json.dumps(document).encode())
    array = zarr.open_array(MemoryStore({"zarr.json": metadata}), mode="r+")
    array[...] = planes


def best_ms(function: Callable[[], object], runs: int = 5) -> float:
    """The shortest of some runs: other programs only ever add to it."""
    times = []
    for _ in range(runs):
        start = process_time()
        function()
        times.append(process_time() - start)
    return 1e3 * min(times)


if __name__ == "__main__":
    main()
