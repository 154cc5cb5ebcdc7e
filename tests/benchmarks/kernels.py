"""Milliseconds a plane of the scattering kernels, beside plain NumPy and beside what the machine could do at best.

    python tests/benchmarks/kernels.py [--runs 101] [--pixels 256] [--json]

One core, warm. The floor counts the multiply-adds that the separated sums need (4 per atom and pixel, 6 per element and
pixel for the form factor; 2 per kept Fourier term and pixel for the order) at the rate of this machine's single-
precision matrix product, plus writing both planes at the rate of its memory; both rates are measured in the same run.
Every time is the lower tenth of many, which other work disturbs least; that of NumPy is of the processor, once. Memory
is kept as workers keep it.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from dsfu.simulate.disorder.fields import SHELL_CUTOFF
from dsfu.simulate.disorder.planes import Plane, layer
from dsfu.simulate.disorder.scattering import simulate_plane, simulate_planes
from dsfu.simulate.form_factors import form_factor
from dsfu.simulate.lattice import Cell, vegard_cell
from dsfu.simulate.species import Species, load_library, pairs
from dsfu.worker_environment import WORKER_ENVIRONMENT

FIRST_CALL = """
import time; start = time.perf_counter()
import numpy as np
from ase import Atoms
from dsfu.simulate.lattice import Cell
from dsfu.simulate.disorder.planes import layer
from dsfu.simulate.disorder.scattering import simulate_plane
alpha = np.zeros((11, 11, 11)); alpha[5, 5, 5] = 1
cell = Cell(5, 6, 7)
simulate_plane(Atoms("Cu"), Atoms("Au"), 0.5, cell, alpha, layer(cell, "b", 1, 7.0))
print(time.perf_counter() - start)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--runs", type=int, default=101, help="of which each time is the lower tenth")
    parser.add_argument("--pixels", type=int, default=256)
    options = parser.parse_args()
    if not WORKER_ENVIRONMENT.items() <= os.environ.items():  # the C library reads them once, at the start
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **WORKER_ENVIRONMENT})
    results = measure(options.pixels, options.runs)
    if options.json:
        print(json.dumps(results, indent=2))
        return
    print(
        f"{results['machine']}, one core: sgemm {results['gflops']:.0f} GFLOP/s, writing {results['gbytes']:.0f} GB/s"
    )
    print(f"{'':34}{'ms a plane':>11}{'× floor':>9}{'NumPy ms':>10}{'× faster':>9}{'error':>10}")
    for row in results["rows"]:
        print(
            f"{row['name']:34}{row['ms']:11.3f}{row['ms'] / row['floor_ms']:9.2f}{row['numpy_ms']:10.0f}"
            f"{row['numpy_ms'] / row['ms']:9.0f}{row['error']:10.1e}"
        )
    print(f"first call in a new process, imports included: {results['first_call_s']:.2f} s")


def measure(pixels: int, runs: int) -> dict[str, Any]:
    gflops, gbytes = matrix_product_rate(), write_rate()
    library = load_library()
    first_call()  # fills Numba's cache
    rows = [
        row
        for name, pair in {
            "average pair": average_pair(library),
            "largest pair": largest_pair(library),
            "nearly equal": (library["dimethylammonium"], library["ethylammonium"]),
        }.items()
        for row in measure_pair(name, *pair, gflops, gbytes, pixels, runs)
    ]
    return {
        "machine": f"{platform.machine()} {processor()}",
        "gflops": gflops,
        "gbytes": gbytes,
        "rows": rows,
        "first_call_s": first_call(),
    }


