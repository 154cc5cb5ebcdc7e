"""Volumes of diffuse scattering as an instrument would leave them, made by a program that shares nothing with dsfu.

Own Kawasaki Monte Carlo, own supercell and FFT, own molecules; form factors are gemmi's. Nothing of `dsfu.simulate` is
imported, so that what comes out tests the solvers and not their agreement with our own simulation.

    python tests/benchmarks/crystal_maker.py orthorhombic crystal.h5 truth.json --half 50 --counts 25
    python tests/benchmarks/crystal_maker.py triclinic crystal.h5 truth.json --tds .1 --ideal --clean

`--ideal` computes I_SRO from a closed expression (Krivoglaz, Clapp and Moss), whose α are known to all digits; without it
the order is that of some hundred boxes of 20 × 20 × 20 cells, and α are those of just these boxes. `--clean` leaves out
Bragg peaks, background and gaps. The truth is written beside the volume: α up to six cells, and all that was added.
"""
# ruff: noqa: NPY002, E501, RUF005

import argparse
import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

import gemmi
import h5py
import numba
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))  # Numba's cache names the module by which it was compiled

STEP = 0.05
"""Voxels, in reciprocal lattice units: one for each wave of a box of 20 cells."""

BOX = 20
CUTOFF = 6


@dataclass(frozen=True)
class Molecule:
    """Atoms: element, Cartesian position in Å, isotropic B in Å²."""

    elements: tuple[str, ...]
    xyz: np.ndarray
    b: float = 2.5


@dataclass(frozen=True)
class Recipe:
    """What a crystal is made of; couplings are in units of kT, positive where unlike neighbours are favoured."""

    cell: tuple[float, ...]
    a: Molecule
    b: Molecule
    fraction_a: float
    couplings: dict[tuple[int, int, int], float]
    ordered: Molecule | None = None
    faults: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Wrongs:
    """What is added to the product of two factors, in counts or as a share of its mean."""

    counts: float = 25.0
    noise: bool = True
    bragg: float = 300.0
    flat: float = 0.8
    air: float = 3.0
    gaps: bool = True
    tds: float = 0.0
    size: float = 0.0
    second: float = 0.0
    residue: float = 0.0
    rings: float = 0.0
    stretch: float = 1.0
    lattice: float = 1.0
    step: float = STEP
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)


CLEAN = Wrongs(bragg=0.0, flat=0.0, air=0.0, gaps=False)


def rotated(xyz: np.ndarray, axis: int, degrees: float) -> np.ndarray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    i, j = [k for k in range(3) if k != axis]
    turned = xyz.copy()
    turned[:, i], turned[:, j] = c * xyz[:, i] - s * xyz[:, j], s * xyz[:, i] + c * xyz[:, j]
    return turned


def ring(substituents: dict[int, tuple[str, float]]) -> tuple[tuple[str, ...], np.ndarray]:
    """A benzene ring in the xy plane, with atoms at a bond length from some of its carbons."""
    angles = np.arange(6) * np.pi / 3
    unit = np.stack([np.cos(angles), np.sin(angles), np.zeros(6)], axis=1)
    more = [unit[k] * (1.39 + length) for k, (_, length) in substituents.items()]
    return ("C",) * 6 + tuple(e for e, _ in substituents.values()), np.concatenate([1.39 * unit, more])


def butane(torsion: float) -> np.ndarray:
    """Four carbons along z with a torsion about the middle bond."""
    t = np.radians(torsion)
    bond, tilt = 1.53, np.radians(112 - 90)
    out, up = bond * np.cos(tilt), bond * np.sin(tilt)
    low, high = np.array([0, 0, -bond / 2]), np.array([0, 0, bond / 2])
    return np.stack([low + [out, 0, -up], low, high, high + [out * np.cos(t), out * np.sin(t), up]])


