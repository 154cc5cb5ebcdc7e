"""L-BFGS on a batch of independent problems at once, each with its own step lengths.

Limited-memory BFGS as in Nocedal & Wright, Numerical Optimization (2006), algorithm 7.5, with backtracking to the
lowest point of a parabola. Problems do not wait for one another's line searches except to be evaluated together.
"""

from collections.abc import Callable

import torch
from torch import Tensor

Objective = Callable[[Tensor], tuple[Tensor, Tensor]]
"""From variables (problems, n) to values (problems,) and gradients (problems, n)."""

Preconditioner = Callable[[Tensor], Tensor]
"""From gradients (problems, n) to steps: a guess of the inverse of the second derivatives."""

_SUFFICIENT_DECREASE = 1e-4
_MOST_TRIALS = 12


def minimise(
    objective: Objective,
    start: Tensor,
    iterations: int,
    *,
    memory: int = 20,
    tolerance: float = 0.0,
    precondition: Preconditioner | None = None,
) -> tuple[Tensor, Tensor, int]:
    """Minimise every problem of a batch.

    Parameters
    ----------
    tolerance
        Stop when no problem has decreased by more than this share of its value over ten iterations.

    Returns
    -------
    The best variables found, their values (problems,), and how often the objective was evaluated.
    """
    variables = start
    value, gradient = objective(variables)
    evaluations = 1
    history = _History(memory, precondition)
    earlier = [value]
    step = 1.0 / gradient.norm(dim=1).clamp_min(1e-30) if precondition is None else torch.ones_like(value)
    for _ in range(iterations):
        direction = -history.apply(gradient)
        slope = (direction * gradient).sum(1)
        # A direction that does not lead downhill comes from pairs that no longer hold: steepest descent instead.
        uphill = slope >= 0
        if bool(uphill.any()):
            direction = torch.where(uphill[:, None], -gradient, direction)
            slope = (direction * gradient).sum(1)
        found = _search(objective, variables, value, direction, slope, step)
        evaluations += found.evaluations
        history.add(found.variables - variables, found.gradient - gradient)
        variables, value, gradient = found.variables, found.value, found.gradient
        step = torch.ones_like(value)
        earlier.append(value)
        if len(earlier) > 10 and bool((earlier[-11] - value <= tolerance * value.abs()).all()):
            break
    return variables, value, evaluations


class _History:
    def __init__(self, memory: int, precondition: Preconditioner | None) -> None:
        self._memory, self._precondition = memory, precondition
        self._pairs: list[tuple[Tensor, Tensor, Tensor]] = []
        self._scale: Tensor | None = None

    def add(self, moved: Tensor, change: Tensor) -> None:
        # s·y, of the step s and the change y of the gradient; where it is not positive a pair says nothing of
        # curvature.
        product = (moved * change).sum(1)
        squared = (change * change).sum(1)
        curved = product > 1e-10 * squared.clamp_min(1e-30)
        inverse = torch.where(curved, 1.0 / product.where(curved, torch.ones_like(product)), 0.0)
        scale = torch.where(curved, product / squared.clamp_min(1e-30), torch.zeros_like(product))
        if self._scale is not None:
            scale = torch.where(curved, scale, self._scale)
        self._scale = torch.where(scale > 0, scale, torch.ones_like(scale))
        self._pairs = [*self._pairs, (moved, change, inverse)][-self._memory :]

    def apply(self, gradient: Tensor) -> Tensor:
        if not self._pairs:
            return self._first_guess(gradient)
        # Two loops over the pairs, with ρ = 1 / s·y: q ← q − ρ (s·q) y from the last to the first, then, after the
        # first guess of the inverse curvature, r ← r + (ρ s·q − ρ y·r) s.
        direction = gradient
        shares = []
        for moved, change, inverse in reversed(self._pairs):
            share = inverse * (moved * direction).sum(1)
            direction = direction - share[:, None] * change
            shares.append(share)
        direction = self._first_guess(direction)
        for (moved, change, inverse), share in zip(self._pairs, reversed(shares), strict=True):
            direction = direction + (share - inverse * (change * direction).sum(1))[:, None] * moved
        return direction

    def _first_guess(self, gradient: Tensor) -> Tensor:
        if self._precondition is not None:
            return self._precondition(gradient)
        return gradient if self._scale is None else gradient * self._scale[:, None]


class _Found:
    def __init__(self, variables: Tensor, value: Tensor, gradient: Tensor, evaluations: int) -> None:
        self.variables, self.value, self.gradient, self.evaluations = variables, value, gradient, evaluations


def _search(
    objective: Objective, variables: Tensor, value: Tensor, direction: Tensor, slope: Tensor, step: Tensor
) -> _Found:
    """Shorten each problem's step until its value has decreased enough; a problem that finds none stays where it is."""
    best_step = torch.zeros_like(step)
    for trial in range(1, _MOST_TRIALS + 1):
        at = variables + step[:, None] * direction
        new_value, new_gradient = objective(at)
        good = (new_value <= value + _SUFFICIENT_DECREASE * step * slope) & torch.isfinite(new_value)
        if bool(good.all()):
            return _Found(at, new_value, new_gradient, trial)
        # The lowest point of the parabola through value and slope here and the value there.
        parabola = -slope * step * step / (2 * (new_value - value - slope * step))
        parabola = torch.where(torch.isfinite(parabola), parabola, 0.1 * step)
        best_step = torch.where(good, step, best_step)
        step = torch.where(good, step, torch.minimum(torch.maximum(parabola, 0.1 * step), 0.5 * step))
    at = variables + best_step[:, None] * direction
    new_value, new_gradient = objective(at)
    return _Found(at, new_value, new_gradient, _MOST_TRIALS + 1)
