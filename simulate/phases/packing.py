"""Molecular crystals: a rigid molecule, turned at random, packed with the symmetry of a space group."""

from dataclasses import dataclass
from typing import Final

import gemmi
import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from dsfu.simulate.checks import finite_array
from dsfu.simulate.phases.atoms import CellContents, FloatArray, orthogonalisation
from dsfu.simulate.phases.random_crystals import operators
from dsfu.simulate.random_stream import stream_key

GROUPS_OF_MOLECULES: Final = ("P 1 21/c 1", "P -1", "P 21 21 21", "P 1 21 1", "C 1 2/c 1", "P b c a")
"""Where 80 % of organic crystals crystallise, most frequent first."""

_RADII: Final = {1: 1.1, 6: 1.7, 7: 1.55, 8: 1.52, 9: 1.47, 15: 1.8, 16: 1.8, 17: 1.75, 35: 1.85, 53: 1.98}
_OTHER_RADIUS: Final = 1.9
"""Van der Waals radii in Å (Bondi 1964; hydrogen by Rowland & Taylor 1996)."""

_CONTACT: Final = 0.92
"""How near molecules come, relative to the sum of the radii; chosen so that densities are those of crystals."""

_TRIES: Final = 24
_STEPS: Final = 200
_GAIN: Final = 0.995
"""How much smaller an edge must be to count as denser, and how exactly scales are found."""
_PRECISION: Final = 0.005
_VOLUME: Final = 20.0
"""Å³ an atom to begin with."""
_NEIGHBOURS: Final = np.stack(np.meshgrid(*(np.arange(-1, 2),) * 3, indexing="ij"), axis=-1).reshape(-1, 3)


def pack(
    numbers: npt.ArrayLike,
    coordinates: npt.ArrayLike,
    *,
    seed: int,
    index: int = 0,
    space_group: str = GROUPS_OF_MOLECULES[0],
    b_iso: tuple[float, float] = (1.5, 4.5),
    tries: int = _TRIES,
    steps: int = _STEPS,
) -> CellContents:
    """A molecule on general positions of a space group, packed as densely as a short search finds.

    Each trial has an orientation, a place and a shape of the cell; the cell is made as small as contacts allow. The
    densest of ``tries`` is then moved a little ``steps`` times, and what is denser is kept. No energy is minimised:
    these are crystals with the right distances, somewhat less dense than those that would grow.

    Parameters
    ----------
    numbers, coordinates
        Atomic numbers, and positions in Å.
    b_iso
        Range of the Debye–Waller factors in Å²; hydrogens have 1.2 times as much.
    """
    group = gemmi.find_spacegroup_by_name(space_group)
    if group is None or group.crystal_system_str() not in ("triclinic", "monoclinic", "orthorhombic"):
        raise ValueError(
            f"space_group = {space_group!r}: expected one of {', '.join(GROUPS_OF_MOLECULES)}, or the like"
        )
    kinds = np.asarray(numbers, dtype=np.int64)
    molecule = finite_array("coordinates", coordinates, (len(kinds), 3))
    molecule = molecule - molecule.mean(axis=0)
    rng = np.random.default_rng(stream_key(seed, "phases packing", index))
    turns, shifts = operators(group)
    radii = np.array([_RADII.get(int(z), _OTHER_RADIUS) for z in kinds]) * _CONTACT
    orders = len(turns)
    start = float(np.cbrt(orders * len(kinds) * _VOLUME))
    best = _random_packing(group, molecule, rng)
    scale = _smallest(best, turns, shifts, radii, start)
    for step in range(1, tries + steps):
        trial = _random_packing(group, molecule, rng) if step < tries else _moved(best, rng)
        if _touches(trial, scale * _GAIN, turns, shifts, radii):
            continue  # no denser than the best
        best, scale = trial, _smallest(trial, turns, shifts, radii, scale * _GAIN)
    orth = best.shape * scale
    fractions = best.centre + best.turned @ np.linalg.inv(orth).T
    lengths = np.linalg.norm(orth, axis=0)
    cosines = [orth[:, i] @ orth[:, j] / lengths[i] / lengths[j] for i, j in ((1, 2), (0, 2), (0, 1))]
    angles = np.degrees(np.arccos(np.round(cosines, 12)))
    values = rng.uniform(*b_iso, len(kinds)) * np.where(kinds == 1, 1.2, 1.0)
    return CellContents(
        numbers=np.tile(kinds, len(turns)),
        positions=_images(fractions, turns, shifts).reshape(-1, 3),
        cell=(*map(float, lengths), *map(float, angles)),  # type: ignore[arg-type]
        b_iso=np.tile(values, len(turns)),
        space_group=group.hm,
        name=f"packed {seed}/{index}",
    )


