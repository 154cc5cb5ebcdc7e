"""Species: what can occupy the disordered site of a crystal, and the library of 127.

A species is a set of atoms in the Cartesian frame of its cell (`dsfu.simulate.disorder.fields`). Molecules have their
centroid at the origin, perovskite cells their B site. The library is data, in ``dsfu/simulate/library/*.xyz``; it is
made by ``tools/make_species.py``, and ``tools/species_geometries.py`` says where each geometry comes from. A user's
own: `own_species`.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from itertools import combinations
from typing import Final, Literal, Self, get_args

import numpy as np
import numpy.typing as npt
from ase import Atoms

from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.checks import finite_array, number_between
from dsfu.simulate.lattice import Cell, vegard_cell
from dsfu.simulate.shapes import (
    GROUPS,
    Group,
    cell_lengths_by_rule,
    group_of,
    rotation_angles_of,
    rotation_matrix,
)

Split = Literal["train", "validation"]
SPLITS: Final[tuple[Split, ...]] = get_args(Split)

LIBRARY_FILES: Final = ("globular.xyz", "rods.xyz", "flat.xyz", "rings.xyz", "perovskites.xyz")
"""Files of the library, one for each group, in the order of the groups."""

CLOSEST_ATOMS: Final = 0.6
"""Two atoms of a species nearer than this, in Å, are taken for a mistake; H2, the shortest bond, is 0.74 Å."""

MOST_ATOMS: Final = 2000
"""Of one species. Chosen, not calibrated: the largest of the library has 26, and planes cost in proportion."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
_INFO = re.compile(r'(\w+)=(?:"([^"]*)"|(\S+))')
_SAME_LENGTH = 1e-6
_DIGITS_OF_DIGEST = 6


@dataclass(frozen=True, eq=False)
class Species:
    """What can occupy a site: an atom, a molecule, a fragment, a perovskite cell, or nothing.

    Parameters
    ----------
    name
        Letters, digits and ``_ . + -``; unique in a library.
    group
        Number of the shape group, 0 to 4 (`dsfu.simulate.shapes.GROUPS`).
    split
        "train" or "validation".
    atoms
        Elements and positions in Å; copied, and read-only in the species.
    cell_lengths
        (a, b, c) in Å; a = c, and in group 0 all three are equal, so that they fit the group's lattice.
    """

    name: str
    group: int
    split: Split
    atoms: Atoms
    cell_lengths: tuple[float, float, float]

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise ValueError(f"name = {self.name!r}: expected letters, digits and _ . + -, a letter or digit first")
        object.__setattr__(self, "group", group_of(self.group).number)
        if self.split not in SPLITS:
            raise ValueError(f"split = {self.split!r} (species {self.name}): expected 'train' or 'validation'")
        object.__setattr__(self, "atoms", _checked_atoms(self.name, self.atoms))
        object.__setattr__(self, "cell_lengths", _checked_lengths(self.name, self.shape, self.cell_lengths))

    @property
    def shape(self) -> Group:
        """The shape group: its name, its lattice, and how its species lie."""
        return GROUPS[self.group]

    @cached_property
    def cell(self) -> Cell:
        """Cell of a crystal of this species alone."""
        return Cell(*self.cell_lengths, beta=self.shape.beta)

    @property
    def is_vacancy(self) -> bool:
        return len(self.atoms) == 0

    def geometry_digest(self) -> str:
        """SHA-256 of what scattering depends on: elements, positions and cell to 1e-6, whatever the order of atoms.

        Name, group and split are left out: they change no plane.
        """
        scale = 10**_DIGITS_OF_DIGEST
        rows = np.column_stack([self.atoms.numbers, np.rint(self.atoms.positions * scale)]).astype("<i8")
        rows = rows[np.lexsort(rows.T[::-1])]
        constants = np.rint(np.array(self.cell.constants) * scale).astype("<i8")
        return hashlib.sha256(constants.tobytes() + rows.tobytes()).hexdigest()

    def rotated(self, angles: npt.ArrayLike | None = None, name: str | None = None) -> Self:
        """The same molecule turned about its origin by angles in degrees about x, then y, then z (Cartesian).

        Without angles they are drawn from the species' name, the same in every run: this is ``_R``. The cell follows
        from the turned atoms by the group's rule, so that perovskites and vacancies cannot be turned.
        """
        turned = self.atoms.copy()
        chosen = rotation_angles_of(self.name) if angles is None else angles
        turned.set_positions(self.atoms.positions @ rotation_matrix(chosen).T)
        lengths = cell_lengths_by_rule(self.group, turned.positions)
        return type(self)(name or f"{self.name}_R", self.group, self.split, turned, lengths)


def load_library() -> dict[str, Species]:
    """Return the 127 species by name, in the order of the groups, training before validation, ``_R`` after its parent.

    98 are for training and 29, never seen in training, for validation. ``atoms.info`` says what each species is
    (``label``), where its geometry comes from (``source``, ``smiles``) and how an ``_R`` was turned (``rotation``).
    """
    folder = resources.files("dsfu.simulate.library")
    texts = ((folder / file).read_text(encoding="utf-8") for file in LIBRARY_FILES)
    return {species.name: species for text in texts for species in _library_frames(text)}


