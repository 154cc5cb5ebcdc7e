"""Two molecules against a form factor, at the front door."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dsfu.model.front_door.answer import Answer, Drawing, free_folder
from dsfu.model.front_door.given import names_of, path_of
from dsfu.model.front_door.one_thread import one_thread
from dsfu.progress import waiting

if TYPE_CHECKING:
    import xarray

    from dsfu.model.measured.molecules.refine import Refinement
    from dsfu.model.measured.molecules.verdict import MoleculesVerdict


class Molecules(Answer):
    """Two molecules refined against a form factor. ``data`` is a `Refinement`."""

    data: "Refinement"

    def __init__(self, data: "Refinement", made_from: Mapping[str, Any], warning: str = "") -> None:
        self.data = data
        self.made_from, self.warning = dict(made_from), warning

    @property
    def judged(self) -> "MoleculesVerdict":
        """Whether the structures explain the form factor."""
        from dsfu.model.measured.molecules.verdict import judge_molecules

        return judge_molecules(self.data)

    @property
    def verdict(self) -> str:
        """Whether the structures explain the form factor, and what was said of the factors before."""
        return " ".join(each for each in (self.judged.sentence, self.warning) if each)

    def facts(self) -> Mapping[str, str]:
        from dsfu.model.measured.molecules.report import notes_of

        torsions = ", ".join(f"{scan.torsion} from {scan.best:.1f}°" for scan in self.data.scans)
        return {
            "misfit": f"MSE {self.data.start_mse:.3g} before, {self.data.mse:.3g} after",
            "free": ", ".join(sorted(self.data.settings.kinds)),
            "torsions": torsions,
            "notes": "; ".join(notes_of(self.data)),
        }

    def plot(self) -> Drawing:
        from dsfu.model.measured.molecules.picture import write_picture

        return Drawing(partial(write_picture, refinement=self.data))

    def to_xarray(self) -> "xarray.Dataset":
        """Observed and calculated I_FF over plane, y and x."""
        import xarray

        observed = [np.where(each.live, each.form_factor, np.nan) for each in self.data.model.observations]
        dims = ("plane", "y", "x")
        return xarray.Dataset(
            {"observed": (dims, np.stack(observed)), "calculated": (dims, np.stack(self.data.calculated))}
        )

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Structures, parameters, scans and the picture in a folder, as ``dsfu-model refine-ff`` does."""
        from dsfu.model.measured.molecules.output import write_outputs

        folder = free_folder(path, overwrite=overwrite)
        write_outputs(folder, self.data, self.made_from)
        return folder


def refine_molecules(
    factors: str | Path,
    structure_a: str | Path,
    structure_b: str | Path,
    *,
    torsions: Sequence[str] = (),
    sites: Sequence[str] = ("file",),
    refine: str = "torsions,scale,dw",
    scan: str | Sequence[float] = (),
    robust: bool = True,
    molecules: tuple[str, str] = ("", ""),
    parts: tuple[int | None, int | None] = (None, None),
) -> Molecules:
    """Fit the form factor calculated from two structures to the observed one.

    Parameters
    ----------
    factors
        The file that `Factors.save` or ``dsfu-model factorise`` wrote.
    structure_a, structure_b
        Files of both molecules: CIF, XYZ …
    torsions
        Groups that turn, such as "C1-C7".
    sites, refine, robust
        As the options of ``dsfu-model refine-ff``; docs/refine-ff.md.
    scan
        Angles in degrees to try first; or "from:to:step".
    molecules, parts
        Of each file, which molecule is meant, by names of its atoms, and which disorder group of a CIF.
    """
    from dsfu.model.measured.molecules.data import read_observed, warning_of
    from dsfu.model.measured.molecules.parameters import kinds_of
    from dsfu.model.measured.molecules.refine import RefinementSettings, refine_form_factor
    from dsfu.model.measured.molecules.scan import angles_of
    from dsfu.model.measured.molecules.sites import on_site
    from dsfu.model.measured.molecules.torsion import torsions_of
    from dsfu.simulate.structures.files import read_structure

    factors = path_of(factors, "the path of factors")
    files = path_of(structure_a, "the path of a structure"), path_of(structure_b, "the path of a structure")
    angles = angles_of(scan) if isinstance(scan, str) else tuple(scan)
    settings = RefinementSettings(kinds=kinds_of(refine), scan_angles=angles, robust=robust)
    first, second = (  # before the factors, which take longer
        read_structure(path, molecule=_names(molecule), part=part)
        for path, molecule, part in zip(files, molecules, parts, strict=True)
    )
    observed = read_observed(factors)
    structures = on_site((first, second), names_of(sites, "sites"), observed[0].cell)
    turned = torsions_of(names_of(torsions, "torsions"), structures)
    with waiting("refine-ff"), one_thread():
        found = refine_form_factor(observed, structures, turned, settings)
    made_from = {
        **{"factors": str(factors), "A": str(files[0]), "B": str(files[1])},
        **{"molecules": list(molecules), "parts": list(parts), "site": list(sites)},
        "torsions": list(torsions),
        "scan": scan if isinstance(scan, str) else list(scan),
        "refine": refine,
    }
    return Molecules(found, made_from, warning_of(Path(factors)))


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
