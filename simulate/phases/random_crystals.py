"""Random crystals: atoms that keep their distance, in P1 or with a space group."""

from typing import Final

import gemmi
import numpy as np
from numba import njit

from dsfu.simulate.phases.atoms import CUBIC, CellContents, FloatArray, orthogonalisation
from dsfu.simulate.random_stream import random_word, stream_key

ELEMENTS: Final = (6, 8, 14, 22, 26, 40, 56)
"""Atomic numbers of the random crystals with which projections were measured first."""

VOLUME_PER_ATOM: Final = 14.0
"""Å³, chosen: between oxides (10) and molecules (18 without hydrogen)."""

_SPACING: Final = 0.7
"""Least distance relative to the cube root of the volume per atom; random close packing of spheres allows 1.1."""

_ATTEMPTS: Final = 20000
_IN_VAIN: Final = 400
"""Orbits in a row that did not fit, after which a cell with symmetry counts as full."""
_UNIT: Final = 1 / 2**53
_SHIFT: Final = np.uint64(11)


def random_p1(
    seed: int, index: int, atoms: int, *, elements: tuple[int, ...] = ELEMENTS, spacing: float = _SPACING
) -> CellContents:
    """Atoms at random in a cubic cell of 10 Å, none nearer than ``spacing`` / atoms^(1/3) of its edge.

    The crystal is a function of seed and index alone.
    """
    _check_request(atoms, spacing)
    positions = np.empty((atoms, 3))
    key = np.uint64(stream_key(seed, "phases P1", index))
    if not _place_in_cube(key, spacing / np.cbrt(atoms), positions, _ATTEMPTS):
        raise ValueError(f"{atoms} atoms {spacing} apart do not fit; expected a smaller spacing, {_SPACING} or less")
    chosen = np.empty(atoms, dtype=np.int64)
    _choose(np.uint64(stream_key(seed, "phases elements", index)), len(elements), chosen)
    numbers = np.asarray(elements, dtype=np.int64)[chosen]
    return CellContents(numbers=numbers, positions=positions, cell=CUBIC, name=f"random {seed}/{index}")


def random_in_group(
    seed: int,
    index: int,
    space_group: str,
    atoms: int,
    *,
    elements: tuple[int, ...] = ELEMENTS,
    volume_per_atom: float = VOLUME_PER_ATOM,
    spacing: float = _SPACING,
    b_iso: tuple[float, float] = (0.5, 4.0),
) -> CellContents:
    """About ``atoms`` atoms a cell with the symmetry of a space group, in a random cell of its crystal system.

    Atoms that come too near their own images are moved onto the symmetry element between them. So there are special
    positions in the numbers that chance makes of them. The number of atoms is the largest that fits, at most ``atoms``
    and at least one orbit.
    """
    group = gemmi.find_spacegroup_by_name(space_group)
    if group is None:
        raise ValueError(f"space_group = {space_group!r}: expected a Hermann–Mauguin symbol, such as 'P 21/c'")
    rng = np.random.default_rng(stream_key(seed, "phases cell", index))
    cell = _random_cell(group, atoms * volume_per_atom, rng)
    turns, shifts = operators(group)
    orth = orthogonalisation(cell)
    scale = np.cbrt(gemmi.UnitCell(*cell).volume)
    # In a cell of volume 1: distances are relative to the cube root of the volume.
    positions, count = _placed(seed, "phases group", index, atoms, turns, shifts, orth / scale, spacing)
    of_orbit = _orbits(positions, turns, shifts)
    kinds, values = rng.choice(elements, count), rng.uniform(*b_iso, count)
    return CellContents(
        numbers=kinds[of_orbit],
        positions=positions,
        cell=cell,
        b_iso=values[of_orbit],
        space_group=group.hm,
        name=f"random {group.hm} {seed}/{index}",
    )


def operators(group: gemmi.SpaceGroup) -> tuple[FloatArray, FloatArray]:
    """Rotations (operators, 3, 3) and translations (operators, 3) of a group, centring included."""
    every = list(group.operations())
    turns = np.array([op.rot for op in every], dtype=np.float64) / gemmi.Op.DEN
    return turns, np.array([op.tran for op in every], dtype=np.float64) / gemmi.Op.DEN


def _random_cell(
    group: gemmi.SpaceGroup, volume: float, rng: np.random.Generator
) -> tuple[float, float, float, float, float, float]:
    system = group.crystal_system_str()
    a, b, c = np.exp(rng.uniform(-0.5, 0.5, 3))
    angles = [90.0, 90.0, 90.0]
    if system == "triclinic":
        angles = list(rng.uniform(70, 110, 3))
    elif system == "monoclinic":
        angles["abc".index(group.monoclinic_unique_axis())] = rng.uniform(91, 118)
    elif system in ("tetragonal", "hexagonal", "trigonal"):
        b = a
        if system != "tetragonal":
            angles[2] = 120.0
            if group.ext == "R":
                b = c = a
                angles = [float(rng.uniform(60, 100))] * 3
    elif system == "cubic":
        b = c = a
    scale = np.cbrt(volume / gemmi.UnitCell(a, b, c, *angles).volume)
    return (float(a * scale), float(b * scale), float(c * scale), float(angles[0]), float(angles[1]), float(angles[2]))


def _placed(
    seed: int,
    purpose: str,
    index: int,
    atoms: int,
    turns: FloatArray,
    shifts: FloatArray,
    orth: FloatArray,
    spacing: float,
) -> tuple[FloatArray, int]:
    _check_request(atoms, spacing)
    key = np.uint64(stream_key(seed, purpose, index))
    out = np.empty((max(atoms, len(turns)), 3))
    count = _place(key, atoms, turns, shifts, orth, spacing / np.cbrt(atoms), out, _IN_VAIN)
    if count < 1:
        raise ValueError(f"{atoms} atoms {spacing} apart do not fit; expected a smaller spacing, {_SPACING} or less")
    return out[:count].copy(), count


