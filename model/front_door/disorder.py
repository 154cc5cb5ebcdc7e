"""Disorder at the front door: factors of planes or of a whole volume, order, and molecules."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dsfu.errors import InputError
from dsfu.model.front_door.answer import Answer, Drawing, free_file, free_folder
from dsfu.model.front_door.reconstructions import Planes, Volume, volume_of
from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.progress import waiting

if TYPE_CHECKING:
    import xarray

    from dsfu.model.measured.factorise.factors import CrystalFactors as PlaneFactorsOfACrystal
    from dsfu.model.measured.factorise.factors import Method
    from dsfu.model.measured.molecules.refine import Refinement
    from dsfu.model.measured.order.input import SroInput
    from dsfu.model.measured.order.planes import SroSettings
    from dsfu.model.measured.order.result import SroRefinement
    from dsfu.model.measured.volume.solve import VolumeSolution
    from dsfu.model.measured.volume.verdict import VolumeVerdict


class Factors(Answer):
    """Form factor and short-range order of planes of one crystal. ``data`` is of `factorise.factors.CrystalFactors`."""

    data: "PlaneFactorsOfACrystal"

    def __init__(self, data: "PlaneFactorsOfACrystal") -> None:
        self.data = data

    @property
    def verdict(self) -> str:
        return self.data.verdict.sentence

    @property
    def passed(self) -> bool:
        """Whether no check speaks against the factors."""
        return self.data.verdict.passed

    def facts(self) -> Mapping[str, str]:
        names = ", ".join(each.name.partition(" of ")[0] for each in self.data.planes)
        misfit = max(each.misfit for each in self.data.planes)
        return {
            "planes": names,
            "method": self.data.method,
            "misfit": f"misfit {100 * misfit:.2f} % at most",
            "checks": "checks passed" if self.passed else "CHECKS FAILED",
        }

    def plot(self, plane: int = 1) -> Drawing:
        """Observed, model, difference, both factors and their uncertainties, of one plane."""
        from dsfu.model.measured.factorise.pictures import plane_figure

        if not 1 <= plane <= len(self.data.planes):
            raise InputError(f"plane is {plane}", expected=f"1 to {len(self.data.planes)}")
        return Drawing.of(plane_figure(self.data.planes[plane - 1]))

    def to_xarray(self) -> "xarray.Dataset":
        """Observed, both factors, model, what is from data, and uncertainties, over plane, y and x."""
        planes = self.data.planes
        dataset = Planes([each.measured for each in planes]).to_xarray()
        dims = ("plane", "y", "x")
        for name in ("form_factor", "sro", "model", "from_data", "sigma_form_factor", "sigma_sro"):
            values = [getattr(each, name) for each in planes]
            if all(each is not None for each in values):
                dataset[name] = (dims, np.stack(values))
        return dataset.assign_attrs(method=self.data.method, verdict=self.verdict)

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """As ``dsfu-model factorise`` does: HDF5; .npz for plain arrays; .html for a report."""
        from dsfu.model.measured.factorise.files import write_factors, write_npz
        from dsfu.model.measured.factorise.report import write_report

        path = free_file(path, overwrite=overwrite)
        write = {".npz": write_npz, ".html": write_report}.get(path.suffix.lower(), write_factors)
        write(path, self.data)
        return path


class Order(Answer):
    """Warren–Cowley parameters by shell. ``data`` holds one refinement, or that of I_SRO and the solver's own."""

    data: "list[SroRefinement]"

    def __init__(
        self, data: "Sequence[SroRefinement]", draw: "tuple[SroInput, SroSettings] | None" = None, verdict: str = ""
    ) -> None:
        self.data = list(data)
        self._draw = draw
        self._verdict = verdict

    @property
    def best(self) -> "SroRefinement":
        """The solver's own where there is one, else that of I_SRO."""
        return self.data[-1]

    @property
    def verdict(self) -> str:
        return self._verdict

    def facts(self) -> Mapping[str, str]:
        best = self.best
        strongest = sorted(best.shells, key=lambda shell: -abs(shell.alpha))[:3]
        told = ", ".join(
            f"α{shell.vector} = {shell.alpha:.3f} ± {shell.uncertainty:.3f}".replace("-", "−") for shell in strongest
        )
        return {"shells": f"{len(best.shells)} shells in {best.symmetry}", "source": best.source, "strongest": told}

    def plot(self) -> Drawing:
        """I_SRO and its series over the cell, and α against length; for a volume, α alone."""
        from matplotlib.figure import Figure

        from dsfu.model.measured.order.picture import draw_refinement
        from dsfu.model.measured.order.refine import compatible_operators

        if self._draw is not None:
            given, settings = self._draw
            group = compatible_operators(settings, given.planes[0].cell)
            return Drawing.of(draw_refinement(given.planes, settings, group, self.data))
        figure = Figure(figsize=(5.2, 3.2), layout="constrained")
        axes = figure.add_subplot()
        shells = self.best.shells
        axes.axhline(0, color="0.6", linewidth=0.6)
        axes.errorbar(
            [shell.length_angstrom for shell in shells],
            [shell.alpha for shell in shells],
            [shell.uncertainty for shell in shells],
            fmt="o",
            markersize=3,
            linewidth=0.8,
        )
        axes.set_xlabel("length of the vector (Å)")
        axes.set_ylabel("α")
        return Drawing.of(figure)

    def to_xarray(self) -> "xarray.Dataset":
        """α, its uncertainty and multiplicity by shell."""
        import xarray

        shells = self.best.shells
        return xarray.Dataset(
            {
                "alpha": ("shell", [shell.alpha for shell in shells]),
                "uncertainty": ("shell", [shell.uncertainty for shell in shells]),
                "multiplicity": ("shell", [shell.multiplicity for shell in shells]),
            },
            {
                "vector": (("shell", "uvw"), [list(shell.vector) for shell in shells]),
                "length": ("shell", [shell.length_angstrom for shell in shells], {"units": "Å"}),
            },
            {"symmetry": self.best.symmetry, "source": self.best.source},
        )

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """As .csv, .json or .cif, as the suffix says."""
        from dsfu.files import write_text
        from dsfu.model.measured.order.tables import as_cif, as_json, table_csv

        path = free_file(path, overwrite=overwrite)
        text_of: Any = {".csv": table_csv, ".json": as_json, ".cif": as_cif}.get(path.suffix.lower())
        if text_of is None:
            raise InputError(f"suffix {path.suffix!r}", where=str(path), expected=".csv, .json or .cif")
        write_text(path, text_of(self.data))
        return path


