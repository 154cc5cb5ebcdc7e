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

from dsfu.model.solver.patterson import PattersonTerms
from dsfu.model.solver.series import Terms
from dsfu.simulate.contract import FloatArray, IntArray

_NARROW = 3e-3
"""Coefficients of G with a prior narrower than this, relative to the widest, are left to that prior."""


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
    return np.flatnonzero(np.r_[wide, wide & patterson.terms.has_sine])


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
    moments = waves @ weight.to(waves.dtype) @ waves.T

    def at(vectors: IntArray) -> Tensor:
        flat = vectors @ np.array([1, 2 * reach + 1]) + reach * (2 * reach + 2)
        return moments.view(-1)[torch.as_tensor(flat, device=weight.device)]

    together, apart = at(places[:, None] + places[None]), at(places[:, None] - places[None])
    cosines, sines = apart.real + together.real, apart.real - together.real
    # cos a sin b = ½ sin(a + b) − ½ sin(a − b)
    cosine_sine, sine_cosine = together.imag - apart.imag, together.imag + apart.imag
    first, second = is_sine[:, None], is_sine[None]
    upper = torch.where(second, cosine_sine, cosines)
    return torch.where(first, torch.where(second, sines, sine_cosine), upper) / 2


def order_curvature(terms: Terms, x: FloatArray, y: FloatArray, weight: Tensor) -> Tensor:
    """The same for all waves of S, all cosines and then all sines, on pixels (n,)."""
    angles = torch.as_tensor(np.column_stack([x, y]) @ terms.vectors.T + terms.phases, device=weight.device)
    waves = torch.cat([torch.cos(angles), torch.sin(angles)], 1).float() * weight.sqrt().float()[:, None]
    return (waves.T @ waves).double()
