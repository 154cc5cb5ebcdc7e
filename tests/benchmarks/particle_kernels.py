"""Milliseconds a PDF: Debye's sum for known shapes and for any structure, beside pdffit2 and debyecalculator.

    python tests/benchmarks/particle_kernels.py

One core, warm, processor time. Both programs are optional: pip install diffpy.pdffit2==1.5.0 debyecalculator. The times
of DiffPy-CMI (DebyePDFCalculator of its C++ library) were measured once on the same kind of machine; they are repeated
here, not measured.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import importlib.util
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from dsfu.simulate.particles.debye import any_structure, distance_table, known_shapes
from dsfu.simulate.particles.experiment import PdfExperiment
from dsfu.simulate.particles.shapes import BOND_LENGTHS, catalogue

DIFFPY_MS = {16: 0.81, 146: 46.0, 160: 55.2, 200: 84.9}
BOND, B_ISO = 2.77, 0.3


def milliseconds(work: Callable[[], Any], repeats: int) -> float:
    """The least of three, each the mean of some repeats."""
    work()
    times = []
    for _ in range(3):
        start = time.process_time()
        for _ in range(repeats):
            work()
        times.append((time.process_time() - start) / repeats * 1e3)
    return min(times)


def pdffit2_of(positions: np.ndarray) -> Callable[[], Any] | None:
    if not importlib.util.find_spec("diffpy"):
        return None
    from diffpy.pdffit2 import PdfFit, redirect_stdout
    from diffpy.structure import Atom, Lattice, Structure

    redirect_stdout(open(os.devnull, "w"))  # noqa: PTH123, SIM115
    lattice = Lattice(150, 150, 150, 90, 90, 90)
    atoms = [Atom("Pt", x / 150, Uisoequiv=B_ISO / (8 * np.pi**2), lattice=lattice) for x in positions]
    fit = PdfFit()
    fit.add_structure(Structure(atoms, lattice=lattice))
    fit.alloc("X", 25.0, 0.0, 0.01, 29.99, 2999)
    return fit.calc


def debyecalculator_of(positions: np.ndarray) -> Callable[[], Any] | None:
    if not importlib.util.find_spec("debyecalculator"):
        return None
    from debyecalculator import DebyeCalculator

    path = Path(tempfile.mkdtemp()) / "particle.xyz"
    rows = "".join(f"Pt {x:.9f} {y:.9f} {z:.9f}\n" for x, y, z in positions)
    path.write_text(f"{len(positions)}\n\n{rows}")
    calculator = DebyeCalculator(device="cpu", qmin=0.7, qmax=25, qstep=0.057, rmin=0, rmax=29.99, rstep=0.01)
    return lambda: calculator.gr(str(path))


def packed_bytes(values: np.ndarray) -> int:
    """As a store can keep a curve: second differences of int16, high and low bytes apart, zlib."""
    differences = np.diff(values, 2, prepend=np.int16([0, 0]))
    return len(zlib.compress(differences.view(np.uint8).reshape(-1, 2).T.tobytes(), 6))


def main() -> None:
    shapes = catalogue()
    table = distance_table([shape.positions for shape in shapes])
    experiment = PdfExperiment()
    grid = (experiment.q_step, experiment.q_points)
    print("ms; ratios of pdffit2, debyecalculator and DiffPy-CMI* to ours")
    print(f"{'':>20}  F known  G known    F any    G any | pdffit2  debyecalc  DiffPy* | × known G | × any G")
    for atoms, diffpy in DIFFPY_MS.items():
        k = int(np.argmin(np.abs(table.atoms - atoms)))
        positions = shapes[k].positions * BOND
        many = ([k] * 64, [BOND] * 64, B_ISO, *grid)
        own = [
            milliseconds(lambda many=many: known_shapes(table, *many), 4) / 64,
            milliseconds(lambda many=many: experiment.pdf(known_shapes(table, *many)), 4) / 64,
            milliseconds(lambda x=positions: any_structure(x, B_ISO, *grid), 50),
            milliseconds(lambda x=positions: experiment.pdf([any_structure(x, B_ISO, *grid) for _ in range(16)]), 4)
            / 16,
        ]
        makers = (pdffit2_of, debyecalculator_of)
        others = [milliseconds(run, 10) if (run := make(positions)) else np.nan for make in makers] + [diffpy]
        numbers = " ".join(f"{value:8.3f}" for value in own)
        theirs = " ".join(f"{value:8.2f}" for value in others)
        ratios = " | ".join(" ".join(f"{other / value:4.0f}" for other in others) for value in (own[1], own[3]))
        print(f"{shapes[k]!s:>20} {numbers} | {theirs} | {ratios}")

    which, bonds = np.repeat(np.arange(len(shapes)), len(BOND_LENGTHS)), np.tile(BOND_LENGTHS, len(shapes))
    start = time.process_time()
    pdfs = experiment.pdf(known_shapes(table, which, bonds, B_ISO, *grid))
    print(f"\nall {len(pdfs)} PDFs: {time.process_time() - start:.2f} s")
    kept = np.round(pdfs / np.abs(pdfs).max(1, keepdims=True) * 8192).astype(np.int16)
    print(f"bytes a sample: {np.mean([packed_bytes(row) for row in kept[::19]]):.0f} (float32: {pdfs.shape[1] * 4})")


if __name__ == "__main__":
    main()
