"""How well planes of unseen molecules are factorised by a network, by the solver, and by both.

    python tests/benchmarks/factorising.py STORE [--planes 100] [--weights FILE] [--noise 0 0.01 0.05] [--crystals 20]
        [--save FOLDER]

Planes are of the validation split, one or more of every pair, under the dead zones that the store gives them. Noise r
is Poisson noise whose relative deviation at the plane's mean intensity is r. Errors are mean squared ones of planes
scaled to −1 … +1, each on its own, as the paper's; of I_SRO, and of I_FF on all pixels, live ones and dead ones.

With --crystals, three planes of one crystal, normal to a, b and c, are taken together and each alone. With --save,
every plane is kept as a line of a CSV file, and a run that was stopped goes on where it was. One thread; CPU-seconds.
"""

import argparse
import csv
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
import torch

from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.factorise.factors import CrystalFactors, PlaneFactors
from dsfu.model.measured.factorise.methods import Network, factorise, fill, load_network, of_solver
from dsfu.model.measured.solver.settings import SolverSettings
from dsfu.model.problems.disorder.data.computed_planes import ComputedPlanes
from dsfu.model.problems.disorder.data.normalise import Scale, normalise
from dsfu.model.problems.disorder.data.shards import Split, open_store
from dsfu.simulate.arrays import Float32Array, IntArray
from dsfu.simulate.disorder.fields import SHELL_CUTOFF

SCALES: Final[tuple[Scale, ...]] = ("linear", "sqrt")
WHERE: Final = ("sro", "all", "live", "dead")
MEASURES: Final = tuple(f"{scale}_{where}" for scale in SCALES for where in WHERE)
TITLES: Final = {"sro": "I_SRO", "all": "I_FF, all pixels", "live": "I_FF, live", "dead": "I_FF, dead zones"}
PAPER: Final = ".0150 / – / .0320 | .0060 / – / .0140 | – | – | –"
"""Mean and the 90th percentile: 90 % of the paper's validation planes are below."""

SETTINGS: Final = SolverSettings()

Row = dict[str, str | float]


