"""The lattice found without being given: planes of unseen molecules under dead zones, half of them turned by any angle.

    python tests/benchmarks/lattice.py --planes 40 --noise 0 0.05 --seed 11

Errors are mean squares on the linear scale, over all pixels (mean / median / 90 %). A lattice is right where each
vector is within half a per cent; a finer or coarser one that describes the plane as well counts as wrong. Planes whose
true order is along one direction (nine tenths of Σ α² on one row of vectors) do not determine the second vector and are
counted apart: whether that is recognised, and whether the row's own vector is within half a per cent.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.factorise.blind import factorise_blind
from dsfu.model.measured.factorise.methods import load_network
from dsfu.model.measured.factorise.verdict import judge
from dsfu.model.measured.lattice.bases import are_same
from dsfu.model.measured.lattice.comparison import given_lattice
from dsfu.model.measured.lattice.search import ONE_DIRECTION
from dsfu.model.measured.solver.lattice_terms import lattice_terms
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.fields import SHELL_CUTOFF
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


def row_of_order(test: TestPlane) -> FloatArray | None:
    """The shortest vector, in Å, of the row that the true order lies on; None if it lies on none."""
    lattice = lattice_terms(test.plane, test.cell, SHELL_CUTOFF)
    alpha = test.alpha[tuple((lattice.members + SHELL_CUTOFF).T)]
    power = np.square(lattice.map_from_alpha() @ alpha).sum(axis=0)
    power[0] = 0
    vectors = lattice.terms.vectors
    x, y = vectors.T
    strongest = vectors[power.argmax()]
    on_row = np.abs(x * strongest[1] - y * strongest[0]) < 1e-3
    if power[on_row].sum() <= ONE_DIRECTION * power.sum():
        return None
    return vectors[on_row][1:][np.hypot(*vectors[on_row][1:].T).argmin()]


def has_row(basis: FloatArray, row: FloatArray, tolerance: float) -> bool:
    """Whether a lattice has a vector like this one that is no multiple of a shorter one."""
    whole = np.rint(row @ np.linalg.inv(basis)).astype(int)
    near = np.hypot(*(whole @ basis - row)) < tolerance * np.hypot(*row)
    return bool(near and np.gcd(*whole) == 1)


def without_cell(plane: MeasuredPlane) -> MeasuredPlane:
    return replace(plane, cell=None)


def planes(count: int, seed: int) -> Iterator[TestPlane]:
    """Every other one turned by any angle."""
    rng = np.random.default_rng(seed)
    for number, (test,) in enumerate(fair_planes(count, seed)):
        yield turned(test, rng.uniform(0, np.pi)) if number % 2 else test


def check(count: int, seed: int, noises: list[float], edges_off: list[float]) -> None:
    """`--lattice check` on cells whose edges are each longer or shorter by such a share."""
    noticed: dict[tuple[float, float], list[bool]] = {}
    for number, test in enumerate(planes(count, seed)):
        for noise in noises:
            for off in edges_off:
                given = given_lattice(test.measured(noise=noise, stretch=off, seed=number))
                noticed.setdefault((noise, off), []).append(given.is_off)
                print(
                    f"{number:3d} {noise:.2f} {off:.3f} {given.is_off} misfit {given.misfit:.4f}, {given.words}",
                    flush=True,
                )
    for (noise, off), answers in noticed.items():
        print(f"noise {noise:4.0%}  edges off by {off:.1%}: noticed in {sum(answers)} of {len(answers)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--planes", type=int, default=40)
    parser.add_argument("--noise", type=float, nargs="+", default=[0.0, 0.05])
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--each", action="store_true", help="print every plane")
    parser.add_argument("--check", type=float, nargs="+", help="no search: how often given edges so wrong are noticed")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.check:
        check(options.planes, options.seed, options.noise, options.check)
        return
    network = load_network()
    tests = list(planes(options.planes, options.seed))
    for noise in options.noise:
        rows = []
        for number, test in enumerate(tests):
            start = time.process_time()
            measured = without_cell(test.measured(noise=noise, seed=number))
            factors, found = factorise_blind(measured, network, judge=judge)
            seconds = time.process_time() - start
            plane = factors.planes[0]
            errors = normalised_errors(plane.form_factor, plane.sro, test)[:2]
            row = row_of_order(test)
            right = bool(found and are_same(found.basis, true_basis(test), 0.005))
            in_row = bool(found and row is not None and has_row(found.basis, row, 0.005))
            called = bool(found and found.one_dimensional)
            used = factors.method != "network"
            believed = used and factors.verdict.judgement == "agrees"
            rows.append([*errors, right, seconds, used, number % 2, row is not None, called, in_row, believed])
            if options.each:
                words = found.words if found else "none"
                along = "" if row is None else f"one direction, row {'right' if in_row else 'WRONG'} "
                agreement, misfit = (found.agreement, found.misfit) if found else (np.nan, np.nan)
                print(
                    f"{number:3d} {errors[0]:.5f} {errors[1]:.5f} {'right' if right else 'WRONG'} "
                    f"{along}{'believed' if believed else 'not believed'} {seconds:5.1f} s "
                    f"misfit {misfit:.4f} agreement {agreement:.3f} {factors.method}: {words}; {test.name}",
                    flush=True,
                )
        report(noise, np.array(rows, np.float64))


def report(noise: float, table: FloatArray) -> None:
    """Columns: both errors, lattice right, seconds, solver used, turned, one direction, called so, row, believed."""
    along, turned_too, called = table[:, 6] == 1, table[:, 5] == 1, table[:, 7] == 1
    parts = {
        "all": np.ones(len(table), bool),
        "two directions": ~along,
        "- straight": ~along & ~turned_too,
        "- turned": ~along & turned_too,
        "one direction": along,
    }
    for name, chosen in parts.items():
        part = table[chosen]
        if not len(part):
            continue
        sro, ff, seconds = part[:, 0], part[:, 1], part[:, 3]
        print(
            f"noise {noise:4.0%}  {name:14s} {len(part):3d} planes  "
            f"I_SRO {sro.mean():.5f} / {np.median(sro):.5f} / {np.quantile(sro, 0.9):.5f}  "
            f"I_FF {ff.mean():.5f} / {np.median(ff):.5f} / {np.quantile(ff, 0.9):.5f}  "
            f"lattice {part[:, 2].mean():.0%}  row {part[:, 8].mean():.0%}  solver used {part[:, 4].mean():.0%}  "
            f"{np.median(seconds):.1f} s (90 % {np.quantile(seconds, 0.9):.1f})",
            flush=True,
        )
    print(
        f"noise {noise:4.0%}  order along one direction: recognised in {(along & called).sum()} of {along.sum()}, "
        f"said of {(~along & called).sum()} of {(~along).sum()} others",
        flush=True,
    )
    found = np.where(along, table[:, 8], table[:, 2]) == 1
    believed = table[:, 9] == 1
    print(f"noise {noise:4.0%}  believed {believed.sum()}, of these right (or the row) {(believed & found).sum()}")


if __name__ == "__main__":
    main()
