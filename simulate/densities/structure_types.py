"""Structure types: space group, sites and free parameters, onto which other elements can be put."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Final

import gemmi
import numpy as np

from dsfu.simulate.arrays import BoolArray, FloatArray, IntArray
from dsfu.simulate.densities.crystals import UnitCell, lattice_of, unit_cell

_ON_SITE: Final = 4e-3
"""Fractional distance within which an operation leaves a site where it is: tables round 1/3 to 0.33333 or 0.333."""

_TABLES: Final = {"structure_types.tsv": "AFLOW", "more_types.tsv": "literature"}
"""Tables of types that come with dsfu, and where theirs are from. New tables go last: stores count rows."""

_GREEK: Final = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "kappa": "κ", "mu": "μ",
    "pi": "π", "cdot": "·",
}  # fmt: skip
_ACCENTS: Final = {'\\"{u}': "ü", '\\"{a}': "ä", "\\'{c}": "ć"}
"""What TeX there is in the names of the tables."""


@dataclass(frozen=True, eq=False)
class Orbit:
    """One crystallographic site: where its atoms are as a function of its free parameters.

    Atom i lies at rotations[i] · (anchor + free @ basis) + translations[i].
    """

    element: int
    anchor: FloatArray
    basis: FloatArray
    rotations: FloatArray
    translations: FloatArray

    def positions(self, free: FloatArray) -> FloatArray:
        """Fractional coordinates of all atoms of the site, given shifts along its free directions."""
        return np.asarray(self.rotations @ (self.anchor + free @ self.basis) + self.translations)

    @property
    def multiplicity(self) -> int:
        """Atoms of this site in the cell."""
        return len(self.rotations)


@dataclass(frozen=True, eq=False, kw_only=True)
class StructureType:
    """A structure type, by the crystal that gave it its name.

    Attributes
    ----------
    name
        Its label: stoichiometry, Pearson symbol, space group and Wyckoff letters for those of the AFLOW library.
    prototype
        The crystal it is taken from.
    number, hall
        Space group and setting.
    cell
        a, b, c in Å and angles in degrees of that crystal.
    sites
        Atomic number and fractional coordinates of one atom of each site.
    source
        Where it comes from.
    """

    name: str
    prototype: str
    number: int
    hall: str
    cell: tuple[float, ...]
    sites: tuple[tuple[int, tuple[float, float, float]], ...]
    source: str = "AFLOW"

    @cached_property
    def orbits(self) -> tuple[Orbit, ...]:
        """The sites with their atoms and their free directions."""
        rotations, translations = operations(self.hall)
        return tuple(_orbit(element, np.array(xyz), rotations, translations) for element, xyz in self.sites)

    @cached_property
    def composition(self) -> Mapping[int, int]:
        """Atoms of each element in the cell."""
        counts: dict[int, int] = {}
        rotations, translations = operations(self.hall)
        for element, xyz in self.sites:
            # Operations that keep a point, times the points of its orbit, are all operations.
            kept = _keeping(np.array(xyz), rotations, translations)
            counts[element] = counts.get(element, 0) + len(rotations) // int(kept.sum())
        return counts

    @cached_property
    def atoms(self) -> int:
        """Atoms in the cell."""
        return sum(self.composition.values())

    @cached_property
    def free(self) -> int:
        """Free positional parameters."""
        return sum(len(orbit.basis) for orbit in self.orbits)

    @cached_property
    def volume(self) -> float:
        """Å³."""
        return float(np.linalg.det(lattice_of(self.cell)))

    @property
    def system(self) -> str:
        """Crystal system of the cell's metric: trigonal ones in hexagonal axes are hexagonal."""
        return lattice_system(self.number, self.cell)

    def substituted(self, elements: Mapping[int, int]) -> "StructureType":
        """The same type with other elements."""
        other = replace(self, sites=tuple((elements.get(element, element), xyz) for element, xyz in self.sites))
        # Where atoms are does not depend on what they are, and is dear to find out.
        orbits = tuple(replace(each, element=elements.get(each.element, each.element)) for each in self.orbits)
        other.__dict__["orbits"] = orbits
        return other

    def crystal(self, cell: Sequence[float] | FloatArray | None = None, free: FloatArray | None = None) -> UnitCell:
        """All atoms in a cell; ``free`` holds shifts of the free parameters, site after site."""
        shifts = np.zeros(self.free) if free is None else np.asarray(free, np.float64)
        places, numbers, start = [], [], 0
        for orbit in self.orbits:
            stop = start + len(orbit.basis)
            places.append(orbit.positions(shifts[start:stop]))
            numbers += [orbit.element] * orbit.multiplicity
            start = stop
        return unit_cell(self.cell if cell is None else cell, np.concatenate(places) % 1, numbers)

    def moved(self, cell: Sequence[float] | FloatArray, free: FloatArray) -> "StructureType":
        """The same type with another cell and other free parameters."""
        sites, start = [], 0
        for orbit in self.orbits:
            stop = start + len(orbit.basis)
            x, y, z = (orbit.anchor + np.asarray(free[start:stop]) @ orbit.basis) % 1
            sites.append((orbit.element, (float(x), float(y), float(z))))
            start = stop
        other = replace(self, cell=tuple(map(float, cell)), sites=tuple(sites))
        if not np.any(free):
            other.__dict__["orbits"] = self.orbits
        return other

    @cached_property
    def wyckoff_counts(self) -> tuple[tuple[int, int, int], ...]:
        """Element, multiplicity and free parameters of the sites, sorted: equal for crystals of one type."""
        return tuple(sorted((orbit.element, orbit.multiplicity, len(orbit.basis)) for orbit in self.orbits))


