"""The three ways to take planes apart: by the solver, by a network, or by both.

The solver needs the lattice and is far better wherever there are data; in dead zones it continues the form factor with
what the data say of the molecules (`dsfu.model.measured.factorise.refitting`). The network needs no lattice; where one
is known its I_SRO is put on it (`dsfu.model.measured.factorise.projection`). In the hybrid its guess is one more,
uncertain measurement of the form factor in dead zones (`dsfu.model.measured.factorise.joining`).
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dsfu.errors import InputError
from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.data.reconstruction import Step
from dsfu.model.measured.factorise.factors import CrystalFactors, Method, PlaneFactors, Verdict
from dsfu.model.measured.factorise.guess import guess
from dsfu.model.measured.factorise.joining import as_data
from dsfu.model.measured.factorise.projection import project
from dsfu.model.measured.factorise.refitting import refit
from dsfu.model.measured.solver.settings import SolverSettings
from dsfu.model.measured.solver.solve import solve
from dsfu.model.problems.disorder.networks.factoriser import Factoriser
from dsfu.simulate.arrays import Float32Array

if TYPE_CHECKING:
    from dsfu.model.measured.solver.solution import PlaneSolution

Judge = Callable[[CrystalFactors], Verdict]

NO_VERDICT: Final = Verdict(checks=())


@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """A trained network, and the side of the planes it was trained on."""

    factoriser: Factoriser
    pixels: int


def load_network(weights: str | Path | None = None) -> Network:
    """A network from a file of weights or the folder of a training; None: the one shipped."""
    from dsfu.model.problems.disorder.networks.loading import load_factoriser, pixels_of
    from dsfu.model.weights.files import shipped, weights_file

    factoriser, card = load_factoriser(shipped() if weights is None else weights_file(Path(weights)))
    return Network(factoriser=factoriser, pixels=pixels_of(card.more))


def factorise(
    planes: Sequence[MeasuredPlane],
    method: Method = "hybrid",
    *,
    network: Network | None = None,
    settings: SolverSettings | None = None,
    judge: Judge | None = None,
    on_lattice: bool = True,
) -> CrystalFactors:
    """Factorise the planes of one crystal.

    Parameters
    ----------
    method
        "solver", "network" or "hybrid".
    network
        Not needed by the solver.
    settings
        Of the solver; of a network's answer only the cutoff.
    judge
        Says whether the factors are to be believed.
    on_lattice
        Whether a network's I_SRO is put on the lattice of planes that have one.
    """
    settings = settings or SolverSettings(uncertainty=True)
    if method != "solver" and network is None:
        raise ValueError(f"method = {method!r}: expected a network")
    if method != "network":
        _check_cells(planes)
    if method == "network":
        assert network is not None
        found = CrystalFactors(
            planes=tuple(_of_network(each, network) for each in planes), method=method, verdict=NO_VERDICT
        )
        factors = _on_lattices(found, settings.cutoff) if on_lattice else found
    else:
        found = of_solver(planes, settings)
        factors = fill(found, network if method == "hybrid" else None)
    verdict = judge(found) if judge else NO_VERDICT  # a form factor with a prior that was learnt bends to anything
    step = Step(name="factorise", parameters={"method": method, **factors.settings})
    return replace(factors, verdict=verdict, history=(step,))


def of_solver(planes: Sequence[MeasuredPlane], settings: SolverSettings) -> CrystalFactors:
    """What the solver finds of planes of one crystal; in dead zones its form factor knows nothing but the cell."""
    solution = solve(planes, settings)
    return CrystalFactors(
        planes=tuple(_solved(plane, each) for plane, each in zip(planes, solution.planes, strict=True)),
        method="solver",
        verdict=NO_VERDICT,
        alpha_vectors=solution.alpha_vectors,
        alpha=solution.alpha_values,
        alpha_sines=solution.alpha_sines,
        alpha_covariance=solution.alpha_covariance,
        axis_scales=solution.axis_scales,
        settings={**_plain(asdict(settings)), "widened": solution.widened},
    )


def fill(factors: CrystalFactors, network: Network | None) -> CrystalFactors:
    """What the solver found, with the form factor fitted once more, to the data and to what a network guesses of it."""
    width = factors.settings["widths"][factors.settings["widened"]]
    planes = tuple(_filled(each, width, network) for each in factors.planes)
    return replace(factors, planes=planes, method="hybrid" if network else "solver")


def _check_cells(planes: Sequence[MeasuredPlane]) -> None:
    for plane in planes:
        if plane.cell is None:
            raise InputError(
                "its cell is unknown, and the solver needs the lattice",
                where=plane.name or plane.source,
                remedy="give --cell a,b,c,alpha,beta,gamma to prepare, or use --method network",
            )


def _solved(measured: MeasuredPlane, solved: "PlaneSolution") -> PlaneFactors:
    return PlaneFactors(
        measured=measured,
        form_factor=solved.form_factor,
        sro=solved.sro,
        background=solved.background,
        sigma_form_factor=solved.sigma_form_factor,
        sigma_sro=solved.sigma_sro,
        from_data=solved.determined,
        misfit=solved.misfit.relative,
    )


def _filled(plane: PlaneFactors, width: float, network: Network | None) -> PlaneFactors:
    guessed = None
    if network is not None and not plane.live.all():
        own = guess(network.factoriser, plane.form_factor, plane.live, network.pixels)
        guessed = as_data(own, plane.form_factor, plane.live)
    filled = replace(plane, form_factor=refit(plane, width, guessed))
    return replace(filled, misfit=_relative_misfit(filled))


def _of_network(measured: MeasuredPlane, network: Network) -> PlaneFactors:
    """The network's factors, in the data's unit: of their product's scale it knows nothing."""
    guessed = guess(network.factoriser, measured.intensity, measured.live, network.pixels)
    form_factor, sro = np.square(guessed.form_factor_root), np.square(guessed.sro_root)
    scale = _scale_to(measured, form_factor * sro)
    mean = max(float(sro.mean()), 1e-12)  # as the solver: the mean of I_SRO is 1
    sigma_form_factor = _sigma_of_square(guessed.form_factor_root, guessed.form_factor_spread)
    factors = PlaneFactors(
        measured=measured,
        form_factor=np.asarray(scale * mean * form_factor, np.float32),
        sro=np.asarray(sro / mean, np.float32),
        background=0.0,
        sigma_form_factor=np.asarray(scale * mean * sigma_form_factor, np.float32),
        sigma_sro=np.asarray(_sigma_of_square(guessed.sro_root, guessed.sro_spread) / mean, np.float32),
        from_data=np.zeros_like(measured.live),
        misfit=0.0,
    )
    return replace(factors, misfit=_relative_misfit(factors))


