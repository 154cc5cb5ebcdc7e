"""How much a background may bend, from amplitudes of splines and how well they are known."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from dsfu.model.measured.volume import evidence
from dsfu.model.measured.volume.columns import LOOSEST, columns_of
from dsfu.model.measured.volume.evidence import best_curvature
from dsfu.model.measured.volume.look_ahead import FIRST


def _chosen(amplitudes, deviation):
    lengths = np.linspace(0, 3, 8000, dtype=np.float32).reshape(20, 20, 20)
    columns = columns_of(lengths, np.ones(lengths.shape, bool), 25.0, [])
    fit = SimpleNamespace(columns=columns, sizes=(0, 0, 9), parts=lambda: (None, None, np.asarray(amplitudes)))
    return best_curvature(cast(Any, fit), deviation**2 * np.eye(9)) / (LOOSEST * 25.0)


@pytest.mark.parametrize(("deviation", "least", "most"), [(3.0, 0.1, 1.0), (0.01, 0.0, 0.02)])
def test_a_straight_background_is_stiff_only_where_the_data_say_so(deviation, least, most):
    assert least <= _chosen(np.full(9, 6.0), deviation) <= most


def test_a_bent_background_may_bend():
    assert _chosen(6 + 5 * np.cos(np.arange(9)), 0.1) > 0.1


def test_the_search_for_a_prior_is_not_caught_by_the_widest(monkeypatch):
    def of(prior):
        return 300 * np.exp(-((np.log(prior.width[0] / 0.25) / 0.1) ** 2)) + 10 * prior.width[0]

    monkeypatch.setattr(evidence, "Evidence", lambda fit: SimpleNamespace(of=of))
    assert evidence.best_prior(cast(Any, None), FIRST).width[0] == pytest.approx(0.25, abs=0.01)
