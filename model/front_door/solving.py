"""Solvers without learning at the front door: a particle, phases, a density."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dsfu.colours import DENSITY
from dsfu.errors import InputError
from dsfu.model.front_door.answer import Answer, Drawing, free_folder
from dsfu.progress import waiting

if TYPE_CHECKING:
    import xarray

    from dsfu.model.problems.densities.solve import DensityAnswer as DensityAnswer
    from dsfu.model.problems.particles.solving import Candidate, ParticleSolution
    from dsfu.model.problems.particles.verdict import ParticleVerdict
    from dsfu.model.problems.phases.solve import PhasedCrystal


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
        return _curves(space.r, space.curve, fit_curve(self.data, self.data.candidates[0]), ("r (Å)", "G (1/Å²)"))

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
        from dsfu.model.problems.particles.second_opinion import second_opinion

        folder = free_folder(path, overwrite=overwrite)
        opinion = second_opinion(self.data.space)
        write_results(folder, self._name, self.data, self.candidates, self.judged, opinion, element)
        return folder


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
        return _density_dataset(self.data.density, self.data.data.cell, self.verdict)

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Map, atoms, phases and report in a folder, as ``dsfu-model solve-phases`` does."""
        from dsfu.model.problems.phases.outputs import write_all

        folder = free_folder(path, overwrite=overwrite)
        write_all(folder, self.data)
        return folder


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
        return _curves(best.two_theta, best.net, best.calculated, ("2θ (degrees)", "net intensity"))

    def to_xarray(self) -> "xarray.Dataset":
        """Net and calculated intensity over 2θ, and the density of the best candidate over x, y, z."""
        from dsfu.simulate.densities.density import density

        best = self._best
        dataset = _density_dataset(density(best.kind.crystal()), best.kind.cell, self.verdict)
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


def solve_particle(path: str | Path, **settings: Any) -> Particle:
    """Find the metal nanoparticle that a measured pair distribution function comes from.

    Parameters
    ----------
    path
        G(r): PDFgetX2, PDFgetX3, xPDFsuite, PDFgui, or two columns.
    settings
        ``q_max``, ``q_min``, ``q_damp``, ``r_min``, ``r_max``, ``bond_length``; docs/particles.md.
    """
    from dsfu.model.problems.particles.reading import read_pdf
    from dsfu.model.problems.particles.solving import SolveSettings
    from dsfu.model.problems.particles.solving import solve_particle as solve
    from dsfu.model.problems.particles.verdict import judge

    with waiting("solve-particle"):
        solution = solve(read_pdf(Path(path)), SolveSettings(**settings))
    return Particle(solution, judge(solution), Path(path).name)


def solve_phases(
    path: str | Path, *, cell: str = "", formula: str = "", resolution: float = 0.0, seed: int = 0
) -> Phases:
    """Solve a crystal structure from |F|²: phases, space group, map and atoms.

    Parameters
    ----------
    path
        SHELX .hkl, .fcf, CIF with reflections, or MTZ.
    cell
        "a,b,c,alpha,beta,gamma", where the file and its neighbours do not say it.
    formula
        Elements to give to the peaks.
    resolution
        Smallest d in Å that is used; 0 for all.
    seed
        Of the random starts.
    """
    from dataclasses import replace

    from dsfu.model.problems.phases.elements import parse_formula
    from dsfu.model.problems.phases.reading import parse_cell, read_reflections
    from dsfu.model.problems.phases.solve import solve

    given = parse_formula(formula) if formula else {}
    reflections = read_reflections(path, parse_cell(cell) if cell else None)
    if given:
        reflections = replace(reflections, formula=given)
    with waiting("solve-phases") as tell:
        return Phases(solve(reflections, resolution=resolution, seed=seed, tell=tell))


def solve_density(path: str | Path, formula: str, *, wavelength: float | None = None, keep: int = 5) -> Density:
    """Find the crystal structure and electron density behind a powder pattern.

    Parameters
    ----------
    path
        A powder pattern: .xy, .csv, powder CIF …
    formula
        "NaCl", "Na-Cl" without ratios, "?" for unknown.
    wavelength
        In Å, where the file does not say it.
    keep
        How many candidates are kept.
    """
    from dsfu.model.problems.densities.formulas import parse_formula
    from dsfu.model.problems.densities.readers import read_pattern
    from dsfu.model.problems.densities.solve import solve

    parsed = parse_formula(formula)
    pattern = read_pattern(Path(path), wavelength)
    with waiting("solve-density") as tell:
        answer = solve(pattern, parsed, keep=keep, progress=tell)
    return Density(answer, f"{Path(path).name}: {parsed.text}")


def _curves(x: Any, observed: Any, fitted: Any, labels: tuple[str, str]) -> Drawing:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axes = figure.add_subplot()
    rest = observed - fitted
    shift = min(observed.min(), fitted.min()) - rest.max() - 0.05 * np.ptp(observed)
    axes.plot(x, observed, color="black", linewidth=0.8, label="observed")
    axes.plot(x, fitted, color="#c2452d", linewidth=0.8, label="best candidate")
    axes.plot(x, rest + shift, color="0.5", linewidth=0.7, label="difference, shifted")
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    axes.legend(frameon=False, fontsize=8)
    return Drawing.of(figure)


def _density_dataset(values: Any, cell: Any, verdict: str) -> "xarray.Dataset":
    import xarray

    axes = {
        name: (name, np.arange(count) / count, {"units": "cells"})
        for name, count in zip("xyz", values.shape, strict=True)
    }
    return xarray.Dataset(
        {"density": (("x", "y", "z"), np.asarray(values))},
        axes,
        {"cell": [float(each) for each in cell], "verdict": verdict},
    )
