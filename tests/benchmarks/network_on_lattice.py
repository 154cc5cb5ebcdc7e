"""What a network's I_SRO gains from being put on the lattice: unseen molecules under dead zones, half of them turned.

    python tests/benchmarks/network_on_lattice.py --planes 60 --noise 0.05 --seed 31

Errors are mean squares on the linear scale over all pixels (mean / median / 90 %): of the answer as it is, of its
projection on the true lattice, and with ``--find`` on the lattice that is found. Every score is told by order at the
cut-off, too (root mean square of α over the outermost vectors): sets with much of it are ordered beyond them. With
``--wrong`` the edges of the lattice given are off by so many per cent.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from dsfu.model.measured.factorise.blind import factorise_blind
from dsfu.model.measured.factorise.methods import factorise, load_network
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.sro_set import order_at_cutoff
from tests.benchmarks.lattice import turned
from tests.benchmarks.solver_planes import TestPlane, fair_planes, normalised_errors

ORDERED = 0.02
"""As in `dsfu-model evaluate`."""


def told(name: str, errors: FloatArray) -> str:
    return f"{name} {errors.mean():.4f} / {np.median(errors):.4f} / {np.quantile(errors, 0.9):.4f}"


def errors_of(test: TestPlane, noise: float, seed: int, wrong: float, network, find: bool) -> list[float]:  # type: ignore[no-untyped-def]
    plane = test.measured(noise=noise, seed=seed, stretch=wrong / 100)
    answers = [
        factorise([plane], "network", network=network, on_lattice=False),
        factorise([plane], "network", network=network),
    ]
    if find:
        answers.append(factorise_blind(replace(plane, cell=None), network, method="network")[0])
    out = []
    for each in answers:
        sro, form_factor = normalised_errors(each.planes[0].form_factor, each.planes[0].sro, test)[:2]
        out += [sro, form_factor]
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--planes", type=int, default=60)
    parser.add_argument("--noise", type=float, default=0.05)
    parser.add_argument("--wrong", type=float, default=0.0, help="per cent")
    parser.add_argument("--seed", type=int, default=31)
    parser.add_argument("--find", action="store_true", help="and on the lattice found; some 10 s a plane")
    parser.add_argument("--weights", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    network = load_network(options.weights)
    rng = np.random.default_rng(options.seed)
    rows, is_turned, orders = [], [], []
    for number, (test,) in enumerate(fair_planes(options.planes, options.seed)):
        straight = number % 2 == 0
        shown = test if straight else turned(test, rng.uniform(0, np.pi))
        rows.append(errors_of(shown, options.noise, number, options.wrong, network, options.find))
        is_turned.append(not straight)
        orders.append(order_at_cutoff(test.alpha))
    table, way, order = np.array(rows), np.array(is_turned), np.array(orders)
    groups = {
        "all": np.ones(len(table), bool),
        "straight": ~way,
        "turned": way,
        f"order at the cut-off < {ORDERED}": order < ORDERED,
        f"order at the cut-off ≥ {ORDERED}": order >= ORDERED,
    }
    for name, chosen in groups.items():
        if not chosen.any():
            continue
        part = table[chosen]
        print(f"{name}: {len(part)} planes, noise {options.noise:.0%}, lattice off by {options.wrong:g} %")
        for column, what in enumerate(("as it is", "on the lattice", "on the one found")[: part.shape[1] // 2]):
            sro, form_factor = part[:, 2 * column], part[:, 2 * column + 1]
            print(f"  {what:17s} {told('I_SRO', sro)}   {told('I_FF', form_factor)}", flush=True)


if __name__ == "__main__":
    main()
