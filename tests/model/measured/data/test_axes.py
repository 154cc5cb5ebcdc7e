import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsfu.model.measured.data.axes import axes_of
from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.readers.labels import direction_of

NUMBERS = st.floats(-2, 2).map(lambda number: round(number, 3))


def reconstruction(steps: object, origin: object = (0.1, 0.2, 0.3)) -> Reconstruction:
    shape = (4, 5, 6)
    return Reconstruction(
        intensity=np.ones(shape, np.float32),
        live=np.ones(shape, np.bool_),
        origin=np.array(origin),
        steps=np.array(steps),
        cell=None,
    )


@given(st.lists(NUMBERS, min_size=9, max_size=9), st.lists(NUMBERS, min_size=3, max_size=3))
def test_coordinates_and_labels_give_back_hkl(steps: list[float], origin: list[float]):
    """hkl of a voxel is the sum of its coordinates times the directions that the labels name."""
    matrix = np.array(steps).reshape(3, 3)
    if abs(np.linalg.det(matrix)) < 0.05:
        matrix = matrix + 5 * np.eye(3)
    if abs(np.linalg.det(matrix)) < 0.05:
        return
    found = reconstruction(matrix, origin)
    axes = axes_of(found)
    directions = [direction_of(axis.exact_label) for axis in axes]
    assert all(direction is not None for direction in directions)
    named = sum(
        float(axis.values[2]) * direction
        for axis, direction in zip(axes, directions, strict=True)
        if direction is not None
    )
    np.testing.assert_allclose(named, found.hkl_of_voxels([2, 2, 2]), atol=1e-5)


@pytest.mark.parametrize(
    ("step", "index", "label", "increment"),
    [
        ((0.1, 0, 0), 0, "h", 0.1),
        ((0, -0.1, 0), 1, "k", -0.1),
        ((0.1, 0.1, 0), 0, "[h, h, 0]", 0.1),
        ((-0.05, 0.05, 0), 1, "[−k, k, 0]", 0.05),
        ((0.05, 0, 0.2), 2, "[0.25l, 0, l]", 0.2),
        ((1e-17, 0, 0.2), 2, "l", 0.2),
    ],
)
def test_labels(step: tuple[float, ...], index: int, label: str, increment: float):
    others = np.eye(3)[[(index + 1) % 3, (index + 2) % 3]]
    axis = axes_of(reconstruction(np.vstack([step, others])))[0]
    assert axis.label == label
    assert axis.step == pytest.approx(increment)
