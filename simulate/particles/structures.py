"""A user's own particle: positions and elements from XYZ or CIF; of a crystal, the sphere that is cut from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import gemmi
import numpy as np
from ase.data import atomic_numbers
from ase.io import read

from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.particles.debye import any_structure
from dsfu.simulate.particles.experiment import PdfExperiment


@dataclass(frozen=True, eq=False)
class OwnStructure:
    """Atoms at positions in Å."""

    symbols: tuple[str, ...]
    positions: FloatArray

    @property
    def weights(self) -> FloatArray:
        """Scattering power of each atom over the mean: numbers of electrons, as for X-rays at Q = 0."""
        electrons = np.array([float(atomic_numbers[symbol]) for symbol in self.symbols])
        return np.asarray(electrons / electrons.mean())

    def pdf(self, experiment: PdfExperiment, b_iso: float = 0.3) -> FloatArray:
        """G(r) in 1/Å²."""
        values = any_structure(self.positions, b_iso, experiment.q_step, experiment.q_points, self.weights)
        return np.asarray(experiment.pdf(values), np.float64)


def read_structure(path: Path, diameter: float = 20.0) -> OwnStructure:
    """An XYZ file as it is, or of a CIF the sphere of ``diameter`` Å around the middle of a cell."""
    if path.suffix.lower() == ".cif":
        return _sphere(path, diameter)
    try:
        atoms = read(path, index=0, format="xyz")
    except (ValueError, IndexError, KeyError, StopIteration, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no XYZ file: {error}") from error
    return _checked(path, atoms.get_chemical_symbols(), atoms.get_positions())


def _sphere(path: Path, diameter: float) -> OwnStructure:
    try:
        crystal = gemmi.make_small_structure_from_block(gemmi.cif.read(str(path)).sole_block())
    except (ValueError, RuntimeError) as error:
        raise ValueError(f"{path} is no CIF with one structure: {error}") from error
    sites = crystal.get_all_unit_cell_sites()
    if not sites or crystal.cell.volume < 1:
        raise ValueError(f"{path} has no atoms in a cell")
    axes = np.array(crystal.cell.orth.mat.tolist()).T
    reach = [int(np.ceil(diameter / 2 * length)) + 1 for length in np.linalg.norm(np.linalg.inv(axes), axis=0)]
    shifts = np.stack(np.meshgrid(*[np.arange(-n, n + 1) for n in reach], indexing="ij"), -1).reshape(-1, 3)
    fractional = np.array([site.fract.tolist() for site in sites])
    places = ((shifts[:, None] + fractional) @ axes).reshape(-1, 3) - np.array([0.5, 0.5, 0.5]) @ axes
    names = np.tile([site.element.name for site in sites], len(shifts))
    inside = np.linalg.norm(places, axis=1) <= diameter / 2
    return _checked(path, names[inside].tolist(), places[inside])


def _checked(path: Path, symbols: Sequence[str], positions: FloatArray) -> OwnStructure:
    if len(symbols) < 2 or not np.isfinite(positions).all():
        raise ValueError(f"{path}: expected two atoms or more at finite positions, found {len(symbols)}")
    if unknown := [symbol for symbol in symbols if atomic_numbers.get(symbol, 0) < 1]:
        raise ValueError(f"{path}: no element is called {unknown[0]!r}")
    return OwnStructure(tuple(symbols), np.asarray(positions, np.float64))