@dataclass(frozen=True)
class _Packing:
    turned: FloatArray
    """The molecule in Å, turned, about its own centre."""
    centre: FloatArray
    """Where that is in the cell."""
    shape: FloatArray
    """Axes of the cell in columns, for a volume of 1."""


def _random_packing(group: gemmi.SpaceGroup, molecule: FloatArray, rng: np.random.Generator) -> _Packing:
    return _Packing(Rotation.random(rng=rng).apply(molecule), rng.random(3), _shape(group, rng))


def _moved(packing: _Packing, rng: np.random.Generator) -> _Packing:
    """Turned, shifted and stretched a little; angles of the cell stay as they are."""
    stretch = np.exp(rng.normal(0, 0.05, 3))
    shape = packing.shape * stretch / np.cbrt(stretch.prod())
    turn = Rotation.from_rotvec(rng.normal(0, 0.12, 3))
    return _Packing(turn.apply(packing.turned), packing.centre + rng.normal(0, 0.02, 3), shape)


def _shape(group: gemmi.SpaceGroup, rng: np.random.Generator) -> FloatArray:
    """A cell of volume 1 of the group's crystal system, as a matrix of its axes in columns."""
    a, b, c = np.exp(rng.uniform(-0.45, 0.45, 3))
    angles = [90.0, 90.0, 90.0]
    if group.crystal_system_str() == "triclinic":
        angles = list(rng.uniform(75, 105, 3))
    elif group.crystal_system_str() == "monoclinic":
        angles["abc".index(group.monoclinic_unique_axis())] = rng.uniform(90.5, 112)
    shape = orthogonalisation((a, b, c, *angles))
    return np.asarray(shape / np.cbrt(np.linalg.det(shape)))


def _images(fractions: FloatArray, turns: FloatArray, shifts: FloatArray) -> FloatArray:
    return np.asarray(np.einsum("gij,aj->gai", turns, fractions) + shifts[:, None, :])


def _smallest(packing: _Packing, turns: FloatArray, shifts: FloatArray, radii: FloatArray, start: float) -> float:
    """Smallest scale of the cell at which no two molecules touch, by bisection."""
    low, high = 0.6 * start, start
    while _touches(packing, high, turns, shifts, radii):
        low, high = high, 1.3 * high
    while high - low > _PRECISION * high:
        middle = (low + high) / 2
        if _touches(packing, middle, turns, shifts, radii):
            low = middle
        else:
            high = middle
    return high


def _touches(packing: _Packing, scale: float, turns: FloatArray, shifts: FloatArray, radii: FloatArray) -> bool:
    turned, orth = packing.turned, packing.shape * scale
    images = _images(packing.centre + turned @ np.linalg.inv(orth).T, turns, shifts)
    # Whole molecules go back into the cell; around it there are copies in 27 cells.
    images -= np.floor(images.mean(axis=1))[:, None, :]
    centres = images.mean(axis=1)[:, None, :] + _NEIGHBOURS - images[0].mean(axis=0)
    apart = np.linalg.norm(centres @ orth.T, axis=2)
    reach = 2 * float(radii.max())
    # Nothing farther than two molecules and the longest contact is looked at atom by atom.
    near = apart <= 2 * np.linalg.norm(turned, axis=1).max() + reach
    near[0, len(_NEIGHBOURS) // 2] = False  # the molecule itself
    which, cells = np.nonzero(near)
    if not which.size:
        return False
    others = (images[which] + _NEIGHBOURS[cells][:, None, :] - images[0].mean(axis=0)).reshape(-1, 3) @ orth.T
    pairs = cKDTree(turned).sparse_distance_matrix(cKDTree(others), reach, output_type="ndarray")
    return bool((pairs["v"] < radii[pairs["i"]] + radii[pairs["j"] % len(radii)]).any())
