"""Real Fourier series on planes of reciprocal space, evaluated by two small matrix products.

f(x, y) = Σ_t a_t cos θ_t + b_t sin θ_t with θ_t = φ_t + x · p_t,x + y · p_t,y, where x and y are coordinates on the
plane in 1/Å relative to its centre, p_t is a vector in Å projected on the plane, and φ_t the phase at the centre. Terms
that share p_x share a column: f = Re Σ_columns X[x, column] · T[y, column], so that thousands of terms cost a few
products of 256 × 256 × 30 numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dsfu.simulate.arrays import BoolArray, FloatArray, IntArray

_SAME_ANGSTROM = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class Terms:
    """The terms of a series on one plane.

    Attributes
    ----------
    vectors
        (terms, 2): p_t in Å, along the x and the y of the plane.
    phases
        (terms,): φ_t, the phase at the centre of the plane.
    has_sine
        (terms,): whether b_t is a variable; where it is not, b_t is zero.
    """

    vectors: FloatArray
    phases: FloatArray
    has_sine: BoolArray

    def __len__(self) -> int:
        return len(self.phases)


def waves(terms: Terms, offsets: FloatArray, chosen: IntArray) -> FloatArray:
    """Cosines and then sines of some terms at offsets (points, 2): (points, 2 · chosen)."""
    angles = offsets @ terms.vectors[chosen].T + terms.phases[chosen]
    return np.concatenate([np.cos(angles), np.sin(angles)], axis=1)


class Series:
    """A batch of series, each with terms of its own, on the pixels of square grids of one size.

    Parameters
    ----------
    terms
        One for each plane; shorter ones are padded with terms that are nothing.
    offsets
        (planes, pixels): coordinates of the pixels along either axis, in 1/Å.
    """

    def __init__(
        self, terms: Sequence[Terms], offsets: FloatArray, dtype: torch.dtype, device: torch.device | str
    ) -> None:
        self.planes, self.size = len(terms), max(len(each) for each in terms)
        grids = [_Grid(each) for each in terms]
        self._columns, self._rows = max(len(g.x) for g in grids), max(len(g.y) for g in grids)
        self._dtype = dtype
        at_x = np.stack([np.outer(offsets[i], _padded(g.x, self._columns)) for i, g in enumerate(grids)])
        at_y = np.stack([np.outer(offsets[i], _padded(g.y, self._rows)) for i, g in enumerate(grids)])
        slots = [
            _padded(g.row * self._columns + g.column, self.size) + i * self._rows * self._columns
            for i, g in enumerate(grids)
        ]
        self._x, self._y = torch.as_tensor(at_x, device=device), torch.as_tensor(at_y, device=device)
        self._slots = torch.as_tensor(np.concatenate(slots), device=device)
        cosines = np.stack([_padded(np.cos(each.phases), self.size) for each in terms])
        sines = np.stack([_padded(np.sin(each.phases), self.size) for each in terms])
        self._cosines = torch.as_tensor(cosines, device=device).to(dtype)
        self._sines = torch.as_tensor(sines, device=device).to(dtype)
        self._waves = self._waves_of(None)

    def _waves_of(self, stretch: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """(cos, sin) of x p_x (planes, 2 columns, pixels), and cosines and sines of y p_y (planes, pixels, rows)."""
        along_x = self._x if stretch is None else self._x * (1 + stretch[:, 0, None, None])
        along_y = self._y if stretch is None else self._y * (1 + stretch[:, 1, None, None])
        waves_x = torch.cat([torch.cos(along_x), torch.sin(along_x)], 2).to(self._dtype)
        return waves_x.transpose(1, 2), torch.cos(along_y).to(self._dtype), torch.sin(along_y).to(self._dtype)

    def __call__(self, cosines: Tensor, sines: Tensor, stretch: Tensor | None = None) -> Tensor:
        """The series (planes, y, x) with coefficients a and b, each (planes, terms); differentiable.

        ``stretch`` (planes, 2), float64, multiplies p_x by 1 + stretch[:, 0] and p_y by 1 + stretch[:, 1].
        """
        waves_x, cos_y, sin_y = self._waves if stretch is None else self._waves_of(stretch)
        # a cos θ + b sin θ = Re (a − i b) exp(iθ)
        real = self._on_grid(cosines * self._cosines + sines * self._sines)
        imaginary = self._on_grid(cosines * self._sines - sines * self._cosines)
        left = torch.cat([cos_y @ real - sin_y @ imaginary, -(cos_y @ imaginary) - sin_y @ real], 2)
        return left @ waves_x

    def _on_grid(self, values: Tensor) -> Tensor:
        grid = torch.zeros(self.planes * self._rows * self._columns, dtype=self._dtype, device=values.device)
        return grid.index_add(0, self._slots, values.reshape(-1)).view(self.planes, self._rows, self._columns)


class _Grid:
    """The distinct p_x and p_y of some terms, and where each term stands among them."""

    def __init__(self, terms: Terms) -> None:
        self.x, self.column = _distinct(terms.vectors[:, 0])
        self.y, self.row = _distinct(terms.vectors[:, 1])


def _distinct(values: FloatArray) -> tuple[FloatArray, IntArray]:
    _, index = np.unique(np.rint(values / _SAME_ANGSTROM), return_inverse=True)
    index = index.reshape(-1)
    return np.asarray(np.bincount(index, values) / np.bincount(index), np.float64), index


def _padded(values: np.ndarray, size: int) -> np.ndarray:
    return np.concatenate([values, np.zeros(size - len(values), values.dtype)])