@lru_cache(maxsize=512)
def operations(hall: str) -> tuple[FloatArray, FloatArray]:
    """Rotations (n, 3, 3) and translations (n, 3) of a space group, centring included."""
    rotations, translations = [], []
    for op in gemmi.symops_from_hall(hall):
        rotations.append(np.array(op.rot, np.float64) / op.DEN)
        translations.append(np.array(op.tran, np.float64) / op.DEN)
    return np.array(rotations), np.array(translations)


def _keeping(xyz: FloatArray, rotations: FloatArray, translations: FloatArray) -> BoolArray:
    """Which operations leave a site where it is."""
    offset = rotations @ xyz + translations - xyz
    return np.asarray((np.abs(offset - np.round(offset)) < _ON_SITE).all(axis=1))


def _orbit(element: int, xyz: FloatArray, rotations: FloatArray, translations: FloatArray) -> Orbit:
    images = rotations @ xyz + translations
    offset = images - xyz
    stays = _keeping(xyz, rotations, translations)
    # The mean over the operations that keep the site projects on what is free, and puts the anchor right.
    anchor = (images[stays] - np.round(offset[stays])).mean(axis=0)
    basis = _free_directions(rotations[stays].mean(axis=0))
    images = rotations @ anchor + translations
    chosen: list[int] = []
    for i, image in enumerate(images):
        away = images[chosen] - image
        if not (np.abs(away - np.round(away)) < _ON_SITE).all(axis=1).any():
            chosen.append(i)
    return Orbit(element, anchor, basis, rotations[chosen], translations[chosen])


def _free_directions(projector: FloatArray) -> FloatArray:
    """Independent columns of a projector, as rows with small whole entries where possible."""
    columns: list[FloatArray] = []
    for column in projector.T:
        trial = np.array([*columns, column])
        if np.linalg.matrix_rank(trial, tol=1e-6) == len(trial):
            columns.append(column / np.abs(column).max())
    return np.array(columns).reshape(-1, 3)