def recipes() -> dict[str, Recipe]:
    """The four crystals."""
    names, flat = ring({0: ("Cl", 1.74), 3: ("C", 1.51)})
    acid, planar = ring({1: ("O", 1.36), 4: ("N", 1.40)})
    chlor, other = ring({0: ("Cl", 1.74)})
    return {
        "orthorhombic": Recipe(
            cell=(7.6, 6.3, 8.4, 90, 90, 90),
            a=Molecule(names, rotated(rotated(flat, 0, 25), 1, 35)),
            b=Molecule(names, rotated(rotated(flat, 0, -30), 1, 205)),
            fraction_a=0.5,
            couplings={(1, 0, 0): 0.12, (0, 1, 0): -0.10, (0, 0, 1): 0.06, (1, 1, 0): 0.03, (0, 0, 2): -0.03},
        ),
        "hexagonal": Recipe(
            cell=(6.4, 6.4, 7.2, 90, 90, 120),
            a=Molecule(("C",) * 4, butane(65.0)),
            b=Molecule(("C",) * 4, rotated(butane(180.0), 2, 40.0)),
            fraction_a=0.4,
            couplings={(1, 0, 0): 0.05, (0, 1, 0): 0.05, (1, 1, 0): 0.05, (0, 0, 1): -0.12, (1, -1, 0): -0.02},
        ),
        "triclinic": Recipe(
            cell=(7.1, 8.2, 9.0, 83, 98, 105),
            a=Molecule(acid, rotated(rotated(planar, 0, 50), 2, 15)),
            b=Molecule(chlor, rotated(rotated(other, 0, 40), 2, 100)),
            fraction_a=0.35,
            couplings={(1, 0, 0): -0.11, (0, 1, 0): 0.08, (0, 0, 1): 0.05, (1, 0, -1): 0.05, (1, 1, 0): -0.03},
            ordered=Molecule(("C", "O", "O"), np.array([[3.4, 4.0, 3.8], [4.5, 4.3, 4.0], [2.3, 3.7, 3.6]])),
        ),
        "alloy": Recipe(
            cell=(3.3, 3.3, 3.3, 90, 90, 90),
            a=Molecule(("Cu",), np.zeros((1, 3)), 0.8),
            b=Molecule(("Au",), np.zeros((1, 3)), 0.8),
            fraction_a=0.5,
            couplings={(1, 0, 0): 0.08, (0, 1, 0): 0.08, (0, 0, 1): 0.08, (1, 1, 0): -0.02, (1, -1, 0): -0.02},
        ),
    }


def direct(cell: tuple[float, ...]) -> np.ndarray:
    """Rows a, b, c, Cartesian."""
    return np.array(gemmi.UnitCell(*cell).orth.mat.tolist()).T


@numba.njit(cache=True)
def _kawasaki(spins: np.ndarray, vectors: np.ndarray, couplings: np.ndarray, moves: int, seed: int) -> None:
    np.random.seed(seed)
    n = spins.shape[0]
    for _ in range(moves):
        x, y, z = np.random.randint(n), np.random.randint(n), np.random.randint(n)
        i, j, k = np.random.randint(n), np.random.randint(n), np.random.randint(n)
        if spins[x, y, z] == spins[i, j, k]:
            continue
        cost = 0.0
        for t in range(len(vectors)):
            u, v, w = vectors[t]
            for sign in (-1, 1):
                a, b, c = (x + sign * u) % n, (y + sign * v) % n, (z + sign * w) % n
                if not (a == i and b == j and c == k):
                    cost -= 2 * couplings[t] * spins[x, y, z] * spins[a, b, c]
                a, b, c = (i + sign * u) % n, (j + sign * v) % n, (k + sign * w) % n
                if not (a == x and b == y and c == z):
                    cost -= 2 * couplings[t] * spins[i, j, k] * spins[a, b, c]
        if cost <= 0 or np.random.random() < np.exp(-cost):
            spins[x, y, z], spins[i, j, k] = spins[i, j, k], spins[x, y, z]


