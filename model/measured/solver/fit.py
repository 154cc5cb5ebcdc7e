"""Fitting the planes of some crystals: the stages of the optimiser, and the weights of every stage."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dsfu.model.measured.solver.fit_curvature import preconditioner_of
from dsfu.model.measured.solver.joint import JointFit
from dsfu.model.measured.solver.lbfgs import minimise
from dsfu.model.measured.solver.noise import INDEPENDENT, tolerated_variance, variance_of
from dsfu.model.measured.solver.objective import DEPTH_PRICE, NEGATIVE_PRICE, Model, Objective, Pixels
from dsfu.model.measured.solver.preconditioner import Preconditioner
from dsfu.model.measured.solver.prepared import Prepared, thinned
from dsfu.model.measured.solver.series import Series, Terms
from dsfu.model.measured.solver.settings import SolverSettings, Stage
from dsfu.simulate.arrays import FloatArray

SRO_DEVIATION = 1.0
"""Prior standard deviation of a coefficient of one plane's I_SRO, whose mean is 1: hardly any prior at all."""

SHARED_DEVIATION = 0.2
"""Prior standard deviation of an α of several planes: they leave many combinations open, and the common scale loose."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Fitted:
    """Where a fit ended.

    Attributes
    ----------
    smooth, order, background
        G and S, not clipped, (planes, y, x), and the background of each plane, in the planes' own scales.
    variance
        (planes, y, x): of the noise, as given or as estimated.
    alpha_covariance
        Of the members of several planes, I_FF and its scales marginalised; None of single planes.
    """

    variables: Tensor
    smooth: FloatArray
    order: FloatArray
    background: FloatArray
    stretch: FloatArray
    variance: FloatArray
    evaluations: int
    alpha_covariance: FloatArray | None = None


class PlaneFit:
    """Problems that are independent, with the same number of planes each, on pixels of one number.

    Parameters
    ----------
    crystals
        For each problem its planes. Problems of several planes share α among theirs.
    width
        Of the prior of the Patterson function relative to the cell, with which the planes were prepared.
    """

    def __init__(self, crystals: Sequence[Sequence[Prepared]], settings: SolverSettings, width: float = 0.42) -> None:
        self.width = width
        self.planes = [plane for crystal in crystals for plane in crystal]
        self.settings = settings
        self.dtype = torch.float32 if settings.precision == "float32" else torch.float64
        self.model = self._model(len(crystals), len(crystals[0]))
        self._series: dict[int, tuple[Series, Series]] = {}

    def tensor(self, values: FloatArray) -> Tensor:
        return torch.as_tensor(np.ascontiguousarray(values), device=self.settings.device).to(self.dtype)

    def _model(self, problems: int, planes: int) -> Model:
        sro_map, constant, free = _shared_sro(self.planes) if planes > 1 else _own_sro(self.planes)
        return Model(
            planes=planes,
            sro_map=None if sro_map is None else self.tensor(sro_map),
            sro_constant=self.tensor(constant),
            sro_free=self.tensor(free),
            sro_deviation=SHARED_DEVIATION if planes > 1 else SRO_DEVIATION,
            smooth_deviation=self.tensor(_smooth_deviations(self.planes)),
            with_background=self.settings.background,
            with_stretch=self.settings.stretch,
        )

    def start(self) -> Tensor:
        """S = 1 and G flat."""
        model = self.model
        variables = torch.zeros(model.problems, model.size, dtype=self.dtype, device=self.settings.device)
        own = variables[:, model.sro_size :].view(model.problems * model.planes, -1)
        own[:, 0] = 1
        return variables

    def run(self) -> Fitted:
        variables = self.start()
        level = np.stack([plane.level for plane in self.planes])
        variance = self._known_variance()
        evaluations = 0
        stages = self.settings.joint_stages if self.model.planes > 1 else self.settings.stages
        for number, stage in enumerate(stages):
            objective = self.objective(stage, level, variance)
            variables, _, used = minimise(
                objective,
                variables,
                stage.iterations,
                tolerance=self.settings.stop,
                precondition=self._preconditioner(variables, stage, level, variance) if stage.precondition else None,
            )
            evaluations += used
            if number < len(stages) - 1:
                level, variance = self._levels(variables)
        level, variance = self._levels(variables)
        covariance = None
        if self.model.planes > 1:
            joint = JointFit(self, variables, self._weights(stages[-1], level, variance), self.width)
            if self.width == self.settings.widths[0]:
                joint.run()
            else:  # a wider prior is for data of another kind, and takes long
                joint.stay()
            variables, covariance = joint.variables, joint.alpha_covariance()
            level, variance = self._levels(variables)
        smooth, order, background = self.at(variables)
        stretch = self.model.coefficients(variables).stretch
        return Fitted(
            variables=variables,
            smooth=smooth,
            order=order,
            background=background,
            stretch=stretch.detach().cpu().numpy(),
            variance=variance,
            evaluations=evaluations,
            alpha_covariance=covariance,
        )

    def at(self, variables: Tensor) -> tuple[FloatArray, FloatArray, FloatArray]:
        """G and S on all pixels, not clipped, and the backgrounds (planes,)."""
        sro, smooth = self.series(1)
        coefficients = self.model.coefficients(variables)
        stretch = coefficients.stretch if self.model.with_stretch else None
        with torch.no_grad():
            g = smooth(coefficients.smooth_cosines, coefficients.smooth_sines)
            s = sro(coefficients.sro_cosines, coefficients.sro_sines, stretch)
        return g.double().cpu().numpy(), s.double().cpu().numpy(), coefficients.background[:, 0, 0].cpu().numpy()

    def series(self, every: int) -> tuple[Series, Series]:
        """Series of I_SRO and of G on every n-th pixel."""
        if every not in self._series:
            chosen = thinned(self.planes[0].measured.plane.pixels, every)
            offsets = np.stack([plane.measured.plane.offsets[chosen] for plane in self.planes])
            self._series[every] = (
                self._series_of([plane.lattice.terms for plane in self.planes], offsets),
                self._series_of([plane.patterson.terms for plane in self.planes], offsets),
            )
        return self._series[every]

    def _series_of(self, terms: list[Terms], offsets: FloatArray) -> Series:
        return Series(terms, offsets, self.dtype, self.settings.device)

    def objective(self, stage: Stage, level: FloatArray, variance: FloatArray) -> Objective:
        chosen = thinned(self.planes[0].measured.plane.pixels, stage.every)
        grid = np.ix_(np.arange(len(self.planes)), chosen, chosen)
        density = stage.every**2
        # What a deviation of √I by the tolerance costs where I is 1/4: prices are in that unit.
        unit = INDEPENDENT * density / stage.tolerance**2
        means = np.array([plane.mean for plane in self.planes])[:, None, None]
        pixels = Pixels(
            falloff=self.tensor(np.stack([plane.falloff for plane in self.planes])[grid]),
            data=self.tensor(np.stack([plane.data for plane in self.planes])[grid]),
            weight=self.tensor(density * self._weights(stage, level, variance)[grid]),
            price=self.tensor(np.full_like(means, NEGATIVE_PRICE * unit)),
            depth_price=self.tensor(DEPTH_PRICE * unit * means**2),
        )
        return Objective(self.model, *self.series(stage.every), pixels)

    def _weights(self, stage: Stage, level: FloatArray, variance: FloatArray) -> FloatArray:
        independent = np.array([plane.measured.grain.independent for plane in self.planes])[:, None, None]
        live = np.stack([plane.live for plane in self.planes])
        return np.asarray(live / (tolerated_variance(level, stage.tolerance) + variance / independent))

    def _preconditioner(
        self, variables: Tensor, stage: Stage, level: FloatArray, variance: FloatArray
    ) -> Preconditioner:
        return preconditioner_of(self, variables, stage, self._weights(stage, level, variance))

    def _known_variance(self) -> FloatArray:
        none = np.zeros_like(self.planes[0].data)
        return np.stack([none if plane.variance is None else plane.variance for plane in self.planes])

    @staticmethod
    def _noise(plane: Prepared, model: FloatArray) -> FloatArray:
        return variance_of(plane.data - model, model, plane.live, plane.measured.grain)

    def _levels(self, variables: Tensor) -> tuple[FloatArray, FloatArray]:
        """What the model says of the noise-free data, and the variance of the noise."""
        smooth, order, background = self.at(variables)
        levels, variances = [], []
        for i, plane in enumerate(self.planes):
            model = plane.falloff * np.maximum(smooth[i], 0) * np.maximum(order[i], 0) + background[i]
            levels.append(np.maximum(model, 0))
            known = plane.variance
            variances.append(self._noise(plane, model) if known is None else known)
        return np.stack(levels), np.stack(variances)


def _own_sro(planes: Sequence[Prepared]) -> tuple[None, FloatArray, FloatArray]:
    """Every plane has coefficients of its own; the first, its mean over a period, is 1."""
    size = max(len(plane.lattice) for plane in planes)
    constant, free = np.zeros((2, len(planes), 2, size))
    for i, plane in enumerate(planes):
        terms = plane.lattice.terms
        free[i, 0, : len(terms)] = 1
        free[i, 1, : len(terms)] = terms.has_sine
        free[i, :, 0] = 0
        constant[i, 0, 0] = 1
    return None, constant.reshape(len(planes), -1), free.reshape(len(planes), -1)


def _shared_sro(planes: Sequence[Prepared]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """All planes have the α of one crystal, of which the one of the origin is 1."""
    size = max(len(plane.lattice) for plane in planes)
    members = len(planes[0].lattice.members)
    maps = np.zeros((len(planes), 2, size, members))
    for i, plane in enumerate(planes):
        maps[i, :, : len(plane.lattice)] = plane.lattice.map_from_alpha()
    free = np.ones((1, members))
    free[0, 0] = 0
    flat = maps.reshape(len(planes), 2 * size, members)
    return flat, flat[:, :, 0], free


def _smooth_deviations(planes: Sequence[Prepared]) -> FloatArray:
    size = max(len(plane.patterson.terms) for plane in planes)
    out = np.zeros((len(planes), 2, size))
    for i, plane in enumerate(planes):
        terms = plane.patterson.terms
        out[i, 0, : len(terms)] = plane.mean * plane.patterson.deviation
        out[i, 1, : len(terms)] = plane.mean * plane.patterson.deviation * terms.has_sine
    return out.reshape(len(planes), -1)
