"""The sheets of short-range-order sets."""

import numpy as np
import pytest

from dsfu.simulate.disorder.oscillator import draw_oscillator_set, oscillator_alpha
from dsfu.simulate.lattice import Cell
from tools.sro_sheet import draw_oscillator_sheet, main, short_range_order


def test_intensity_is_the_clipped_cosine_sum():
    alpha = oscillator_alpha("tetragonal", 1.0, 0.5, 1.2)
    hkl = np.random.default_rng(1).uniform(-2, 2, (50, 3))
    expected = np.zeros(50)
    for u, w in np.argwhere(alpha[:, 5] != 0):
        expected += alpha[u, 5, w] * np.cos(2 * np.pi * (hkl[:, 0] * (u - 5) + hkl[:, 2] * (w - 5)))
    assert short_range_order(alpha, hkl) == pytest.approx(np.maximum(expected, 0.0), abs=1e-12)


def test_hexagonal_pictures_have_six_fold_symmetry():
    figure = draw_oscillator_sheet([("hexagonal", draw_oscillator_set(1, "hexagonal"))])
    picture = np.asarray(figure.axes[0].images[0].get_array())
    assert np.abs(picture[1:, 1:] - picture[:0:-1, :0:-1]).max() < 1e-9
    cell = Cell(6.0, 6.0, 6.0, beta=120.0)
    alpha = draw_oscillator_set(1, "hexagonal").alpha
    angles = np.radians(60 * np.arange(6) + 17)
    q = 0.8 * np.stack([np.cos(angles), np.zeros(6), np.sin(angles)], axis=-1)
    assert np.ptp(short_range_order(alpha, cell.hkl_of_q(q))) < 1e-9


def test_both_sheets_are_written(tmp_path):
    main(["--out", str(tmp_path / "sheets"), "--count", "3", "--box", "16"])
    for name in ("sro_monte_carlo.png", "sro_oscillator.png"):
        assert (tmp_path / "sheets" / name).stat().st_size > 20_000
