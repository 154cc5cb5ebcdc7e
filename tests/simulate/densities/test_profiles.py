"""Profiles: areas, widths by Scherrer and Caglioti, doublets, texture and noise."""

from dataclasses import replace

import numpy as np
import pytest

from dsfu.simulate.densities.crystals import unit_cell
from dsfu.simulate.densities.profiles import Instrument, march_dollase, measured_pattern, with_background

PO = unit_cell(np.eye(3) * 3.0, [[0, 0, 0]], [29])
ANGLES = np.arange(20, 40, 0.005)


def width(pattern: np.ndarray) -> float:
    return float((pattern > pattern.max() / 2).sum() * 0.005)


def test_a_small_crystallite_is_as_wide_as_scherrer_says() -> None:
    one = Instrument(wavelengths=(1.5406,), weights=(1.0,), size=80, caglioti=(0, 0, 0))
    theta = np.arcsin(1.5406 / 6)
    assert width(measured_pattern(PO, ANGLES, one)) == pytest.approx(
        np.degrees(0.9 * 1.5406 / (80 * np.cos(theta))), rel=0.02
    )


def test_shifts_move_the_line() -> None:
    sharp = Instrument(wavelengths=(1.5406,), weights=(1.0,))
    for changed, by in (
        (replace(sharp, zero=0.1), 0.1),
        (replace(sharp, displacement=0.1), 0.1 * np.cos(np.arcsin(1.5406 / 6))),
    ):
        first, second = (ANGLES[measured_pattern(PO, ANGLES, each).argmax()] for each in (sharp, changed))
        assert second - first == pytest.approx(by, abs=0.006)


def test_texture_keeps_the_mean_over_directions() -> None:
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(100000, 3))
    assert march_dollase(PO, directions, (0, 0, 1), 0.5).mean() == pytest.approx(1, abs=0.03)
    assert (march_dollase(PO, directions, (0, 0, 1), 1.0) == 1).all()


def test_counts_are_poisson() -> None:
    flat = with_background(
        np.zeros(20000), np.linspace(10, 90, 20000), np.random.default_rng(1), counts=1e4, level=0.1, hump=0
    )
    later = flat[15000:]
    assert np.diff(later).var() / 2 == pytest.approx(later.mean(), rel=0.05)


def test_angles_must_ascend() -> None:
    with pytest.raises(ValueError, match="ascend"):
        measured_pattern(PO, ANGLES[::-1], Instrument())
