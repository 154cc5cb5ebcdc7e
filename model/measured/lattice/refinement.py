"""All four components of a lattice moved to where a fit on it leaves least: lengths, angle and orientation at once.

The fit's form factor F is held. Then I = F · S is linear in the coefficients of S, and its slopes along the lattice are
known: with S = 1 + Σ a cos Q·v + b sin Q·v and v = n B, ∂S/∂B_ij = Σ (b cos − a sin) n_i Q_j. A few Gauss-Newton steps
for the coefficients and B together cost less than a tenth of a fit, where a fit for each step along each way to turn or
shear a lattice would cost a fit each.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.lattice.bases import longest
from dsfu.model.measured.solver.noise import tolerated_variance
from dsfu.model.measured.solver.prepared import thinned
from dsfu.simulate.arrays import BoolArray, Float32Array, FloatArray, IntArray

Factor = FloatArray | Float32Array

_STEPS: Final = 3
"""Of Gauss and Newton. From where a coarse fit has ended they need no more."""

_EVERY: Final = 3
"""Of every so many pixels along both axes one is used."""

_TERMS: Final = 30
"""Of the series the largest so many are moved; the rest is held."""

_TOLERANCE: Final = 0.03
"""As of the solver's second stage."""

_FARTHEST: Final = 0.04
"""No component moves by more than this share of the longer vector: beyond it is another lattice."""

_RIDGE: Final = 1e-6
"""Relative to the largest curvature, so that what the data say nothing of stays where it is."""


@dataclass(frozen=True, kw_only=True, eq=False)
class OrderSeries:
    """S on a lattice: indices (terms, 2), cosines and sines (terms,); phases off the plane are taken into them."""

    indices: FloatArray
    cosines: FloatArray
    sines: FloatArray

    @classmethod
    def of(cls, vectors: IntArray, alpha: FloatArray, sines: FloatArray) -> Self:
        """From what the solver finds for one of each ±v: [u, v, w] (terms, 3), α and its sines (terms,)."""
        return cls(indices=vectors[:, :2].astype(np.float64), cosines=2 * alpha, sines=2 * sines)

    @property
    def sizes(self) -> FloatArray:
        """Of the terms; the origin, which is no wave, has none."""
        at_origin = (self.indices == 0).all(axis=1)
        return np.where(at_origin, 0.0, np.hypot(self.cosines, self.sines))

    def strongest(self) -> "OrderSeries":
        """The largest terms, the origin not among them."""
        sizes = self.sizes
        chosen = np.argsort(-sizes)[: min(_TERMS, int((sizes > 0).sum()))]
        return OrderSeries(indices=self.indices[chosen], cosines=self.cosines[chosen], sines=self.sines[chosen])


def moved(plane: MeasuredPlane, basis: FloatArray, series: OrderSeries, form_factor: Factor, sro: Factor) -> FloatArray:
    """The basis (2, 2) that the data prefer, the form factor being what it is.

    Parameters
    ----------
    basis
        Rows in Å along the plane's x and y, on which the fit has ended.
    series, form_factor, sro
        What the fit has found; the latter two (y, x) in the data's unit and relative to a mean of 1.
    """
    own = series.strongest()
    if not len(own.indices):
        return basis
    used = _Pixels.of(plane, form_factor, sro)
    x, y, factor, target, weight = used.x, used.y, used.form_factor, used.data, used.weight
    a, b = own.cosines.copy(), own.sines.copy()
    # what the terms that are held say stays in the data
    waves = _waves(x, y, own.indices @ basis)
    held = used.sro - waves[0] @ a - waves[1] @ b
    here = basis.copy()
    for _ in range(_STEPS):
        # By a wave n's a and b: cos φ and sin φ. By row i of the basis: x or y times Σ n_i (b cos φ − a sin φ).
        cosines, sines = _waves(x, y, own.indices @ here)
        slope = cosines * b - sines * a
        along = slope @ own.indices
        design = np.column_stack(
            [cosines, sines, along[:, :1] * x, along[:, :1] * y, along[:, 1:] * x, along[:, 1:] * y]
        )
        design *= (factor * np.sqrt(weight))[:, None]
        residual = (target - factor * (held + cosines @ a + sines @ b)) * np.sqrt(weight)
        # A damped Gauss–Newton step: relative to each parameter's own curvature, and to the largest.
        curvature = design.T @ design
        curvature[np.diag_indices_from(curvature)] *= 1 + _RIDGE
        curvature[np.diag_indices_from(curvature)] += _RIDGE * np.diag(curvature).max()
        step = np.linalg.solve(curvature, design.T @ residual)
        terms = len(a)
        a, b = a + step[:terms], b + step[terms : 2 * terms]
        here = here + step[2 * terms :].reshape(2, 2)
        if np.abs(here - basis).max() > _FARTHEST * longest(basis):
            return basis
    return here


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pixels:
    """Some live pixels at which neither factor is zero: Q along x and y (n, 1), the rest (n,)."""

    x: FloatArray
    y: FloatArray
    form_factor: FloatArray
    sro: FloatArray
    data: FloatArray
    weight: FloatArray

    @classmethod
    def of(cls, plane: MeasuredPlane, form_factor: Factor, sro: Factor) -> "_Pixels":
        chosen = thinned(plane.plane.pixels, _EVERY)
        grid = np.ix_(chosen, chosen)
        level = form_factor[grid] * sro[grid]
        used: BoolArray = plane.live[grid] & (level > 0)
        x, y = np.meshgrid(*(beside + plane.plane.offsets[chosen] for beside in plane.plane.centre_in_plane))
        scale = max(float(level[used].max(initial=0.0)), 1e-300)
        return cls(
            x=x[used][:, None],
            y=y[used][:, None],
            form_factor=np.asarray(form_factor[grid][used] / scale, np.float64),
            sro=np.asarray(sro[grid][used], np.float64),
            data=np.asarray(plane.intensity[grid][used] / scale, np.float64),
            weight=1 / tolerated_variance(np.asarray(level[used] / scale, np.float64), _TOLERANCE),
        )


def _waves(x: FloatArray, y: FloatArray, vectors: FloatArray) -> tuple[FloatArray, FloatArray]:
    phases = x * vectors[:, 0] + y * vectors[:, 1]
    return np.cos(phases), np.sin(phases)
