import json
from dataclasses import replace

import numpy as np
import pytest

from dsfu.model.measured.data.summary import MeasuredSummary
from tests.model.measured.data.test_sections import HEXAGONAL, reconstruction


def test_what_it_says():
    volume = reconstruction()
    live = volume.live.copy()
    live[:, :, 0] = False
    volume = replace(volume, live=live, intensity=volume.intensity - 5000, sigma=np.full(volume.shape, 2.0))
    summary = MeasuredSummary.of(volume)
    measured = volume.intensity[live]
    assert summary.coverage == pytest.approx(0.8)
    assert summary.range_hkl is not None
    np.testing.assert_allclose(summary.range_hkl, [(-1.5, 1.5), (-1, 1), (2, 2.4)])
    assert (summary.minimum, summary.maximum) == (measured.min(), measured.max())
    assert summary.percentiles[50] == pytest.approx(np.median(measured))
    assert summary.negative == pytest.approx((measured < 0).mean())
    assert summary.signal_to_noise == pytest.approx(np.median(measured) / 2)
    farthest = max(float(np.linalg.norm(HEXAGONAL.q_of_hkl([h, k, 2.4]))) for h in (-1.5, 1.5) for k in (-1, 1))
    assert summary.q_largest == pytest.approx(farthest)
    assert summary.extent is not None
    assert summary.extent[2] == pytest.approx(0.4 * 2 * np.pi / 4.5)
    assert [(axis.label, axis.voxels) for axis in summary.axes] == [("h", 7), ("k", 9), ("l", 5)]


def test_it_is_plain():
    told = json.loads(json.dumps(MeasuredSummary.of(reconstruction()).to_dict()))
    assert told["cell"] == list(HEXAGONAL.constants)
    unknown = MeasuredSummary.of(replace(reconstruction(), cell=None, indexed=False))
    assert unknown.range_hkl is None
    assert unknown.q_largest is None
    assert unknown.axes[1].label == "axis 1"
