"""The kinds of shards of disorder: sets of short-range order, masks of dead zones, and planes of pairs of species."""

from typing import Final

from dsfu.pipeline.kinds import Kind
from dsfu.simulate.disorder.fields import PLANE_FIELDS

_MAKERS: Final = "dsfu.pipeline.problems.disorder.makers"

KINDS: Final = (
    Kind(
        name="sro_sets",
        noun="set",
        words="short-range order",
        science=1,  # raising it makes planes again, too
        make=f"{_MAKERS}:make_sro_sets",
        seconds_per_item=0.3,
        bytes_per_item=10_700,
        kernels="dsfu.simulate.disorder.metropolis_kernels",
        seconds_to_compile=6.0,
        record="sets.npz",
    ),
    Kind(
        name="masks",
        noun="mask",
        words="dead zones",
        science=1,
        make=f"{_MAKERS}:make_masks",
        seconds_per_item=0.005,
        bytes_per_item=8_900,
        kernels="dsfu.simulate.disorder.dead_zones",
        seconds_to_compile=1.0,
        record="masks.npz",
    ),
    Kind(
        name="planes",
        noun="plane",
        words="planes",
        science=1,
        make=f"{_MAKERS}:make_planes",
        seconds_per_item=0.0016,
        kernels="dsfu.simulate.disorder.order_kernels",
        seconds_to_compile=26.0,
        arrays={field.name: len(field.dims) for field in PLANE_FIELDS},
        is_sample=True,
    ),
)
"""First guesses of seconds are from two slow cores."""

SCIENCE: Final = {kind.name: kind.science for kind in KINDS}
