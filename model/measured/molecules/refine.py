"""The whole refinement against I_FF: scales, scans of the torsions, then everything that is free at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from dsfu.model.measured.molecules.data import ObservedFormFactor
from dsfu.model.measured.molecules.fit import MoleculeFit, fit_scales, gauss_newton
from dsfu.model.measured.molecules.model import FormFactorModel
from dsfu.model.measured.molecules.parameters import Kind
from dsfu.model.measured.molecules.scan import Scan, scan_torsion
from dsfu.model.measured.molecules.torsion import Torsion
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.structures.structure import Structure


@dataclass(frozen=True, kw_only=True)
class RefinementSettings:
    """How to refine.

    Parameters
    ----------
    kinds
        What is free.
    scan_angles
        Degrees at which each torsion is tried first, one torsion after the other; none, and refinement starts from the
        structures as they are.
    robust
        Whether pixels that lie far off count less in the refinement.
    """

    kinds: frozenset[Kind] = frozenset({"scale", "dw"})
    scan_angles: tuple[float, ...] = ()
    robust: bool = True
    most_iterations: int = 60


@dataclass(frozen=True, kw_only=True, eq=False)
class Refinement:
    """What came out.

    Attributes
    ----------
    start, fit
        Before, scale and what is free of background and D_w fitted; and after.
    scans
        One for each torsion, in the order in which they were made.
    start_mse, mse, start_weighted_residual, weighted_residual
        Misfits before and after, see `FormFactorModel.mse` and `FormFactorModel.weighted_residual`.
    calculated
        I_FF on all pixels of each plane.
    structures
        A and B as refined, relative to their site.
    """

    model: FormFactorModel
    settings: RefinementSettings
    start: FloatArray
    fit: MoleculeFit
    scans: tuple[Scan, ...]
    start_mse: float
    mse: float
    start_weighted_residual: float
    weighted_residual: float
    calculated: list[FloatArray] = field(repr=False)
    structures: tuple[Structure, Structure]


def refine_form_factor(
    observations: Sequence[ObservedFormFactor],
    structures: tuple[Structure, Structure],
    torsions: tuple[Torsion, ...] = (),
    settings: RefinementSettings = RefinementSettings(),
) -> Refinement:
    """Refine two structures against the I_FF of one crystal; both relative to the site that they share."""
    model = FormFactorModel(observations, structures, torsions)
    free = model.layout.free(settings.kinds)
    start, before = fit_scales(model, model.layout.start(), free)
    values, scans = start, []
    for number in range(len(torsions) if settings.scan_angles else 0):
        scan = scan_torsion(model, values, free, number, np.array(settings.scan_angles))
        scans.append(scan)
        values = values.copy()
        values[model.layout.where("torsions").start + number] = scan.best
        values, _ = fit_scales(model, values, free)
    fit = gauss_newton(model, values, free, robust=settings.robust, most_iterations=settings.most_iterations)
    vector = torch.tensor(fit.values)
    with torch.no_grad():
        after = model.intensity(vector).numpy()
        refined = model.geometry.split(model.positions(vector))
    return Refinement(
        model=model,
        settings=settings,
        start=start,
        fit=fit,
        scans=tuple(scans),
        start_mse=model.mse(before),
        mse=model.mse(after),
        start_weighted_residual=model.weighted_residual(before),
        weighted_residual=model.weighted_residual(after),
        calculated=model.planes(fit.values),
        structures=refined,
    )