def lattice_system(number: int, cell: Sequence[float] | FloatArray) -> str:
    """What a space group demands of the cell; monoclinic-a, -b or -c says which axis is unique."""
    if number >= 195:
        return "cubic"
    if number >= 143:
        rhombohedral = abs(cell[5] - 120) > 1 and abs(cell[3] - cell[5]) < 1e-2
        return "rhombohedral" if rhombohedral else "hexagonal"
    if number >= 75:
        return "tetragonal"
    if number >= 16:
        return "orthorhombic"
    if number >= 3:
        unique = int(np.argmax(np.abs(np.array(cell[3:]) - 90)))
        return "monoclinic-" + "abc"[unique if abs(cell[3 + unique] - 90) > 1e-4 else 1]
    return "triclinic"


@lru_cache(maxsize=1)
def shipped_types() -> tuple[StructureType, ...]:
    """The types that come with dsfu."""
    found: list[StructureType] = []
    for table, source in _TABLES.items():
        text = (files("dsfu.simulate.densities.tables") / table).read_text("utf-8")
        found += [parse_line(line, source) for line in text.splitlines() if line and not line.startswith("#")]
    return tuple(found)


def plain_name(name: str) -> str:
    """A crystal's name without TeX, and its formula once: ``F2Mn MnF2`` is MnF2."""
    for accented, letter in _ACCENTS.items():
        name = name.replace(accented, letter)
    words = re.sub(r"\\(\w+)", lambda found: _GREEK.get(found[1], found[1]), re.sub(r"[${}^_]", "", name.strip()))
    formula, _, rest = words.partition(" ")
    parts = [sorted(re.findall(r"[A-Z][a-z]?\d*", each)) for each in (formula, rest)]
    return rest if rest and parts[0] == parts[1] else words


def parse_line(line: str, source: str = "AFLOW") -> StructureType:
    """One line of a table of types."""
    name, prototype, number, hall, cell, places = line.split("\t")[:6]
    sites = []
    for place in places.split("; "):
        element, x, y, z = place.split()
        sites.append((gemmi.Element(element).atomic_number, (float(x), float(y), float(z))))
    return StructureType(
        name=name, prototype=plain_name(prototype), number=int(number), hall=hall,
        cell=tuple(map(float, cell.split())), sites=tuple(sites), source=source,
    )  # fmt: skip


def from_crystal(crystal: UnitCell, name: str, tolerance: float = 0.02, source: str = "yours") -> StructureType:
    """The type of a crystal whose symmetry is found by spglib, in the standard setting."""
    import spglib

    data = spglib.get_symmetry_dataset(
        (crystal.lattice.tolist(), crystal.positions.tolist(), crystal.numbers.tolist()), tolerance
    )
    if data is None:
        raise ValueError(f"{name}: no symmetry was found; expected atoms at least {tolerance} Å apart")
    setting = spglib.get_spacegroup_type(data.hall_number)
    assert setting is not None
    hall = setting.hall_symbol.strip()
    lattice = np.asarray(data.std_lattice)
    lengths = np.linalg.norm(lattice, axis=1)
    cosines = [lattice[i] @ lattice[j] / lengths[i] / lengths[j] for i, j in ((1, 2), (0, 2), (0, 1))]
    whole = StructureType(
        name=name, prototype=name, number=int(data.number), hall=hall, source=source,
        cell=(*map(float, lengths), *map(float, np.degrees(np.arccos(cosines)))), sites=(),
    )  # fmt: skip
    return replace(whole, sites=_independent(hall, np.asarray(data.std_positions), np.asarray(data.std_types)))


def _independent(
    hall: str, positions: FloatArray, numbers: IntArray
) -> tuple[tuple[int, tuple[float, float, float]], ...]:
    """One atom of each site."""
    rotations, translations = operations(hall)
    left, sites = np.ones(len(numbers), bool), []
    while left.any():
        first = int(np.flatnonzero(left)[0])
        x, y, z = map(float, positions[first] % 1)
        sites.append((int(numbers[first]), (x, y, z)))
        images = rotations @ positions[first] + translations
        away = positions[None, :, :] - images[:, None, :]
        same = (np.abs(away - np.round(away)) < 2 * _ON_SITE).all(axis=2).any(axis=0)
        left &= ~same
    return tuple(sites)
