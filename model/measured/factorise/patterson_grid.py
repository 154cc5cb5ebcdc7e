"""E · G from coefficients on a grid of vectors, and the curvature of a fit of it by fast Fourier transforms.

As the vectors r are on a grid, Σ_pixels weight · wave(r) · wave(r′) depends on r − r′ and r + r′ only. So in a fit the
weights are transformed once, to all differences of vectors; after that its curvature is a convolution on a grid of some
hundred vectors to each side, whatever the number of pixels.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import torch
from scipy.fft import next_fast_len
from scipy.ndimage import gaussian_filter
from torch import Tensor

from dsfu.model.measured.solver.patterson import falloff, grid_step, patterson_terms
from dsfu.simulate.arrays import BoolArray, FloatArray, IntArray
from dsfu.simulate.disorder.planes import Plane
from dsfu.simulate.lattice import Cell

_EDGE: Final = 1e-9


class PattersonGrid:
    """The series E(|Q|) · Σ_r g_r cos(q·r) + h_r sin(q·r) on the pixels of a plane, in single precision.

    Coefficients are (2, terms): g, then h. Of r and −r one is kept, with r_y ≥ 0; the origin comes first.

    Attributes
    ----------
    deviation
        Standard deviation of each coefficient in the solver's prior, relative to that of the origin's; zero for those
        that are no variables.
    """

    def __init__(self, plane: Plane, cell: Cell, width: float, oversampling: float) -> None:
        patterson = patterson_terms(plane, cell, width, oversampling)
        has_sine = patterson.terms.has_sine
        self._step = grid_step(plane, oversampling)
        self._places: IntArray = np.rint(patterson.terms.vectors / self._step).astype(np.int64)
        self._reach_x, self._reach_y = (int(each) for each in np.abs(self._places).max(axis=0))
        self._variable: BoolArray = np.stack([np.ones_like(has_sine), has_sine])
        self.deviation = torch.as_tensor(patterson.deviation * self._variable).float()
        self._is_variable = torch.as_tensor(self._variable).float()
        self._x, self._y = (torch.as_tensor(each) for each in self._places.T)
        self._waves_x = _waves(self._step, 2 * self._reach_x, plane.offsets)
        self._waves_y = _waves(self._step, 2 * self._reach_y, plane.offsets)
        self._falloff = torch.as_tensor(falloff(plane)).float()

    @property
    def vectors(self) -> FloatArray:
        """(terms, 2): r along x and y of the plane, in Å."""
        return self._step * np.asarray(self._places, np.float64)

    def at(self, coefficients: Tensor) -> Tensor:
        """The series on every pixel: (y, x)."""
        grid = torch.zeros(2 * self._reach_y + 1, 2 * self._reach_x + 1, dtype=torch.complex64)
        grid[self._y + self._reach_y, self._x + self._reach_x] = torch.complex(coefficients[0], coefficients[1])
        return self._falloff * (_inner(self._waves_y).T @ grid @ _inner(self._waves_x)).real

    def onto(self, pixels: Tensor) -> Tensor:
        """The transposed of `at`."""
        moments = self._moments(pixels * self._falloff)
        return self._of_grid(moments[self._y + 2 * self._reach_y, self._x + 2 * self._reach_x])

    def curvature(self, weight: Tensor) -> Callable[[Tensor], Tensor]:
        """coefficients ↦ onto(weight · at(coefficients))."""
        moments = self._moments(weight * self._falloff.square())
        size_x, size_y = (next_fast_len(4 * reach + 1, real=True) for reach in (self._reach_x, self._reach_y))
        # ⟨cos v·Q, w cos v′·Q⟩ hangs on v − v′ and v + v′ alone: the normal matrix is a convolution with the weight's
        # transform, whose moments reach twice as far as the coefficients do.
        spectrum = torch.zeros(size_x, size_y // 2 + 1, dtype=torch.complex64)
        x = torch.arange(-2 * self._reach_x, 2 * self._reach_x + 1) % size_x
        spectrum[x, : 2 * self._reach_y + 1] = moments[2 * self._reach_y :].mH
        weights = torch.fft.irfft2(spectrum, s=(size_x, size_y))
        at, on_axis = (self._x % size_x, self._y), self._y == 0
        mirrored = -self._x[on_axis] % size_x

        def apply(coefficients: Tensor) -> Tensor:
            # a cos + b sin = Re((a − ib) exp i…): half of it, and half at −v by its being real.
            waves = torch.complex(coefficients[0], -coefficients[1]) / 2
            grid = torch.zeros_like(spectrum)
            grid[at] = waves
            grid[mirrored, 0] += waves[on_axis].conj()
            series = torch.fft.irfft2(grid, s=(size_x, size_y), norm="forward")
            return self._of_grid(torch.fft.rfft2(weights * series)[at].conj())

        return apply

    def neighbourhood_power(self, coefficients: Tensor, distance: float) -> FloatArray:
        """g² + h² averaged over vectors within some Å of each, the origin apart: (2, terms), zero for no variables."""
        power = np.square(coefficients.double().numpy()).sum(axis=0)
        shape = (2 * self._reach_x + 1, 2 * self._reach_y + 1)
        on_grid, there = np.zeros((2, *shape))
        for sign in (1, -1):  # half of the vectors is kept, the other is their mirror image
            at = tuple((sign * self._places[1:] + (self._reach_x, self._reach_y)).T)
            on_grid[at], there[at] = power[1:], self._variable[:, 1:].sum(axis=0)
        blur = distance / self._step
        mean = gaussian_filter(on_grid, blur) / np.maximum(gaussian_filter(there, blur), _EDGE)
        at = tuple(np.add(self._places, (self._reach_x, self._reach_y)).T)
        return np.asarray(mean[at] * self._variable, np.float64)

    def _moments(self, pixels: Tensor) -> Tensor:
        """Σ_pixels pixels · exp(i q·r) for all r up to the difference of two vectors: (y, x)."""
        return self._waves_y.conj() @ pixels.to(torch.complex64) @ self._waves_x.mH

    def _of_grid(self, values: Tensor) -> Tensor:
        return torch.stack([values.real, values.imag]) * self._is_variable


def _waves(step: float, reach: int, offsets: FloatArray) -> Tensor:
    """exp(−i r · offset): (−reach … reach, pixels)."""
    return torch.as_tensor(np.exp(-1j * step * np.outer(np.arange(-reach, reach + 1), offsets))).to(torch.complex64)


def _inner(waves: Tensor) -> Tensor:
    """Those of vectors, without the longer ones that only differences of vectors reach."""
    quarter = len(waves) // 4
    return waves[quarter : len(waves) - quarter]
