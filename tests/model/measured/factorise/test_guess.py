import numpy as np
import pytest
import torch
from torch import Tensor

from dsfu.model.measured.factorise.guess import guess
from dsfu.model.problems.disorder.networks.factoriser import Factoriser


class Stand(Factoriser):
    """Answers with √I of what it is shown, and with its column's number: the second depends on how the plane lies."""

    def __init__(self) -> None:
        super().__init__()
        self.unit = torch.nn.Parameter(torch.ones(()))

    def forward(self, intensity: Tensor, live: Tensor) -> tuple[Tensor, Tensor]:
        columns = torch.linspace(0, 1, intensity.shape[-1]).expand_as(intensity)
        return (intensity * live).sqrt() * self.unit, columns


def plane(pixels: int = 32) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[:pixels, :pixels] / pixels
    live = np.ones((pixels, pixels), bool)
    live[: pixels // 4, : pixels // 2] = False
    return np.asarray(2 + np.sin(4 * x) * np.cos(3 * y), np.float32), live


def test_turned_answers_are_turned_back():
    intensity, live = plane()
    answer = guess(Stand(), intensity, live, 32)
    np.testing.assert_allclose(answer.form_factor_root, np.sqrt(intensity * live), atol=1e-6)
    np.testing.assert_allclose(answer.form_factor_spread, 0, atol=1e-3)
    np.testing.assert_allclose(answer.sro_root, 0.5, atol=1e-6)  # left and right, up and down: in the mean the middle
    assert answer.sro_spread.max() > 0.3


def test_asked_once_it_is_as_it_lies():
    answer = guess(Stand(), *plane(), 32, turned=False)
    np.testing.assert_allclose(answer.sro_root[0], np.linspace(0, 1, 32), atol=1e-6)
    assert (answer.sro_spread == 0).all()


@pytest.mark.parametrize("pixels", [20, 50, 64])
def test_planes_of_other_sizes_are_resampled_and_come_back(pixels: int):
    intensity, live = plane(pixels)
    answer = guess(Stand(), intensity, live, 32, turned=False)
    assert answer.form_factor_root.shape == (pixels, pixels)
    inside = np.zeros_like(live)
    inside[pixels // 4 + 4 : -4, 4:-4] = True
    np.testing.assert_allclose(answer.form_factor_root[inside], np.sqrt(intensity[inside]), atol=0.03)


def test_what_is_dead_is_not_shown():
    intensity, live = plane()
    intensity[~live] = np.nan
    assert np.isfinite(guess(Stand(), intensity, live, 32).form_factor_root).all()
