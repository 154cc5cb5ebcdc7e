"""A crystal solved from |F|², at the front door."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dsfu.colours import DENSITY
from dsfu.model.front_door.answer import Answer, Drawing, free_folder
from dsfu.model.front_door.common import density_dataset
from dsfu.model.front_door.given import check_kinds, path_of
from dsfu.progress import Tell, waiting

if TYPE_CHECKING:
    import xarray

    from dsfu.model.problems.phases.crystal_data import ReflectionList
    from dsfu.model.problems.phases.solve import PhasedCrystal


class Phases(Answer):
    """A crystal solved from |F|². ``data`` is a `PhasedCrystal`."""

    data: "PhasedCrystal"

    def __init__(self, data: "PhasedCrystal") -> None:
        self.data = data

    @property
    def verdict(self) -> str:
        return f"{self.data.verdict.outcome}: {' '.join(self.data.verdict.reasons)}"

    def facts(self) -> Mapping[str, str]:
        atoms = len(self.data.model.numbers) if self.data.model else 0
        return {
            "outcome": self.data.verdict.outcome,
            "space group": self.data.candidate.name,
            "R": f"R {self.data.r:.3f}",
            "atoms": f"{atoms} atoms" if atoms else "peaks only",
            "data": f"{len(self.data.data.hkl)} unique reflections to {self.data.data.d_min:.2f} Å",
        }

    def plot(self) -> Drawing:
        """The largest density along each axis, in fractions of the cell."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9, 3.2), layout="constrained")
        for axis, panel in enumerate(figure.subplots(1, 3)):
            first, second = (i for i in range(3) if i != axis)
            projected = np.clip(self.data.density, 0, None).max(axis=axis)
            lengths = self.data.data.cell[first], self.data.data.cell[second]
            panel.imshow(projected.T, origin="lower", extent=(0, 1, 0, 1), cmap=DENSITY, aspect=lengths[1] / lengths[0])
            panel.set_title(f"along {'abc'[axis]}", fontsize=9)
            panel.set_xlabel("xyz"[first])
            panel.set_ylabel("xyz"[second])
        return Drawing.of(figure)

    def to_xarray(self) -> "xarray.Dataset":
        """The map over x, y, z in fractions of the cell."""
        return density_dataset(self.data.density, self.data.data.cell, self.verdict)

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Map, atoms, phases and report in a folder, as ``dsfu-model solve-phases`` does."""
        from dsfu.model.problems.phases.outputs import write_all

        folder = free_folder(path, overwrite=overwrite)
        write_all(folder, self.data)
        return folder


def solve_phases(
    source: "ReflectionList | str | Path",
    *,
    cell: str | Sequence[float] = "",
    formula: str = "",
    resolution: float = 0.0,
    seed: int = 0,
    tell: Tell | None = None,
) -> Phases:
    """Solve a crystal structure from |F|²: phases, space group, map and atoms.

    Parameters
    ----------
    source
        SHELX .hkl, .fcf, CIF with reflections, or MTZ; or what `reflections_of` read of one.
    cell
        a, b, c in Å, α, β and γ, as numbers or as "a,b,c,alpha,beta,gamma", where the file and its neighbours do not
        say it.
    formula
        Elements to give to the peaks.
    resolution
        Smallest d in Å that is used; 0 for all.
    seed
        Of the random starts.
    tell
        Is given lines of progress; without it they are shown where somebody looks.
    """
    from dsfu.model.problems.phases.crystal_data import ReflectionList
    from dsfu.model.problems.phases.solve import solve

    check_kinds("solve_phases", resolution=(resolution, float), seed=(seed, int))
    if not isinstance(source, ReflectionList):
        source = reflections_of(path_of(source, "the path of a file with reflections"), cell, formula)
    with waiting("solve-phases", tell) as telling:
        return Phases(solve(source, resolution=resolution, seed=seed, tell=telling))


def reflections_of(path: str | Path, cell: str | Sequence[float] = "", formula: str = "") -> "ReflectionList":
    """Reflections of a file, with a cell and a formula that it may lack."""
    from dsfu.model.problems.phases.elements import parse_formula
    from dsfu.model.problems.phases.reading import parse_cell, read_reflections

    given = parse_formula(formula) if formula else {}
    check_kinds("solve_phases", cell=(cell, str | Sequence[float]), formula=(formula, str))
    text = cell if isinstance(cell, str) else ", ".join(map(str, cell))
    found = read_reflections(path, parse_cell(text) if text else None)
    return replace(found, formula=given) if given else found
