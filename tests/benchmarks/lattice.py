"""The lattice found without being given: planes of unseen molecules under dead zones, half of them turned by any angle.

    python tests/benchmarks/lattice.py --planes 40 --noise 0 0.05 --seed 11

Errors are mean squares on the linear scale, over all pixels (mean / median / 90 %). A lattice is right where each
vector is within half a per cent; a finer or coarser one that describes the plane as well counts as wrong.
"""

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.factorise.blind import factorise_blind
from dsfu.model.measured.factorise.methods import load_network
from dsfu.model.measured.lattice.bases import are_same
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.planes import Plane
from dsfu.simulate.disorder.scattering import simulate_plane
from dsfu.simulate.species import load_library
from tests.benchmarks.solver_planes import TestPlane, fair_planes, normalised_errors


def turned(test: TestPlane, radians: float) -> TestPlane:
    """The same layer of the same crystal, on a plane whose axes are turned; simulated again, not interpolated."""
    names = test.name.partition(",")[0].split(" / ")
    library = load_library()
    one, other = (library[name] for name in names)
    own = test.plane
    cosine, sine = np.cos(radians), np.sin(radians)
    axis_x = cosine * own.axis_x + sine * own.axis_y
    axis_y = cosine * own.axis_y - sine * own.axis_x
    plane = Plane(own.centre, axis_x, axis_y, own.q_max, own.pixels)
    fraction = test.fraction_a
    truth = simulate_plane(one.atoms, other.atoms, fraction, test.cell, test.alpha, plane)
    return replace(test, plane=plane, truth=truth)


def true_basis(test: TestPlane) -> FloatArray:
    """The lattice vectors within the plane's own axes: a, b, c projected, without the one normal to it."""
    flat = test.cell.vectors @ np.stack([test.plane.axis_x, test.plane.axis_y], axis=1)
    longest_two = np.argsort(-np.hypot(*flat.T))[:2]
    return np.asarray(flat[np.sort(longest_two)])


def without_cell(plane: MeasuredPlane) -> MeasuredPlane:
    return replace(plane, cell=None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--planes", type=int, default=40)
    parser.add_argument("--noise", type=float, nargs="+", default=[0.0, 0.05])
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--each", action="store_true", help="print every plane")
    options = parser.parse_args()
    torch.set_num_threads(1)
    network = load_network()
    rng = np.random.default_rng(options.seed)
    tests = []
    for number, (test,) in enumerate(fair_planes(options.planes, options.seed)):
        tests.append(turned(test, rng.uniform(0, np.pi)) if number % 2 else test)
    for noise in options.noise:
        rows = []
        for number, test in enumerate(tests):
            start = time.process_time()
            measured = without_cell(test.measured(noise=noise, seed=number))
            factors, found = factorise_blind(measured, network)
            seconds = time.process_time() - start
            plane = factors.planes[0]
            errors = normalised_errors(plane.form_factor, plane.sro, test)[:2]
            right = bool(found and are_same(found.basis, true_basis(test), 0.005))
            rows.append([*errors, right, seconds, factors.method != "network", number % 2])
            if options.each:
                words = found.words if found else "none"
                agreement, misfit = (found.agreement, found.misfit) if found else (np.nan, np.nan)
                print(
                    f"{number:3d} {errors[0]:.5f} {errors[1]:.5f} {'right' if right else 'WRONG'} {seconds:5.1f} s "
                    f"misfit {misfit:.4f} agreement {agreement:.3f} {factors.method}: {words}; {test.name}",
                    flush=True,
                )
        table = np.array(rows, np.float64)
        for name, chosen in (
            ("all", np.ones(len(table), bool)),
            ("straight", table[:, 5] == 0),
            ("turned", table[:, 5] == 1),
        ):
            part = table[chosen]
            if not len(part):
                continue
            sro, ff = part[:, 0], part[:, 1]
            print(
                f"noise {noise:4.0%}  {name:9s} {len(part):3d} planes  "
                f"I_SRO {sro.mean():.5f} / {np.median(sro):.5f} / "
                f"{np.quantile(sro, 0.9):.5f}  "
                f"I_FF {ff.mean():.5f} / {np.median(ff):.5f} / {np.quantile(ff, 0.9):.5f}  "
                f"lattice {part[:, 2].mean():.0%}  solver used {part[:, 4].mean():.0%}  {np.median(part[:, 3]):.1f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
