"""Space groups that a Laue class, a lattice and the absent reflections allow."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

import gemmi
import numpy as np
import numpy.typing as npt

from dsfu.model.problems.phases.crystal_data import FloatArray, IntArray
from dsfu.model.problems.phases.laue import SIGNIFICANT, laue_rotations
from dsfu.model.problems.phases.merging import MergedData

_STRONG_SHARE: Final = 0.15
"""Of the reflections that a group forbids, at most this share may be significant; chosen: multiple diffraction and
half the wavelength make some so."""

_STRONG_FEW: Final = 1
"""Of those that one operator forbids, a screw axis only a handful, so many may be strong in any case."""

_STRONG_MEAN: Final = 0.1
_CELLS: Final = np.stack(np.meshgrid(*(np.arange(-1, 2),) * 3, indexing="ij"), axis=-1).reshape(-1, 3)


@dataclass(frozen=True, kw_only=True, eq=False)
class CandidateGroup:
    """A space group in one setting, without the translations of its lattice.

    Parameters
    ----------
    turns, shifts
        x → R x + t: (operators, 3, 3) whole numbers and (operators, 3), the identity first.
    absent
        Number of measured reflections that it forbids beyond the lattice, and that are indeed weak.
    """

    group: gemmi.SpaceGroup
    turns: IntArray
    shifts: FloatArray
    absent: int

    @property
    def name(self) -> str:
        """Short Hermann–Mauguin symbol, such as P21/c."""
        return str(self.group.short_name())

    @property
    def standard(self) -> bool:
        """Whether this is the usual setting; where several settings fit a map, it is the one to name."""
        return bool(self.group.is_reference_setting())

    @property
    def centrosymmetric(self) -> bool:
        """Whether it has inversion centres."""
        return bool(self.group.is_centrosymmetric())

    @cached_property
    def lattice(self) -> FloatArray:
        """Translations of the lattice within a cell, (points, 3), 0 first."""
        return np.array(list(self.group.operations().cen_ops), dtype=np.float64) / gemmi.Op.DEN

    @property
    def mirrors(self) -> bool:
        """Whether it has mirror planes, not glide planes alone."""
        moves = (_CELLS[:, None, :] + self.lattice).reshape(-1, 3)
        for turn, shift in zip(self.turns, self.shifts, strict=True):
            if np.linalg.det(turn) < 0 and np.trace(turn) == 1:
                # (1 + R) t is twice the glide of a plane; where some lattice vector makes it 0, the plane is a mirror.
                along = (shift + moves) @ (np.eye(3) + turn).T
                if (np.abs(along) < 1e-6).all(axis=1).any():
                    return True
        return False


def candidates(data: MergedData) -> list[CandidateGroup]:
    """All groups of the Laue class and lattice whose forbidden reflections are absent, most of them first."""
    wanted = data.laue.rotations.tobytes()
    found: dict[tuple[bytes, bytes], CandidateGroup] = {}
    for group, turns, shifts, rotations in _table():
        if rotations != wanted or group.centring_type() != data.laue.centring:
            continue
        each = _absent_by_each(data.hkl, turns, shifts)
        forbidden: npt.NDArray[np.bool_] = np.asarray(each.any(axis=0))
        if forbidden.any() and (_too_strong(data, forbidden) or any(_refuted(data, one) for one in each)):
            continue
        key = (turns.tobytes(), np.round(shifts * 24).astype(int).tobytes())
        candidate = CandidateGroup(group=group, turns=turns, shifts=shifts, absent=int(forbidden.sum()))
        found.setdefault(key, candidate)
    return sorted(
        found.values(), key=lambda each: (-each.absent, -len(each.turns), not each.standard, each.group.number)
    )


def candidate_of(group: gemmi.SpaceGroup) -> CandidateGroup:
    """A group by itself."""
    turns, shifts = _operators(group)
    return CandidateGroup(group=group, turns=turns, shifts=shifts, absent=0)


def absent_by(hkl: IntArray, turns: IntArray, shifts: FloatArray) -> np.ndarray:
    """Which reflections some operator makes vanish: hR = h, and h·t is no whole number."""
    return np.asarray(_absent_by_each(hkl, turns, shifts).any(axis=0))


def _absent_by_each(hkl: IntArray, turns: IntArray, shifts: FloatArray) -> npt.NDArray[np.bool_]:
    """The same for each operator, (operators, reflections)."""
    absent = np.zeros((len(turns), len(hkl)), dtype=bool)
    for row, turn, shift in zip(absent, turns, shifts, strict=True):
        phase = hkl @ shift
        row[:] = (hkl @ turn == hkl).all(axis=1) & (np.abs(phase - np.round(phase)) > 0.01)
    return absent


def _too_strong(data: MergedData, forbidden: npt.NDArray[np.bool_]) -> bool:
    mean = data.intensity[~forbidden].mean() if (~forbidden).any() else 0.0
    strong = _strong(data, forbidden)
    return bool(strong.mean() > _STRONG_SHARE or data.intensity[forbidden].mean() > _STRONG_MEAN * mean)


def _refuted(data: MergedData, forbidden: npt.NDArray[np.bool_]) -> bool:
    """Whether what one operator forbids is strong: beside many true absences of other operators it would be lost."""
    return bool(_strong(data, forbidden).sum() > max(_STRONG_FEW, _STRONG_SHARE * forbidden.sum()))


def _strong(data: MergedData, forbidden: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    intensity, sigma = data.intensity[forbidden], data.intensity_sigma[forbidden]
    typical = np.median(np.maximum(data.intensity[~forbidden], 0)) if (~forbidden).any() else 0.0
    return np.asarray((intensity > SIGNIFICANT * sigma) & (intensity > 0.2 * typical))


@lru_cache(maxsize=1)
def _table() -> list[tuple[gemmi.SpaceGroup, IntArray, FloatArray, bytes]]:
    every = []
    for group in gemmi.spacegroup_table():
        turns, shifts = _operators(group)
        every.append((group, turns, shifts, laue_rotations(group).tobytes()))
    return every


def _operators(group: gemmi.SpaceGroup) -> tuple[IntArray, FloatArray]:
    every = list(group.operations().sym_ops)
    turns = np.array([np.array(op.rot) // gemmi.Op.DEN for op in every], dtype=np.int64)
    return turns, np.array([op.tran for op in every], dtype=np.float64) / gemmi.Op.DEN
