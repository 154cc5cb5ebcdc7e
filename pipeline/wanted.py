"""What a manifest wants, all of it: its shards, in which order they are made, and the store they make together."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from dsfu.pipeline.manifest.loaded import LoadedManifest
from dsfu.pipeline.problem import Problem, problem_called
from dsfu.pipeline.specs import ShardSpec
from dsfu.pipeline.store.contents import StoreContents


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A manifest with all that follows from it before anything is made.

    ``expected`` is what the problem plans: all shards, and whatever else it makes of its manifest.
    """

    loaded: LoadedManifest[Any]
    problem: Problem[Any]
    expected: Any

    @property
    def specs(self) -> Sequence[ShardSpec]:
        """All shards, in the order of the store."""
        specs: Sequence[ShardSpec] = self.expected.specs
        return specs

    @property
    def stages(self) -> list[list[ShardSpec]]:
        """Shards in the order of making: nothing in a stage needs anything of its own stage or of later ones."""
        return stages_of(self.specs)

    def closing_spec(self, complete: Collection[str]) -> StoreContents:
        """The store that the shards with these keys make."""
        return self.problem.contents(self.loaded, self.expected, complete)


def what_is_wanted(loaded: LoadedManifest[Any]) -> Wanted:
    """Plan what a manifest asks for, and give every shard its key."""
    problem = problem_called(loaded.manifest.problem)
    return Wanted(loaded=loaded, problem=problem, expected=problem.plan(loaded))


def stages_of(specs: Sequence[ShardSpec]) -> list[list[ShardSpec]]:
    """Shards by how deep their needs go. All shards of a kind are in one stage, that of the deepest of them.

    Raises
    ------
    ValueError
        If a shard needs what comes after it or is not there.
    """
    kind_of = {spec.key: spec.kind for spec in specs}
    depth_of_kind = dict.fromkeys((spec.kind for spec in specs), 0)
    seen: set[str] = set()
    for spec in specs:
        strange = next((key for key in spec.needs if key not in seen), None)
        if strange is not None:
            raise ValueError(f"{spec.identity} needs {strange}; expected the key of a shard that comes before it")
        seen.add(spec.key)
    needed_by = {(spec.kind, kind_of[key]) for spec in specs for key in spec.needs}
    for _ in depth_of_kind:
        for kind, needed in needed_by:
            depth_of_kind[kind] = max(depth_of_kind[kind], depth_of_kind[needed] + 1)
    depths = sorted({depth_of_kind[spec.kind] for spec in specs})
    return [[spec for spec in specs if depth_of_kind[spec.kind] == depth] for depth in depths]
