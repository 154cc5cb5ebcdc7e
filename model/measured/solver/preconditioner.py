"""How curved the objective is along either factor: with it the optimiser knows which steps are long.

Each factor is linear in its coefficients. So its block of the second derivatives, the other factor held, is known:
sums over pixels of products of two waves, which are Fourier coefficients of the weights at the sums and differences of
the waves' vectors. Those of G are on a grid, and two products of small matrices give all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dsfu.model.measured.solver.patterson import PattersonTerms
from dsfu.model.measured.solver.series import Terms
from dsfu.simulate.arrays import FloatArray, IntArray

_NARROW = 3e-3
"""Coefficients of G with a prior narrower than this, relative to the widest, are left to that prior."""

_MOST = 4000
"""So are all but so many with the widest priors: in large cells the rest would take hours and all memory."""

_ROWS = 256
"""Of a block that are made at once."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Block:
    """Some variables of one problem, and the inverse of the curvature among them."""

    problem: int
    variables: Tensor
    inverse: Tensor


class Preconditioner:
    """From gradients (problems, n) to steps downhill, with the sign of the gradient; other variables stay as they are.

    Parameters
    ----------
    diagonal
        (problems, n): curvature along the variables that are in no block.
    """

    def __init__(self, blocks: Sequence[Block], diagonal: Tensor) -> None:
        self._blocks, self._diagonal = blocks, diagonal

    def __call__(self, gradient: Tensor) -> Tensor:
        step = gradient / self._diagonal
        for block in self._blocks:
            step[block.problem, block.variables] = block.inverse @ gradient[block.problem, block.variables]
        return step


def block_of(problem: int, variables: IntArray, curvature: Tensor, like: Tensor) -> Block:
    """A block of curvature, positive definite, in float64; its inverse is kept as ``like`` is."""
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(curvature))
    return Block(problem=problem, variables=torch.as_tensor(variables, device=like.device), inverse=inverse.to(like))


def wide_terms(patterson: PattersonTerms) -> IntArray:
    """Numbers of the coefficients of G, the sines after all cosines, that deserve their place in a block."""
    wide = patterson.deviation >= _NARROW * patterson.deviation[1:].max(initial=0)
    chosen = np.flatnonzero(np.r_[wide, wide & patterson.terms.has_sine])
    if len(chosen) > _MOST:
        widest_first = np.argsort(-patterson.deviation[chosen % len(wide)], kind="stable")
        chosen = np.sort(chosen[widest_first[:_MOST]])
    return chosen


def smooth_curvature(terms: Terms, step: float, offsets: FloatArray, weight: Tensor, chosen: IntArray) -> Tensor:
    """Σ_pixels weight · wave_i · wave_j for some waves of G: (chosen, chosen).

    Parameters
    ----------
    step
        Of the grid that the vectors of the waves are on, in Å.
    offsets
        (pixels,): coordinates along either axis.
    weight
        (y, x), float64.
    chosen
        Numbers of waves, the sines after all cosines.
    """
    places = np.rint(terms.vectors / step).astype(np.int64)[chosen % len(terms)]
    is_sine = torch.as_tensor(chosen >= len(terms), device=weight.device)
    reach = 2 * int(np.abs(places).max())
    angles = step * np.outer(np.arange(-reach, reach + 1), offsets)
    waves = torch.as_tensor(np.exp(1j * angles), device=weight.device)
    # All products of two waves are waves of sums and differences of their vectors: one transform of the weights has the
    # whole matrix in it.
    moments = (waves @ weight.to(waves.dtype) @ waves.T).view(-1)
    flat = torch.as_tensor(places @ np.array([1, 2 * reach + 1]), device=weight.device)
    origin = reach * (2 * reach + 2)
    curvature = torch.empty(len(chosen), len(chosen), dtype=torch.float64, device=weight.device)
    for first in range(0, len(chosen), _ROWS):
        rows = slice(first, first + _ROWS)
        together, apart = (moments[origin + flat[rows, None] + sign * flat[None]] for sign in (1, -1))
        # cos a sin b = ½ sin(a + b) − ½ sin(a − b), and so on
        with_sine = torch.where(is_sine[rows, None], apart.real - together.real, together.imag - apart.imag)
        with_cosine = torch.where(is_sine[rows, None], together.imag + apart.imag, apart.real + together.real)
        curvature[rows] = torch.where(is_sine[None], with_sine, with_cosine) / 2
    return curvature


def order_curvature(terms: Terms, x: FloatArray, y: FloatArray, weight: Tensor) -> Tensor:
    """The same for all waves of S, all cosines and then all sines, on pixels (n,)."""
    angles = torch.as_tensor(np.column_stack([x, y]) @ terms.vectors.T + terms.phases, device=weight.device)
    waves = torch.cat([torch.cos(angles), torch.sin(angles)], 1).float() * weight.sqrt().float()[:, None]
    return (waves.T @ waves).double()
