"""An image on its own pixels: nothing is interpolated, so that peaks keep their widths and noise stays independent."""

from typing import Any

import numpy as np

from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.data.reconstruction import Reconstruction, Step
from dsfu.simulate.disorder.planes import Plane


def on_own_grid(image: Reconstruction, most: int) -> MeasuredPlane | None:
    """A plane whose pixels are the image's, a frame of dead ones around what is no square about Q = 0.

    Q counts pixels. What Q = 0 is beside the middle of a pixel is kept as the plane's centre.

    Parameters
    ----------
    most
        Pixels along each side; None is returned of what has more.
    """
    thin = image.shape.index(1)
    rows, columns = np.delete(image.shape, thin)
    at_zero = np.delete(image.voxels_of_hkl(np.zeros(3)), thin)
    nearest = np.rint(at_zero).astype(int)
    far = np.array([rows, columns]) - 1 - nearest
    side = int(max(2 * nearest.max(), 2 * far.max() + 1))
    if side > most or (nearest < 0).any() or (far < 0).any():
        return None
    low = side // 2 - nearest
    part = tuple(slice(first, first + length) for first, length in zip(low, (rows, columns), strict=True))

    def framed(values: Any) -> Any:
        whole = np.zeros((side, side), values.dtype)
        whole[part] = values.squeeze(thin)
        return whole

    live = framed(image.live & np.isfinite(image.intensity)).astype(np.bool_)
    y, x = nearest - at_zero
    step = Step(name="own grid", parameters={"pixels": side, "Q = 0 beside a pixel by": [-x, -y]})
    return MeasuredPlane(
        intensity=np.where(live, framed(image.intensity), 0.0),
        live=live,
        plane=Plane(np.array([x, y, 0.0]), np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), side / 2, side),
        cell=None,
        sigma=None if image.sigma is None else np.where(live, framed(image.sigma), 0.0),
        name=f"the image of {image.source}" if image.source else "the image",
        source=image.source,
        history=(*image.history, step),
        scale_known=False,
    )
