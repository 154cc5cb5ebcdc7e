"""Pretended files of gold and platinum as groups send them: shapes of 1.5 to 5 nm, and what is wrong with such files.

Nothing of `dsfu.simulate` is in them. Shapes are ASE's whole ones, pieces with one twin or fault, and cores with gold
and sulphur staples; the surface is strained, sizes may vary; Q_max is 15 to 30/Å. A header may lack Q_max, name a wrong
one, or a wrong damping; r begins at 0 to 1.9 Å, ends at 15 to 60 Å, in steps of .01 to .05 Å; some have a window.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from ase.cluster.decahedron import Decahedron
from ase.cluster.icosahedron import Icosahedron
from ase.cluster.octahedron import Octahedron
from scipy.spatial.distance import pdist

from tests.benchmarks.pretended_particles import ELECTRONS, NEAREST, Pretended, ligands, written, wulff

_UNIT: Final = {"latticeconstant": np.sqrt(2)}
_TEN: Final = np.array([0.85, 0.925, 1.0, 1.075, 1.15])


@dataclass(frozen=True, kw_only=True)
class Header:
    """What the file says, and what it should say."""

    q_max: float
    q_damp: float
    said_q_max: float | None
    said_q_damp: float | None
    r_first: float
    r_last: float
    r_step: float
    window: bool


def octahedron(diameter: float, draw: np.random.Generator) -> np.ndarray:
    """Truncated, or cuboctahedron."""
    if draw.random() < 0.4:
        cutoff = max(1, round(diameter / 2))
        return _positions(Octahedron("Au", 2 * cutoff + 1, cutoff, **_UNIT))
    length = max(3, round(diameter * 1.05) + int(draw.integers(0, 2)))
    return _positions(Octahedron("Au", length, max(1, int(length * draw.uniform(0.15, 0.36))), **_UNIT))


def decahedron(diameter: float, draw: np.random.Generator) -> np.ndarray:
    """Marks' and Ino's."""
    p = max(2, round(diameter * draw.uniform(0.3, 0.5)))
    r = int(draw.integers(0, max(2, p // 2)))
    return _positions(Decahedron("Au", p, max(1, round(diameter * 0.95) - p - 2 * r + 1), r, **_UNIT))


def icosahedron(diameter: float, draw: np.random.Generator) -> np.ndarray:
    """Whole; MacKay's."""
    return _positions(Icosahedron("Au", min(8, max(3, round((diameter + 1) / 2))), **_UNIT))


def faulted(diameter: float, draw: np.random.Generator) -> np.ndarray:
    """One twin plane, or one intrinsic fault, across a piece of FCC."""
    places = wulff(diameter * 1.25, draw)
    axes = np.array([[1, -1, 0], [1, 1, -2], [1, 1, 1]]) / np.sqrt([[2], [6], [3]])
    places = places @ axes.T
    height = np.sqrt(2 / 3)
    layers = np.round((places[:, 2] - places[:, 2].min()) / height).astype(int)
    at = int(layers.max() * draw.uniform(0.3, 0.7))
    above = layers > at
    if draw.random() < 0.5:  # the upper part again as its mirror image in the layer
        middle = places[layers == at]
        own = places[~above]
        mirrored = (own[layers[~above] < at] - [0, 0, middle[0, 2]]) * [1, 1, -1] + [0, 0, middle[0, 2]]
        places = np.vstack([own, mirrored])
    else:
        places[above, 1] += 1 / np.sqrt(3)
        if pdist(places).min() < 0.95:
            places[above, 1] -= 2 / np.sqrt(3)
    return np.asarray(places[np.linalg.norm(places - places.mean(axis=0), axis=1) <= diameter / 2 * 1.05])


def _positions(atoms: object) -> np.ndarray:
    return np.asarray(atoms.get_positions())  # type: ignore[attr-defined]


MAKERS: Final[Mapping[str, tuple[Callable[[float, np.random.Generator], np.ndarray], tuple[str, ...]]]] = {
    "octahedron": (octahedron, ("FCC",)),
    "wulff": (wulff, ("FCC",)),
    "decahedron": (decahedron, ("Decahedron",)),
    "icosahedron": (icosahedron, ("Icosahedron",)),
    "faulted": (faulted, ("Faulted", "FCC")),
}


