"""The molecular form factor on a plane: I_FF = E(|Q|) · G, with G band-limited as a molecule's Patterson function is.

G(q) = Σ_r g_r cos(q·r) + h_r sin(q·r), r on a grid in the plane; E is the square of carbon's form factor relative to
that at the plane's centre, so that G falls off no more than molecules make it. A molecule and its replacement fit into
the cell, so the vectors between their atoms nearly do: g_r has a prior of zero mean whose variance falls with |r|/cell.
"""

from dataclasses import dataclass

import numpy as np

from dsfu.model.measured.solver.series import Terms
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.planes import Plane
from dsfu.simulate.form_factors import form_factor
from dsfu.simulate.lattice import Cell

_CARBON = 6
OVERSAMPLING = 1.3
"""Vectors of G are so many times closer to each other than a band of ±Q_max needs."""

_SMALLEST_WIDTH = 0.7
_NEGLIGIBLE = 1e-4


@dataclass(frozen=True, kw_only=True, eq=False)
class PattersonTerms:
    """Terms of G on one plane, and the prior's standard deviation of each coefficient relative to G's mean.

    The origin comes first.
    """

    terms: Terms
    deviation: FloatArray


def falloff(plane: Plane) -> FloatArray:
    """E on every pixel of a plane: (y, x)."""
    distance = np.linalg.norm(plane.q, axis=-1)
    return np.square(form_factor(_CARBON, distance) / form_factor(_CARBON, np.linalg.norm(plane.centre)))


def grid_step(plane: Plane, oversampling: float = OVERSAMPLING) -> float:
    """Distance between neighbouring vectors of the terms of G, in Å."""
    return 2 * np.pi / (2 * oversampling * plane.q_max)


def patterson_terms(plane: Plane, cell: Cell, width: float, oversampling: float = OVERSAMPLING) -> PattersonTerms:
    """Terms of G.

    Parameters
    ----------
    width
        Width of the prior relative to the cell's projection.
    """
    step = grid_step(plane, oversampling)
    metric = _projected_metric(plane, cell)
    reach = np.sqrt(np.diag(np.linalg.inv(metric)))  # half-widths of the ellipse r·metric·r ≤ 1
    half_widths = np.maximum(np.sqrt(-2 * np.log(_NEGLIGIBLE)) * np.maximum(width * reach, _SMALLEST_WIDTH), step)
    counts = np.minimum(np.ceil(half_widths / step).astype(int), plane.pixels // 2)
    y, x = (each.ravel() for each in np.mgrid[0 : counts[1] + 1, -counts[0] : counts[0] + 1])
    upper = (y > 0) | (x >= 0)
    places = np.column_stack([x, y])[upper] * step
    squared = np.einsum("ti,ij,tj->t", places, _widened(metric, width), places)
    chosen = np.exp(-squared / 2) >= _NEGLIGIBLE
    places, squared = places[chosen], squared[chosen]
    order = np.argsort(squared, kind="stable")
    places, squared = places[order], squared[order]
    # Off the origin the squares add up to 1: G varies over the plane by as much as its mean.
    deviation = np.exp(-squared / 2)
    deviation /= np.sqrt(np.square(deviation[1:]).sum())
    deviation[0] = 1.0
    through_origin = bool(np.linalg.norm(plane.centre) < 1e-6)
    has_sine = np.full(len(places), not through_origin)
    has_sine[0] = False
    terms = Terms(vectors=places, phases=np.zeros(len(places)), has_sine=has_sine)
    return PattersonTerms(terms=terms, deviation=deviation)


def _projected_metric(plane: Plane, cell: Cell) -> FloatArray:
    """(2, 2) in 1/Å²: r·metric·r = 1 on the ellipse that takes up the cell, projected on the plane."""
    axes = np.stack([plane.axis_x, plane.axis_y])
    vectors = cell.vectors
    extent = np.einsum("ia,va,vb,jb->ij", axes, vectors, vectors, axes)
    return np.linalg.inv(extent)


def _widened(metric: FloatArray, width: float) -> FloatArray:
    values, vectors = np.linalg.eigh(metric)
    lengths = np.maximum(width / np.sqrt(values), _SMALLEST_WIDTH)
    return np.asarray((vectors / lengths**2) @ vectors.T)
