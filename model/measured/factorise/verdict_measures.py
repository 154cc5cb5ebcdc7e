"""Numbers that tell whether factors explain a plane, and what is wrong if they do not.

Everything is measured on products of neighbouring pixels, less two standard errors of their mean: noise, which
neighbours do not share, drops out. Deviations are of √I, relative to the brightest, so that weak regions count too.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self

import numpy as np
import torch

from dsfu.model.measured.data.plane import Grain
from dsfu.model.measured.factorise.factors import PlaneFactors
from dsfu.model.measured.factorise.patterson_grid import PattersonGrid
from dsfu.model.measured.factorise.refitting import conjugate_gradients
from dsfu.model.measured.solver.noise import less_two_errors, neighbour_products, of_root
from dsfu.model.measured.solver.patterson import OVERSAMPLING, falloff
from dsfu.simulate.arrays import BoolArray, FloatArray
from dsfu.simulate.disorder.planes import Plane
from dsfu.simulate.lattice import Cell

_TOP: Final = 0.999

_WITHIN, _BEYOND = 1.0, 1.3
"""In units of the cell: vectors up to the first are within a molecule that fits; none beyond the second is."""

FINE_BEYOND: Final = 1.4
"""In units of the cell: longer than any vector between atoms of molecules that fit."""

_MOLECULE: Final = 1.07
"""In units of the cell: as far as molecules reach, to which the window of a small plane adds. On planes of 6 r.l.u. and
more the sum is below 1.4."""

_PRIOR: Final = 0.42
"""As of the solver's first prior, which takes in all of that."""

_RIDGE: Final = 1e-3
_STEPS: Final = 60
"""Of the linear solver that leaves a form factor only what fits into the cell; chosen, not calibrated."""

_PEAK, _RING_INNER, _RING_OUTER = 2.2, 3.0, 6.0
"""Distances from Bragg points, in pixels: what is a peak, and the ring around it with which it is compared."""

_FEWEST: Final = 9
_SHELL: Final = 1.5
_FEWEST_IN_SHELL: Final = 12


