"""Charge flipping by another program, smtbx of cctbx, on the crystals of `phases.py`, beside `solve-phases`.

    python -m venv /tmp/cctbx && /tmp/cctbx/bin/pip install cctbx-base       # in one process with us it crashes
    python tests/benchmarks/phases_charge_flipping.py --python /tmp/cctbx/bin/python [--d-min 0.8 1.0 1.2]

smtbx gets the merged intensities with their cell and the true space group, looks for the phase transition five times at
most, and returns phases in P1; measured moduli with these phases are compared with the truth like our own map, over
shifts on the grid and inversion. `solve-phases` is not told the group. One thread; seconds of the processor.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from dsfu.model.problems.phases.crystal_data import ReflectionList
from dsfu.model.problems.phases.reading import read_reflections
from dsfu.model.problems.phases.solve import solve
from tests.benchmarks.phases import GROUPS, MOLECULES
from tests.model.problems.phases.made_elsewhere import correlation, packed, write_hkl

HERE = Path(__file__).parent


def flipped(python: str, data: ReflectionList, group: str, folder: Path) -> tuple[bool, float, list[np.ndarray]]:
    """Whether smtbx says that it found a solution, its seconds, and its maps (else that of its last iteration)."""
    source, target = folder / "data.json", folder / "maps.npz"
    hkl, value, sigma = data.hkl.tolist(), data.intensity.tolist(), data.sigma.tolist()
    content = {"hkl": hkl, "intensity": value, "sigma": sigma, "cell": data.cell, "group": group}
    source.write_text(json.dumps(content))
    code = f"import sys; sys.path.insert(0, {str(HERE)!r}); import smtbx_flipping; smtbx_flipping.main(*sys.argv[1:])"
    subprocess.run([python, "-c", code, str(source), str(target)], check=True, stdout=subprocess.DEVNULL)
    with np.load(target) as found:
        return bool(found["solved"]), float(found["seconds"]), [found[k] for k in found.files if k.startswith("map")]


def rows(python: str, count: int, d_min: float) -> str:
    theirs, ours, found, seconds = [], [], 0, [0.0, 0.0]
    for i in range(count):
        structure = packed(MOLECULES[i % len(MOLECULES)], GROUPS[i % len(GROUPS)], seed=100 + i)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "x.hkl"
            write_hkl(path, structure, d_min, seed=i)
            data = read_reflections(path)
            solved, their_seconds, maps = flipped(python, data, structure.spacegroup.hm, Path(folder))
        found += solved
        seconds[0] += their_seconds
        theirs.append(max(correlation(each, structure, d_min) for each in maps))
        began = time.process_time()
        crystal = solve(data)
        seconds[1] += time.process_time() - began
        ours.append(correlation(crystal.density, structure, d_min))
    told = [f"{sum(c > 0.8 for c in each)} | {np.median(each):.3f} | {min(each):.3f}" for each in (theirs, ours)]
    return (
        f"| {d_min} | {count} | {found} | {told[0]} | {seconds[0] / count:.1f} | {told[1]} | {seconds[1] / count:.1f} |"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crystals", type=int, default=12)
    parser.add_argument("--d-min", type=float, nargs="+", default=[0.8, 1.0, 1.2])
    parser.add_argument("--python", default=sys.executable, help="a Python that has cctbx")
    options = parser.parse_args()
    if subprocess.run([options.python, "-c", "import smtbx"], check=False, capture_output=True).returncode:
        print(f"{options.python} has no smtbx (pip install cctbx-base): nothing to compare with")
        sys.exit(0)
    print("| d ≥ / Å | crystals | smtbx: says solved | > .8 | median | least | s | ours: > .8 | median | least | s |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for d_min in options.d_min:
        print(rows(options.python, options.crystals, d_min), flush=True)