class Analysis(Answer):
    """A whole volume taken apart at once. ``data`` is a `VolumeSolution`; ``order`` its α."""

    data: "VolumeSolution"

    def __init__(self, data: "VolumeSolution", verdict: "VolumeVerdict", order: "SroRefinement") -> None:
        self.data = data
        self.judged = verdict
        self.order = Order([order], verdict=verdict.sentence)

    @property
    def verdict(self) -> str:
        return self.judged.sentence

    def facts(self) -> Mapping[str, str]:
        shape = " × ".join(map(str, self.data.reconstruction.shape))
        return {
            "what": f"{Path(self.data.reconstruction.source).name}, {shape} voxels",
            "judgement": self.judged.judgement,
            **self.order.facts(),
        }

    def plot(self) -> Drawing:
        """Observed, model, difference, I_FF and I_SRO on sections through the middle."""
        from dsfu.model.measured.volume.pictures import sections_figure

        return Drawing.of(sections_figure(self.data))

    def to_xarray(self) -> "xarray.Dataset":
        """I_FF, I_SRO, background and what was observed, over h, k, l."""
        import xarray

        from dsfu.model.measured.volume.files import factors_on_grid

        voxels = self.data.voxels
        grids = factors_on_grid(self.data)
        arrays = {name: (("h", "k", "l"), values) for name, values in grids.items() if np.ndim(values) == 3}
        arrays["observed"] = (("h", "k", "l"), np.where(voxels.live, voxels.counts * voxels.gain, np.nan))
        axes = {name: (name, axis, {"units": "r.l.u."}) for name, axis in zip("hkl", voxels.axes, strict=True)}
        return xarray.Dataset(arrays, axes, {"verdict": self.verdict})

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """report.html, factors.h5, sro.json and verdict.json in a folder, as ``dsfu-model analyse`` does."""
        from dsfu.model.measured.volume.output import write_analysis

        folder = free_folder(path, overwrite=overwrite)
        folder.mkdir(parents=True, exist_ok=True)
        write_analysis(folder, self.data, self.judged, self.order.best)
        return folder


class Molecules(Answer):
    """Two molecules refined against a form factor. ``data`` is a `Refinement`."""

    data: "Refinement"

    def __init__(self, data: "Refinement", made_from: Mapping[str, Any], warning: str = "") -> None:
        self.data = data
        self._made_from, self._warning = dict(made_from), warning

    @property
    def verdict(self) -> str:
        """Whether the structures explain the form factor, and what was said of the factors before."""
        from dsfu.model.measured.molecules.verdict import judge_molecules

        return " ".join(each for each in (judge_molecules(self.data).sentence, self._warning) if each)

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
        write_outputs(folder, self.data, self._made_from)
        return folder