def boxes(recipe: Recipe, configurations: int, seed: int):
    """Occupancies of A, 0 or 1, one box after the other."""
    rng = np.random.default_rng(seed)
    flat = -np.ones(BOX**3, np.int64)
    flat[rng.permutation(BOX**3)[: round(recipe.fraction_a * BOX**3)]] = 1
    spins = flat.reshape(BOX, BOX, BOX)
    vectors = np.array(list(recipe.couplings), np.int64)
    strengths = np.array(list(recipe.couplings.values()))
    _kawasaki(spins, vectors, strengths, 200 * BOX**3, seed)
    for number in range(configurations):
        _kawasaki(spins, vectors, strengths, 12 * BOX**3, seed + 1 + number)
        yield (spins + 1) / 2.0


def covariances(recipe: Recipe, size: float, configurations: int, seed: int) -> np.ndarray:
    """Of the waves of occupancy, of A times its displacement and of B times its own: (fields, fields, 20, 20, 20)."""
    lattice = direct(recipe.cell)
    fields = 7 if size else 1
    total = np.zeros((fields, fields, BOX, BOX, BOX), np.complex128)
    for occupied in boxes(recipe, configurations, seed):
        deviation = occupied - recipe.fraction_a
        waves = [deviation]
        if size:
            moved = np.zeros((3, BOX, BOX, BOX))
            for axis in range(3):
                unit = lattice[axis] / np.linalg.norm(lattice[axis])
                pull = np.roll(deviation, -1, axis) - np.roll(deviation, 1, axis)
                moved += size * unit[:, None, None, None] * pull
            waves += [occupied * m for m in moved] + [(1 - occupied) * m for m in moved]
        spectra = np.fft.fftn(np.stack(waves), axes=(1, 2, 3))
        total += np.einsum("ixyz,jxyz->ijxyz", spectra, spectra.conj()) / BOX**3
    total /= configurations
    around = [
        np.roll(total, (i, j, k), (2, 3, 4))[..., 0, 0, 0] for i, j, k in np.vstack([np.eye(3), -np.eye(3)]).astype(int)
    ]
    total[..., 0, 0, 0] = np.mean(around, axis=0)
    return total


def closed_form(recipe: Recipe, points: int = 40, scale: float = 1.0) -> np.ndarray:
    """I_SRO in one reciprocal cell, 1 / (1 + Σ 4 m_A m_B · 2 J cos), with mean 1."""
    x = np.arange(points) / points
    h = np.meshgrid(x, x, x, indexing="ij")
    mm = recipe.fraction_a * (1 - recipe.fraction_a)
    denominator = np.ones((points,) * 3)
    for (u, v, w), coupling in recipe.couplings.items():
        denominator += 8 * mm * scale * coupling * np.cos(2 * np.pi * (u * h[0] + v * h[1] + w * h[2])) * 1.3
    assert denominator.min() > 0.05
    return 1 / denominator / np.mean(1 / denominator)


@dataclass(frozen=True, kw_only=True)
class Volume:
    """A simulated measurement: NaN where nothing was measured."""

    data: np.ndarray
    axes: tuple[np.ndarray, ...]
    cell: tuple[float, ...]
    alpha: np.ndarray
    background: tuple[np.ndarray, np.ndarray]
    parts: dict[str, np.ndarray]


