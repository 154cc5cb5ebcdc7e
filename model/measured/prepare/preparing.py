"""From a reconstruction to clean planes, with no more work than these need."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np

from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.prepare.cropping import Window, cropped
from dsfu.model.measured.prepare.cutting import cut, largest_q_max, neighbourhood
from dsfu.model.measured.prepare.plane_spec import PlaneSpec, parse_plane
from dsfu.model.measured.prepare.recipe import CleaningRecipe

Clean = Callable[[Reconstruction], Reconstruction]

_ENTIRE: Final = 0.7
"""Share of the volume from which on it is cleaned as a whole, and once."""


def prepared_planes(
    reconstruction: Reconstruction,
    specs: Sequence[PlaneSpec | str | None],
    recipe: CleaningRecipe | None = None,
    *,
    pixels: int | None = None,
    q_max: float | None = None,
    thickness: float = 0.0,
    clean: Clean | None = None,
) -> Iterator[MeasuredPlane]:
    """Planes cut from a reconstruction that is cleaned.

    If no step of the recipe looks at the whole volume, each plane's neighbourhood is cleaned alone, which is faster.
    Estimates of noise are then those of the neighbourhood.

    Parameters
    ----------
    specs, pixels, q_max, thickness
        Which planes, as for `cut`.
    clean
        What cleans, if it is to do more than ``recipe.apply``, such as to tell what it does.
    """
    recipe = recipe or CleaningRecipe()
    clean = clean or recipe.apply
    wanted = [parse_plane(each) if isinstance(each, str) else each for each in specs]
    windows = [_window(reconstruction, each, q_max, thickness, recipe) for each in wanted]
    sizes = [np.prod([side.stop - side.start for side in window]) for window in windows if window]
    if None in windows or sum(sizes) > _ENTIRE * reconstruction.intensity.size:
        whole = clean(reconstruction)
        for spec in wanted:
            yield cut(whole, spec, pixels=pixels, q_max=q_max, thickness=thickness)
        return
    for spec, window in zip(wanted, windows, strict=True):
        if spec is not None and window is not None:
            part = clean(cropped(reconstruction, window))
            # The part reaches farther than the plane, so it must not say how far that goes.
            side = q_max or min(largest_q_max(reconstruction, spec), largest_q_max(part, spec))
            yield cut(part, spec, pixels=pixels, q_max=side, thickness=thickness)


def _window(
    reconstruction: Reconstruction,
    spec: PlaneSpec | None,
    q_max: float | None,
    thickness: float,
    recipe: CleaningRecipe,
) -> Window | None:
    """What has to be cleaned for a plane; None for everything."""
    if spec is None or not reconstruction.indexed or recipe.needs_the_whole:
        return None
    reach = q_max or largest_q_max(reconstruction, spec)
    return neighbourhood(reconstruction, spec, reach, thickness, recipe.surroundings)
