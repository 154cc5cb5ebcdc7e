"""Kinds of shards of the phase problem: one, crystals with or without their grids."""

from typing import Final

from dsfu.pipeline.kinds import Kind

CRYSTALS: Final = Kind(
    name="phase_crystals",
    noun="crystal",
    words="crystals",
    science=1,
    make="dsfu.pipeline.problems.phases.makers:make_crystals",
    seconds_per_item=4e-5,
    kernels="dsfu.simulate.phases.point_kernels",
    seconds_to_compile=2.0,
    arrays={"amplitude": 4, "known": 4, "density": 4},
    is_sample=True,
)
