"""Batches of a store of particles, read as they are or drawn anew from its shapes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import torch
from scipy.spatial.distance import pdist

from dsfu.errors import InputError
from dsfu.model.devices import real_numbers
from dsfu.model.problems.particles.learning.batch import FAMILIES, ParticleBatch
from dsfu.model.problems.particles.learning.data import ParticleData
from dsfu.model.problems.particles.learning.drawing import PdfDrawer, drawer_of
from dsfu.model.store import StoreSplit, opened_store
from dsfu.simulate.arrays import Float32Array, FloatArray, IntArray
from dsfu.simulate.particles.fields import unpacked


@dataclass(frozen=True, eq=False)
class ShapesOfStore:
    """The table of shapes of a store, read once: positions (shapes, most atoms, 3) in units of b."""

    positions: Float32Array
    atoms: IntArray
    family: IntArray
    names: tuple[str, ...]

    @property
    def distances(self) -> list[FloatArray]:
        """Of all pairs of atoms of each shape."""
        return [pdist(own[:atoms].astype(np.float64)) for own, atoms in zip(self.positions, self.atoms, strict=True)]


@lru_cache(maxsize=4)
def shapes_of(url: str) -> ShapesOfStore:
    """The shapes of a store by its address."""
    from dsfu.model.store import opened_store

    store = opened_store(url)
    families = [FAMILIES.index(str(name)) for name in store.read("shapes/family")]
    return ShapesOfStore(
        positions=store.read("shapes/positions").astype(np.float32),
        atoms=store.read("shapes/atoms").astype(np.int64),
        family=np.array(families, np.int64),
        names=tuple(map(str, store.read("shapes/name"))),
    )


@lru_cache(maxsize=2)
def _drawer(url: str) -> PdfDrawer:
    return drawer_of(shapes_of(url).distances, shapes_of(url).atoms)


def batch_of(split: StoreSplit, indices: Sequence[int], data: ParticleData, device: torch.device) -> ParticleBatch:
    """Samples by their indices. What is drawn for them follows from the indices alone."""
    chosen = np.asarray(indices, np.int64)
    shapes = shapes_of(split.store.url)
    rows = split.column("shape")[chosen].astype(np.int64)
    if data.source == "drawn":
        return drawn_batch(split.store.url, rows, data, np.random.default_rng([*indices]), device)
    bonds = split.column("bond_length")[chosen]
    pdf = _on_grid(split, chosen, data)
    largest = np.maximum(pdf.max(axis=1, keepdims=True), 1e-12)
    return _made(shapes, rows, bonds, split.column("b_iso")[chosen], pdf / largest, device)


def drawn_batch(
    url: str, rows: IntArray, data: ParticleData, random: np.random.Generator, device: torch.device
) -> ParticleBatch:
    """Shapes of a store with everything else drawn; some of them are exchanged for strangers, if that is wanted."""
    shapes = shapes_of(url)
    drawer = _drawer(url)
    strange = random.random(len(rows)) < data.strangers
    given = np.where(strange, drawer.some_strangers(random, len(rows)), rows)
    pdf, bonds, b_iso = drawer(given, data, random)
    batch = _made(shapes, rows, bonds, b_iso, pdf, device)
    batch.family[torch.from_numpy(strange).to(device)] = len(FAMILIES) - 1
    return batch


def _made(
    shapes: ShapesOfStore, rows: IntArray, bonds: FloatArray, b_iso: FloatArray, pdf: FloatArray, device: torch.device
) -> ParticleBatch:
    atoms = shapes.atoms[rows]
    positions = shapes.positions[rows] * bonds[:, None, None]
    there = np.arange(positions.shape[1]) < atoms[:, None]
    lowest = np.where(there[..., None], positions, np.inf).min(axis=1, keepdims=True)
    shifted = np.where(there[..., None], positions - lowest, 0.0)

    real = partial(real_numbers, device=device)
    return ParticleBatch(
        pdf=real(pdf),
        positions=real(shifted),
        atoms=torch.tensor(atoms, device=device),
        family=torch.tensor(shapes.family[rows], device=device),
        bond_length=real(bonds),
        b_iso=real(b_iso),
    )


def end_of_store(url: str) -> float:
    """Where the G of a store end, in Å."""
    split = opened_store(url).split("train")
    return _end(float(split.column("r_step")[0]), split.array("pdf_steps").shape[1])


def _end(step: float, points: int) -> float:
    return round(step * points, 9)


def _on_grid(split: StoreSplit, chosen: IntArray, data: ParticleData) -> FloatArray:
    """G of a store on the r of the settings; the whole array is read once, as it is small."""
    steps, units = split.column("pdf_steps")[chosen], split.column("pdf_unit")[chosen]
    step = float(split.column("r_step")[0])
    pdf = unpacked(steps, units)
    most = _end(step, pdf.shape[1])
    if data.r_max > most + 1e-9:
        points = round((most - data.r_min) / data.r_step)
        raise InputError(
            f"it is {data.r_max:g}",
            where="data.r_max",
            expected=f"at most {most:g} Å, as in the store",
            remedy=f"data.r_max={most:g} network.points={points}",
        )
    first, every = data.r_min / step, data.r_step / step
    if abs(first - round(first)) < 1e-6 and abs(every - round(every)) < 1e-6:
        return pdf[:, round(first) :: round(every)][:, : data.points].astype(np.float64)
    r = data.r_min + data.r_step * np.arange(data.points)
    return np.stack([np.interp(r, step * np.arange(pdf.shape[1]), row) for row in pdf])
