import math

import pytest
import torch

from dsfu.model.problems.disorder.batch import Batch
from dsfu.model.problems.disorder.training.losses import adversarial, charbonnier, dsfu_losses, product_loss
from dsfu.model.problems.disorder.training.recipe_settings import DsfuLoss
from tests.model.training.made import batch_of


def test_charbonnier_is_quadratic_and_then_linear():
    far, near = torch.tensor(3.0), torch.tensor(1e-3)
    assert float(charbonnier(far, 0.01)) == pytest.approx(3.0 - 0.01, rel=1e-4)
    assert float(charbonnier(near, 0.1)) == pytest.approx(1e-6 / 0.2, rel=1e-2)


def test_the_truth_costs_nothing():
    batch = batch_of(1)
    parts = dsfu_losses(batch.form_factor.sqrt(), batch.sro.sqrt(), batch, DsfuLoss())
    assert set(parts) == {"form_factor", "sro", "product"}
    assert all(abs(float(part)) < 1e-6 for part in parts.values())


def test_parts_by_hand():
    batch = batch_of(1)
    settings = DsfuLoss(root=2, linear=0, linear_squares=3, product=0, form_factor=1, sro=5, width=1e-6)
    off = batch.sro.sqrt() + 0.1
    parts = dsfu_losses(batch.form_factor.sqrt(), off, batch, settings)
    squares = (off.square() - batch.sro).square().mean()
    assert set(parts) == {"form_factor", "sro"}
    assert float(parts["sro"]) == pytest.approx(5 * (2 * 0.1 + 3 * float(squares)), rel=1e-4)


def test_the_product_counts_where_live_only():
    batch = batch_of(1)
    wrong_where_dead = torch.where(batch.live, batch.sro.sqrt(), 9.0)
    parts = dsfu_losses(batch.form_factor.sqrt(), wrong_where_dead, batch, DsfuLoss())
    assert float(parts["product"]) < 1e-6
    wrong_where_live = torch.where(batch.live, 9.0, batch.sro.sqrt())
    assert float(dsfu_losses(batch.form_factor.sqrt(), wrong_where_live, batch, DsfuLoss())["product"]) > 0.1


@pytest.mark.parametrize("live", [True, False])
def test_planes_without_order_nor_intensity_do_no_harm(live):
    flat, none = torch.ones(2, 1, 8, 8), torch.zeros(2, 1, 8, 8)
    mask = torch.full(flat.shape, live)
    for form_factor, sro in ((flat, flat), (none, flat), (none, none)):
        batch = Batch(intensity=form_factor * sro, live=mask, clean=form_factor * sro, form_factor=form_factor, sro=sro)
        answer = torch.full((2, 1, 8, 8), 0.3, requires_grad=True)
        loss = sum(dsfu_losses(answer, answer, batch, DsfuLoss()).values(), start=torch.zeros(()))
        loss.backward()
        assert loss.isfinite()
        assert answer.grad is not None
        assert answer.grad.isfinite().all()


def test_adversarial_is_cross_entropy():
    odds = torch.tensor([0.0, math.log(3.0)])  # probabilities 1/2 and 3/4
    assert float(adversarial(odds, is_true=True)) == pytest.approx(-(math.log(0.5) + math.log(0.75)) / 2)
    assert float(adversarial(odds, is_true=False)) == pytest.approx(-(math.log(0.5) + math.log(0.25)) / 2)


def test_the_product_of_minima_is_a_minimum():
    lowest, highest = torch.full((1, 1, 4, 4), -1.0), torch.full((1, 1, 4, 4), 1.0)
    assert float(product_loss(lowest, lowest, lowest, lowest)) == 0
    assert float(product_loss(lowest, lowest, lowest, highest)) == pytest.approx(1.5)  # smooth L1 of 1·1 from 1·3
    assert float(product_loss(lowest, lowest, highest, highest)) == pytest.approx(7.5)  # of 1·1 from 3·3


def test_the_product_teaches_a_factor_as_much_as_the_other_is_large():
    """The gradient of (y+2)(y′+2)−2, where the product is nearly right: no hundredth of it."""
    truth = torch.full((1, 1, 1, 1), 0.5)
    answer = torch.full((1, 1, 1, 1), 0.4, requires_grad=True)
    product_loss(answer, truth, truth, truth).backward()
    assert answer.grad is not None
    assert float(answer.grad) == pytest.approx(-0.1 * 2.5 * 2.5, rel=1e-5)