def measure_pair(
    name: str, one: Species, other: Species, gflops: float, gbytes: float, pixels: int, runs: int
) -> list[dict[str, Any]]:
    cell = vegard_cell(one.cell, other.cell, 0.4)
    alpha = random_alpha()
    layers = [layer(cell, "b", k, 7.0, pixels) for k in range(4)]
    atoms = len(one.atoms) + len(other.atoms)
    elements = len(set(one.atoms.symbols) | set(other.atoms.symbols))
    floor = floor_ms(layers[0].pixels, atoms, elements, gflops, gbytes)
    reference_ms, expected_ff, expected_sro = timed_numpy(one.atoms, other.atoms, cell, alpha, layers[1])
    result = simulate_plane(one.atoms, other.atoms, 0.4, cell, alpha, layers[1])
    error = max(
        np.abs(result.form_factor - expected_ff).max() / expected_ff.max(),
        np.abs(result.sro - np.maximum(expected_sro, 0)).max() / expected_sro.max(),
    )
    alone = lower_ms(lambda: simulate_plane(one.atoms, other.atoms, 0.4, cell, alpha, layers[1]), runs)
    together = lower_ms(lambda: simulate_planes(one.atoms, other.atoms, 0.4, cell, alpha, layers), runs) / len(layers)
    shared = {"floor_ms": floor, "numpy_ms": reference_ms, "error": float(error)}
    label = f"{name} ({len(one.atoms)} + {len(other.atoms)} atoms)"
    return [{"name": label, "ms": alone, **shared}, {"name": "  four layers together", "ms": together, **shared}]


def floor_ms(pixels: int, atoms: int, elements: int, gflops: float, gbytes: float) -> float:
    multiply_adds = pixels**2 * (4 * atoms + 6 * elements + 2 * (SHELL_CUTOFF + 1))
    return 1e3 * (2 * multiply_adds / (gflops * 1e9) + 2 * 4 * pixels**2 / (gbytes * 1e9))


def average_pair(library: dict[str, Species]) -> tuple[Species, Species]:
    """A training pair with 22 atoms of four elements: as many as the average pair of the library has."""
    return next(
        (a, b)
        for a, b in pairs(library, "train")
        if len(a.atoms) + len(b.atoms) == 22 and len({*a.atoms.symbols, *b.atoms.symbols}) == 4
    )


def largest_pair(library: dict[str, Species]) -> tuple[Species, Species]:
    by_size = sorted(library.values(), key=lambda species: (-len(species.atoms), species.name))
    return by_size[0], next(s for s in by_size[1:] if s.group == by_size[0].group)


def random_alpha() -> np.ndarray:
    noise = np.random.default_rng(1).normal(scale=0.02, size=(11, 11, 11))
    alpha = (noise + noise[::-1, ::-1, ::-1]) / 2
    alpha[5, 5, 5] = 1
    return alpha


def timed_numpy(one: Atoms, other: Atoms, cell: Cell, alpha: np.ndarray, plane: Plane) -> tuple[float, Any, Any]:
    """A straightforward evaluation: one complex exponential per atom, one cosine per vector ±v, both vectorised."""
    start = time.process_time()
    q = plane.q
    length = np.linalg.norm(q, axis=-1)
    tables = {number: form_factor(number, length) for number in {*one.numbers, *other.numbers}}

    def structure(atoms: Atoms) -> np.ndarray:
        phases = np.exp(1j * np.einsum("yxi,ni->nyx", q, atoms.positions))
        return np.einsum("nyx,nyx->yx", np.stack([tables[number] for number in atoms.numbers]), phases)

    form = 0.4 * 0.6 * np.abs(structure(one) - structure(other)) ** 2
    sro = np.ones_like(length)
    for index in list(np.ndindex(11, 11, 11))[: 11**3 // 2]:
        sro += 2 * alpha[index] * np.cos(q @ ((np.array(index) - SHELL_CUTOFF) @ cell.vectors))
    return 1e3 * (time.process_time() - start), form, sro


def matrix_product_rate() -> float:
    n = 512
    matrix = np.random.default_rng(0).random((n, n), dtype=np.float32)
    return 2 * n**3 / (lower_ms(lambda: matrix @ matrix, 101) * 1e6)


def write_rate() -> float:
    target = np.empty(1 << 24, np.float32)
    return target.nbytes / (lower_ms(lambda: target.fill(1), 51) * 1e6)


def first_call() -> float:
    return float(subprocess.run([sys.executable, "-c", FIRST_CALL], capture_output=True, text=True, check=True).stdout)


def lower_ms(function: Callable[[], object], runs: int) -> float:
    function()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return 1e3 * float(np.quantile(times, 0.1))


def processor() -> str:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


if __name__ == "__main__":
    main()
