"""Centres that are off by a part of a voxel, found again in crystals of an independent simulation.

    python tests/benchmarks/centring.py --half 24 --plane-half 60

Prints, for each crystal and each count of photons a voxel, the error of the centre in voxels along every axis.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.prepare.centring import find_centre
from dsfu.simulate.lattice import Cell
from tests.benchmarks.crystal_maker import STEP, Volume, Wrongs, make, recipes


def as_stated(volume: Volume) -> Reconstruction:
    """What a file says of it, which knows nothing of the offset."""
    return Reconstruction(
        intensity=np.nan_to_num(volume.data),
        live=np.isfinite(volume.data),
        origin=np.array([axis[0] for axis in volume.axes]),
        steps=np.diag([STEP] * 3),
        cell=Cell(*volume.cell),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", type=int, default=24, help="half the side of volumes, in voxels")
    parser.add_argument("--plane-half", type=int, default=60, help="half the side of planes, in voxels")
    parser.add_argument("--counts", type=float, nargs="+", default=[25.0, 250.0, 4.0])
    parser.add_argument("--kinds", nargs="+", default=list(recipes()))
    parser.add_argument("--seed", type=int, default=5)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    errors: dict[str, list[float]] = {"volume": [], "plane": []}
    for kind in options.kinds:
        for counts in options.counts:
            offset = rng.uniform(-0.9, 0.9, 3) * STEP
            for across in (None, 0, 1, 2):
                half, off = np.full(3, options.half), offset.copy()
                if across is not None:
                    half[:] = options.plane_half
                    half[across], off[across] = 0, 0
                wrongs = Wrongs(counts=counts, offset=tuple(off))
                volume = make(recipes()[kind], tuple(half), wrongs, ideal=True, seed=int(rng.integers(1_000_000)))
                found = find_centre(as_stated(volume))
                error = np.full(3, np.nan) if found is None else found.voxels + off / STEP
                wide = [axis for axis in range(3) if axis != across]
                errors["volume" if across is None else "plane"] += error[wide].tolist()
                what = "volume" if across is None else f"plane across {'hkl'[across]}"
                print(f"{kind:13s} {counts:5g} counts  {what:14s} {np.round(error, 3)}", flush=True)
    for what, values in errors.items():
        size = np.abs(values)
        print(f"{what}: {len(values)} components, rms {np.sqrt(np.mean(size**2)):.3f}, largest {size.max():.3f} voxels")


if __name__ == "__main__":
    main()
