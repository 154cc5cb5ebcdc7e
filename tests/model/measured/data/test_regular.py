import numpy as np
import pytest

from dsfu.model.measured.data.reconstruction import Step
from dsfu.model.measured.data.regular import along_indices
from tests.model.measured.data.test_sections import reconstruction


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 0, 2), (2, 1, 0)])
def test_axes_are_put_in_order(order: tuple[int, int, int]):
    found, expected = along_indices(reconstruction(order)), reconstruction()
    np.testing.assert_array_equal(found.intensity, expected.intensity)
    np.testing.assert_array_equal(found.origin, expected.origin)
    np.testing.assert_array_equal(found.steps, expected.steps)
    assert [step.name for step in found.history] == ([] if order == (0, 1, 2) else ["reorder axes"])


def test_oblique_axes_are_resampled():
    """Linear interpolation gives back what is linear in hkl."""
    volume = reconstruction()
    turned = volume.steps @ np.array([[1, 1, 0], [-1, 1, 0], [0, 0, 1]])
    hkl = volume.origin + np.moveaxis(np.indices(volume.shape), 0, -1) @ turned
    oblique = volume.after(Step(name="turn"), steps=turned, intensity=hkl @ [3.0, 2.0, 1.0] + 50)
    found = along_indices(oblique)
    assert found.live.any()
    assert not found.live.all()
    inner = found.hkl_of_voxels(np.argwhere(found.live))
    difference = np.abs(found.intensity[found.live] - (inner @ [3.0, 2.0, 1.0] + 50))
    assert np.median(difference) < 1e-9
