"""The paper's example, simulated: the hk1 plane of N,N′,N″-tri-tert-butyl-benzene-1,3,5-tricarboxamide.

    python tests/benchmarks/tba.py [--seed 0] [--counts 400] [-o FOLDER]

Columns up and down (examples/tba) on a hexagonal lattice with unique axis c, Warren–Cowley parameters of the paper's
table 2 (Yell), a Debye–Waller factor, Poisson noise and the dead zones of a random experiment. Prints what the plane is
like and, with -o, writes the true I_FF with Gaussian noise as .npz, as docs/refine-ff.md wants it.

Columns are infinitely long and do not change along c, so that all diffuse scattering lies in layers of whole l, each of
which is the two-dimensional series Σ α_uv cos(Q·v) over vectors in the plane normal to c. Here the series is given
with α_uvw = 0 for w ≠ 0, the factor common to a layer left out, as in the paper.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from ase import Atoms
from ase.io import read

from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.simulate.arrays import BoolArray, FloatArray
from dsfu.simulate.disorder.dead_zones import live_pixels
from dsfu.simulate.disorder.fields import ALPHA_SHAPE, SHELL_CUTOFF
from dsfu.simulate.disorder.planes import Plane, layer
from dsfu.simulate.disorder.random_masks import random_experiment
from dsfu.simulate.disorder.scattering import simulate_plane
from dsfu.simulate.lattice import Cell

EXAMPLE: Final = Path(__file__).parents[2] / "examples" / "tba"

CELL: Final = Cell(14.1, 14.1, 6.92, 90, 90, 120)
"""Idealised: see examples/tba/README.md."""

ALPHA: Final = {
    (1, 0): -0.2516,
    (2, 0): 0.0984,
    (2, 1): 0.0950,
    (3, 0): -0.0345,
    (3, 1): -0.0532,
    (3, 2): -0.0435,
    (4, 0): 0.0164,
    (4, 1): 0.0256,
    (4, 2): 0.0310,
    (4, 3): 0.0165,
    (5, 0): -0.0090,
    (5, 1): -0.0128,
    (5, 2): -0.0175,
    (5, 3): -0.0149,
    (5, 4): -0.0073,
}
"""Fuller & Rudden, IUCrJ 11, 34 (2024), table 2, column Yell (after Schmidt & Neder, 2017): one vector (u, v) per orbit
of the six-fold axis."""

TBUTYL: Final = "tert-butyl=A:N*-C*4 -B:N*-C*4"
"""The torsion of all twelve tert-butyl groups, for `dsfu-model refine-ff --torsion`."""

LIVE_SHARE: Final = (0.6, 0.93)


@dataclass(frozen=True, kw_only=True, eq=False)
class TbaTruth:
    """What a simulated plane was made from.

    Attributes
    ----------
    form_factor
        (y, x): I_FF with the Debye–Waller factor, in the counts of the plane per unit of ``sro``.
    sro
        (y, x): I_SRO.
    alpha
        (11, 11, 11): Warren–Cowley parameters; 0 off the plane normal to c.
    alpha_of_orbits
        One (u, v) of each orbit under the six-fold axis, and its parameter.
    up, down
        The species, at positions in Å relative to their site.
    dw
        D_w in Å².
    scale
        Counts per electron²: form_factor is scale · |F_A − F_B|² · exp(−D_w Q²).
    """

    form_factor: FloatArray
    sro: FloatArray
    alpha: FloatArray
    alpha_of_orbits: dict[tuple[int, int], float]
    up: Atoms
    down: Atoms
    fraction_a: float
    dw: float
    scale: float


def simulated_tba_plane(
    seed: int,
    counts: float,
    *,
    dw: float = 0.03,
    q_max: float = 7.0,
    pixels: int = 256,
    structures: tuple[Atoms, Atoms] | None = None,
) -> tuple[MeasuredPlane, TbaTruth]:
    """The hk1 plane as it would be measured, and the truth behind it.

    Parameters
    ----------
    seed
        Of noise and dead zones.
    counts
        Expected counts at the brightest pixel: 400 are 5 % of noise there.
    dw
        D_w in Å², of exp(−D_w Q²).
    structures
        Up and down, where they are not to be those of the example.
    """
    up, down = structures or tba_columns()
    plane = layer(CELL, "c", 1, q_max, pixels)
    alpha = tba_alpha()
    ideal = simulate_plane(up, down, 0.5, CELL, alpha, plane)
    fall = np.exp(-dw * np.square(plane.q).sum(-1))
    form_factor, sro = 4 * ideal.form_factor.astype(np.float64) * fall, ideal.sro.astype(np.float64)
    scale = counts / float((form_factor * sro).max())
    live = _dead_zones(plane, seed)
    seen = np.random.default_rng([seed, 1]).poisson(scale * form_factor * sro) * live
    measured = MeasuredPlane(
        intensity=seen.astype(np.float64),
        live=live,
        plane=plane,
        cell=CELL,
        sigma=np.sqrt(np.maximum(seen, 1.0)),
        name="hk1 of TBA, simulated",
        source=f"simulated, seed {seed}",
    )
    truth = TbaTruth(
        form_factor=scale * form_factor,
        sro=sro,
        alpha=alpha,
        alpha_of_orbits=dict(ALPHA),
        up=up,
        down=down,
        fraction_a=0.5,
        dw=dw,
        scale=scale,
    )
    return measured, truth


def tba_columns() -> tuple[Atoms, Atoms]:
    """Up and down as in the example."""
    up, down = (read(EXAMPLE / f"{name}.xyz", format="extxyz") for name in ("up", "down"))
    return up, down


def tba_alpha() -> FloatArray:
    """Table 2 as (11, 11, 11), with γ = 120°: the six-fold axis takes (u, v) to (u − v, u)."""
    alpha = np.zeros(ALPHA_SHAPE)
    middle = SHELL_CUTOFF
    alpha[middle, middle, middle] = 1
    for vector, value in ALPHA.items():
        for u, v in orbit(*vector):
            alpha[u + middle, v + middle, middle] = value
    return alpha


def orbit(u: int, v: int) -> list[tuple[int, int]]:
    """The six vectors equivalent to u a + v b."""
    found = [(u, v)]
    for _ in range(5):
        u, v = u - v, u
        found.append((u, v))
    return found


def _dead_zones(plane: Plane, seed: int) -> BoolArray:
    """What the first of some random experiments leaves that measures neither too little nor too much of the plane."""
    for attempt in range(200):
        live = live_pixels(plane, random_experiment((seed, attempt)))
        if LIVE_SHARE[0] <= live.mean() <= LIVE_SHARE[1]:
            return live
    raise RuntimeError(f"seed {seed}: no experiment in 200 measures {LIVE_SHARE} of the plane")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--counts", type=float, default=400.0)
    parser.add_argument("-o", "--out", type=Path)
    given = parser.parse_args()
    measured, truth = simulated_tba_plane(given.seed, given.counts)
    live = measured.intensity[measured.live]
    print(
        f"{measured.name}: {measured.coverage:.0%} live, {live.mean():.1f} counts on average, {live.max():.0f} at most"
    )
    print(f"I_SRO from {truth.sro.min():.3f} to {truth.sro.max():.3f}, I_FF up to {truth.form_factor.max():.0f} counts")
    if given.out is not None:
        given.out.mkdir(parents=True, exist_ok=True)
        _write(given.out / "form_factor.npz", measured, truth, given.seed)


def _write(path: Path, measured: MeasuredPlane, truth: TbaTruth, seed: int) -> None:
    plane = measured.plane
    sigma = np.sqrt(truth.form_factor + 1)  # known: the root of a pixel's own counts would favour what is too low
    noisy = np.random.default_rng([seed, 2]).normal(truth.form_factor, sigma)
    np.savez_compressed(
        path,
        form_factor=noisy,
        live=measured.live,
        sigma=sigma,
        q_max=plane.q_max,
        axis_x=plane.axis_x,
        axis_y=plane.axis_y,
        centre=plane.centre,
        cell=CELL.constants,
    )
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