def _library_frames(text: str) -> Iterator[Species]:
    """Species of one library file: extended XYZ, but read here because ASE's reader takes 0.4 s to import."""
    lines = text.splitlines()
    start = 0
    while start < len(lines):
        first, end = start + 2, start + 2 + int(lines[start])
        info = {key: quoted or plain for key, quoted, plain in _INFO.findall(lines[start + 1])}
        fields = [line.split() for line in lines[first:end]]
        atoms = Atoms([row[0] for row in fields], np.array([row[1:4] for row in fields], dtype=np.float64))
        atoms.info = {key: info[key] for key in ("label", "source", "smiles", "rotation") if key in info}
        a, b, c = (float(length) for length in info["cell_lengths"].split())
        split: Split = "train" if info["split"] == "train" else "validation"
        yield Species(info["name"], int(info["group"]), split, atoms, (a, b, c))
        start = end


def pairs(species: Mapping[str, Species], split: Split) -> list[tuple[Species, Species]]:
    """Every unordered pair of species of one split and one group, in the order of the groups and of the mapping.

    The library gives 1049 for "train" (120 + 190 + 435 + 276 + 28) and 98 for "validation" (10 + 15 + 28 + 45).
    """
    if split not in SPLITS:
        raise ValueError(f"split = {split!r}: expected 'train' or 'validation'")
    chosen = [one for one in species.values() if one.split == split]
    return [pair for group in GROUPS for pair in combinations((s for s in chosen if s.group == group.number), 2)]


def cell_of_pair(species_a: Species, species_b: Species, fraction_a: float) -> Cell:
    """Cell of the crystal in which a fraction of the sites holds A and the rest B, by Vegard's law."""
    if species_a.shape.lattice != species_b.shape.lattice:
        raise ValueError(
            f"species_a = {species_a.name} ({species_a.shape.lattice}), species_b = {species_b.name} "
            f"({species_b.shape.lattice}): expected two species of one lattice; take both from one group"
        )
    return vegard_cell(species_a.cell, species_b.cell, fraction_a)


def vacancy(
    partner: Species, name: str | None = None, cell_lengths: tuple[float, float, float] | None = None
) -> Species:
    """A species without atoms, to be paired with ``partner``.

    An empty site has no size of its own, so it takes its partner's cell, and a mixed crystal has that cell at any
    fraction; give ``cell_lengths`` (Å) where the crystal shrinks or swells as sites empty.
    """
    lengths = partner.cell_lengths if cell_lengths is None else cell_lengths
    return Species(name or f"vacancy_{partner.name}", partner.group, partner.split, Atoms(), lengths)


def _checked_atoms(name: str, atoms: Atoms) -> Atoms:
    """A copy of elements, positions and info, read-only, after a check that it could be a molecule."""
    if not isinstance(atoms, Atoms):
        raise ValueError(f"atoms = {atoms!r} (species {name}): expected an ase.Atoms")
    if len(atoms) > MOST_ATOMS:
        raise ValueError(
            f"species {name} has {len(atoms)} atoms: expected at most {MOST_ATOMS}, what occupies one site of a crystal"
        )
    positions: FloatArray = finite_array(f"positions of species {name} (Å)", atoms.positions, (None, 3))
    if (atoms.numbers < 1).any():
        first = int(np.flatnonzero(atoms.numbers < 1)[0])
        raise ValueError(f"atom {first} of species {name} is {atoms.symbols[first]!r}: expected a chemical element")
    between = np.linalg.norm(positions[:, np.newaxis, :] - positions[np.newaxis, :, :], axis=-1)
    np.fill_diagonal(between, np.inf)
    if len(positions) and between.min() < CLOSEST_ATOMS:
        i, j = (int(k) for k in np.unravel_index(between.argmin(), between.shape))
        raise ValueError(
            f"atoms {i} ({atoms.symbols[i]}) and {j} ({atoms.symbols[j]}) of species {name} are {between[i, j]:.3g} Å "
            f"apart: expected at least {CLOSEST_ATOMS} Å; if the file lists alternatives of a disordered molecule, "
            "keep one"
        )
    own = Atoms(numbers=atoms.numbers, positions=positions, info=atoms.info)
    for array in own.arrays.values():
        array.setflags(write=False)
    return own


def _checked_lengths(name: str, shape: Group, lengths: tuple[float, float, float]) -> tuple[float, float, float]:
    try:
        a, b, c = lengths
    except (TypeError, ValueError) as error:
        raise ValueError(f"cell_lengths = {lengths!r} (species {name}): expected (a, b, c) in Å") from error
    a, b, c = (
        number_between(f"cell length {axis} of species {name} (Å)", length, 0.0, 1e4, open_low=True)
        for axis, length in zip("abc", (a, b, c), strict=True)
    )
    fits = abs(a - c) < _SAME_LENGTH and (shape.lattice != "cubic" or abs(a - b) < _SAME_LENGTH)
    if not fits:
        wanted = "a = b = c" if shape.lattice == "cubic" else "a = c"
        raise ValueError(
            f"cell_lengths = ({a:g}, {b:g}, {c:g}) Å (species {name}): group {shape.number} ({shape.shape}) has a "
            f"{shape.lattice} lattice; expected {wanted}"
        )
    return a, b, c