def make(recipe: Recipe, half: tuple[int, int, int], wrongs: Wrongs, *, ideal: bool, seed: int = 1) -> Volume:
    """Simulate a measurement of 2 · half + 1 voxels along each axis."""
    grid = tuple(wrongs.step * np.arange(-n, n + 1) for n in half)
    # where the wrong lattice, or an origin that is off by hkl, put what was measured
    axes = tuple(each / wrongs.lattice + off for each, off in zip(grid, wrongs.offset, strict=True))
    lattice = direct(recipe.cell)
    reciprocal = 2 * np.pi * np.linalg.inv(lattice).T
    h = np.meshgrid(*axes, indexing="ij", sparse=True)
    q = [sum(h[i] * reciprocal[i, j] for i in range(3)).astype(np.float32) for j in range(3)]
    length = np.sqrt(sum(x * x for x in q))
    fa, fb = (structure_factor(m, lattice, axes, length) for m in (recipe.a, recipe.b))
    mean = recipe.fraction_a * fa + (1 - recipe.fraction_a) * fb
    if recipe.ordered is not None:
        mean = mean + structure_factor(recipe.ordered, lattice, axes, length)
    diffuse, alpha = _diffuse(recipe, wrongs, fa, fb, q, half, axes, ideal, seed)
    place = np.ix_(*(np.arange(-n, n + 1) % BOX for n in half))
    if wrongs.second:
        other = Recipe(recipe.cell, recipe.b, recipe.a, 0.5, {(1, 0, 0): 0.07, (0, 1, 1): -0.08, (0, 0, 1): -0.05})
        between = closed_form(other, BOX)[place] if wrongs.step == STEP else _between(closed_form(other, BOX), axes)
        shape = (
            np.abs(
                structure_factor(Molecule(("N", "O"), np.array([[2.9, 1, 1], [2.9, 2.3, 1.4]])), lattice, axes, length)
            )
            ** 2
        )
        more = shape * between
        diffuse = diffuse + wrongs.second * diffuse.mean() / more.mean() * more
    rng = np.random.default_rng(seed + 77)
    scale = wrongs.counts / float(np.median(diffuse))
    expected = diffuse * scale
    typical = float(expected.mean())
    distance = np.sqrt(sum((x - np.round(x)) ** 2 for x in h)).astype(np.float32)
    average = np.abs(mean) ** 2
    if wrongs.tds:
        soft = sum(np.sin(np.pi * x) ** 2 for x in h).astype(np.float32)
        thermal = average * length**2 / np.maximum(soft, 0.5 * np.sin(np.pi * STEP) ** 2)
        thermal *= wrongs.tds * typical / thermal[distance > 0.1].mean()
        expected = expected + thermal
    mm = recipe.fraction_a * (1 - recipe.fraction_a)
    parts = {"diffuse": expected.copy(), "form_factor": scale * mm * np.abs(fa - fb) ** 2}
    if wrongs.bragg or wrongs.residue:
        points = np.abs(structure_at_points(recipe, h, lattice, reciprocal)) ** 2
        peak = np.exp(-0.5 * (distance / 0.024) ** 2) + 2.2e-3 / (1 + (distance / 0.06) ** 4)
        bragg = points / points.max() * peak
        if wrongs.residue:
            bragg = points / points.mean() * (np.exp(-0.5 * (distance / 0.06) ** 2) * (distance > 0.11))
            bragg *= wrongs.residue * typical * 0.02 / bragg.mean()
        expected = expected + (bragg if wrongs.residue else wrongs.bragg * 100 * typical * bragg)
    x = np.linspace(0, float(length.max()), 400)
    curve = wrongs.flat + wrongs.air * (np.exp(-x / 1.5) + 0.35 * np.exp(-(((x - 2.8) / 1.1) ** 2)))
    curve = curve * wrongs.counts / 25
    if wrongs.rings:
        curve = curve + wrongs.rings * typical * np.exp(-(((x - 0.6 * x[-1]) / 0.08) ** 2))
    expected = expected + np.interp(length, x, curve).astype(np.float32)
    data = rng.poisson(np.maximum(expected, 0)).astype(np.float32) if wrongs.noise else expected.astype(np.float32)
    if wrongs.residue:
        data[distance < 0.11] = np.nan
    if wrongs.gaps:
        data[_dead(q, length, rng)] = np.nan
    cell = tuple(c * wrongs.stretch if i < 3 else c for i, c in enumerate(recipe.cell))
    return Volume(data=data, axes=grid, cell=cell, alpha=alpha, background=(x, curve), parts=parts)


