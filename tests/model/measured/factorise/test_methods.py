"""The three ways to factorise, on a crystal that is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from dsfu.errors import InputError
from dsfu.model.measured.factorise import methods
from dsfu.model.measured.factorise.factors import CrystalFactors
from dsfu.model.measured.factorise.guess import Guess
from dsfu.model.measured.factorise.methods import Network, factorise
from dsfu.model.measured.factorise.verdict import judge
from dsfu.model.measured.solver.settings import SolverSettings
from dsfu.model.problems.disorder.networks.factoriser import Factoriser
from tests.model.measured.factorise.crystals import ALPHA, clean_plane, dumbbell
from tests.model.measured.factorise.made import HEXAGONAL, order


class Flat(Factoriser):
    """Answers that everything is in the form factor and that there is no order."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, intensity: Tensor, live: Tensor) -> tuple[Tensor, Tensor]:
        root = intensity.clamp(min=0).sqrt()
        top = root.amax(dim=(-2, -1), keepdim=True).clamp(min=1e-9)
        return root / top, torch.ones_like(intensity)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def solved() -> CrystalFactors:
    return factorise([clean_plane()], "solver", settings=SolverSettings(cutoff=3), judge=judge)


def test_the_solver_finds_both_factors_and_is_believed(solved: CrystalFactors) -> None:
    (plane,) = solved.planes
    true_order, true_form = order(plane.plane.hkl(HEXAGONAL)), dumbbell(plane.plane.q)
    scale = float(plane.sro.ravel() @ true_order.ravel()) / float(np.square(true_order).sum())
    assert np.abs(plane.sro / scale - true_order).max() < 0.05
    error = (plane.form_factor * scale - true_form)[plane.from_data]
    assert np.sqrt(np.square(error).mean()) < 0.02 * true_form.max()
    assert plane.misfit < 0.02
    assert solved.verdict.passed, solved.verdict.sentence
    assert solved.history[0].parameters["method"] == "solver"


def test_the_solver_finds_the_parameters(solved: CrystalFactors) -> None:
    assert solved.alpha is not None
    assert solved.alpha_vectors is not None
    for vector, value in ALPHA.items():
        in_plane = np.array(vector[:2])  # on a whole layer vectors along c cannot be told apart
        same = [i for i, v in enumerate(solved.alpha_vectors[:, :2]) if (v == in_plane).all() or (v == -in_plane).all()]
        assert len(same) == 1
        assert solved.alpha[same[0]] == pytest.approx(value, abs=0.01)


def test_the_hybrid_keeps_what_data_say_and_fills_the_rest(solved: CrystalFactors) -> None:
    network = Network(factoriser=Flat(), pixels=64)
    filled = factorise([clean_plane()], "hybrid", network=network, settings=SolverSettings(cutoff=3), judge=judge)
    before, after = solved.planes[0], filled.planes[0]
    known = before.from_data
    change = np.abs(after.form_factor - before.form_factor) / before.form_factor[known].max()
    assert np.sqrt(np.square(change[known]).mean()) < 0.01
    assert np.sqrt(np.square(change[~before.live]).mean()) > 1e-4
    np.testing.assert_array_equal(after.sro, before.sro)
    assert filled.method == "hybrid"


def test_a_network_needs_no_lattice_and_gives_the_data_s_unit() -> None:
    plane = clean_plane(cell=None)
    found = factorise([plane], "network", network=Network(factoriser=Flat(), pixels=64), judge=judge)
    (factors,) = found.planes
    assert found.alpha is None
    assert not factors.from_data.any()
    np.testing.assert_allclose(factors.model[plane.live], plane.intensity[plane.live], rtol=1e-3, atol=1e-3)
    assert factors.misfit < 1e-3
    assert factors.sigma_sro is not None
    np.testing.assert_allclose(factors.sigma_sro, 0, atol=1e-5)  # this one answers the same, however turned
    assert "spread of the network's answers" in {check.name for check in found.verdict.checks}


def test_a_network_s_order_is_put_on_the_lattice_where_one_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    plane = clean_plane()
    true_order = order(plane.plane.hkl(HEXAGONAL))
    answer = np.maximum(true_order + 0.3 * np.cos(plane.plane.q[..., 0] * 3.1), 0).astype(np.float32)
    nothing = np.zeros_like(answer)
    answered = Guess(
        form_factor_root=np.ones_like(answer),
        sro_root=np.sqrt(answer / answer.max()),
        form_factor_spread=nothing,
        sro_spread=nothing,
    )
    monkeypatch.setattr(methods, "guess", lambda *_: answered)
    network = Network(factoriser=Flat(), pixels=64)
    errors = {}
    for on_lattice in (True, False):
        found = factorise([plane], "network", network=network, on_lattice=on_lattice, settings=SolverSettings(cutoff=2))
        errors[on_lattice] = np.square(found.planes[0].sro * true_order.mean() - true_order).mean()
        assert ("captured_by_lattice" in found.settings) is on_lattice
    assert errors[True] < errors[False] / 10
    without = factorise([replace(plane, cell=None)], "network", network=network)
    assert "captured_by_lattice" not in without.settings
    np.testing.assert_array_equal(without.planes[0].sro, found.planes[0].sro)


def test_the_solver_is_refused_without_a_lattice_and_the_hybrid_without_a_network() -> None:
    with pytest.raises(InputError, match="cell is unknown"):
        factorise([clean_plane(cell=None)], "solver")
    with pytest.raises(ValueError, match="expected a network"):
        factorise([clean_plane()], "hybrid")


def test_an_order_on_another_lattice_is_not_believed() -> None:
    plane = clean_plane()
    foreign = 1 + np.cos(plane.plane.q @ [13.0, 5.0, 3.0])
    wrong = replace(plane, intensity=plane.intensity * foreign)
    found = factorise([wrong], "solver", settings=SolverSettings(cutoff=3, widths=(0.42,)), judge=judge)
    assert not found.verdict.passed
