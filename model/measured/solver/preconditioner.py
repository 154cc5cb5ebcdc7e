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
"""Coefficients of G with a prior narrower than this, relative to the widest, stay out of the block."""

_MOST = 2000
"""So do all but so many with the widest priors. Twice as many take eight times as long and save few steps."""

_ROWS = 256
"""Of a block that are made at once."""

_SAME_DECIMALS = 6
"""Of vectors in Å: sums of vectors that agree so far are one."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Block:
    """Some variables of one problem, and the lower Cholesky factor of the curvature among them."""

    problem: int
    variables: Tensor
    root: Tensor

    def solved(self, gradient: Tensor) -> Tensor:
        """From a gradient (variables,) to a step."""
        half = torch.linalg.solve_triangular(self.root, gradient[:, None], upper=False)
        step: Tensor = torch.linalg.solve_triangular(self.root.mT, half, upper=True)
        return step[:, 0]


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
            step[block.problem, block.variables] = block.solved(gradient[block.problem, block.variables])
        return step


def block_of(problem: int, variables: IntArray, curvature: Tensor, like: Tensor) -> Block:
    """A block of curvature, positive definite, in float64; its root is kept as ``like`` is.

    An inverse would take three times as long to make, and a step with it hardly less than two triangular solutions.
    """
    root = torch.linalg.cholesky(curvature)
    return Block(problem=problem, variables=torch.as_tensor(variables, device=like.device), root=root.to(like))


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
        Numbers of waves, ascending, the sines after all cosines; no sine without its cosine.
    """
    cosines, sines = chosen[chosen < len(terms)], chosen[chosen >= len(terms)] - len(terms)
    beside = torch.as_tensor(np.searchsorted(cosines, sines), device=weight.device)
    places = np.rint(terms.vectors[cosines] / step).astype(np.int64)
    reach = 2 * int(np.abs(places).max())
    # All products of two waves are waves of sums and differences of their vectors: one transform of the weights has the
    # whole matrix in it.
    moments = _transform(weight, step, reach, offsets).view(-1) / 2
    real, imaginary = moments.real.contiguous(), moments.imag.contiguous()
    flat = torch.as_tensor(places @ np.array([1, 2 * reach + 1]), device=weight.device)
    origin = reach * (2 * reach + 2)
    count = len(cosines)
    among_cosines = torch.empty(count, count, dtype=torch.float64, device=weight.device)
    mixed, among_sines = torch.empty_like(among_cosines), torch.empty_like(among_cosines)
    for first in range(0, count, _ROWS):
        rows = slice(first, first + _ROWS)
        together, apart = (origin + flat[rows, None] + sign * flat[None] for sign in (1, -1))
        # cos a cos b = ½ cos(a − b) + ½ cos(a + b), and so on
        even_together, even_apart = real[together], real[apart]
        among_cosines[rows] = even_apart + even_together
        among_sines[rows] = even_apart - even_together
        mixed[rows] = imaginary[together] - imaginary[apart]
    mixed, among_sines = mixed[:, beside], among_sines[beside][:, beside]
    return torch.cat([torch.cat([among_cosines, mixed], 1), torch.cat([mixed.T, among_sines], 1)])


def _transform(weight: Tensor, step: float, reach: int, offsets: FloatArray) -> Tensor:
    """Fourier coefficients of weights (y, x) at vectors of −reach to reach steps along y and x."""
    angles = step * np.outer(np.arange(-reach, reach + 1), offsets)
    waves = torch.as_tensor(np.exp(1j * angles), device=weight.device)
    return waves @ weight.to(waves.dtype) @ waves.T


def smooth_diagonal(terms: Terms, step: float, offsets: FloatArray, weight: Tensor) -> Tensor:
    """Σ_pixels weight · wave² for all waves of G, all cosines and then all sines."""
    places = np.rint(terms.vectors / step).astype(np.int64)
    reach = int(np.abs(places).max())
    x, y = torch.as_tensor(places.T + reach, device=weight.device)
    of_twice = _transform(weight, 2 * step, reach, offsets).real[y, x]
    return torch.cat([weight.sum() + of_twice, weight.sum() - of_twice]) / 2


def order_curvature(terms: Terms, offsets: FloatArray, weight: Tensor) -> Tensor:
    """The same for all waves of S, all cosines and then all sines.

    Their vectors are on no grid of the plane, but sums and differences of vectors of a lattice are few. All pixels
    count: of a sample, waves that beat with the pixels are nearly one, where all tell them apart.
    """
    shifts, phases = terms.vectors @ np.array([1, 1j]), terms.phases
    pairs = np.stack([np.add.outer(shifts, shifts), np.subtract.outer(shifts, shifts)])
    vectors, places = np.unique(np.round(pairs, _SAME_DECIMALS), return_inverse=True)
    along_x, along_y = (
        torch.as_tensor(np.exp(1j * np.outer(offsets, part)), device=weight.device)
        for part in (vectors.real, vectors.imag)
    )
    moments = ((weight.to(along_x.dtype) @ along_x) * along_y).sum(0).cpu().numpy()[places.reshape(pairs.shape)] / 2
    turns = np.stack([np.add.outer(phases, phases), np.subtract.outer(phases, phases)])
    together, apart = moments * np.exp(1j * turns)
    even, odd = np.real(apart + together), np.imag(together - apart)
    blocks = np.block([[even, odd], [odd.T, np.real(apart - together)]])
    return torch.as_tensor(blocks, device=weight.device)
