"""A structure and its density from a powder pattern, at the front door."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsfu.errors import InputError
from dsfu.model.front_door.answer import Answer, Drawing, free_folder
from dsfu.model.front_door.common import curves, density_dataset
from dsfu.model.front_door.given import check_kinds, path_of
from dsfu.progress import Tell, waiting

if TYPE_CHECKING:
    import xarray

    from dsfu.model.problems.densities.formulas import Formula
    from dsfu.model.problems.densities.pools import Pool
    from dsfu.model.problems.densities.powder import PowderPattern
    from dsfu.model.problems.densities.solve import DensityAnswer


class Density(Answer):
    """Structures that a powder pattern may come from, best first. ``data`` is the solver's own answer."""

    data: "DensityAnswer"

    def __init__(self, data: "DensityAnswer", title: str) -> None:
        self.data = data
        self._title = title

    @property
    def verdict(self) -> str:
        return f"{self.data.verdict}: {self.data.reason}"

    def facts(self) -> Mapping[str, str]:
        best = self.data.candidates[0] if self.data.candidates else None
        told = f"{best.kind.prototype}, R {best.r:.3f}" if best else "no candidate"
        return {"outcome": self.data.verdict, "best": told, "tried": f"{self.data.tried} types tried"}

    def plot(self) -> Drawing:
        """Net intensity, the best candidate's, and what it leaves."""
        best = self._best
        return curves(best.two_theta, best.net, best.calculated, ("2θ (degrees)", "net intensity"))

    def to_xarray(self) -> "xarray.Dataset":
        """Net and calculated intensity over 2θ, and the density of the best candidate over x, y, z."""
        from dsfu.simulate.densities.density import density

        best = self._best
        dataset = density_dataset(density(best.kind.crystal()), best.kind.cell, self.verdict)
        angle = {"units": "degrees"}
        dataset = dataset.assign_coords(two_theta=("two_theta", best.two_theta, angle))
        return dataset.assign(net=("two_theta", best.net), calculated=("two_theta", best.calculated))

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """CIFs, maps, record and report in a folder, as ``dsfu-model solve-density`` does."""
        from dsfu.model.problems.densities.output import write_answer

        folder = free_folder(path, overwrite=overwrite)
        write_answer(self.data, folder, self._title)
        return folder

    @property
    def _best(self) -> Any:
        if not self.data.candidates:
            raise InputError(self.verdict, expected="a candidate to show")
        return self.data.candidates[0]


def solve_density(
    source: "PowderPattern | str | Path",
    formula: "Formula | str",
    *,
    wavelength: float | None = None,
    keep: int = 5,
    pool: "Pool | str | Path | None" = None,
    seconds: float = 120.0,
    tell: Tell | None = None,
) -> Density:
    """Find the crystal structure and electron density behind a powder pattern.

    Parameters
    ----------
    source
        A powder pattern: .xy, .csv, powder CIF …; or what was read of one.
    formula
        "NaCl", "Na-Cl" without ratios, "?" for unknown.
    wavelength
        In Å, where the file does not say it.
    keep
        How many candidates are kept.
    pool
        Your own crystals too: a CSV with a column cif, a folder, or what was read of one.
    seconds
        Processor time after which no type is tried.
    tell
        Is given lines of progress; without it they are shown where somebody looks.
    """
    from dsfu.model.problems.densities.formulas import Formula, parse_formula
    from dsfu.model.problems.densities.pools import read_pool, together
    from dsfu.model.problems.densities.powder import PowderPattern
    from dsfu.model.problems.densities.readers import read_pattern
    from dsfu.model.problems.densities.solve import solve
    from dsfu.simulate.densities.structure_types import shipped_types

    check_kinds(
        "solve_density",
        wavelength=(wavelength, float | None),
        keep=(keep, int),
        seconds=(seconds, float),
        formula=(formula, str | Formula),
    )
    parsed = parse_formula(formula) if isinstance(formula, str) else formula
    if not isinstance(source, PowderPattern):
        source = read_pattern(path_of(source, "the path of a powder pattern"), wavelength)
    own = read_pool(Path(pool), parsed) if isinstance(pool, str | Path) else pool
    kinds = together(shipped_types(), own.kinds if own else ())
    with waiting("solve-density", tell) as telling:
        answer = solve(source, parsed, kinds=kinds, keep=keep, seconds=seconds, progress=telling)
    return Density(answer, f"{Path(source.name).name}: {parsed.text}")
