"""The optimiser against known minima and against SciPy's."""

from itertools import pairwise

import numpy as np
import torch
from scipy.optimize import minimize, rosen, rosen_der

from dsfu.model.measured.solver.lbfgs import minimise


def rosenbrock(at: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    rows = at.numpy()
    return torch.tensor([rosen(row) for row in rows]), torch.as_tensor(np.stack([rosen_der(row) for row in rows]))


def test_it_finds_the_minimum_of_rosenbrocks_function_in_as_many_evaluations_as_scipy() -> None:
    start = np.array([-1.2, 1.0, -0.5, 1.3, 0.7, -0.2])
    at, value, evaluations = minimise(rosenbrock, torch.as_tensor(start[None]), 400, tolerance=1e-12)
    reference = minimize(rosen, start, jac=rosen_der, method="L-BFGS-B", options={"maxcor": 20, "ftol": 1e-14})
    assert float(value) < 1e-9
    np.testing.assert_allclose(at[0].numpy(), 1, atol=1e-4)
    assert evaluations < 2.5 * reference.nfev


def test_problems_of_a_batch_do_not_know_of_one_another() -> None:
    starts = torch.tensor([[-1.2, 1.0], [3.0, -2.0], [1.0, 1.0]], dtype=torch.float64)
    together, _, _ = minimise(rosenbrock, starts, 60)
    for i in range(3):
        alone, _, _ = minimise(rosenbrock, starts[i : i + 1], 60)
        np.testing.assert_allclose(together[i].numpy(), alone[0].numpy(), atol=1e-6)


def test_values_never_rise() -> None:
    rng = np.random.default_rng(0)
    matrix = torch.as_tensor(np.diag(10.0 ** rng.uniform(-3, 3, 30)))

    def quadratic(at: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        gradient = at @ matrix
        return 0.5 * (at * gradient).sum(1), gradient

    start = torch.as_tensor(rng.normal(size=(4, 30)))
    values = [minimise(quadratic, start, iterations)[1] for iterations in (1, 5, 20, 80)]
    for before, after in pairwise(values):
        assert (after <= before).all()
    assert (values[-1] < 1e-4 * values[0]).all()