def unusual(folder: Path, number: int, seed: int) -> Pretended:
    """One file. ``family`` names all that are right, with a slash between them."""
    draw = np.random.default_rng([seed, 77, number])
    metal, kind = str(draw.choice(["Au", "Pt"])), tuple(MAKERS)[number % len(MAKERS)]
    maker, families = MAKERS[kind]
    bond = NEAREST[metal] * draw.uniform(0.985, 1.005)
    diameter = np.exp(draw.uniform(np.log(15), np.log(42))) / bond
    header = _header(draw)
    b_iso, spread = draw.uniform(0.3, 1.2), draw.random() < 0.35
    capped = diameter < 7.5 and draw.random() < 0.5
    r = np.arange(header.r_first, header.r_last + 1e-9, header.r_step)
    total, count, parts = np.zeros(len(r)), 0.0, 0
    for size in diameter * (_TEN if spread else _TEN[2:3]):
        places = _strained(maker(float(size), draw) * bond, draw)
        elements = [metal] * len(places)
        if capped:
            heads = ligands(places, bond, draw)
            staples = heads[draw.random(len(heads)) < 0.3] * 1.12
            elements += ["S"] * len(heads) + [metal] * len(staples)
            places = np.vstack([places, heads, staples])
        g = _debye(elements, places, b_iso, header, r)
        total, count, parts = total + g * len(places), count + len(places), parts + 1
    g = _measured(r, total / count, header, draw)
    path = written(folder, f"u{number:02d}-{metal}-{kind}", r, g, _text(header, metal, capped, draw))
    told = {"capped": capped, "sizes": parts, **header.__dict__, "b_iso": b_iso, "diameter": diameter * bond}
    return Pretended(name=path.stem, path=path, family="/".join(families), atoms=count / parts, bond=bond, told=told)


def _header(draw: np.random.Generator) -> Header:
    q_max, q_damp = float(draw.uniform(15, 30)), float(draw.uniform(0.005, 0.06))
    fault = draw.random()
    said = None if fault < 0.25 else q_max * draw.choice([0.85, 1.2, 1.4]) if fault < 0.4 else q_max
    damp = None if draw.random() < 0.6 else float(draw.choice([q_damp, 0.04, 0.01]))
    return Header(
        q_max=q_max, q_damp=q_damp, said_q_max=None if said is None else float(said), said_q_damp=damp,
        r_first=float(draw.choice([0.0, 0.01, 1.0, 1.5, 1.9])), r_last=float(draw.choice([15, 20, 30, 40, 60])),
        r_step=float(draw.choice([0.01, 0.02, 0.03, 0.05])), window=bool(draw.random() < 0.15),
    )  # fmt: skip


def _strained(places: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Outer atoms drawn in by up to 2 % of the distance from the middle, and displacements that stay."""
    places = places - places.mean(axis=0)
    far = np.linalg.norm(places, axis=1) / np.linalg.norm(places, axis=1).max()
    places = places * (1 - draw.uniform(0, 0.02) * far[:, None] ** 4)
    return np.asarray(places + draw.uniform(0, 0.06) * draw.standard_normal(places.shape))


def _debye(elements: list[str], places: np.ndarray, b_iso: float, header: Header, r: np.ndarray) -> np.ndarray:
    """Debye's sum with numbers of electrons, neighbours moving together (δ₁ of 0.5 Å), from Q = .7/Å."""
    power = np.array([ELECTRONS[each] for each in elements], float)
    first, second = np.triu_indices(len(places), 1)
    which = np.round(pdist(places) / 0.004).astype(int)
    weight = np.bincount(which, power[first] * power[second])
    d = np.flatnonzero(weight) * 0.004
    q = np.arange(0.7, header.q_max, 0.04)
    f = np.zeros(len(q))
    sharp = b_iso / (8 * np.pi**2) * np.maximum(1 - 0.5 / d, 0.3)
    for part in np.array_split(np.arange(len(d)), max(1, len(d) // 2000)):
        waves = np.sin(np.outer(q, d[part])) * np.exp(-np.outer(q**2, sharp[part]))
        f += waves @ (weight[weight > 0][part] / d[part])
    f *= 2 / len(places) / power.mean() ** 2
    if header.window:
        f *= np.sinc(q / header.q_max)
    return np.asarray(0.04 * 2 / np.pi * (f @ np.sin(np.outer(q, r))) * np.exp(-((r * header.q_damp) ** 2) / 2))


def _measured(r: np.ndarray, g: np.ndarray, header: Header, draw: np.random.Generator) -> np.ndarray:
    """Noise that grows with Q, a ripple below 2/Å as of a wrong background, any scale."""
    q = np.arange(0.7, header.q_max, 0.02)
    noise = (draw.standard_normal(len(q)) * (q / header.q_max) ** 1.5) @ np.sin(np.outer(q, r))
    ripple = draw.standard_normal(5) @ np.sin(np.outer(draw.uniform(0, 2.0, 5), r)) * np.exp(-r / 15)
    size = g[r > 2].max()
    g = g + draw.uniform(0.005, 0.04) * size * noise / noise.std()
    g = g + draw.uniform(0, 0.15) * size * ripple / np.abs(ripple).max()
    return np.asarray(g * 10 ** draw.uniform(-1.5, 1.5))


def _text(header: Header, metal: str, capped: bool, draw: np.random.Generator) -> str:
    lines = [f"qmaxinst = {header.q_max + 3:.1f}", "qmin = 0.7"]
    lines += [] if header.said_q_max is None else [f"qmax = {header.said_q_max:.2f}"]
    lines += [] if header.said_q_damp is None else [f"qdamp = {header.said_q_damp:.4f}"]
    lines += [f"composition = {metal}C8H9S" if capped else f"composition = {metal}"] if draw.random() < 0.7 else []
    if draw.random() < 0.3:
        return ""  # two columns, and nothing else
    return "[DEFAULT]\nversion = pdfgetx3 2.2.1\n" + "\n".join(lines) + "\n#### start data\n#L r($\\AA$) G\n"