_KNOWN: dict[tuple[tuple[float, ...], float, int], np.ndarray] = {}


def _diffuse(recipe, wrongs, fa, fb, q, half, axes, ideal, seed):
    """The diffuse intensity without faults but displacements, and α to the cutoff."""
    place = np.ix_(*(np.arange(-n, n + 1) % BOX for n in half))
    mm = recipe.fraction_a * (1 - recipe.fraction_a)
    if ideal:
        fine = closed_form(recipe)
        alpha = np.fft.ifftn(fine).real
        if wrongs.lattice != 1 or wrongs.step != STEP or any(wrongs.offset):
            return mm * np.abs(fa - fb) ** 2 * _between(fine, axes), _corner(alpha)
        return mm * np.abs(fa - fb) ** 2 * fine[:: 40 // BOX, :: 40 // BOX, :: 40 // BOX][place], _corner(alpha)
    # Half a displacement is 1.0 of `size` where all neighbours on one side are A: the rms is about size.
    key = (recipe.cell, wrongs.size, seed if not wrongs.size else 1)
    if key not in _KNOWN:
        _KNOWN[key] = covariances(recipe, wrongs.size, 300, key[2])
    found = _KNOWN[key]
    alpha = np.fft.ifftn(found[0, 0].real / mm).real
    if not wrongs.size:
        return np.abs(fa - fb) ** 2 * found[0, 0].real[place].astype(np.float32), _corner(alpha / alpha[0, 0, 0])
    factors = [fa - fb, *(1j * x * fa for x in q), *(1j * x * fb for x in q)]
    total = np.zeros(fa.shape, np.float32)
    for i, one in enumerate(factors):
        for j in range(i + 1):
            term = (one * factors[j].conj() * found[i, j][place].astype(np.complex64)).real
            total += term if i == j else 2 * term
    return total, _corner(alpha / alpha[0, 0, 0])


def _between(fine: np.ndarray, axes) -> np.ndarray:
    """A periodic function at any h, from its values on a grid, by its Fourier series."""
    values = np.fft.fftn(fine) / fine.size
    for axis, h in enumerate(axes):
        n = np.fft.fftfreq(fine.shape[axis], 1 / fine.shape[axis])
        values = np.moveaxis(np.tensordot(np.exp(2j * np.pi * np.outer(h, n)), values, (1, axis)), 0, axis)
    return values.real.astype(np.float32)


def _corner(alpha: np.ndarray) -> np.ndarray:
    index = np.arange(-CUTOFF, CUTOFF + 1) % alpha.shape[0]
    return alpha[np.ix_(index, index, index)]


def structure_factor(molecule: Molecule, lattice: np.ndarray, axes, length: np.ndarray) -> np.ndarray:
    """F on the grid, complex64: phases are products over the three axes."""
    x = np.linspace(0, float(length.max()) * 1.001, 2000)
    total = np.zeros(length.shape, np.complex64)
    for element in sorted(set(molecule.elements)):
        coefficients = gemmi.Element(element).it92
        curve = np.array([coefficients.calculate_sf((v / (4 * np.pi)) ** 2) for v in x]) * np.exp(
            -molecule.b * (x / (4 * np.pi)) ** 2
        )
        waves = np.zeros(length.shape, np.complex64)
        for name, position in zip(molecule.elements, molecule.xyz, strict=True):
            if name == element:
                fractional = position @ np.linalg.inv(lattice)
                u, v, w = (
                    np.exp(2j * np.pi * a * f).astype(np.complex64) for a, f in zip(axes, fractional, strict=True)
                )
                waves += u[:, None, None] * v[None, :, None] * w[None, None, :]
        total += waves * np.interp(length, x, curve).astype(np.float32)
    return total


def structure_at_points(recipe: Recipe, h, lattice: np.ndarray, reciprocal: np.ndarray) -> np.ndarray:
    """Mean F of the nearest lattice point, on the grid."""
    nodes = tuple(np.arange(round(x.min()), round(x.max()) + 1) for x in h)
    n = np.meshgrid(*nodes, indexing="ij", sparse=True)
    length = np.sqrt(sum(sum(n[i] * reciprocal[i, j] for i in range(3)) ** 2 for j in range(3)))
    fa, fb = (structure_factor(m, lattice, nodes, length) for m in (recipe.a, recipe.b))
    mean = recipe.fraction_a * fa + (1 - recipe.fraction_a) * fb
    if recipe.ordered is not None:
        mean = mean + structure_factor(recipe.ordered, lattice, nodes, length)
    return mean[np.ix_(*((np.round(x.ravel()) - node[0]).astype(int) for x, node in zip(h, nodes, strict=True)))]


def _dead(q, length: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Corners beyond the detector, the beam stop with its arm, and gaps between modules."""
    dead: np.ndarray = (
        length > 0.92 * min(float(length[-1, length.shape[1] // 2, length.shape[2] // 2]), length.max())
    ) & (length > 0.8 * float(length.max()))
    dead |= length < 0.35
    dead |= (np.abs(q[0]) < 0.08) & (np.abs(q[1]) < 0.08) & (q[2] > 0)
    for _ in range(4):
        normal = rng.normal(size=3)
        normal /= np.linalg.norm(normal)
        at = rng.uniform(0.5, 3.0)
        dead |= np.abs(sum(n * x for n, x in zip(normal, q, strict=True)) - at) < 0.035
    return dead


def write_yell(path: Path, volume: Volume) -> None:
    """As Meerkat writes it."""
    with h5py.File(path, "w") as file:
        file["data"] = volume.data
        file["format"] = np.bytes_("Yell 1.0")
        file["is_direct"] = False
        file["lower_limits"] = np.array([a[0] for a in volume.axes])
        file["step_sizes"] = np.array([a[1] - a[0] for a in volume.axes])
        file["unit_cell"] = np.array(volume.cell)
        lattice = direct(volume.cell)
        file["metric_tensor"] = lattice @ lattice.T


def write_truth(path: Path, kind: str, recipe: Recipe, wrongs: Wrongs, volume: Volume, ideal: bool) -> None:
    """What went in."""
    x, curve = volume.background
    truth = {
        "kind": kind,
        "ideal": ideal,
        "fraction_a": recipe.fraction_a,
        "cell": list(recipe.cell),
        "wrongs": asdict(wrongs),
        "cutoff": CUTOFF,
        "alpha": volume.alpha.tolist(),
        "background": {"q_inv_angstrom": x[::20].tolist(), "counts": curve[::20].tolist()},
    }
    path.write_text(json.dumps(truth))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=list(recipes()))
    parser.add_argument("out", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--half", type=int, nargs="+", default=[50])
    parser.add_argument("--ideal", action="store_true")
    parser.add_argument("--clean", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    for name in ("counts", "bragg", "flat", "air", "tds", "size", "second", "residue", "rings", "stretch", "lattice"):
        parser.add_argument(f"--{name}", type=float)
    options = parser.parse_args()
    given = {k: v for k, v in vars(options).items() if v is not None and k in Wrongs.__dataclass_fields__}
    base = {**asdict(CLEAN if options.clean else Wrongs()), **given}
    half = tuple(options.half * 3)[:3]
    recipe, wrongs = recipes()[options.kind], Wrongs(**base)
    volume = make(recipe, half, wrongs, ideal=options.ideal, seed=options.seed)
    write_yell(options.out, volume)
    write_truth(options.truth, options.kind, recipe, wrongs, volume, options.ideal)
    print(
        f"wrote {options.out}: {' × '.join(map(str, volume.data.shape))} voxels, {100 * np.isfinite(volume.data).mean():.0f} % measured"
    )


if __name__ == "__main__":
    main()