class Results:
    """Lines of a CSV file, and which of them are there already."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.rows: list[Row] = []
        if path is not None and path.exists():
            with path.open(newline="") as file:
                self.rows = [{name: _number(text) for name, text in row.items()} for row in csv.DictReader(file)]

    def has(self, **key: str | float) -> bool:
        return any(all(row[name] == value for name, value in key.items()) for row in self.rows)

    def add(self, row: Row) -> None:
        self.rows.append(row)
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = not self.path.exists()
        with self.path.open("a", newline="") as file:
            writer = csv.DictWriter(file, list(row))
            if new:
                writer.writeheader()
            writer.writerow(row)


class Planes:
    """Planes of a split as they would be measured, and the truth behind them."""

    def __init__(self, store: Path, split: str) -> None:
        self.computed = ComputedPlanes(str(store))
        self.split: Split = open_store(str(store), planes_from=self.computed).split(split)
        self.name = split

    def chosen(self, count: int, seed: int) -> list[int]:
        """Unique planes, pair after pair, until there are enough."""
        kept = np.random.default_rng(seed).permutation(self.split.kept_indices)
        pair = kept // self.split.planes_per_pair
        order = np.argsort([np.count_nonzero(pair[:i] == each) for i, each in enumerate(pair)], kind="stable")
        return [int(index) for index in kept[order][:count]]

    def crystals(self, count: int, seed: int) -> list[list[int]]:
        """For each crystal three unique planes, normal to a, b and c."""
        kept = self.split.kept_indices
        normals, sets = self.computed.normals(self.name), np.asarray(self.split.coordinates["sro_set"])
        crystal = (kept // self.split.planes_per_pair) * (int(sets.max()) + 1) + sets[kept]
        found: list[list[int]] = []
        for number in np.random.default_rng(seed).permutation(np.unique(crystal)):
            if len(found) == count:
                break
            own = kept[crystal == number]
            axes: list[IntArray] = [own[normals[own] == axis] for axis in range(3)]
            if all(len(each) for each in axes):
                found.append([int(each[number % len(each)]) for each in axes])
        return found

    def measured(self, index: int, noise: float) -> tuple[MeasuredPlane, Float32Array, Float32Array]:
        """A plane, I_FF and I_SRO."""
        truth = self.split.planes(index)
        plane = self.computed.plane(self.name, index)
        live = self.split.store.live_pixels(self.split.coordinates["mask"][index], plane.pixels)
        intensity = np.asarray(truth.intensity, np.float64)
        if noise > 0:
            counts = 1 / (noise**2 * intensity[live].mean())
            intensity = np.random.default_rng([index, round(1e6 * noise)]).poisson(intensity * counts) / counts
        measured = MeasuredPlane(
            intensity=np.where(live, intensity, 0).astype(np.float32),
            live=live,
            plane=plane,
            cell=self.computed.cell(self.name, index),
            name=f"plane {index}",
        )
        return measured, truth.form_factor, truth.sro

    def alpha_errors(self, index: int, factors: CrystalFactors) -> tuple[float, float]:
        """Root mean square error of α of the 13 nearest pairs ±v, as it is and after all were multiplied by what suits
        best; NaN where planes do not give them one by one."""
        if factors.alpha is None or factors.alpha_vectors is None or len(factors.planes) == 1:
            return float("nan"), float("nan")
        near = (np.abs(factors.alpha_vectors).max(axis=1) == 1).nonzero()[0]
        truth = self.computed.alphas(self.name, [index])[0].numpy()
        true, found = truth[tuple((factors.alpha_vectors[near] + SHELL_CUTOFF).T)], factors.alpha[near]
        factor = float(found @ true) / float(found @ found)
        as_found, scaled = (float(np.sqrt(np.square(each * found - true).mean())) for each in (1.0, factor))
        return as_found, scaled


def errors(found: PlaneFactors, form_factor: Float32Array, sro: Float32Array) -> dict[str, float]:
    out = {}
    for scale in SCALES:
        of_sro = np.square(normalise(found.sro, scale) - normalise(sro, scale))
        of_form = np.square(normalise(found.form_factor, scale) - normalise(form_factor, scale))
        dead = of_form[~found.live]
        values = (of_sro.mean(), of_form.mean(), of_form[found.live].mean(), dead.mean() if dead.size else np.nan)
        out |= {f"{scale}_{where}": float(value) for where, value in zip(WHERE, values, strict=True)}
    return out


def timed(work: Callable[[], CrystalFactors]) -> tuple[CrystalFactors, float]:
    start = time.process_time()
    return work(), time.process_time() - start


def measure_planes(planes: Planes, network: Network, indices: Sequence[int], noise: float, results: Results) -> None:
    for done, index in enumerate(indices, 1):
        if results.has(method="hybrid", noise=noise, plane=index):
            continue
        measured, form_factor, sro = planes.measured(index, noise)
        by_network, first = timed(lambda m=measured: factorise([m], "network", network=network))
        solved, common = timed(lambda m=measured: of_solver([m], SETTINGS))
        by_solver, second = timed(lambda f=solved: fill(f, None))
        by_both, third = timed(lambda f=solved: fill(f, network))
        for method, found, seconds in (
            ("network", by_network, first),
            ("solver", by_solver, common + second),
            ("hybrid", by_both, common + third),
        ):
            row: Row = {"method": method, "noise": noise, "plane": index, "seconds": seconds}
            results.add(row | errors(found.planes[0], form_factor, sro))
        print(f"noise {noise:g}: {done} of {len(indices)} planes", end="\r", flush=True)


def measure_crystals(planes: Planes, crystals: Sequence[Sequence[int]], noise: float, results: Results) -> None:
    """By the solver: what planes gain from one another is its."""
    for done, indices in enumerate(crystals, 1):
        if results.has(method="three together", noise=noise, plane=indices[-1]):
            continue
        made = [planes.measured(index, noise) for index in indices]
        every = [each[0] for each in made]
        alone = [timed(lambda m=measured: factorise([m], "solver", settings=SETTINGS)) for measured in every]
        together, seconds = timed(lambda m=every: factorise(m, "solver", settings=SETTINGS))
        rows = [("each alone", factors.planes[0], spent, factors) for factors, spent in alone]
        rows += [("three together", plane, seconds / len(every), together) for plane in together.planes]
        for number, (method, found, spent, factors) in enumerate(rows):
            index, (_, form_factor, sro) = indices[number % len(every)], made[number % len(every)]
            row: Row = {"method": method, "noise": noise, "plane": index, "seconds": spent}
            row |= errors(found, form_factor, sro)
            as_found, scaled = planes.alpha_errors(index, factors)
            results.add(row | {"alpha": as_found, "alpha_scaled": scaled})
        print(f"noise {noise:g}: {done} of {len(crystals)} crystals", end="\r", flush=True)


def table(rows: Sequence[Row], methods: Iterable[str], noise: float, scale: Scale) -> Iterator[str]:
    """Mean / median / 90th percentile."""
    yield f"\n{100 * noise:g} % noise, {scale} scale; mean / median / p90\n"
    yield f"| | {' | '.join(TITLES.values())} | CPU-seconds |"
    yield f"|---|{'---|' * (len(TITLES) + 1)}"
    for method in methods:
        own = [row for row in rows if row["method"] == method and row["noise"] == noise]
        cells = [_spread([float(row[f"{scale}_{where}"]) for row in own]) for where in WHERE]
        seconds = float(np.median([float(row["seconds"]) for row in own]))
        yield f"| {method} ({len(own)}) | {' | '.join(cells)} | {seconds:.2f} |"
    if scale == "linear":
        yield f"| the paper's network | {PAPER} |"


def _spread(values: Sequence[float]) -> str:
    known = np.array(values)[~np.isnan(values)]
    if not len(known):
        return "–"
    return " / ".join(_short(float(each)) for each in (known.mean(), np.median(known), np.quantile(known, 0.9)))


def _short(value: float) -> str:
    return f"{value:.4f}".lstrip("0") if value >= 5e-4 else f"{value:.5f}".lstrip("0")


def _number(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path, help="a closed store; of parameters only will do")
    parser.add_argument("--split", default="validation")
    parser.add_argument("--planes", type=int, default=100)
    parser.add_argument("--crystals", type=int, default=0)
    parser.add_argument("--noise", type=float, nargs="+", default=[0.0, 0.01, 0.05])
    parser.add_argument("--weights", type=Path, help="a file of weights, or a run's folder; those shipped if not given")
    parser.add_argument("--seed", type=int, default=0, help="of the choice of planes")
    parser.add_argument("--save", type=Path, help="a folder for planes.csv and crystals.csv")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    planes = Planes(asked.store, asked.split)
    network = load_network(asked.weights)
    of_planes = Results(asked.save and asked.save / "planes.csv")
    of_crystals = Results(asked.save and asked.save / "crystals.csv")
    for noise in asked.noise:
        measure_planes(planes, network, planes.chosen(asked.planes, asked.seed), noise, of_planes)
        measure_crystals(planes, planes.crystals(asked.crystals, asked.seed), noise, of_crystals)
    for scale in SCALES:
        for noise in asked.noise:
            if asked.planes:
                print("\n".join(table(of_planes.rows, ("network", "solver", "hybrid"), noise, scale)))
            if asked.crystals:
                print("\n".join(table(of_crystals.rows, ("each alone", "three together"), noise, scale)))
    for noise in asked.noise if asked.crystals else ():
        print(f"\n{100 * noise:g} % noise: error of α of the nearest 13 pairs, three together; mean / median / p90")
        for name, what in (("alpha", "as found"), ("alpha_scaled", "after one common factor")):
            found = [float(row[name]) for row in of_crystals.rows if row["noise"] == noise]
            print(f"  {what}: {_spread(found)}")


if __name__ == "__main__":
    main()