def _check_request(atoms: int, spacing: float) -> None:
    if not 1 <= atoms <= 10_000:
        raise ValueError(f"atoms = {atoms}: expected 1 to 10000 in a cell")
    if not 0 < spacing <= 1:
        raise ValueError(f"spacing = {spacing}: expected a distance in (0, 1], relative to the room of an atom")


def _orbits(positions: FloatArray, turns: FloatArray, shifts: FloatArray) -> np.ndarray:
    """Number of the first atom of each atom's orbit."""
    first = np.full(len(positions), -1)
    for j, position in enumerate(positions):
        if first[j] < 0:
            images = np.einsum("gij,j->gi", turns, position) + shifts
            apart = positions[:, None, :] - images[None]
            near = (np.abs(apart - np.round(apart)).max(axis=2) < 1e-6).any(axis=1)
            first[near & (first < 0)] = j
    return first


@njit(nogil=True, cache=True)
def _choose(key, below, out):  # type: ignore[no-untyped-def]
    """Whole numbers, uniform in 0 … below − 1."""
    for i in range(out.size):
        out[i] = int((random_word(key, np.uint64(i)) >> _SHIFT) * _UNIT * below)


@njit(nogil=True, cache=True)
def _place_in_cube(key, least, out, patience):  # type: ignore[no-untyped-def]
    """Fill ``out`` with positions in a cube of edge 1, none nearer than ``least``; False if they do not fit."""
    counter = np.uint64(0)
    count = in_vain = 0
    while count < out.shape[0]:
        if in_vain >= patience:
            return False
        for axis in range(3):
            out[count, axis] = (random_word(key, counter) >> _SHIFT) * _UNIT
            counter += np.uint64(1)
        fits = True
        for other in range(count):
            total = 0.0
            for axis in range(3):
                step = abs(out[count, axis] - out[other, axis])
                step = min(step, 1.0 - step)
                total += step * step
            if total < least * least:
                fits = False
                break
        if fits:
            count += 1
            in_vain = 0
        else:
            in_vain += 1
    return True


@njit(nogil=True, cache=True)
def _apart_squared(one, other, orth):  # type: ignore[no-untyped-def]
    """Square of the shortest distance between two positions in a periodic cell; the 27 images next to the nearest by
    fractions are enough for angles of 60 to 120 degrees."""
    best = 1e30
    base = one - other
    base -= np.floor(base + 0.5)
    for i in range(-1, 2):
        for j in range(-1, 2):
            for k in range(-1, 2):
                total = 0.0
                for axis in range(3):
                    along = (
                        orth[axis, 0] * (base[0] + i) + orth[axis, 1] * (base[1] + j) + orth[axis, 2] * (base[2] + k)
                    )
                    total += along * along
                best = min(best, total)
    return best


@njit(nogil=True, cache=True)
def _onto_element(position, turns, shifts, orth, least_squared):  # type: ignore[no-untyped-def]
    """A position whose images come too near, on the symmetry element: the mean of near images, until nothing moves."""
    for _round in range(4):
        total = np.zeros(3)
        near = 0
        for g in range(turns.shape[0]):
            image = turns[g] @ position + shifts[g]
            if _apart_squared(image, position, orth) < least_squared:
                step = image - position
                total += step - np.floor(step + 0.5)
                near += 1
        position = position + total / near
        if near == 1:
            break
    return position


@njit(nogil=True, cache=True)
def _fill_orbit(position, turns, shifts, orth, least_squared, orbit):  # type: ignore[no-untyped-def]
    """Write the images of a position to ``orbit``, each once; returns how many, 0 if two come too near."""
    size = 0
    for g in range(turns.shape[0]):
        image = turns[g] @ position + shifts[g]
        image -= np.floor(image)
        known = False
        for other in range(size):
            distance = _apart_squared(image, orbit[other], orth)
            if distance < 1e-12:
                known = True
                break
            if distance < least_squared:
                return 0
        if not known:
            orbit[size] = image
            size += 1
    return size


@njit(nogil=True, cache=True)
def _keep_distance(orbit, others, orth, least_squared):  # type: ignore[no-untyped-def]
    """Whether no position of the one comes too near one of the other."""
    for i in range(orbit.shape[0]):
        for other in range(others.shape[0]):
            if _apart_squared(orbit[i], others[other], orth) < least_squared:
                return False
    return True


@njit(nogil=True, cache=True)
def _place(key, atoms, turns, shifts, orth, least, out, patience):  # type: ignore[no-untyped-def]
    """Fill ``out`` with orbits of random positions; returns how many atoms were placed."""
    least_squared = least * least
    count = in_vain = 0
    counter = np.uint64(0)
    orbit = np.empty((turns.shape[0], 3))
    position = np.empty(3)
    while count < atoms and in_vain < patience:
        in_vain += 1
        for axis in range(3):
            position[axis] = (random_word(key, counter) >> _SHIFT) * _UNIT
            counter += np.uint64(1)
        position = _onto_element(position, turns, shifts, orth, least_squared)
        size = _fill_orbit(position, turns, shifts, orth, least_squared, orbit)
        # The first orbit is taken even if it has more atoms than were asked for: the group has no smaller crystal with
        # it.
        if size == 0 or (count + size > atoms and count > 0) or size > out.shape[0] - count:
            continue
        if _keep_distance(orbit[:size], out[:count], orth, least_squared):
            out[count : count + size] = orbit[:size]
            count += size
            in_vain = 0
    return count
