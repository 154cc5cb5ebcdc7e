"""Pretended measurements of gold and platinum particles: nothing of `dsfu.simulate` is in them.

Shapes are cut from lattices or from ASE's multiply twinned particles, of sizes and outlines that the table of
`solve-particle` does not have; G is debyecalculator's, or the sum of Debye written out if that is not installed.
"""

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from ase.cluster.decahedron import Decahedron
from ase.cluster.icosahedron import Icosahedron
from scipy.spatial import cKDTree
from scipy.spatial.distance import pdist

ELECTRONS = {"Au": 79, "Pt": 78, "S": 16, "C": 6, "N": 7, "O": 8, "Zn": 30, "W": 74, "Cd": 48, "Se": 34}
NEAREST = {"Au": 2.884, "Pt": 2.775}


@dataclass(frozen=True, kw_only=True)
class Experiment:
    q_min: float
    q_max: float
    q_damp: float
    b_iso: float
    r_max: float
    r_step: float


@dataclass(frozen=True, kw_only=True)
class Pretended:
    """A file, and what is true of it; no family: nothing that the table explains."""

    name: str
    path: Path
    family: str
    atoms: float
    bond: float
    told: Mapping[str, Any] = field(default_factory=dict)


def fcc(reach: float) -> np.ndarray:
    n = int(reach * 2) + 2
    steps = np.stack(np.meshgrid(*[np.arange(-n, n + 1)] * 3, indexing="ij"), -1).reshape(-1, 3)
    places = steps[steps.sum(axis=1) % 2 == 0] / np.sqrt(2)
    return np.asarray(places[np.linalg.norm(places, axis=1) < reach])


def wulff(diameter: float, draw: np.random.Generator) -> np.ndarray:
    """FCC between planes {111} and {100}, each side somewhat further or nearer, anywhere in the cell."""
    places = fcc(diameter) - draw.uniform(-0.35, 0.35, 3)
    octants = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) / np.sqrt(3)
    sides = np.vstack([octants, np.eye(3), -np.eye(3)])
    faces = np.concatenate([np.full(8, 1.0), np.full(6, draw.uniform(0.95, 1.5))])
    half = diameter / 2 * faces * draw.uniform(0.9, 1.1, 14)
    return np.asarray(places[(places @ sides.T <= half).all(axis=1)])


def ball(diameter: float, draw: np.random.Generator) -> np.ndarray:
    places = fcc(diameter) - draw.uniform(-0.35, 0.35, 3)
    return np.asarray(places[np.linalg.norm(places, axis=1) <= diameter / 2])


def worn(places: np.ndarray, draw: np.random.Generator, share: float = 0.5) -> np.ndarray:
    """Without a share of the atoms that have six neighbours or fewer."""
    near = np.array([len(each) - 1 for each in cKDTree(places).query_ball_point(places, 1.2)])
    return places[~((near <= 6) & (draw.random(len(places)) < share))]


def octahedron(diameter: float, draw: np.random.Generator) -> np.ndarray:
    places = fcc(diameter * 1.4) - draw.choice([0.0, np.sqrt(0.5)])
    return worn(places[np.abs(places).sum(axis=1) <= diameter * 0.72], draw, 1.0)


def decahedron(diameter: float, draw: np.random.Generator) -> np.ndarray:
    """From a large one, a piece around the axis that is worn at its edges."""
    size = int(diameter) + 4
    places = Decahedron("Au", size, int(draw.integers(2, 4)), 0, latticeconstant=np.sqrt(2)).get_positions()
    places -= places.mean(axis=0)
    radius = diameter / 2 * draw.uniform(0.95, 1.15)
    inside = np.linalg.norm(places[:, :2], axis=1) <= radius
    inside &= np.abs(places[:, 2] - draw.choice([0.0, 0.25])) <= diameter / 2 * draw.uniform(0.85, 1.1)
    inside &= np.linalg.norm(places, axis=1) <= diameter / 2 * 1.2
    return worn(places[inside], draw)


def icosahedron(diameter: float, draw: np.random.Generator) -> np.ndarray:
    shells = max(3, round((diameter + 1) / 2))
    return worn(Icosahedron("Au", shells, latticeconstant=np.sqrt(2)).get_positions(), draw, draw.choice([0.0, 0.5, 1]))


MAKERS: Mapping[str, Callable[[float, np.random.Generator], np.ndarray]] = {
    "wulff": wulff, "ball": ball, "octahedron": octahedron, "decahedron": decahedron, "icosahedron": icosahedron,
}  # fmt: skip
FAMILY_OF = {"decahedron": "Decahedron", "icosahedron": "Icosahedron"}