def _on_lattices(factors: CrystalFactors, cutoff: int) -> CrystalFactors:
    """A network's factors with I_SRO on the lattice of each plane that has one; uncertainties stay those of answers."""
    planes, captured = [], []
    for plane in factors.planes:
        if plane.cell is None:
            planes.append(plane)
            continue
        projected = project(plane.sro, plane.plane, plane.cell, cutoff)
        scale = _scale_to(plane.measured, plane.form_factor * projected.sro)
        form_factor, sigma = plane.form_factor, plane.sigma_form_factor
        on_lattice = replace(
            plane,
            sro=projected.sro,
            form_factor=np.asarray(scale * form_factor, np.float32),
            sigma_form_factor=None if sigma is None else np.asarray(scale * sigma, np.float32),
        )
        planes.append(replace(on_lattice, misfit=_relative_misfit(on_lattice)))
        captured.append(round(projected.captured, 4))
    settings = {"cutoff": cutoff, "captured_by_lattice": captured} if captured else {}
    return replace(factors, planes=tuple(planes), settings=settings)


def _sigma_of_square(root: Float32Array, spread: Float32Array) -> Float32Array:
    return np.asarray(2 * root * spread + spread**2, np.float32)


def _scale_to(measured: MeasuredPlane, product: Float32Array) -> float:
    seen, made = measured.intensity[measured.live], product[measured.live]
    square = float(made @ made)
    return float(seen @ made) / square if square > 0 else 1.0


def _relative_misfit(factors: PlaneFactors) -> float:
    seen = factors.measured.intensity[factors.live]
    square = float(np.square(seen, dtype=np.float64).sum())
    return float(np.sqrt(np.square(factors.difference, dtype=np.float64).sum() / square)) if square > 0 else 0.0


def _plain(settings: dict[str, Any]) -> dict[str, Any]:
    """Tuples as lists: what a file gives back."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in settings.items()}