def factorise(
    source: "Planes | Volume | Sequence[MeasuredPlane] | str | Path",
    planes: str | Sequence[str] = (),
    *,
    method: "Method" = "hybrid",
    weights: str | Path | None = None,
    **settings: Any,
) -> Factors:
    """Take planes of one crystal apart into form factor and short-range order.

    Parameters
    ----------
    source
        What `prepare` or `read` gave, or a file.
    planes
        Which ones, such as "hk0", where the source is a volume or a file.
    method
        "solver" needs the lattice, "network" none, "hybrid" is both.
    weights
        Of the network; those shipped, if none are given.
    settings
        Of the solver: ``cutoff``, ``background``, ``stretch``, ``uncertainty`` …
    """
    from dsfu.model.measured.factorise.loading import check_one_crystal, load_planes
    from dsfu.model.measured.factorise.methods import factorise as take_apart
    from dsfu.model.measured.factorise.methods import load_network
    from dsfu.model.measured.factorise.verdict import judge
    from dsfu.model.measured.solver.settings import SolverSettings

    wanted = [planes] if isinstance(planes, str) else list(planes)
    if isinstance(source, str | Path):
        chosen = load_planes(Path(source), wanted)
    elif isinstance(source, Volume):
        from dsfu.model.front_door.reconstructions import prepare

        chosen = prepare(source, wanted).data
    else:
        chosen = list(source.data if isinstance(source, Planes) else source)
    if method != "network":
        check_one_crystal(chosen, Path(chosen[0].source))
    with waiting(f"factorise, {method}"):
        return Factors(
            take_apart(
                chosen,
                method,
                network=None if method == "solver" else load_network(Path(weights) if weights else None),
                settings=SolverSettings(**{"uncertainty": True, **settings}),
                judge=judge,
            )
        )


def analyse(source: "Volume | Reconstruction | str | Path", *, laue: str = "-1", **settings: Any) -> Analysis:
    """From a reconstruction to form factor, Warren–Cowley parameters and a verdict, all voxels fitted at once.

    Parameters
    ----------
    source
        What `read` gave, or a file.
    laue
        Laue class or space group; equivalent vectors have one α.
    settings
        ``cutoff``, ``no_order_along``, ``background``, ``bragg``, ``box``, as the options of ``dsfu-model analyse``.
    """
    from dsfu.model.measured.symmetry.groups import laue_operators
    from dsfu.model.measured.volume.order import order_of
    from dsfu.model.measured.volume.settings import VolumeSettings
    from dsfu.model.measured.volume.solve import solve_volume
    from dsfu.model.measured.volume.verdict import judge_volume

    reconstruction = volume_of(source)
    if reconstruction.cell is not None:
        laue_operators(laue, reconstruction.cell)
    with waiting("analyse") as tell:
        solution = solve_volume(reconstruction, VolumeSettings(laue=laue, **settings), tell)
        verdict = judge_volume(solution)
        return Analysis(solution, verdict, order_of(solution, verdict))


def refine_sro(source: "Factors | str | Path", *, laue: str = "-1", **settings: Any) -> Order:
    """Refine Warren–Cowley parameters from I_SRO, with standard uncertainties.

    Parameters
    ----------
    source
        What `factorise` gave, or its file, or that of `analyse`, or an .npz with I_SRO.
    laue
        Laue class, plane group or space group.
    settings
        ``cutoff``, ``no_order_along``, ``weak``, ``fraction_a``, ``negative`` … of `SroSettings`.
    """
    from dsfu.model.measured.order.input import read_sro, sro_of_factors
    from dsfu.model.measured.order.refining import order_of_analysis, refinements_of, settings_for
    from dsfu.model.measured.volume.reading import is_volume_factors, read_volume_verdict

    if isinstance(source, Factors):
        given = sro_of_factors(source.data)
    elif is_volume_factors(Path(source)):
        found = order_of_analysis(Path(source), laue)
        return Order([found], verdict=read_volume_verdict(Path(source))[1])
    else:
        given = read_sro(Path(source))
    chosen = settings_for(given, laue, settings)
    with waiting("refine-sro"):
        return Order(refinements_of(given, chosen), (given, chosen), given.warning)


def refine_molecules(
    factors: str | Path,
    structure_a: str | Path,
    structure_b: str | Path,
    *,
    torsions: Sequence[str] = (),
    sites: Sequence[str] = ("file",),
    refine: str = "torsions,scale,dw",
    scan: Sequence[float] = (),
    robust: bool = True,
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
        Angles in degrees to try first.
    """
    from dsfu.model.measured.molecules.data import read_observed, warning_of
    from dsfu.model.measured.molecules.parameters import kinds_of
    from dsfu.model.measured.molecules.refine import RefinementSettings, refine_form_factor
    from dsfu.model.measured.molecules.sites import on_site
    from dsfu.model.measured.molecules.torsion import torsions_of
    from dsfu.simulate.structures.files import read_structure

    settings = RefinementSettings(kinds=kinds_of(refine), scan_angles=tuple(scan), robust=robust)
    observed = read_observed(factors)
    read = (read_structure(structure_a), read_structure(structure_b))
    structures = on_site(read, list(sites), observed[0].cell)
    with waiting("refine-ff"):
        found = refine_form_factor(observed, structures, torsions_of(list(torsions), structures), settings)
    made_from = {"factors": str(factors), "A": str(structure_a), "B": str(structure_b), "torsions": list(torsions)}
    more = {"site": list(sites), "refine": refine, "scan": list(scan)}
    return Molecules(found, {**made_from, **more}, warning_of(Path(factors)))
