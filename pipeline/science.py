"""Versions of what is computed, raised by hand."""

from typing import Final

SCIENCE: Final = {"sro_sets": 1, "masks": 1, "planes": 1}
"""Version of the science of each kind of shard. It is raised when the numbers change, and only then.

It is part of every key: raising it makes all shards of the kind again, and planes too when it is that of sro_sets.
Reformatting or speeding up a kernel raises nothing.
"""
