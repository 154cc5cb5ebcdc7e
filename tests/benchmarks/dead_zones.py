"""Time of one plane of dead zones, beside the plain-NumPy twin in the same run.

OMP_NUM_THREADS=1 python tests/benchmarks/dead_zones.py [--json FILE]
"""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from dsfu.simulate.disorder.dead_zones import live_pixels
from dsfu.simulate.disorder.detectors import EIGER_16M, FLAT_PANEL, PILATUS3_6M, PILATUS_2M
from dsfu.simulate.disorder.experiment import BeamStop, DetectorPosition, Experiment
from dsfu.simulate.disorder.planes import layer
from dsfu.simulate.disorder.random_masks import random_mask
from dsfu.simulate.lattice import Cell
from tests.simulate.disorder.dead_zones_reference import live_vectors

ONE = (DetectorPosition(shift_y_m=0.02),)
TWO = (*ONE, DetectorPosition(two_theta_deg=25.0))


def cases() -> dict[str, Experiment]:
    """The presets, one or two positions, full or partial turns."""
    plain = Experiment(
        detector=PILATUS_2M,
        distance_m=0.25,
        wavelength_angstrom=0.7,
        positions=ONE,
        beam_stop=BeamStop(distance_m=0.05, radius_m=0.001, arm_width_m=0.0006, arm_angle_deg=40.0),
        orientation=((0.36, 0.48, -0.8), (-0.8, 0.6, 0.0), (0.48, 0.64, 0.6)),
    )
    return {
        "PILATUS 2M, 1 position, 360°": plain,
        "PILATUS 2M, 2 positions, 360°": replace(plain, positions=TWO),
        "PILATUS 2M, 2 positions, 200°": replace(plain, positions=TWO, phi_range_deg=200.0),
        "PILATUS3 6M, 2 positions, 200°": replace(plain, detector=PILATUS3_6M, positions=TWO, phi_range_deg=200.0),
        "EIGER 16M, 1 position, 200°": replace(plain, detector=EIGER_16M, phi_range_deg=200.0),
        "flat panel, 1 position, 360°": replace(plain, detector=FLAT_PANEL),
    }


def best_ms(call: Callable[[], object], repeats: int) -> float:
    """The shortest of several runs in ms, after one to warm up."""
    call()
    times = []
    for _ in range(repeats):
        start = perf_counter()
        call()
        times.append(perf_counter() - start)
    return 1e3 * min(times)


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the numbers to this file too")
    parser.add_argument("--pixels", type=int, default=256)
    options = parser.parse_args()
    plane = layer(Cell(5.0, 6.0, 7.0), "b", 1, 7.0, options.pixels)
    print(f"{'experiment':34s} {'ms a plane':>11s} {'NumPy twin':>11s} {'ratio':>7s} {'differ':>7s} {'live':>6s}")
    rows = []
    for name, experiment in cases().items():
        fast = best_ms(partial(live_pixels, plane, experiment), 20)
        slow = best_ms(partial(live_vectors, plane.q, experiment), 3)
        live = live_pixels(plane, experiment)
        differ = int((live != live_vectors(plane.q, experiment)).sum())
        print(f"{name:34s} {fast:11.2f} {slow:11.1f} {slow / fast:7.1f} {differ:7d} {live.mean():6.2f}")
        rows.append({"experiment": name, "ms": fast, "twin_ms": slow, "ratio": slow / fast, "differing_pixels": differ})
    start = perf_counter()
    drawn = [random_mask((1, number), pixels=options.pixels)[1] for number in range(100)]
    each = 1e3 * (perf_counter() - start) / len(drawn)
    attempts = float(np.mean([description["attempts"] for description in drawn]))
    print(f"\nrandom_mask: {each:.1f} ms each, {attempts:.2f} draws each")
    if options.json:
        result = {"pixels": options.pixels, "planes": rows, "random_mask_ms": each, "random_mask_draws": attempts}
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
