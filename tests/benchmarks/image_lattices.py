"""Lattices of images that say nothing of their scale, made by numpy alone: nothing of dsfu has a part in them.

    OMP_NUM_THREADS=1 python tests/benchmarks/image_lattices.py --planes 16 --first 101

Order is that of thresholded Gaussian fields on 512² sites, so neither of maximum entropy nor on a few shells. Molecules
are chains of atoms at random; lattices are oblique as often as not, and turned by any angle; a beam stop, its arm and
the detector's edge are dead. Every other image has counts, 400 at the brightest pixel. A lattice is right if its
vectors agree within 1 %. Lines tell the strongest α of the nearest vectors.

``--order`` gives the lattice, and tells the errors of the nearest α over their standard uncertainties: of the image as
it is, and resampled.
"""

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from dsfu.model.measured.data.plane import MADE_UP_Q_MAX, MeasuredPlane
from dsfu.model.measured.factorise.blind import factorise_blind, on_made_up_scale, settings_for
from dsfu.model.measured.factorise.loading import load_planes
from dsfu.model.measured.factorise.methods import factorise, load_network
from dsfu.model.measured.factorise.verdict import judge
from dsfu.model.measured.lattice.bases import are_same
from dsfu.model.measured.lattice.placing import on_lattice
from dsfu.model.measured.solver.settings import SolverSettings

SITES, REACH, FIELDS = 512, 8, 6
NEAREST = ((0, 1), (1, 0), (1, 1))
PIXELS = 256
NOISE_OF_FIELDS = 0.004
COUNTS = 400


@dataclass(frozen=True, kw_only=True)
class Image:
    """Voxels, (y, x), those that are live, the lattice vectors in Å, the half side in 1/Å, and α, wrapped around."""

    intensity: np.ndarray
    live: np.ndarray
    vectors: np.ndarray
    q_max: float
    order: np.ndarray

    @property
    def strongest(self) -> float:
        return max(abs(float(self.order[index])) for index in NEAREST)


def image(seed: int) -> Image:
    """One of a lattice, two molecules and an order drawn at random."""
    rng = np.random.default_rng(seed)
    pixels, q_max = int(rng.choice([128, 160, 200])), rng.uniform(8, 12)
    edge = q_max * (pixels - 1) / pixels
    ticks = np.linspace(-edge, edge, pixels)
    vectors = random_lattice(rng)
    share = rng.uniform(0.3, 0.5)
    order = random_order(rng, share)
    order[np.abs(order) <= NOISE_OF_FIELDS] = 0
    q = np.stack(np.meshgrid(ticks, ticks), axis=-1)
    u, v = np.meshgrid(range(-REACH, REACH + 1), range(-REACH, REACH + 1), indexing="ij")
    sro = np.zeros(q.shape[:2])
    for index in zip(u.ravel(), v.ravel(), strict=True):
        if order[index]:
            sro += order[index] * np.cos(q @ (np.array(index) @ vectors))
    room = 0.42 * np.hypot(*vectors.T).min()
    difference = wave(q, *molecule(rng, room)) - wave(q, *molecule(rng, room))
    intensity = np.abs(difference) ** 2 * np.clip(sro, 0, None)
    intensity /= intensity.max()
    if seed % 2:
        intensity = rng.poisson(intensity * COUNTS) / COUNTS
    x, y = np.moveaxis(q, -1, 0)
    radius = np.hypot(x, y)
    live = (radius > 0.4) & (radius < 1.05 * q_max) & ~((np.abs(x - 0.1 * y) < 0.12) & (y > 0))
    return Image(intensity=intensity, live=live, vectors=vectors, q_max=q_max, order=order)


def random_lattice(rng: np.random.Generator) -> np.ndarray:
    a = rng.uniform(6, 12)
    b = a if rng.random() < 0.3 else max(5.5, a * rng.uniform(0.6, 1.4))
    angle, turn = np.radians(rng.choice([90, 90, 120, 100, 75])), rng.uniform(0, np.pi)
    turned = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return np.array([[a, 0], [b * np.cos(angle), b * np.sin(angle)]]) @ turned


def random_order(rng: np.random.Generator, share: float) -> np.ndarray:
    """Of sites where a field with neighbours' correlations is above a threshold: α of all vectors, wrapped around."""
    k = 2 * np.pi * np.fft.fftfreq(SITES)
    x, y = np.meshgrid(k, k, indexing="ij")
    one, other, diagonal = rng.uniform(-0.35, 0.35, 3)
    power = 1 / np.clip(1 - 2 * (one * np.cos(x) + other * np.cos(y) + diagonal * np.cos(x + y)), 0.08, None)
    total = np.zeros((SITES, SITES))
    for _ in range(FIELDS):
        field = np.fft.ifft2(np.fft.fft2(rng.standard_normal((SITES, SITES))) * np.sqrt(power)).real
        occupied = (field > np.quantile(field, share)).astype(float)
        occupied -= occupied.mean()
        total += np.fft.ifft2(np.abs(np.fft.fft2(occupied)) ** 2).real / (occupied.var() * SITES**2)
    return total / FIELDS


