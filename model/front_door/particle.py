"""A particle from its pair distribution function, at the front door."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsfu.blas_threads import one_blas_thread
from dsfu.model.front_door.answer import Answer, Drawing, free_folder
from dsfu.model.front_door.common import curves
from dsfu.model.front_door.given import path_of, settings_of
from dsfu.progress import waiting

if TYPE_CHECKING:
    import xarray

    from dsfu.model.problems.particles.reading import MeasuredPdf
    from dsfu.model.problems.particles.second_opinion import SecondOpinion
    from dsfu.model.problems.particles.solving import Candidate, ParticleSolution
    from dsfu.model.problems.particles.verdict import ParticleVerdict


class Particle(Answer):
    """Metal particles that a G(r) may come from, best first. ``data`` is a `ParticleSolution`."""

    data: "ParticleSolution"

    def __init__(self, data: "ParticleSolution", verdict: "ParticleVerdict", name: str) -> None:
        self.data = data
        self.judged = verdict
        self._name = name

    @property
    def candidates(self) -> "list[Candidate]":
        """Those that are worth showing, best first."""
        from dsfu.model.problems.particles.solving import shown

        return shown(self.data.candidates)

    @cached_property
    def opinion(self) -> "SecondOpinion | None":
        """What the network says, which is not used for the answer."""
        from dsfu.model.problems.particles.second_opinion import second_opinion

        return second_opinion(self.data.space)

    @property
    def verdict(self) -> str:
        return ": ".join([self.judged.words, *self.judged.reasons[:1]])

    def facts(self) -> Mapping[str, str]:
        from dsfu.model.problems.particles.output import name_of

        best = self.data.candidates[0]
        return {
            "best": f"{name_of(best)}, {best.atoms} atoms",
            "fit": f"R_w {best.refined.rw:.4f}, b {best.refined.bond:.4f} Å, B {best.refined.b_iso:.2f} Å²",
            "accepted": "accepted" if self.judged.accepted else "NOT ACCEPTED",
            "notes": "; ".join(self.data.notes),
        }

    def plot(self) -> Drawing:
        """G(r) without slow waves, the fit of the best candidate, and what it leaves."""
        from dsfu.model.problems.particles.output import fit_curve

        space = self.data.space
        return curves(space.r, space.curve, fit_curve(self.data, self.data.candidates[0]), ("r (Å)", "G (1/Å²)"))

    def to_xarray(self) -> "xarray.Dataset":
        """The curve as it was fitted, and the best fit, over r."""
        import xarray

        from dsfu.model.problems.particles.output import fit_curve

        space = self.data.space
        fit = fit_curve(self.data, self.data.candidates[0])
        return xarray.Dataset(
            {"g": ("r", space.curve), "fit": ("r", fit)},
            {"r": ("r", space.r, {"units": "Å"})},
            {"verdict": self.verdict},
        )

    def save(self, path: str | Path, *, overwrite: bool = False, element: str = "") -> Path:
        """Report, record, fit and structures in a folder, as ``dsfu-model solve-particle`` does."""
        from dsfu.model.problems.particles.files import write_results

        folder = free_folder(path, overwrite=overwrite)
        write_results(folder, self._name, self.data, self.candidates, self.judged, self.opinion, element)
        return folder


def solve_particle(source: "MeasuredPdf | str | Path", *, name: str = "", **settings: Any) -> Particle:
    """Find the metal nanoparticle that a measured pair distribution function comes from.

    Parameters
    ----------
    source
        G(r): a file of PDFgetX2, PDFgetX3, xPDFsuite, PDFgui, or with two columns; or what was read of one.
    name
        What the report calls it; the name of the file, if not given.
    settings
        ``q_max``, ``q_min``, ``q_damp``, ``r_min``, ``r_max``, ``bond_length``; docs/particles.md.
    """
    from dsfu.model.problems.particles.reading import MeasuredPdf, read_pdf
    from dsfu.model.problems.particles.settings import SolveSettings
    from dsfu.model.problems.particles.solving import solve_particle as solve
    from dsfu.model.problems.particles.verdict import judge

    chosen = settings_of(SolveSettings, settings, "solve_particle")
    measured = source if isinstance(source, MeasuredPdf) else read_pdf(path_of(source, "the path of a file with G(r)"))
    with waiting("solve-particle"), one_blas_thread():
        solution = solve(measured, chosen)
    return Particle(solution, judge(solution), name or ("" if isinstance(source, MeasuredPdf) else Path(source).name))