def debye(elements: list[str], places: np.ndarray, experiment: Experiment) -> tuple[np.ndarray, np.ndarray]:
    """r and G."""
    if importlib.util.find_spec("debyecalculator"):
        from debyecalculator import DebyeCalculator

        e = experiment
        calculator = DebyeCalculator(
            device="cpu", qmin=e.q_min, qmax=e.q_max, qstep=0.03, qdamp=e.q_damp, biso=e.b_iso, rmin=0.0,
            rmax=e.r_max, rstep=e.r_step,
        )  # fmt: skip
        r, g = calculator.gr((elements, np.asarray(places, np.float32)))
        return np.asarray(r, float), np.asarray(g, float)
    return written_out(elements, places, experiment)


def written_out(elements: list[str], places: np.ndarray, experiment: Experiment) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of electrons as form factors; distances to 0.002 Å."""
    power = np.array([ELECTRONS[each] for each in elements], float)
    pairs = np.triu_indices(len(places), 1)
    which = np.round(pdist(places) / 0.002).astype(int)
    weight = np.bincount(which, power[pairs[0]] * power[pairs[1]])
    d = np.flatnonzero(weight) * 0.002
    q = np.arange(experiment.q_min, experiment.q_max, 0.03)
    f = 2 / len(places) / power.mean() ** 2 * np.sin(np.outer(q, d)) @ (weight[weight > 0] / d)
    f *= np.exp(-experiment.b_iso * q**2 / (8 * np.pi**2))
    r = np.arange(0, experiment.r_max, experiment.r_step)
    return r, 2 / np.pi * 0.03 * (f @ np.sin(np.outer(q, r))) * np.exp(-((r * experiment.q_damp) ** 2) / 2)


def disturbed(places: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """In Å: a surface that is contracted, and static displacements."""
    far = np.linalg.norm(places - places.mean(axis=0), axis=1) / np.ptp(places) * 2
    places = places * (1 - draw.uniform(0, 0.015) * far[:, None] ** 6)
    return places + draw.uniform(0, 0.08) * draw.standard_normal(places.shape)


def ligands(places: np.ndarray, bond: float, draw: np.random.Generator) -> np.ndarray:
    """Places of sulphur in Å, above some atoms of the surface, no two near each other."""
    outward = places - places.mean(axis=0)
    near = np.array([len(each) for each in cKDTree(places).query_ball_point(places, 1.2 * bond)])
    chosen = draw.permutation(np.flatnonzero(near <= 10))
    heads = places[chosen] + 2.35 * outward[chosen] / np.linalg.norm(outward[chosen], axis=1)[:, None]
    kept: list[np.ndarray] = []
    for head in heads:
        if np.linalg.norm(places - head, axis=1).min() > 2.2 and all(np.linalg.norm(head - k) > 4.2 for k in kept):
            kept.append(head)
    return np.array(kept).reshape(-1, 3)


def draw_experiment(draw: np.random.Generator) -> Experiment:
    return Experiment(
        q_min=draw.uniform(0.5, 1.2), q_max=draw.uniform(15, 25), q_damp=draw.uniform(0.008, 0.05),
        b_iso=draw.uniform(0.3, 1.3), r_max=float(draw.choice([22, 30, 40])), r_step=float(draw.choice([0.01, 0.02])),
    )  # fmt: skip


def spoiled(r: np.ndarray, g: np.ndarray, experiment: Experiment, draw: np.random.Generator) -> np.ndarray:
    """Noise that grows with Q, a slow baseline, any scale."""
    q = np.arange(experiment.q_min, experiment.q_max, 0.02)
    noise = (draw.standard_normal(len(q)) * (q / experiment.q_max) ** 1.5) @ np.sin(np.outer(q, r))
    waves = draw.standard_normal(6) @ np.sin(np.outer(draw.uniform(0, 1.0, 6), r))
    size = g[r > 2].max()
    g = g + draw.uniform(0.005, 0.05) * size * noise / noise.std()
    spoilt = (g + draw.uniform(0, 0.2) * size * waves / np.abs(waves).max()) * 10 ** draw.uniform(-2, 2)
    return np.asarray(spoilt)


def written(folder: Path, name: str, r: np.ndarray, g: np.ndarray, head: str) -> Path:
    path = folder / f"{name}.gr"
    rows = "".join(f"{a:.3f} {b:.6g}\n" for a, b in zip(r, g, strict=True))
    path.write_text(head + rows)
    return path


def particle(folder: Path, number: int, maker: str, seed: int) -> Pretended:
    """One file; a third are mixtures of sizes, and half of the small ones carry ligands."""
    draw = np.random.default_rng([seed, number])
    metal, experiment = str(draw.choice(["Au", "Pt"])), draw_experiment(draw)
    bond = NEAREST[metal] * draw.uniform(0.985, 1.005)
    middle = np.exp(draw.uniform(np.log(3.5), np.log(15.0))) if maker != "icosahedron" else draw.uniform(4.0, 11.0)
    has_ligands = bool(middle < 7 and draw.random() < 0.5)
    sizes = [middle] if draw.random() < 0.66 else [middle * 0.85, middle, middle * 1.15]
    total: np.ndarray = np.zeros(1)
    count = 0
    for size in sizes:
        places = disturbed(MAKERS[maker](float(size), draw) * bond, draw)
        heads = ligands(places, bond, draw) if has_ligands else places[:0]
        elements = [metal] * len(places) + ["S"] * len(heads)
        r, g = debye(elements, np.vstack([places, heads]), experiment)
        total, count = total + g * len(places), count + len(places)
    head = f"qmin = {experiment.q_min:.2f}\nqmax = {experiment.q_max:.2f}\n"
    head = f"[DEFAULT]\n{head}composition = {metal}\n#### start data\n#L r($\\AA$) G\n" if number % 3 else f"# {head}"
    path = written(folder, f"{number:02d}-{metal}-{maker}", r, spoiled(r, total / count, experiment, draw), head)
    told = {"ligands": has_ligands, "sizes": len(sizes), "q_max": experiment.q_max}
    return Pretended(
        name=path.stem, path=path, family=FAMILY_OF.get(maker, "FCC"), atoms=count / len(sizes), bond=bond, told=told
    )


def stranger(folder: Path, number: int, seed: int) -> Pretended:
    """What no family explains: pieces of zinc blende, of rutile and perovskite oxides, and glassy gold."""
    draw = np.random.default_rng([seed, 1000 + number])
    experiment = draw_experiment(draw)
    kind = ("CdSe", "rutile", "WO3", "glass")[number % 4]
    diameter = draw.uniform(10, 24)
    if kind == "glass":
        elements, places = glass(diameter, draw)
    else:
        cells: dict[str, tuple[np.ndarray, list[tuple[str, Any]]]] = {
            "CdSe": (
                np.full(3, 6.05),
                [("Cd", x) for x in FACES] + [("Se", np.add(x, 0.25)) for x in FACES],
            ),
            "rutile": (
                np.array([4.5, 4.5, 3.1]),
                [("Pt", (0, 0, 0)), ("Pt", (0.5, 0.5, 0.5))]
                + [("O", x) for x in ((0.305, 0.305, 0), (0.695, 0.695, 0), (0.195, 0.805, 0.5), (0.805, 0.195, 0.5))],
            ),
            "WO3": (
                np.full(3, 3.78),
                [("W", (0, 0, 0)), ("O", (0.5, 0.05, 0)), ("O", (0.05, 0.5, 0)), ("O", (0, 0, 0.5))],
            ),
        }
        cell, basis = cells[kind]
        elements, places = [], np.zeros((0, 3))
        steps = np.stack(np.meshgrid(*[np.arange(-8, 9)] * 3, indexing="ij"), -1).reshape(-1, 3)
        for element, site in basis:
            own = (steps + np.array(site)) * cell
            own = own[np.linalg.norm(own, axis=1) <= diameter / 2]
            elements, places = elements + [element] * len(own), np.vstack([places, own])
        if kind == "WO3":  # tungsten off the middle of its octahedron, as in Keggin ions and tungsten oxides
            moved = np.array([each == "W" for each in elements])
            places[moved] += draw.normal(0, 0.2, (int(moved.sum()), 3))
    r, g = debye(elements, places, experiment)
    head = f"# qmin = {experiment.q_min:.2f} qmax = {experiment.q_max:.2f}\n"
    path = written(folder, f"x{number:02d}-{kind}", r, spoiled(r, g, experiment, draw), head)
    return Pretended(name=path.stem, path=path, family="", atoms=len(places), bond=0.0)


FACES = ((0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0))


def glass(diameter: float, draw: np.random.Generator) -> tuple[list[str], np.ndarray]:
    """Gold packed by pushing apart whatever is nearer than 2.8 Å."""
    count = int(0.058 * np.pi / 6 * diameter**3)
    places = draw.normal(size=(count, 3))
    places *= (draw.random(count) ** (1 / 3) * diameter / 2 / np.linalg.norm(places, axis=1))[:, None]
    for _ in range(300):
        pairs = cKDTree(places).query_pairs(2.8, output_type="ndarray")
        if not len(pairs):
            break
        step = places[pairs[:, 0]] - places[pairs[:, 1]]
        length = np.linalg.norm(step, axis=1)[:, None]
        push = step / length * (2.8 - length) * 0.5
        np.add.at(places, pairs[:, 0], push)
        np.add.at(places, pairs[:, 1], -push)
    return ["Au"] * count, places
