"""Short-range order at the front door: α by shell, refined from I_SRO."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsfu.errors import InputError
from dsfu.model.front_door.answer import Answer, Drawing, free_file
from dsfu.model.front_door.factors import Factors
from dsfu.model.front_door.given import path_of, settings_of
from dsfu.progress import waiting

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure

    from dsfu.model.measured.molecules.known_form_factor import KnownFormFactor
    from dsfu.model.measured.order.input import SroInput
    from dsfu.model.measured.order.planes import SroSettings
    from dsfu.model.measured.order.result import SroRefinement


class Order(Answer):
    """Warren–Cowley parameters by shell. ``data`` holds one refinement, or that of I_SRO and the solver's own.

    ``fitted`` has the planes and settings of a refinement from planes, ``known`` the calculated I_FF where molecules
    were given; ``contradicts`` says that the data contradict the model behind the factors.
    """

    data: "list[SroRefinement]"

    def __init__(
        self,
        data: "Sequence[SroRefinement]",
        fitted: "tuple[SroInput, SroSettings] | None" = None,
        verdict: str = "",
        *,
        recommended: int = 0,
        contradicts: bool = False,
        known: "KnownFormFactor | None" = None,
    ) -> None:
        self.data = list(data)
        self.fitted, self.recommended, self.known = fitted, recommended, known
        self.contradicts = contradicts
        self._verdict = verdict

    @property
    def best(self) -> "SroRefinement":
        """The one to use: of one plane that of I_SRO, of several the solver's own where there is one."""
        return self.data[self.recommended]

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
        return Drawing.of(self.picture())

    def picture(self) -> "Figure":
        """The figure that `plot` shows."""
        from matplotlib.figure import Figure

        from dsfu.model.measured.order.picture import draw_refinement
        from dsfu.model.measured.order.refine import compatible_operators

        if self.fitted is not None:
            given, settings = self.fitted
            return draw_refinement(
                given.planes, settings, compatible_operators(settings, given.planes[0].cell), self.data
            )
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
        return figure

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

        path = free_file(path, overwrite=overwrite)
        if path.suffix.lower() not in (".csv", ".json", ".cif"):
            raise InputError(f"suffix {path.suffix!r}", where=str(path), expected=".csv, .json or .cif")
        write_text(path, self.text(path.suffix.lower()[1:]))
        return path

    def text(self, kind: str) -> str:
        """All of it as "csv", "json" or "cif"."""
        from dsfu.model.measured.order.tables import as_cif, as_json, table_csv

        if kind == "json":
            return as_json(self.data, recommended=self.recommended)
        return table_csv(self.data, self.recommended) if kind == "csv" else as_cif(self.data)


def refine_sro(
    source: "Factors | str | Path",
    *,
    laue: str = "-1",
    molecules: tuple[str | Path, str | Path] | None = None,
    sites: Sequence[str] = ("file",),
    dw: float | None = None,
    **settings: Any,
) -> Order:
    """Refine Warren–Cowley parameters from I_SRO, with standard uncertainties.

    Parameters
    ----------
    source
        What `factorise` gave, or its file, or that of `analyse`, or an .npz with I_SRO.
    laue
        Laue class, plane group or space group.
    molecules, sites, dw
        Structures of both species, with which I_FF is calculated; what lies on their site; D_w, fitted if not given.
    settings
        ``cutoff``, ``no_order_along``, ``weak``, ``fraction_a``, ``negative`` … of `SroSettings`.
    """
    from dsfu.model.measured.order.planes import SroSettings
    from dsfu.model.measured.order.refining import recommended, refinements_of, settings_for
    from dsfu.model.measured.volume.reading import is_volume_factors

    if not isinstance(source, Factors):
        source = path_of(source, "Factors that dsfu.factorise gave, or the path of such a file")
        if is_volume_factors(source):
            return _of_analysis(source, laue, molecules)
    settings_of(SroSettings, {"symmetry": laue, **settings}, "refine_sro")  # before the factors, which take longer
    known = None if molecules is None else _known_form_factor(source, molecules, sites, dw)
    given = _given(source) if known is None else known.given
    chosen = settings_for(given, laue, settings)
    with waiting("refine-sro"):
        found = refinements_of(given, chosen)
    best = recommended(given, found)
    return Order(found, (given, chosen), given.warning, recommended=best, contradicts=bool(given.warning), known=known)


def _given(source: "Factors | str | Path") -> "SroInput":
    from dsfu.model.measured.order.input import read_sro, sro_of_factors

    return sro_of_factors(source.data) if isinstance(source, Factors) else read_sro(Path(source))


def _known_form_factor(
    source: "Factors | str | Path", molecules: tuple[str | Path, str | Path], sites: Sequence[str], dw: float | None
) -> "KnownFormFactor":
    from dsfu.model.measured.factorise.files import read_factors
    from dsfu.model.measured.molecules.known_form_factor import with_molecules
    from dsfu.model.measured.molecules.sites import on_site
    from dsfu.simulate.structures.files import read_structure

    factors = source.data if isinstance(source, Factors) else read_factors(Path(source))
    first, second = (read_structure(path) for path in molecules)
    return with_molecules(factors, on_site((first, second), list(sites), factors.planes[0].cell), dw)


def _of_analysis(file: Path, laue: str, molecules: object) -> Order:
    """The order that analyse refined together with I_FF, which no later fit betters; averaged over a Laue class."""
    from dsfu.model.measured.order.refining import order_of_analysis
    from dsfu.model.measured.volume.reading import read_volume_verdict

    if molecules is not None:
        raise InputError(
            "it is what analyse wrote, which has one I_FF in three dimensions already",
            where=str(file),
            expected="what factorise wrote, for --molecules",
        )
    found = order_of_analysis(file, laue)
    judgement, sentence = read_volume_verdict(file)
    return Order([found], verdict=sentence, contradicts=judgement == "contradicts")