@dataclass(frozen=True, kw_only=True, eq=False)
class RelativeParts:
    """A plane and its factors relative to its brightest pixels, (y, x) each."""

    plane: Plane
    cell: Cell | None
    live: BoolArray
    seen: FloatArray
    form_factor: FloatArray
    sro: FloatArray
    background: float
    grain: Grain

    @classmethod
    def of(cls, factors: PlaneFactors) -> Self:
        live = factors.live
        top = float(np.quantile(factors.measured.intensity[live], _TOP)) if live.any() else 1.0
        top = top if top > 0 else 1.0
        return cls(
            plane=factors.plane,
            cell=factors.cell,
            live=live,
            seen=np.asarray(factors.measured.intensity / top, np.float64),
            form_factor=np.asarray(factors.form_factor / top, np.float64),
            sro=np.asarray(factors.sro, np.float64),
            background=factors.background / top,
            grain=factors.measured.grain,
        )

    @property
    def model(self) -> FloatArray:
        return self.form_factor * self.sro + self.background

    @property
    def left(self) -> FloatArray:
        """What of √I the factors leave unexplained."""
        return self._of_root(self.seen - self.model)

    @cached_property
    def left_by_molecules(self) -> FloatArray:
        """What of √I is left unexplained once the form factor keeps only what fits into the cell."""
        return self._of_root(self.seen - self._limited() * self.sro - self.background)

    def _of_root(self, difference: FloatArray) -> FloatArray:
        return of_root(difference, self.model, self.live)

    @cached_property
    def _falloff(self) -> FloatArray:
        """How carbon's scattering falls: divided by it, a form factor is the transform of a Patterson function."""
        return falloff(self.plane)

    def _limited(self) -> FloatArray:
        """The form factor without what varies faster than a molecule in the cell can make it."""
        assert self.cell is not None
        grid = PattersonGrid(self.plane, self.cell, _PRIOR, OVERSAMPLING)
        keep = np.clip((_BEYOND - lengths_in_cells(grid.vectors, self.plane, self.cell)) / (_BEYOND - _WITHIN), 0, 1)
        free = torch.as_tensor(keep).float() * (grid.deviation > 0)
        whole = torch.as_tensor(self.form_factor).float()
        curvature = grid.curvature(torch.ones_like(whole))
        found = conjugate_gradients(lambda x: free * curvature(free * x) + _RIDGE * x, free * grid.onto(whole), _STEPS)
        return grid.at(free * found).double().numpy()

    def fineness(self) -> float:
        """Root of the share of the form factor's variation from vectors longer than molecules in the cell have."""
        assert self.cell is not None
        smooth = self.form_factor / self._falloff
        window = np.hanning(len(smooth))
        power = np.square(np.abs(np.fft.fft2((smooth - smooth.mean()) * np.outer(window, window))))
        power[0, 0] = 0
        bins = 2 * np.pi / (len(smooth) * self.plane.step) * np.eye(2)
        blurred = 2 * float(lengths_in_cells(bins, self.plane, self.cell).max())  # a Hann window's half width is two
        fine = patterson_lengths(self.plane, self.cell, len(smooth)) > max(FINE_BEYOND, _MOLECULE + blurred)
        return float(np.sqrt(power[fine].sum() / max(power.sum(), 1e-30)))

    def cells(self) -> float:
        """Reciprocal cells, as the plane cuts them, that its live pixels fill."""
        assert self.cell is not None
        along_x, along_y = (self.cell.hkl_of_q(axis) for axis in (self.plane.axis_x, self.plane.axis_y))
        return float(self.live.sum() * self.plane.step**2 * np.linalg.norm(np.cross(along_x, along_y)))

    def unexplained(self) -> float:
        """Root mean square of what of √I the factors leave."""
        return root(shared(self.left, self.live, self.grain))

    def not_periodic(self) -> float:
        """The same for a form factor that fits into the cell, relative to the root mean square of √I."""
        mean = float(np.maximum(self.model, 0)[self.live].mean())
        return root(shared(self.left_by_molecules, self.live, self.grain) / max(mean, 1e-30))

    def at_bragg_points(self) -> float:
        """By how much more of √I the cell-sized form factor leaves at Bragg points than around them."""
        assert self.cell is not None
        hkl = self.plane.hkl(self.cell)
        away = np.linalg.norm((np.rint(hkl) - hkl) @ self.cell.reciprocal, axis=-1) / self.plane.step
        peak = self.live & (away < _PEAK)
        ring = self.live & (away > _RING_INNER) & (away < _RING_OUTER)
        if peak.sum() < _FEWEST or ring.sum() < _FEWEST:
            return 0.0
        return root(
            shared(self.left_by_molecules, peak, self.grain) - max(shared(self.left_by_molecules, ring, self.grain), 0)
        )

    def in_rings(self) -> float:
        """Root mean square over shells of |Q| of what of √I the cell-sized form factor leaves on average all round."""
        lengths = np.linalg.norm(self.plane.q, axis=-1)[self.live]
        if len(lengths) < _FEWEST_IN_SHELL:
            return 0.0
        shell = ((lengths - lengths.min()) / (_SHELL * self.plane.step)).astype(np.int64)
        count = np.bincount(shell)
        mean = np.bincount(shell, self.left_by_molecules[self.live]) / np.maximum(count, 1)
        weight = np.minimum(count[1:], count[:-1]) * (np.minimum(count[1:], count[:-1]) > _FEWEST_IN_SHELL)
        return root(float((mean[1:] * mean[:-1] * weight).sum()) / max(int(weight.sum()), 1))


def shared(values: FloatArray, used: BoolArray, grain: Grain) -> float:
    """Mean product of neighbours along x and along y that share no noise, less two standard errors."""
    return less_two_errors(neighbour_products(values, used, grain), grain)


def root(square: float) -> float:
    return float(np.sqrt(max(square, 0.0)))


def patterson_lengths(plane: Plane, cell: Cell, count: int) -> FloatArray:
    """Length, in units of the cell as it looks along the plane's normal, of every vector of a plane's transform."""
    step = 2 * np.pi * np.fft.fftfreq(count, plane.step)
    return lengths_in_cells(np.stack(np.meshgrid(step, step), axis=-1), plane, cell)


def lengths_in_cells(vectors: FloatArray, plane: Plane, cell: Cell) -> FloatArray:
    """Length of vectors (..., 2) in Å, in units of the cell as it looks along the plane's normal."""
    edges = cell.vectors @ np.stack([plane.axis_x, plane.axis_y], axis=1)
    metric = np.linalg.inv(edges.T @ edges)
    return np.asarray(np.sqrt(np.einsum("...i,ij,...j", vectors, metric, vectors)), np.float64)
