"""Networks on planes whose lattice lies at any angle: unseen molecules under dead zones, half of the planes turned.

    python tests/benchmarks/turned_planes.py WEIGHTS … --planes 200 --noise 0 0.05 --seed 77 --keep planes.npz

Errors are mean squares on the linear scale over all pixels (mean / median / 90 %), of one pass through the network.
They are told by order at the cut-off, too (root mean square of α over the outermost vectors). ``--keep`` keeps the
planes, so that other weights are asked about the same ones without simulating them again.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[2]))

from dsfu.model.problems.disorder.data.normalise import normalise
from dsfu.model.weights.files import load_weights
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.sro_set import order_at_cutoff
from tests.benchmarks.lattice import turned
from tests.benchmarks.network_on_lattice import ORDERED, told
from tests.benchmarks.solver_planes import fair_planes

Planes = dict[str, npt.NDArray[np.generic]]

_AT_ONCE = 8


def planes_of(count: int, seed: int) -> Planes:
    rng = np.random.default_rng(seed)
    rows = []
    for number, (test,) in enumerate(fair_planes(count, seed)):
        shown = turned(test, rng.uniform(0, np.pi)) if number % 2 else test
        rows.append((shown.truth.form_factor, shown.truth.sro, shown.live, number % 2, order_at_cutoff(test.alpha)))
    names = ("form_factor", "sro", "live", "turned", "order")
    return {name: np.stack(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def errors_of(network: nn.Module, planes: Planes, noise: float) -> FloatArray:
    """(planes, 2): mean square errors of I_SRO and I_FF."""
    rows = []
    intensity = planes["form_factor"].astype(np.float64) * planes["sro"].astype(np.float64)
    if noise:
        mean = intensity.mean((1, 2), keepdims=True)
        counts = 1 / (noise**2 * mean)
        intensity = np.random.default_rng(0).poisson(intensity * counts) / counts
    live = planes["live"]
    for first in range(0, len(live), _AT_ONCE):
        some = slice(first, first + _AT_ONCE)
        seen = torch.from_numpy(np.where(live[some], intensity[some], 0)[:, None].astype(np.float32))
        with torch.inference_mode():
            answers = network(seen, torch.from_numpy(live[some])[:, None])
        squared = [each.clamp(min=0).square()[:, 0].numpy() for each in reversed(answers)]
        for place in range(len(seen)):
            pairs = zip(squared, (planes["sro"], planes["form_factor"]), strict=True)
            rows.append(
                [
                    np.square(normalise(answer[place], "linear") - normalise(truth[first + place], "linear")).mean()
                    for answer, truth in pairs
                ]
            )
    return np.array(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, nargs="*")
    parser.add_argument("--planes", type=int, default=200)
    parser.add_argument("--noise", type=float, nargs="+", default=[0.0, 0.05])
    parser.add_argument("--seed", type=int, default=77)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.keep and options.keep.exists():
        planes = dict(np.load(options.keep))
    else:
        planes = planes_of(options.planes, options.seed)
        if options.keep:
            np.savez(options.keep, **planes)  # type: ignore[arg-type]
    way, order = planes["turned"].astype(bool), planes["order"]
    groups = {
        "all": np.ones(len(way), bool),
        "straight": ~way,
        "turned": way,
        f"order < {ORDERED}": order < ORDERED,
        f"order ≥ {ORDERED}": order >= ORDERED,
    }
    for weights in options.weights:
        network, _ = load_weights(weights)
        for noise in options.noise:
            errors = errors_of(network, planes, noise)
            print(f"{weights}, noise {noise:.0%}")
            for name, chosen in groups.items():
                if chosen.any():
                    some = errors[chosen]
                    print(
                        f"  {name:14s} {len(some):4d}  {told('I_SRO', some[:, 0])}  {told('I_FF', some[:, 1])}",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