def molecule(rng: np.random.Generator, room: float) -> tuple[np.ndarray, np.ndarray]:
    """Places and electrons of atoms, each 1.4 Å from one before."""
    wanted, places = int(rng.integers(5, 10)), [np.zeros(3)]
    while len(places) < wanted:
        step = rng.standard_normal(3)
        place = places[rng.integers(len(places))] + 1.4 * step / np.linalg.norm(step)
        if min(np.linalg.norm(place - other) for other in places) > 1.2 and np.linalg.norm(place) < room:
            places.append(place)
    centred = np.array(places) - np.mean(places, axis=0)
    return centred, rng.choice([6.0, 7.0, 8.0, 17.0], wanted, p=[0.7, 0.15, 0.1, 0.05])


def wave(q: np.ndarray, places: np.ndarray, electrons: np.ndarray) -> np.ndarray:
    """Amplitude of atoms that are two Gaussians each, with B = 3 Å²."""
    s2 = (q**2).sum(axis=-1) / (16 * np.pi**2)
    atom = (0.6 * np.exp(-10 * s2) + 0.4 * np.exp(-40 * s2)) * np.exp(-3 * s2)
    phases = np.exp(1j * np.einsum("yxi,ai->ayx", q, places[:, :2]))
    return np.asarray(atom * np.einsum("a,ayx->yx", electrons, phases))


def as_measured(drawn: Image, pixels: int | None = None) -> MeasuredPlane:
    """The image as it is read from a file; ``pixels``: resampled to so many."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "image.npz"
        np.savez(path, intensity=drawn.intensity, live=drawn.live)
        return load_planes(path, [], pixels)[0]


def errors_of_order(drawn: Image, pixels: int | None) -> np.ndarray:
    """Of the nearest α, over their standard uncertainties, the lattice being given."""
    plane = as_measured(drawn, pixels)
    basis = drawn.vectors * 2 * drawn.q_max / len(drawn.live) * plane.plane.q_max / MADE_UP_Q_MAX
    plane = on_made_up_scale(plane)
    known = on_lattice(plane, basis)
    settings = settings_for(plane, basis, SolverSettings(uncertainty=True))
    found = factorise([known], "solver", settings=settings)
    indices = found.alpha_vectors[:, :2]
    near = np.abs(indices).max(axis=1) == 1
    wanted = drawn.order[tuple(indices[near].T)]
    return (found.alpha[near] - wanted) / np.sqrt(np.diag(found.alpha_covariance)[near])


def order(first: int, count: int) -> None:
    for seed in range(first, first + count):
        drawn = image(seed)
        own, resampled = (np.sqrt(np.mean(errors_of_order(drawn, pixels) ** 2)) for pixels in (None, PIXELS))
        apart = np.pi * len(drawn.live) / (drawn.q_max * np.hypot(*drawn.vectors.T).max())
        print(
            f"{seed:4d} {'counts' if seed % 2 else 'clean '} {len(drawn.live)} voxels, {apart:.1f} from point to "
            f"point, order {drawn.strongest:.2f}: error / s.u. {own:.1f}, resampled to {PIXELS} {resampled:.1f}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--planes", type=int, default=16)
    parser.add_argument("--first", type=int, default=101, help="seed of the first image")
    parser.add_argument("--order", action="store_true", help="the lattice is given: how far α are off")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.order:
        order(options.first, options.planes)
        return
    network = load_network()
    rows = []
    for seed in range(options.first, options.first + options.planes):
        drawn, start = image(seed), time.process_time()
        factors, found = factorise_blind(as_measured(drawn), network, judge=judge)
        seconds = time.process_time() - start
        points = None if found is None else found.points_apart
        wanted = 2 * np.pi * np.linalg.inv(drawn.vectors).T * len(drawn.live) / (2 * drawn.q_max)
        right = points is not None and are_same(points, wanted, 0.01)
        believed = factors.method != "network" and factors.verdict.judgement == "agrees"
        rows.append((right, believed, seconds))
        print(
            f"{seed:4d} {'counts' if seed % 2 else 'clean '} nearest order {drawn.strongest:.2f}: "
            f"{'right' if right else 'WRONG' if found else 'none '} {'agrees' if believed else 'not believed'} "
            f"{seconds:5.1f} s; {found.words if found else 'no lattice'}",
            flush=True,
        )
    right, believed, seconds = np.array(rows, np.float64).T
    print(
        f"{len(rows)} images: lattice right {int(right.sum())}, of {int(believed.sum())} that are believed "
        f"{int((right * believed).sum())}; {np.median(seconds):.1f} s, {seconds.max():.1f} at most"
    )


if __name__ == "__main__":
    main()
